//! How large tables are, as DynamoDB last counted.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::TableDescription;

use super::{AwsError, Rate};
use crate::id::TableName;

/// A table's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Bytes of its items and of its local secondary indexes: what a backup of it is billed for (Amazon DynamoDB Developer
    /// Guide, "Understanding your AWS billing and usage reports for DynamoDB").
    pub bytes: u64,
    /// Its items.
    pub items: u64,
}

/// Reads sizes with one `DescribeTable` each. DynamoDB renews them about every six hours (Amazon DynamoDB API Reference,
/// `TableDescription`).
#[derive(Clone, Debug)]
pub struct TableSizer {
    dynamodb: Client,
    rate: Rate,
}

impl TableSizer {
    /// For the tables of the client's Region, with at most so many calls a second.
    pub fn new(config: &SdkConfig, rate: Rate) -> Self {
        Self { dynamodb: Client::new(config), rate }
    }

    /// The size of a table.
    ///
    /// # Errors
    /// When there is no such table, or AWS refuses the call.
    pub async fn size(&self, table: &TableName) -> Result<TableSize, AwsError> {
        const OPERATION: &str = "DescribeTable";
        self.rate.ready().await;
        let answer = self.dynamodb.describe_table().table_name(table.as_str()).send().await;
        let answer = answer.map_err(|error| AwsError::new(OPERATION, &error))?;
        answer
            .table
            .as_ref()
            .and_then(size_of)
            .ok_or_else(|| AwsError::incomplete(OPERATION, "TableSizeBytes"))
    }
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
    use aws_sdk_dynamodb::types::{GlobalSecondaryIndexDescription, LocalSecondaryIndexDescription};

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
        assert_eq!(size_of(&TableDescription::builder().item_count(7).build()), None);
    }
}
