//! Whether tables are there, and in which state.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TableStatus;

use super::{AwsError, Fault};
use crate::id::TableArn;

/// Asks DynamoDB for the status of single tables. `DescribeTable` has no quota of its own beyond 2,500 calls a second
/// (Amazon DynamoDB Developer Guide, "Quotas").
#[derive(Clone, Debug)]
pub struct TableStates {
    client: Client,
}

impl TableStates {
    /// Of the client's account and Region.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// A table's status, such as `ACTIVE`; `None` when there is no such table.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn status(&self, table: &TableArn) -> Result<Option<String>, AwsError> {
        const OPERATION: &str = "DescribeTable";
        let answer = self.client.describe_table().table_name(table.as_str()).send().await;
        match answer.map_err(|error| AwsError::new(OPERATION, &error)) {
            Ok(answer) => answer
                .table()
                .and_then(|table| table.table_status())
                .map(|status: &TableStatus| Some(status.as_str().to_owned()))
                .ok_or_else(|| AwsError::incomplete(OPERATION, "TableStatus")),
            Err(error) if error.fault() == Fault::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
