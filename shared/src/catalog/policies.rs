//! Policies in the catalog: the documents as applied, each with its identity and version.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::item::Key;
use super::{Catalog, CatalogError};
use crate::aws::AwsError;
use crate::id::PolicyName;
use crate::policy::Document;

const PARTITION: &str = "POLICY";

/// That the stored policy is still the one that was read. Attribute names are none of DynamoDB's reserved words.
const UNCHANGED: &str = "policy_id = :id AND policy_version = :version";

/// A policy as it stands in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPolicy {
    /// Given at the first apply; a policy that is deleted and made again under its name has another.
    #[serde(rename = "policy_id")]
    pub id: Uuid,
    /// Its name.
    #[serde(rename = "policy_name")]
    pub name: PolicyName,
    /// 1 at first, and one more with each change.
    #[serde(rename = "policy_version")]
    pub version: u64,
    /// What it says.
    #[serde(with = "json_text")]
    pub document: Document,
    /// When this version was applied, UTC.
    pub applied_at: Timestamp,
    /// Since when it has been enabled without a break, UTC; `None` while it is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_at: Option<Timestamp>,
}

impl StoredPolicy {
    /// The first version of a policy.
    pub fn first(id: Uuid, document: Document, now: Timestamp) -> Self {
        let enabled_at = document.enabled.then_some(now);
        Self { id, name: document.name.clone(), version: 1, document, applied_at: now, enabled_at }
    }

    /// The next version of the same policy.
    #[must_use]
    pub fn next(&self, document: Document, now: Timestamp) -> Self {
        let enabled_at = document.enabled.then(|| self.enabled_at.unwrap_or(now));
        let (id, name, version) = (self.id, self.name.clone(), self.version + 1);
        Self { id, name, version, document, applied_at: now, enabled_at }
    }

    /// Whether its schedules start sessions.
    pub fn is_enabled(&self) -> bool {
        self.document.enabled
    }

    /// The documents of those that are enabled.
    pub fn enabled(policies: &[Self]) -> Vec<&Document> {
        policies.iter().filter(|policy| policy.is_enabled()).map(|policy| &policy.document).collect()
    }

    /// Whether two readings are of the same version of the same policy.
    pub fn is_same_version(&self, other: &Self) -> bool {
        (self.id, self.version) == (other.id, other.version)
    }

    fn key(&self) -> Key {
        key(&self.name)
    }

    fn condition_values(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (":id".to_owned(), AttributeValue::S(self.id.to_string())),
            (":version".to_owned(), AttributeValue::N(self.version.to_string())),
        ])
    }
}

/// The document as one text: it comes back exactly as it was written.
mod json_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de, ser};

    use crate::policy::Document;

    pub(super) fn serialize<S: Serializer>(document: &Document, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(document).map_err(ser::Error::custom)?)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The policies of a catalog.
#[derive(Clone, Debug)]
pub struct Policies(Catalog);

impl Catalog {
    /// The policies.
    pub fn policies(&self) -> Policies {
        Policies(self.clone())
    }
}

impl Policies {
    /// The policy of this name, read consistently.
    ///
    /// # Errors
    /// When DynamoDB refuses, or the item cannot be read.
    pub async fn get(&self, name: &PolicyName) -> Result<Option<StoredPolicy>, CatalogError> {
        self.0.get(&key(name)).await
    }

    /// All policies in name order, read consistently.
    ///
    /// # Errors
    /// When DynamoDB refuses, or an item cannot be read.
    pub async fn list(&self) -> Result<Vec<StoredPolicy>, CatalogError> {
        let query = self
            .0
            .client
            .query()
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(PARTITION.to_owned()))
            .consistent_read(true);
        self.0.query(query, None).await?.into_iter().map(|item| self.0.parse(item)).collect()
    }

    /// Stores a policy in place of the version that was read before: `None` when there was none.
    ///
    /// # Errors
    /// When somebody else stored or deleted it meanwhile ([`CatalogError::is_condition_failed`]), and when DynamoDB refuses.
    pub async fn put(
        &self,
        policy: &StoredPolicy,
        replaced: Option<&StoredPolicy>,
    ) -> Result<(), CatalogError> {
        let item = self.0.compose(&policy.key(), policy)?;
        match replaced {
            Some(replaced) => self.0.put_when(item, Some(UNCHANGED), replaced.condition_values()).await,
            None => self.0.put_when(item, Some("attribute_not_exists(pk)"), HashMap::new()).await,
        }
    }

    /// Deletes the version that was read before.
    ///
    /// # Errors
    /// When somebody else stored or deleted it meanwhile ([`CatalogError::is_condition_failed`]), and when DynamoDB refuses.
    pub async fn delete(&self, policy: &StoredPolicy) -> Result<(), CatalogError> {
        let Catalog { client, table } = &self.0;
        client
            .delete_item()
            .table_name(table)
            .set_key(Some(policy.key().attributes()))
            .condition_expression(UNCHANGED)
            .set_expression_attribute_values(Some(policy.condition_values()))
            .send()
            .await
            .map_err(|error| self.0.aws(AwsError::new("DeleteItem", &error)))?;
        Ok(())
    }
}

fn key(name: &PolicyName) -> Key {
    Key::new(PARTITION, name.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(enabled: bool) -> Document {
        serde_json::from_value(json!({
            "name": "orders", "enabled": enabled, "timezone": "Europe/Berlin", "scope": {"tables": ["order-*"]},
            "schedules": {"daily": {"at": "07:00", "on": "every day", "keep": {"days": 3}}}
        }))
        .unwrap()
    }

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    #[test]
    fn a_stored_policy_comes_back_as_it_was() {
        let stored = StoredPolicy::first(Uuid::from_u128(7), document(true), at(1));
        let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(&stored).unwrap();
        assert!(item["document"].as_s().unwrap().starts_with(r#"{"name":"orders","#));
        assert_eq!(serde_dynamo::from_item::<_, StoredPolicy>(item).unwrap(), stored);
    }

    #[test]
    fn the_next_version_keeps_the_identity_and_remembers_since_when_it_is_enabled() {
        let first = StoredPolicy::first(Uuid::from_u128(7), document(true), at(1));
        let second = first.next(document(true), at(2));
        assert_eq!((second.id, second.version, second.enabled_at), (first.id, 2, Some(at(1))));
        let disabled = second.next(document(false), at(3));
        assert_eq!((disabled.version, disabled.enabled_at, disabled.is_enabled()), (3, None, false));
        assert_eq!(disabled.next(document(true), at(4)).enabled_at, Some(at(4)));
    }
}
