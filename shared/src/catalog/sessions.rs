//! Sessions in the catalog: who holds one, how each of its tables stands, which job belongs to which table.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::item::{Item, Key};
use super::{Catalog, CatalogError};
use crate::aws::AwsError;
use crate::chain::Flags;
use crate::id::{PolicyName, RecoveryPointArn, SessionId, TableArn};
use crate::retention::Keep;

/// Details of a session are kept this long.
const DETAILS: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Longer than a Lambda function can run: a holder that lets its lease lapse is dead.
pub const LEASE: SignedDuration = SignedDuration::from_mins(16);

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// Its backups are being started.
    Starting,
    /// All backups are started (or failed to); jobs still run.
    Running,
    /// Every job has ended; the summary is still to be announced.
    Finished,
    /// Every job has ended and the summary is out.
    Announced,
}

/// One run of one policy for one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The session.
    pub session: SessionId,
    /// The policy.
    pub policy: PolicyName,
    /// The policy's id when the session was claimed.
    pub policy_id: Uuid,
    /// The policy's version when the session was claimed.
    pub policy_version: u64,
    /// The policy document when the session was claimed, in JSON: a session that is resumed sees no later one.
    pub document: String,
    /// The moment it is for; for one by hand, when it began.
    pub scheduled_at: Timestamp,
    /// The flags its points carry.
    pub flags: Flags,
    /// How long its points are kept where they carry no flag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// The tables it was limited to by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<Vec<TableArn>>,
    /// How far it is.
    pub state: SessionState,
    /// Counts up each time somebody takes the session over.
    pub generation: u64,
    /// When it was first claimed.
    pub claimed_at: Timestamp,
    /// Until when its holder may be believed alive.
    pub lease_until: Timestamp,
    /// Tables it covers, once known.
    #[serde(default)]
    pub covered: u64,
}

/// How the backup of one table of a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableState {
    /// Metadata sealed and stored; the job is not known to be started.
    Claimed,
    /// The job runs.
    Started,
    /// The recovery point is complete, its metadata too.
    Completed,
    /// Another policy has the table.
    Skipped,
    /// No point came of it.
    Failed,
}

/// One table in one session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRecord {
    /// The table.
    pub table: TableArn,
    /// How it stands.
    pub state: TableState,
    /// Which try this is, from 1.
    #[serde(default)]
    pub attempt: u32,
    /// The tags its job starts with: a repeat of the same attempt sends the very same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub start_tags: BTreeMap<String, String>,
    /// The tags to add once the point is complete.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub later_tags: BTreeMap<String, String>,
    /// The sealed configuration, in base64, where tags have no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_config: Option<String>,
    /// The core as encoded before sealing, in base64: the catalog's row about the point is made from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<String>,
    /// Days to cold storage that its job asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold_after_days: Option<u32>,
    /// Days to deletion that its job asks for: locked vaults only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_after_days: Option<u32>,
    /// The job, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The recovery point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<RecoveryPointArn>,
    /// Why it was skipped or failed: a word for scripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it was skipped or failed: a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl TableRecord {
    /// A table that got no job.
    pub fn without_job(table: TableArn, state: TableState, reason: &str, message: impl Into<String>) -> Self {
        Self {
            table,
            state,
            attempt: 0,
            start_tags: BTreeMap::new(),
            later_tags: BTreeMap::new(),
            sealed_config: None,
            core: None,
            cold_after_days: None,
            delete_after_days: None,
            job: None,
            recovery_point: None,
            reason: Some(reason.to_owned()),
            message: Some(message.into()),
        }
    }
}

/// Where a backup job belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The session that started it.
    pub session: SessionId,
    /// The table it backs up.
    pub table: TableArn,
}

/// The catalog's items about sessions.
#[derive(Clone, Debug)]
pub struct Sessions(Catalog);

impl Catalog {
    /// The items about sessions.
    pub fn sessions(&self) -> Sessions {
        Sessions(self.clone())
    }
}

impl Sessions {
    /// A session.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn get(&self, session: &SessionId) -> Result<Option<SessionRecord>, CatalogError> {
        self.0.get(&session_key(session)).await
    }

    /// Claims a session nobody has claimed yet; false when somebody has.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim(&self, record: &SessionRecord) -> Result<bool, CatalogError> {
        let item = self.session_item(record)?;
        self.won(self.0.put_when(item, Some("attribute_not_exists(pk)"), HashMap::new()).await)
    }

    /// Writes a session that its caller holds: only while its generation is still `generation`; false when somebody else
    /// took it over.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn update(&self, record: &SessionRecord, generation: u64) -> Result<bool, CatalogError> {
        let item = self.session_item(record)?;
        let values = HashMap::from([(":generation".to_owned(), AttributeValue::N(generation.to_string()))]);
        self.won(self.0.put_when(item, Some("generation = :generation"), values).await)
    }

    /// Takes a session over from a holder whose lease has lapsed; `None` when somebody else was faster.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn take_over(
        &self,
        lapsed: SessionRecord,
        now: Timestamp,
    ) -> Result<Option<SessionRecord>, CatalogError> {
        let generation = lapsed.generation;
        let taken = SessionRecord { generation: generation + 1, lease_until: now + LEASE, ..lapsed };
        Ok(self.update(&taken, generation).await?.then_some(taken))
    }

    /// Moves a session from one state to the next; false when it is not (or no longer) in the former.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn advance(
        &self,
        record: &SessionRecord,
        from: SessionState,
        to: SessionState,
    ) -> Result<bool, CatalogError> {
        let item = self.session_item(&SessionRecord { state: to, ..record.clone() })?;
        let from: Item = serde_dynamo::to_item(HashMap::from([(":from", from)])).unwrap_or_default();
        self.won(self.0.put_when_named(item, Some("#state = :from"), &[("#state", "state")], from).await)
    }

    /// Sessions that are not announced yet, as the index has them (eventually consistent), oldest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn open(&self) -> Result<Vec<SessionRecord>, CatalogError> {
        self.0.index(OPEN_SESSIONS).await?.into_iter().map(|item| self.0.parse(item)).collect()
    }

    /// One table of a session.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn table(
        &self,
        session: &SessionId,
        table: &TableArn,
    ) -> Result<Option<TableRecord>, CatalogError> {
        self.0.get(&table_key(session, table)).await
    }

    /// All tables of a session, in order.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn tables(&self, session: &SessionId) -> Result<Vec<TableRecord>, CatalogError> {
        self.0.list(&session_key(session).pk, "TABLE#", None).await
    }

    /// Notes how a table without a job fared; what is noted already stays.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn note_table(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
    ) -> Result<(), CatalogError> {
        let item = self.table_item(session, record)?;
        self.won(self.0.put_when(item, Some("attribute_not_exists(pk)"), HashMap::new()).await).map(drop)
    }

    /// Claims a table for its first attempt, and marks it open; false when it is claimed already.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim_table(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
    ) -> Result<bool, CatalogError> {
        let table = self.table_item(session, record)?;
        let open = self.0.compose(&open_key(&session.session, &record.table), &Expiring::of(session))?;
        let puts = [(table, Some("attribute_not_exists(pk)")), (open, None)];
        self.won(self.0.transact(puts.into()).await)
    }

    /// Writes how an open table stands, and the job that now belongs to it.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn record_job(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
        job: &str,
    ) -> Result<(), CatalogError> {
        let table = self.table_item(session, record)?;
        let belongs = JobRecord { session: session.session.clone(), table: record.table.clone() };
        let mut job = self.0.compose(&job_key(job), &belongs)?;
        expire(&mut job, session);
        self.0.transact(vec![(table, None), (job, None)]).await
    }

    /// Writes how an open table ended, and marks it open no more. Doing so twice changes nothing.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn close_table(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
    ) -> Result<(), CatalogError> {
        self.0.put(self.table_item(session, record)?).await?;
        self.0.remove(&open_key(&session.session, &record.table)).await
    }

    /// Whether a job of the session still runs.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn has_open_tables(&self, session: &SessionId) -> Result<bool, CatalogError> {
        let open: Vec<Expiring> = self.0.list(&session_key(session).pk, "OPEN#", Some(1)).await?;
        Ok(!open.is_empty())
    }

    /// Where a job belongs; `None` for jobs that are not ours.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn job(&self, job: &str) -> Result<Option<JobRecord>, CatalogError> {
        self.0.get(&job_key(job)).await
    }

    fn session_item(&self, record: &SessionRecord) -> Result<Item, CatalogError> {
        let mut item = self.0.compose(&session_key(&record.session), record)?;
        expire(&mut item, record);
        if record.state != SessionState::Announced {
            item.insert("gsi1pk".to_owned(), AttributeValue::S(OPEN_SESSIONS.to_owned()));
            item.insert("gsi1sk".to_owned(), AttributeValue::S(record.claimed_at.to_string()));
        }
        Ok(item)
    }

    fn table_item(&self, session: &SessionRecord, record: &TableRecord) -> Result<Item, CatalogError> {
        let mut item = self.0.compose(&table_key(&session.session, &record.table), record)?;
        expire(&mut item, session);
        Ok(item)
    }

    fn won(&self, outcome: Result<(), CatalogError>) -> Result<bool, CatalogError> {
        match outcome {
            Ok(()) => Ok(true),
            Err(error) if error.is_condition_failed() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

const OPEN_SESSIONS: &str = "SESSIONS#OPEN";

#[derive(Serialize, Deserialize)]
struct Expiring {
    expires_at: i64,
}

impl Expiring {
    fn of(session: &SessionRecord) -> Self {
        Self { expires_at: (session.claimed_at + DETAILS).as_second() }
    }
}

fn expire(item: &mut Item, session: &SessionRecord) {
    let expiry = Expiring::of(session).expires_at;
    item.insert("expires_at".to_owned(), AttributeValue::N(expiry.to_string()));
}

fn session_key(session: &SessionId) -> Key {
    Key::new(format!("SESSION#{session}"), "SESSION")
}

fn table_key(session: &SessionId, table: &TableArn) -> Key {
    Key::new(session_key(session).pk, format!("TABLE#{table}"))
}

fn open_key(session: &SessionId, table: &TableArn) -> Key {
    Key::new(session_key(session).pk, format!("OPEN#{table}"))
}

fn job_key(job: &str) -> Key {
    Key::new(format!("JOB#{}", job.to_ascii_lowercase()), "JOB")
}

impl Catalog {
    /// Writes several items or none, each on its condition.
    async fn transact(&self, puts: Vec<(Item, Option<&str>)>) -> Result<(), CatalogError> {
        let mut request = self.client.transact_write_items();
        for (item, condition) in puts {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item))
                .set_condition_expression(condition.map(str::to_owned))
                .build()
                .map_err(|_| self.aws(AwsError::incomplete("TransactWriteItems", "item")))?;
            request = request.transact_items(TransactWriteItem::builder().put(put).build());
        }
        request.send().await.map_err(|error| {
            // A condition that does not hold comes as the reason of a cancelled transaction.
            let unmet = error.as_service_error().is_some_and(|error| {
                matches!(error, aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(cancelled)
                    if cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")))
            });
            self.aws(match unmet {
                true => AwsError::refused("TransactWriteItems", "ConditionalCheckFailedException", "a condition was not met"),
                false => AwsError::new("TransactWriteItems", &error),
            })
        })?;
        Ok(())
    }
}
