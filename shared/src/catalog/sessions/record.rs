//! What the catalog knows of a session, its tables and their jobs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalog::item::Key;
use crate::chain::Flags;
use crate::id::{PolicyName, RecoveryPointArn, SessionId, TableArn};
use crate::retention::Keep;

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
    /// The job came to nothing; another attempt is to be made.
    Again,
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
    /// Which attempt this is, from 1; 0 where there was none.
    #[serde(default)]
    pub attempt: u32,
    /// The flags that its point carries beside the session's own, because the chain owes them.
    #[serde(default)]
    pub owed: Flags,
    /// When its present attempt was claimed: its metadata was sealed for a backup that is asked for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
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
            owed: Flags::NONE,
            claimed_at: None,
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

    /// The same with a job that runs, whose id may be in either case.
    #[must_use]
    pub fn started(self, job: &str, recovery_point: Option<RecoveryPointArn>) -> Self {
        Self {
            state: TableState::Started,
            job: Some(job.to_ascii_lowercase()),
            recovery_point,
            reason: None,
            message: None,
            ..self
        }
    }

    /// The same in another state, with the reason.
    #[must_use]
    pub fn because(self, state: TableState, reason: &str, message: impl Into<String>) -> Self {
        Self { state, reason: Some(reason.to_owned()), message: Some(message.into()), ..self }
    }
}

/// Where a backup job belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JobRecord {
    /// To a table of a session.
    Session {
        /// The session that started it.
        session: SessionId,
        /// The table it backs up.
        table: TableArn,
    },
    /// To a manual backup.
    Manual {
        /// The Lambda request that asked for it.
        manual: String,
    },
}

impl JobRecord {
    pub(in crate::catalog) fn key(job: &str) -> Key {
        Key::new(format!("JOB#{}", job.to_ascii_lowercase()), "JOB")
    }
}
