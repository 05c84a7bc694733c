//! Sessions in the catalog: who holds one, how each of its tables stands, which job belongs to which table.

mod record;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

pub use record::{JobRecord, SessionRecord, SessionState, TableRecord, TableState};

use super::debts::DebtRecord;
use super::item::{Item, Key, expire};
use super::transaction::{Condition, Write};
use super::{Catalog, CatalogError};
use crate::id::{SessionId, TableArn};

/// Longer than a Lambda function can run: a holder that lets its lease lapse is dead.
pub const LEASE: SignedDuration = SignedDuration::from_mins(16);

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

    /// Claims a table for its first attempt, marks it open, and takes over the debts that its point is to carry; false when
    /// the table is claimed already, or a debt is not as it was read.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim_table(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
        carried: &[DebtRecord],
    ) -> Result<bool, CatalogError> {
        let mut open = open_key(&session.session, &record.table).attributes();
        expire(&mut open, session.claimed_at);
        let table = self.table_item(session, record)?;
        let mut writes = vec![Write::Put(table, Some(Condition::absent())), Write::Put(open, None)];
        for debt in carried {
            writes.push(self.0.debt_write(debt)?);
        }
        self.0.transact(writes).await
    }

    /// Claims a table that is to be tried again, for its next attempt; false when somebody else has, or a debt is not as it
    /// was read.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim_again(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
        last: &TableRecord,
        carried: &[DebtRecord],
    ) -> Result<bool, CatalogError> {
        let mut writes = vec![self.replace(session, record, last)?];
        for debt in carried {
            writes.push(self.0.debt_write(debt)?);
        }
        self.0.transact(writes).await
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
        let belongs = JobRecord::Session { session: session.session.clone(), table: record.table.clone() };
        let mut job = self.0.compose(&JobRecord::key(job), &belongs)?;
        expire(&mut job, session.claimed_at);
        let claimed = Condition::new(
            "attempt = :attempt AND #state = :claimed",
            [
                (":attempt", AttributeValue::N(record.attempt.to_string())),
                (":claimed", self.0.attribute(TableState::Claimed)?),
            ],
        );
        // Somebody else who repeated the same start has noted the same job.
        self.0
            .transact(vec![
                Write::Put(self.table_item(session, record)?, Some(claimed)),
                Write::Put(job, None),
            ])
            .await
            .map(drop)
    }

    /// Writes that the attempt of `last` came to nothing and another is to be made; false when it is not the table's present
    /// attempt any more.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn try_again(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
        last: &TableRecord,
    ) -> Result<bool, CatalogError> {
        self.0.transact(vec![self.replace(session, record, last)?]).await
    }

    /// Writes how an open table ended, and marks it open no more; false when `last` is not how the table stands any more.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn close_table(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
        last: &TableRecord,
    ) -> Result<bool, CatalogError> {
        let open = Write::Delete(open_key(&session.session, &record.table), None);
        self.0.transact(vec![self.replace(session, record, last)?, open]).await
    }

    /// Puts a table's record in place of the one that was read.
    fn replace(
        &self,
        session: &SessionRecord,
        record: &TableRecord,
        last: &TableRecord,
    ) -> Result<Write, CatalogError> {
        let unchanged = Condition::new(
            "#state = :state AND attempt = :attempt",
            [
                (":state", self.0.attribute(last.state)?),
                (":attempt", AttributeValue::N(last.attempt.to_string())),
            ],
        );
        Ok(Write::Put(self.table_item(session, record)?, Some(unchanged)))
    }

    /// The tables of a session that are not known to have ended.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn open_tables(&self, session: &SessionId) -> Result<Vec<TableArn>, CatalogError> {
        let open: Vec<OpenTable> = self.0.list(&session_key(session).pk, OPEN, None).await?;
        Ok(open.iter().filter_map(|open| open.sk.strip_prefix(OPEN)?.parse().ok()).collect())
    }

    /// Whether a job of the session still runs.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn has_open_tables(&self, session: &SessionId) -> Result<bool, CatalogError> {
        let open: Vec<IgnoredAny> = self.0.list(&session_key(session).pk, OPEN, Some(1)).await?;
        Ok(!open.is_empty())
    }

    /// Where a job belongs; `None` for jobs that are not ours.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn job(&self, job: &str) -> Result<Option<JobRecord>, CatalogError> {
        self.0.get(&JobRecord::key(job)).await
    }

    fn session_item(&self, record: &SessionRecord) -> Result<Item, CatalogError> {
        let mut item = self.0.compose(&session_key(&record.session), record)?;
        expire(&mut item, record.claimed_at);
        if record.state != SessionState::Announced {
            item.insert("gsi1pk".to_owned(), AttributeValue::S(OPEN_SESSIONS.to_owned()));
            item.insert("gsi1sk".to_owned(), AttributeValue::S(record.claimed_at.to_string()));
        }
        Ok(item)
    }

    fn table_item(&self, session: &SessionRecord, record: &TableRecord) -> Result<Item, CatalogError> {
        let mut item = self.0.compose(&table_key(&session.session, &record.table), record)?;
        expire(&mut item, session.claimed_at);
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
/// What the sort keys of the marks on open tables begin with.
const OPEN: &str = "OPEN#";

/// The mark on an open table: its key says all.
#[derive(Deserialize)]
struct OpenTable {
    sk: String,
}

fn session_key(session: &SessionId) -> Key {
    Key::new(format!("SESSION#{session}"), "SESSION")
}

fn table_key(session: &SessionId, table: &TableArn) -> Key {
    Key::new(session_key(session).pk, format!("TABLE#{table}"))
}

fn open_key(session: &SessionId, table: &TableArn) -> Key {
    Key::new(session_key(session).pk, format!("{OPEN}{table}"))
}
