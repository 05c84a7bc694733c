//! Restores in the catalog: what was asked for, and how far it is. One item per table, held by one invocation at a time.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::item::{Item, Key, expire};
use super::{Catalog, CatalogError};
use crate::id::{RecoveryPointArn, TableArn};
use crate::restore::{Encryption, RestoreState, Step};

const OPEN: &str = "RESTORES#OPEN";

/// How long an invocation holds a restore: longer than any invocation of a Lambda function can take.
const LEASE: SignedDuration = SignedDuration::from_mins(16);

/// One table that is being restored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestoreRecord {
    /// The restore's id: that of the Lambda request that asked for it.
    pub restore_id: String,
    /// Which of the request's tables it is, from 0.
    pub number: u32,
    /// How it stands.
    pub state: RestoreState,
    /// The recovery point.
    pub recovery_point: RecoveryPointArn,
    /// The table that was backed up.
    pub source: TableArn,
    /// The new table.
    pub target: TableArn,
    /// How the new table is encrypted.
    pub encryption: Encryption,
    /// What is wanted otherwise than recorded, as it was asked for: JSON.
    pub overrides: Option<String>,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// The data key of the point's metadata as its tags have it, wrapped, in base64.
    pub keys: Vec<(u8, String)>,
    /// The recorded configuration, sealed as it was, in base64; the point may go before the restore is over.
    pub sealed_config: Option<String>,
    /// Why nothing is known of the configuration, when nothing is.
    pub unknown: Option<String>,
    /// What the caller should know beside.
    pub notes: Vec<String>,
    /// How the properties stand.
    pub steps: Vec<Step>,
    /// The restore job.
    pub job: Option<String>,
    /// What happened to the restore as a whole, when it is not what was hoped for.
    pub message: Option<String>,
    /// When it was asked for.
    pub claimed_at: Timestamp,
    /// When the table was there.
    pub restored_at: Option<Timestamp>,
    /// The id of the table that was made, once it was read: one made later under its name is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_id: Option<String>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// Rises each time that an invocation takes it.
    pub generation: u64,
    /// Until when an invocation has it for itself; none when nobody does.
    pub lease_until: Option<Timestamp>,
}

/// Which restore a job belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreJobRecord {
    /// The restore's id.
    pub restore_id: String,
    /// Which of its tables.
    pub number: u32,
}

impl RestoreRecord {
    /// The name of one table of one restore, for logs and messages.
    pub fn name(&self) -> String {
        format!("{}/{}", self.restore_id, self.number)
    }
}

/// The catalog's items about restores.
#[derive(Clone, Debug)]
pub struct Restores(Catalog);

impl Catalog {
    /// The items about restores.
    pub fn restores(&self) -> Restores {
        Restores(self.clone())
    }
}

impl Restores {
    /// All tables of a restore, in the order of the request.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn of(&self, restore_id: &str) -> Result<Vec<RestoreRecord>, CatalogError> {
        let query = self
            .0
            .client
            .query()
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition(restore_id)))
            .consistent_read(true);
        self.0.query(query, None).await?.into_iter().map(|item| self.0.parse(item)).collect()
    }

    /// One table of a restore.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn get(&self, restore_id: &str, number: u32) -> Result<Option<RestoreRecord>, CatalogError> {
        self.0.get(&key(restore_id, number)).await
    }

    /// The restore that a job belongs to.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn of_job(&self, job: &str) -> Result<Option<RestoreJobRecord>, CatalogError> {
        self.0.get(&job_key(job)).await
    }

    /// Those that are not over, as the index has them (eventually consistent), oldest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn open(&self) -> Result<Vec<RestoreRecord>, CatalogError> {
        self.0.index(OPEN).await?.into_iter().map(|item| self.0.parse(item)).collect()
    }

    /// Writes a restore before anything is started, held by whoever writes it; false when it is there already.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim(&self, record: &mut RestoreRecord) -> Result<bool, CatalogError> {
        record.lease_until = Some(record.claimed_at + LEASE);
        let item = self.item(record)?;
        won(self.0.put_when(item, Some("attribute_not_exists(pk)"), HashMap::new()).await)
    }

    /// Takes a restore that nobody holds; `None` when somebody does, or was faster.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn take(
        &self,
        record: RestoreRecord,
        now: Timestamp,
    ) -> Result<Option<RestoreRecord>, CatalogError> {
        if record.lease_until.is_some_and(|until| now < until) {
            return Ok(None);
        }
        let last = record.generation;
        let taken = RestoreRecord { generation: last + 1, lease_until: Some(now + LEASE), ..record };
        Ok(self.write(&taken, last).await?.then_some(taken))
    }

    /// Notes how a restore stands, as its holder; false when somebody else has taken it.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn save(&self, record: &RestoreRecord) -> Result<bool, CatalogError> {
        self.write(record, record.generation).await
    }

    /// Notes how a restore stands, and lets go of it.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn release(&self, record: &mut RestoreRecord) -> Result<bool, CatalogError> {
        record.lease_until = None;
        self.save(record).await
    }

    /// Lets go of a restore as it stands in the catalog, if this is still its generation.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub async fn let_go(&self, restore_id: &str, number: u32, generation: u64) -> Result<(), CatalogError> {
        match self.get(restore_id, number).await? {
            Some(mut record) if record.generation == generation => self.release(&mut record).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Notes which restore a job belongs to.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn record_job(&self, record: &RestoreRecord, job: &str) -> Result<(), CatalogError> {
        let belongs = RestoreJobRecord { restore_id: record.restore_id.clone(), number: record.number };
        let mut item = self.0.compose(&job_key(job), &belongs)?;
        expire(&mut item, record.claimed_at);
        self.0.put(item).await
    }

    async fn write(&self, record: &RestoreRecord, last: u64) -> Result<bool, CatalogError> {
        let last = HashMap::from([(":last".to_owned(), self.0.attribute(last)?)]);
        won(self.0.put_when(self.item(record)?, Some("generation = :last"), last).await)
    }

    fn item(&self, record: &RestoreRecord) -> Result<Item, CatalogError> {
        let mut item = self.0.compose(&key(&record.restore_id, record.number), record)?;
        expire(&mut item, record.claimed_at);
        if !record.state.is_final() {
            item.insert("gsi1pk".to_owned(), AttributeValue::S(OPEN.to_owned()));
            item.insert("gsi1sk".to_owned(), AttributeValue::S(record.claimed_at.to_string()));
        }
        Ok(item)
    }
}

/// Whether a conditional write was made.
fn won(written: Result<(), CatalogError>) -> Result<bool, CatalogError> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.is_condition_failed() => Ok(false),
        Err(error) => Err(error),
    }
}

fn partition(restore_id: &str) -> String {
    format!("RESTORE#{restore_id}")
}

fn key(restore_id: &str, number: u32) -> Key {
    Key::new(partition(restore_id), format!("{number:05}"))
}

fn job_key(job: &str) -> Key {
    Key::new(format!("JOB#{}", job.to_ascii_lowercase()), "RESTORE")
}
