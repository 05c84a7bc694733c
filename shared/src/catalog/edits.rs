//! Edits of points in the catalog: what is being written into whose tags, so that a half-done edit is finished.
//!
//! The tags of a point are not replaced in one step. What they are to become is stored before the first of them is touched,
//! and forgotten when all of them have been read back. One run at a time edits the points of a vault.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::item::Key;
use super::{Catalog, CatalogError};
use crate::id::RecoveryPointArn;

const PARTITION: &str = "EDITS";
/// Longer than any invocation of a Lambda function (15 minutes): after it, whoever held the lock is gone.
const LEASE: SignedDuration = SignedDuration::from_mins(16);
/// Attribute names are none of DynamoDB's reserved words.
const FREE: &str = "attribute_not_exists(pk) OR held_until <= :now OR held_by = :holder";

/// An edit that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditRecord {
    /// The point.
    pub recovery_point: RecoveryPointArn,
    /// The tags that hold the new sealed core.
    pub new_tags: BTreeMap<String, String>,
    /// Tags of the old one that the new one does not need.
    pub old_tags: Vec<String>,
    /// When it began, UTC.
    pub begun_at: Timestamp,
}

/// The catalog's items about edits.
#[derive(Clone, Debug)]
pub struct Edits(Catalog);

impl Catalog {
    /// The items about edits.
    pub fn edits(&self) -> Edits {
        Edits(self.clone())
    }
}

impl Edits {
    /// Takes the lock for one run; false when another has it.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn lock(&self, holder: &str, now: Timestamp) -> Result<bool, CatalogError> {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        match self.hold(holder, now, until).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_condition_failed() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives the lock back; one that another has taken since stays with it.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn unlock(&self, holder: &str) -> Result<(), CatalogError> {
        match self.hold(holder, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH).await {
            Err(error) if error.is_condition_failed() => Ok(()),
            other => other,
        }
    }

    async fn hold(&self, holder: &str, now: Timestamp, until: Timestamp) -> Result<(), CatalogError> {
        let seconds = |instant: Timestamp| AttributeValue::N(instant.as_second().to_string());
        let mut item = Key::new(PARTITION, "LOCK").attributes();
        item.insert("held_by".to_owned(), AttributeValue::S(holder.to_owned()));
        item.insert("held_until".to_owned(), seconds(until));
        let values = HashMap::from([
            (":now".to_owned(), seconds(now)),
            (":holder".to_owned(), AttributeValue::S(holder.to_owned())),
        ]);
        self.0.put_when(item, Some(FREE), values).await
    }

    /// Stores an edit before the first tag is touched.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn begin(&self, edit: &EditRecord) -> Result<(), CatalogError> {
        let item = self.0.compose(&key(&edit.recovery_point), edit)?;
        self.0.put(item).await
    }

    /// The edits that have begun and not ended.
    ///
    /// # Errors
    /// When DynamoDB refuses, or an item cannot be read.
    pub async fn begun(&self) -> Result<Vec<EditRecord>, CatalogError> {
        self.0.list(PARTITION, "POINT#", None).await
    }

    /// Forgets an edit that is done.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn end(&self, point: &RecoveryPointArn) -> Result<(), CatalogError> {
        self.0.remove(&key(point)).await
    }
}

fn key(point: &RecoveryPointArn) -> Key {
    Key::new(PARTITION, format!("POINT#{point}"))
}
