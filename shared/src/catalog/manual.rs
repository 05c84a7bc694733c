//! Manual backups in the catalog, from their claim until their job has ended: afterwards the vault knows them.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::{Item, Key, expire};
use super::sessions::{JobRecord, TableRecord};
use super::transaction::{Condition, Write};
use super::{Catalog, CatalogError};

const OPEN: &str = "MANUAL#OPEN";

/// A backup that somebody asked for, outside every chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManualRecord {
    /// The Lambda request that asked for it: asked for again under the same id, it is the same backup.
    pub request_id: String,
    /// The name of the vault it goes to.
    pub vault: String,
    /// How it stands.
    pub table_backup: TableRecord,
    /// When it was asked for.
    pub claimed_at: Timestamp,
}

/// The catalog's items about manual backups.
#[derive(Clone, Debug)]
pub struct ManualBackups(Catalog);

impl Catalog {
    /// The items about manual backups.
    pub fn manual_backups(&self) -> ManualBackups {
        ManualBackups(self.clone())
    }
}

impl ManualBackups {
    /// The manual backup that this request asked for.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn get(&self, request_id: &str) -> Result<Option<ManualRecord>, CatalogError> {
        self.0.get(&key(request_id)).await
    }

    /// Those whose job is not known to have ended, as the index has them (eventually consistent), oldest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn open(&self) -> Result<Vec<ManualRecord>, CatalogError> {
        self.0.index(OPEN).await?.into_iter().map(|item| self.0.parse(item)).collect()
    }

    /// Claims a manual backup, with its metadata sealed, before its job is started; false when it is claimed already.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim(&self, record: &ManualRecord) -> Result<bool, CatalogError> {
        let item = self.item(record, true)?;
        self.0.transact(vec![Write::Put(item, Some(Condition::absent()))]).await
    }

    /// Notes the job that was started.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn record_job(&self, record: &ManualRecord, job: &str) -> Result<(), CatalogError> {
        let belongs = JobRecord::Manual { manual: record.request_id.clone() };
        let mut job = self.0.compose(&JobRecord::key(job), &belongs)?;
        expire(&mut job, record.claimed_at);
        let writes = vec![Write::Put(self.item(record, true)?, None), Write::Put(job, None)];
        self.0.transact(writes).await.map(drop)
    }

    /// Notes how it ended; false when `last` is not how it stands any more.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn close(&self, record: &ManualRecord, last: &ManualRecord) -> Result<bool, CatalogError> {
        let unchanged = Condition::new(
            "table_backup.#state = :state",
            [(":state", self.0.attribute(last.table_backup.state)?)],
        );
        self.0.transact(vec![Write::Put(self.item(record, false)?, Some(unchanged))]).await
    }

    fn item(&self, record: &ManualRecord, open: bool) -> Result<Item, CatalogError> {
        let mut item = self.0.compose(&key(&record.request_id), record)?;
        expire(&mut item, record.claimed_at);
        if open {
            item.insert("gsi1pk".to_owned(), AttributeValue::S(OPEN.to_owned()));
            item.insert("gsi1sk".to_owned(), AttributeValue::S(record.claimed_at.to_string()));
        }
        Ok(item)
    }
}

fn key(request_id: &str) -> Key {
    Key::new(format!("MANUAL#{request_id}"), "MANUAL")
}
