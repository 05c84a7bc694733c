//! Edits of points in the catalog: what is being written into whose tags, so that a half-done edit is finished.
//!
//! The tags of a point are not replaced in one step. What they are to become is stored before the first of them is touched,
//! and forgotten when all of them have been read back. One run at a time edits the points of a vault, and retention deletes
//! none of them meanwhile; what is left of a run that ran out of time is stored, and no other begins before it is done.

use std::collections::{BTreeMap, HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::item::{Item, Key};
use super::{Catalog, CatalogError};
use crate::id::RecoveryPointArn;
use crate::metadata::{Digest, Part, PointTags};

const PARTITION: &str = "EDITS";
const POINT: &str = "POINT#";
/// Longer than any invocation of a Lambda function (15 minutes): after it, whoever held the lock is gone.
const LEASE: SignedDuration = SignedDuration::from_mins(16);
/// So long a run that ran out of time waits to be gone on with.
const WAITS: SignedDuration = SignedDuration::from_hours(24);

/// An edit that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditRecord {
    /// The point.
    pub recovery_point: RecoveryPointArn,
    /// The tags that hold the new sealed core.
    pub new_tags: BTreeMap<String, String>,
    /// Tags of the old one that the new one does not need.
    pub old_tags: Vec<String>,
    /// SHA-256 of the sealed core that the new one takes the place of; none in records of before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// When it began, UTC.
    pub begun_at: Timestamp,
}

impl EditRecord {
    /// SHA-256 of the sealed core among a point's tags; `None` where there is no whole one.
    pub fn core_in(tags: &BTreeMap<String, String>) -> Option<String> {
        match PointTags::read(tags).core {
            Part::Whole(record) => Some(Digest::of(&record).to_string()),
            _ => None,
        }
    }

    /// Whether a point with these tags has a whole core that is neither the one that this edit replaces nor the one that it
    /// writes. Where that core opens, another edit came later: half-written ones do not open.
    pub fn is_superseded_by(&self, tags: &BTreeMap<String, String>) -> bool {
        let (found, written) = (Self::core_in(tags), Self::core_in(&self.new_tags));
        self.replaces.is_some() && found.is_some() && found != self.replaces && found != written
    }
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
    /// Takes the lock for one run; false when another has it, or one waits to be gone on with.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn lock(&self, holder: &str, now: Timestamp) -> Result<bool, CatalogError> {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        self.put_lock(holder, until, None, free(holder, now)).await
    }

    /// Gives the lock back; one that another has taken since stays with it.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn unlock(&self, holder: &str) -> Result<(), CatalogError> {
        self.put_lock(holder, Timestamp::UNIX_EPOCH, None, held_by(holder)).await.map(drop)
    }

    /// Stores what is left of a run that holds the lock, for an invocation that goes on with it; until then, for 24 hours at
    /// most, nobody else gets the lock.
    ///
    /// # Errors
    /// When it has no form, or DynamoDB refuses.
    pub async fn leave<T: Serialize>(
        &self,
        holder: &str,
        left: &T,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.0.keep(&run_key(), left, waits_until(now)).await?;
        self.wait(holder, now).await
    }

    /// Lets a run that could not be gone on with wait as before.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn wait(&self, holder: &str, now: Timestamp) -> Result<(), CatalogError> {
        let waits = Some(waits_until(now));
        self.put_lock(holder, Timestamp::UNIX_EPOCH, waits, held_by(holder)).await.map(drop)
    }

    /// Takes the lock for going on with the run that waits; false when none does, or somebody is at it.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn go_on(&self, holder: &str, now: Timestamp) -> Result<bool, CatalogError> {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        self.put_lock(holder, until, Some(waits_until(now)), waiting(now)).await
    }

    /// What is left of the run that waits, unless nobody got any of it done for 24 hours.
    ///
    /// # Errors
    /// When DynamoDB refuses, or this version cannot read it.
    pub async fn left<T: DeserializeOwned>(&self, now: Timestamp) -> Result<Option<T>, CatalogError> {
        self.0.kept(&run_key(), now).await
    }

    /// Forgets a run that was gone on with, and gives its lock back.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn finish(&self, holder: &str) -> Result<(), CatalogError> {
        self.0.drop_kept(&run_key()).await?;
        self.unlock(holder).await
    }

    /// Writes the lock on a condition; false when it is not met.
    async fn put_lock(
        &self,
        holder: &str,
        held_until: Timestamp,
        waits_until: Option<Timestamp>,
        (condition, values): Condition,
    ) -> Result<bool, CatalogError> {
        let mut item = Key::new(PARTITION, "LOCK").attributes();
        item.insert("held_by".to_owned(), AttributeValue::S(holder.to_owned()));
        item.insert("held_until".to_owned(), seconds(held_until));
        item.extend(waits_until.map(|until| ("waits_until".to_owned(), seconds(until))));
        match self.0.put_when(item, Some(condition), values).await {
            Ok(()) => Ok(true),
            Err(error) if error.is_condition_failed() => Ok(false),
            Err(error) => Err(error),
        }
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
        self.0.list(PARTITION, POINT, None).await
    }

    /// The points of edits that have begun and not ended, also of those whose items cannot be read.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn begun_points(&self) -> Result<HashSet<RecoveryPointArn>, CatalogError> {
        let items = self.0.items(PARTITION, POINT, None).await?;
        let point = |item: &Item| item.get("sk")?.as_s().ok()?.strip_prefix(POINT)?.parse().ok();
        Ok(items.iter().filter_map(point).collect())
    }

    /// Forgets an edit that is done.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn end(&self, point: &RecoveryPointArn) -> Result<(), CatalogError> {
        self.0.remove(&key(point)).await
    }
}

/// When the lock may be written, with the condition's values. Attribute names are none of DynamoDB's reserved words.
type Condition = (&'static str, HashMap<String, AttributeValue>);

/// Nobody holds it, and no run waits to be gone on with.
fn free(holder: &str, now: Timestamp) -> Condition {
    let condition = "attribute_not_exists(pk) OR held_by = :holder \
        OR (held_until <= :now AND (attribute_not_exists(waits_until) OR waits_until <= :now))";
    let (_, mut values) = held_by(holder);
    values.insert(":now".to_owned(), seconds(now));
    (condition, values)
}

/// A run waits, and nobody goes on with it.
fn waiting(now: Timestamp) -> Condition {
    ("waits_until > :now AND held_until <= :now", HashMap::from([(":now".to_owned(), seconds(now))]))
}

/// This one holds it.
fn held_by(holder: &str) -> Condition {
    let holder = AttributeValue::S(holder.to_owned());
    ("held_by = :holder", HashMap::from([(":holder".to_owned(), holder)]))
}

fn seconds(instant: Timestamp) -> AttributeValue {
    AttributeValue::N(instant.as_second().to_string())
}

fn waits_until(now: Timestamp) -> Timestamp {
    now.checked_add(WAITS).unwrap_or(Timestamp::MAX)
}

fn run_key() -> Key {
    Key::new(PARTITION, "RUN")
}

fn key(point: &RecoveryPointArn) -> Key {
    Key::new(PARTITION, format!("{POINT}{point}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::core_tags;

    fn tags(core: &[u8]) -> BTreeMap<String, String> {
        core_tags(core).unwrap()
    }

    #[test]
    fn an_edit_is_superseded_by_a_core_that_it_does_not_know() {
        let (old, new, later) = (tags(&[1; 200]), tags(&[2; 200]), tags(&[3; 200]));
        let edit = EditRecord {
            recovery_point: "arn:aws:backup:eu-central-1:111122223333:recovery-point:0b2f".parse().unwrap(),
            new_tags: new.clone(),
            old_tags: Vec::new(),
            replaces: EditRecord::core_in(&old),
            begun_at: "2027-01-04T06:00:00Z".parse().unwrap(),
        };
        assert!(old.len() > 1 && edit.replaces.is_some());
        let half: BTreeMap<_, _> =
            new.iter().take(1).map(|(tag, piece)| (tag.clone(), piece.clone())).collect();
        for known in [&old, &new, &half, &BTreeMap::new()] {
            assert!(!edit.is_superseded_by(known), "{known:?}");
        }
        assert!(edit.is_superseded_by(&later));
        // An item of before it was noted is carried out as it was then.
        let before = EditRecord { replaces: None, ..edit };
        assert!(!before.is_superseded_by(&later));
        let stored: BTreeMap<String, serde_json::Value> =
            serde_json::from_value(serde_json::to_value(&before).unwrap()).unwrap();
        assert!(!stored.contains_key("replaces"));
    }
}
