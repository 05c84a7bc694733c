//! A table as a backup captures it: its description, its tags, and every item, by a consistent Scan.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::operation::list_tags_of_resource::ListTagsOfResourceError;
use aws_sdk_dynamodb::types::{AttributeValue, TableDescription, TableStatus};

use super::describe;

/// What a recovery point holds.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The table's description when the backup started.
    pub table: TableDescription,
    /// Every item, in the order of the Scan.
    pub items: Vec<HashMap<String, AttributeValue>>,
}

impl Snapshot {
    /// Is there no table in it? So it is with points that were made without a backup: every table has a key.
    pub(crate) fn is_hollow(&self) -> bool {
        self.table.key_schema().is_empty()
    }

    /// The size of the items in bytes, as the DynamoDB Developer Guide, "Item sizes and formats", counts them.
    pub fn size_in_bytes(&self) -> u64 {
        self.items.iter().map(item_size).fold(0, u64::saturating_add)
    }
}

/// Why a table cannot be captured.
#[derive(Debug)]
pub(crate) enum CaptureError {
    NotFound,
    /// There, but in a state that has no backups.
    Unfit(String),
    /// DynamoDB did not do what was asked.
    Failed(String),
}

/// The table's own tags, without those that AWS gives and takes (`aws:…`).
pub(crate) async fn tags(client: &Client, arn: &str) -> Result<BTreeMap<String, String>, CaptureError> {
    let (mut tags, mut next) = (BTreeMap::new(), None);
    loop {
        let answer = client.list_tags_of_resource().resource_arn(arn).set_next_token(next).send().await;
        let answer = answer.map_err(|error| {
            let missing = error
                .as_service_error()
                .is_some_and(ListTagsOfResourceError::is_resource_not_found_exception);
            if missing { CaptureError::NotFound } else { CaptureError::Failed(describe(&error)) }
        })?;
        let own = answer.tags.unwrap_or_default().into_iter().filter(|tag| !tag.key.starts_with("aws:"));
        tags.extend(own.map(|tag| (tag.key, tag.value)));
        next = answer.next_token;
        if next.is_none() {
            return Ok(tags);
        }
    }
}

/// The table's description, if it can be backed up now.
pub(crate) async fn description(client: &Client, name: &str) -> Result<TableDescription, CaptureError> {
    let answer = client.describe_table().table_name(name).send().await.map_err(|error| {
        let missing =
            error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception);
        if missing { CaptureError::NotFound } else { CaptureError::Failed(describe(&error)) }
    })?;
    let table = answer.table.ok_or(CaptureError::NotFound)?;
    match table.table_status() {
        Some(TableStatus::Active | TableStatus::Updating) => Ok(table),
        status => {
            let status = status.map_or("unknown", TableStatus::as_str);
            Err(CaptureError::Unfit(format!("Table is not in a state to be backed up: {status}.")))
        }
    }
}

/// Every item.
pub(crate) async fn items(
    client: &Client,
    name: &str,
) -> Result<Vec<HashMap<String, AttributeValue>>, CaptureError> {
    let mut pages = client.scan().table_name(name).consistent_read(true).into_paginator().items().send();
    let mut items = Vec::new();
    while let Some(item) = pages.next().await {
        items.push(item.map_err(|error| CaptureError::Failed(describe(&error)))?);
    }
    Ok(items)
}

fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn item_size(item: &HashMap<String, AttributeValue>) -> u64 {
    item.iter().map(|(name, value)| length(name.len()) + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> u64 {
    let number = |digits: &str| {
        let significant = digits.chars().filter(char::is_ascii_digit).count();
        length(significant.div_ceil(2)) + 1 + u64::from(digits.starts_with('-'))
    };
    match value {
        AttributeValue::S(text) => length(text.len()),
        AttributeValue::N(digits) => number(digits),
        AttributeValue::B(bytes) => length(bytes.as_ref().len()),
        AttributeValue::Ss(texts) => texts.iter().map(|text| length(text.len())).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|digits| number(digits)).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| length(blob.as_ref().len())).sum(),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<u64>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + length(name.len()) + value_size(value)).sum::<u64>()
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_backup_counts_the_names_and_values_of_its_items() {
        let s = |text: &str| AttributeValue::S(text.to_owned());
        let item = HashMap::from([
            ("id".to_owned(), s("ä1")),
            ("n".to_owned(), AttributeValue::N("-123".to_owned())),
            ("ok".to_owned(), AttributeValue::Bool(true)),
            ("l".to_owned(), AttributeValue::L(vec![s("ab"), AttributeValue::Null(true)])),
            ("m".to_owned(), AttributeValue::M(HashMap::from([("k".to_owned(), s("v"))]))),
        ]);
        // id 2+3, n 1+4, ok 2+1, l 1+3+(1+2)+(1+1), m 1+3+(1+1+1)
        assert_eq!(item_size(&item), 5 + 5 + 3 + 9 + 7);
    }
}
