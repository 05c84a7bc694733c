//! Several writes to the catalog, all or none.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};

use super::item::{Item, Key};
use super::{Catalog, CatalogError};
use crate::aws::AwsError;

/// One write of a transaction.
#[derive(Clone, Debug)]
pub(super) enum Write {
    /// Puts an item, if what is there meets the condition.
    Put(Item, Option<Condition>),
    /// Deletes an item, if it is there and meets the condition.
    Delete(Key, Option<Condition>),
}

/// What must hold of the item that is there. `#state` stands for the attribute `state`, as some words are reserved.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    expression: &'static str,
    values: Item,
}

/// The attributes that an expression calls by `#names`; DynamoDB takes no empty map.
fn names(expression: &str) -> Option<HashMap<String, String>> {
    let words = expression.split(|c: char| c != '#' && !c.is_alphanumeric());
    let names = words.filter_map(|word| Some((word.to_owned(), word.strip_prefix('#')?.to_owned())));
    let names: HashMap<String, String> = names.collect();
    (!names.is_empty()).then_some(names)
}

impl Condition {
    pub(super) fn new<const N: usize>(expression: &'static str, values: [(&str, AttributeValue); N]) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { expression, values }
    }

    /// That there is no such item yet.
    pub(super) fn absent() -> Self {
        Self::new("attribute_not_exists(pk)", [])
    }
}

impl Catalog {
    /// Writes all or nothing; false when a condition does not hold.
    pub(super) async fn transact(&self, writes: Vec<Write>) -> Result<bool, CatalogError> {
        let writes: Result<Vec<_>, _> = writes.into_iter().map(|write| self.transacted(write)).collect();
        let answer = self.client.transact_write_items().set_transact_items(Some(writes?)).send().await;
        let Err(error) = answer else { return Ok(true) };
        // A condition that does not hold comes as the reason of a cancelled transaction.
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
            && cancelled.cancellation_reasons().iter().any(|r| r.code() == Some("ConditionalCheckFailed"))
        {
            return Ok(false);
        }
        Err(self.aws(AwsError::new("TransactWriteItems", &error)))
    }

    fn transacted(&self, write: Write) -> Result<TransactWriteItem, CatalogError> {
        let item = TransactWriteItem::builder();
        let incomplete = |_| self.aws(AwsError::incomplete("TransactWriteItems", "item"));
        Ok(match write {
            Write::Put(put, condition) => {
                let mut put = Put::builder().table_name(&self.table).set_item(Some(put));
                if let Some(Condition { expression, values }) = condition {
                    put = put
                        .condition_expression(expression)
                        .set_expression_attribute_names(names(expression))
                        .set_expression_attribute_values((!values.is_empty()).then_some(values));
                }
                item.put(put.build().map_err(incomplete)?)
            }
            Write::Delete(key, condition) => {
                let mut delete = Delete::builder().table_name(&self.table).set_key(Some(key.attributes()));
                if let Some(Condition { expression, values }) = condition {
                    delete = delete
                        .condition_expression(expression)
                        .set_expression_attribute_names(names(expression))
                        .set_expression_attribute_values((!values.is_empty()).then_some(values));
                }
                item.delete(delete.build().map_err(incomplete)?)
            }
        }
        .build())
    }
}
