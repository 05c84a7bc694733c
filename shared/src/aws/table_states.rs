//! Whether tables are there, in which state, and how large.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TableDescription;

use super::{AwsError, Fault, Rate};
use crate::id::TableArn;

/// What DynamoDB says of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableState {
    /// Such as `ACTIVE`.
    pub status: String,
    /// As DynamoDB last counted it, about every six hours (Amazon DynamoDB API Reference, `TableDescription`); `None` where
    /// it has not counted yet.
    pub size: Option<TableSize>,
}

/// A table's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Bytes of its items and of its local secondary indexes: what a backup of it is billed for (Amazon DynamoDB Developer
    /// Guide, "Understanding your AWS billing and usage reports for DynamoDB").
    pub bytes: u64,
    /// Its items.
    pub items: u64,
}

/// Asks DynamoDB about single tables, with one `DescribeTable` each.
#[derive(Clone, Debug)]
pub struct TableStates {
    client: Client,
    rate: Rate,
}

impl TableStates {
    /// Of the client's account and Region, with at most so many calls a second.
    pub fn new(config: &SdkConfig, rate: Rate) -> Self {
        Self { client: Client::new(config), rate }
    }

    /// A table's state; `None` when there is no such table.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn of(&self, table: &TableArn) -> Result<Option<TableState>, AwsError> {
        const OPERATION: &str = "DescribeTable";
        let call = self.client.describe_table().table_name(table.as_str());
        let answer = self.rate.call(|turn| call.customize().interceptor(turn).send()).await;
        match answer.map_err(|error| AwsError::new(OPERATION, &error)) {
            Ok(answer) => answer
                .table()
                .and_then(state_of)
                .map(Some)
                .ok_or_else(|| AwsError::incomplete(OPERATION, "TableStatus")),
            Err(error) if error.fault() == Fault::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn state_of(table: &TableDescription) -> Option<TableState> {
    Some(TableState { status: table.table_status()?.as_str().to_owned(), size: size_of(table) })
}

fn size_of(table: &TableDescription) -> Option<TableSize> {
    let natural = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let indexes =
        table.local_secondary_indexes().iter().filter_map(|index| natural(index.index_size_bytes()));
    let bytes = natural(table.table_size_bytes())?.saturating_add(indexes.sum());
    Some(TableSize { bytes, items: natural(table.item_count()).unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{
        GlobalSecondaryIndexDescription, LocalSecondaryIndexDescription, TableStatus,
    };

    use super::*;

    #[test]
    fn local_indexes_count_and_global_ones_do_not() {
        let table = TableDescription::builder()
            .table_size_bytes(1000)
            .item_count(7)
            .local_secondary_indexes(LocalSecondaryIndexDescription::builder().index_size_bytes(200).build())
            .local_secondary_indexes(LocalSecondaryIndexDescription::builder().build())
            .global_secondary_indexes(
                GlobalSecondaryIndexDescription::builder().index_size_bytes(5000).build(),
            )
            .build();
        assert_eq!(size_of(&table), Some(TableSize { bytes: 1200, items: 7 }));
    }

    #[test]
    fn a_table_without_a_size_is_not_taken_for_empty() {
        let table = TableDescription::builder().table_status(TableStatus::Creating).item_count(7).build();
        assert_eq!(state_of(&table), Some(TableState { status: "CREATING".to_owned(), size: None }));
        assert_eq!(state_of(&TableDescription::builder().table_size_bytes(1).build()), None);
    }
}
