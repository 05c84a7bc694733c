//! Reading and writing catalog items, whatever they are about.

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Catalog;
use crate::aws::{AwsError, Fault};
use crate::error::{ErrorType, Refusal};

/// Why the catalog cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// DynamoDB refused a call or did not answer.
    #[error("the catalog {table}: {source}")]
    Aws {
        /// The catalog table's name.
        table: String,
        /// What DynamoDB said.
        source: AwsError,
    },
    /// An item is not what this version understands.
    #[error("the catalog {table} holds an item {key} that cannot be read: {why}")]
    Unreadable {
        /// The catalog table's name.
        table: String,
        /// The item's keys.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// A value has no form as an item; nothing was written.
    #[error("the item {key} of the catalog {table} cannot be written: {why}")]
    Unwritable {
        /// The catalog table's name.
        table: String,
        /// The item's keys.
        key: String,
        /// What is wrong with it.
        why: String,
    },
}

impl CatalogError {
    /// Whether there is no such table: no stack was ever deployed there.
    pub fn is_missing_table(&self) -> bool {
        matches!(self, Self::Aws { source, .. } if source.fault() == Fault::NotFound)
    }

    /// Whether a conditional write found its condition not met.
    pub fn is_condition_failed(&self) -> bool {
        matches!(self, Self::Aws { source, .. } if source.fault() == Fault::ConditionFailed)
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        let error_type = match &error {
            CatalogError::Aws { source, .. } if source.fault() == Fault::AccessDenied => {
                ErrorType::AccessDenied
            }
            _ => ErrorType::Internal,
        };
        Self::new(error_type, error.to_string())
    }
}

/// An item as DynamoDB has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The two keys of an item, and those of the index where it is listed there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    pub(super) fn attributes(&self) -> Item {
        [("pk", &self.pk), ("sk", &self.sk)]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.clone())))
            .collect()
    }
}

/// Work that is done is remembered this long.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Lets DynamoDB's TTL remove an item about work that was taken up, or done, at this moment.
pub(super) fn expire(item: &mut Item, since: Timestamp) {
    let expiry = since.checked_add(REMEMBERED).unwrap_or(since).as_second();
    item.insert("expires_at".to_owned(), AttributeValue::N(expiry.to_string()));
}

impl Catalog {
    pub(super) fn aws(&self, source: AwsError) -> CatalogError {
        CatalogError::Aws { table: self.table.clone(), source }
    }

    pub(super) fn unwritable(&self, key: &Key, error: &dyn Error) -> CatalogError {
        let key = format!("{} / {}", key.pk, key.sk);
        CatalogError::Unwritable { table: self.table.clone(), key, why: error.to_string() }
    }

    /// What an item says, without its keys.
    pub(super) fn parse<T: DeserializeOwned>(&self, item: Item) -> Result<T, CatalogError> {
        let text =
            |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
        let key = format!("{} / {}", text("pk"), text("sk"));
        serde_dynamo::from_item(item).map_err(|error| CatalogError::Unreadable {
            table: self.table.clone(),
            key,
            why: error.to_string(),
        })
    }

    /// An item with its keys.
    pub(super) fn compose<T: Serialize>(&self, key: &Key, value: &T) -> Result<Item, CatalogError> {
        let mut item: Item = serde_dynamo::to_item(value).map_err(|error| self.unwritable(key, &error))?;
        item.extend(key.attributes());
        Ok(item)
    }

    /// A value as an attribute.
    pub(super) fn attribute<T: Serialize>(&self, value: T) -> Result<AttributeValue, CatalogError> {
        serde_dynamo::to_attribute_value(value)
            .map_err(|error| self.unwritable(&Key::new("attribute", ""), &error))
    }

    /// What one item says, read consistently.
    pub(super) async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, CatalogError> {
        self.get_item(key).await?.map(|item| self.parse(item)).transpose()
    }

    /// One item, read consistently.
    pub(super) async fn get_item(&self, key: &Key) -> Result<Option<Item>, CatalogError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key.attributes()));
        // On the heap: the futures of whoever calls this are deep enough.
        let answer = Box::pin(get.consistent_read(true).send()).await;
        Ok(answer.map_err(|error| self.aws(AwsError::new("GetItem", &error)))?.item)
    }

    /// Writes an item over whatever was there.
    pub(super) async fn put(&self, item: Item) -> Result<(), CatalogError> {
        self.put_when(item, None, HashMap::new()).await
    }

    /// Writes an item on a condition; a condition not met is an error for which
    /// [`CatalogError::is_condition_failed`] is true.
    pub(super) async fn put_when(
        &self,
        item: Item,
        condition: Option<&str>,
        values: HashMap<String, AttributeValue>,
    ) -> Result<(), CatalogError> {
        self.put_when_named(item, condition, &[], values).await
    }

    /// As [`Catalog::put_when`], for a condition that calls attributes by `#names`: some words are reserved.
    pub(super) async fn put_when_named(
        &self,
        item: Item,
        condition: Option<&str>,
        names: &[(&str, &str)],
        values: HashMap<String, AttributeValue>,
    ) -> Result<(), CatalogError> {
        let names: HashMap<_, _> =
            names.iter().map(|(name, attribute)| ((*name).to_owned(), (*attribute).to_owned())).collect();
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_names((!names.is_empty()).then_some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .send()
            .await
            .map_err(|error| self.aws(AwsError::new("PutItem", &error)))?;
        Ok(())
    }

    /// Removes an item; nothing there is as good.
    pub(super) async fn remove(&self, key: &Key) -> Result<(), CatalogError> {
        self.client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .send()
            .await
            .map_err(|error| self.aws(AwsError::new("DeleteItem", &error)))?;
        Ok(())
    }

    /// What all items of a partition say whose sort key begins so, in key order, read consistently.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        pk: &str,
        sk_prefix: &str,
        limit: Option<i32>,
    ) -> Result<Vec<T>, CatalogError> {
        self.items(pk, sk_prefix, limit).await?.into_iter().map(|item| self.parse(item)).collect()
    }

    /// All items of a partition whose sort key begins so, in key order, read consistently.
    pub(super) async fn items(
        &self,
        pk: &str,
        sk_prefix: &str,
        limit: Option<i32>,
    ) -> Result<Vec<Item>, CatalogError> {
        let query = self
            .client
            .query()
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .expression_attribute_values(":sk", AttributeValue::S(sk_prefix.to_owned()))
            .consistent_read(true);
        self.query(query, limit).await
    }

    /// All items of a partition of the index, in the order of its sort key, as eventually consistent as an index is.
    pub(super) async fn index(&self, partition: &str) -> Result<Vec<Item>, CatalogError> {
        let query = self
            .client
            .query()
            .index_name("gsi1")
            .key_condition_expression("gsi1pk = :partition")
            .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()));
        self.query(query, None).await
    }

    /// All pages of a query, or the first items up to a limit.
    pub(super) async fn query(
        &self,
        query: QueryFluentBuilder,
        limit: Option<i32>,
    ) -> Result<Vec<Item>, CatalogError> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let (items, next) = self.page(&query, limit, start).await?;
            found.extend(items);
            start = next;
            if start.is_none() || limit.is_some() {
                return Ok(found);
            }
        }
    }

    /// One page of a query, of up to a limit, and where the next one begins.
    pub(super) async fn page(
        &self,
        query: &QueryFluentBuilder,
        limit: impl Into<Option<i32>>,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), CatalogError> {
        let query = query.clone().table_name(&self.table).set_limit(limit.into());
        let page = Box::pin(query.set_exclusive_start_key(start).send()).await;
        let page = page.map_err(|error| self.aws(AwsError::new("Query", &error)))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }
}
