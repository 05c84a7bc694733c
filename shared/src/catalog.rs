//! The catalog: one DynamoDB table that indexes policies, sessions and restore points.
//!
//! It is an index and a work list, never the truth about restore points: drop its rows about them and they are rebuilt from
//! the vault. One file per kind of item; the key layout and what each key is for:
//!
//! | item | `pk` | `sk` | `gsi1pk` | `gsi1sk` | read by |
//! |---|---|---|---|---|---|
//! | policy | `POLICY` | `<name>` | | | name; all policies in name order |
//! | session | `SESSION#<session id>` | `SESSION` | `SESSIONS#OPEN` while open | `<claimed at>` | id; open sessions |
//! | table of a session | `SESSION#<session id>` | `TABLE#<table ARN>` | | | session; session and table |
//! | open table of a session | `SESSION#<session id>` | `OPEN#<table ARN>` | | | whether a session still waits for a job |
//! | backup job | `JOB#<job id, lower case>` | `JOB` | | | the job id of an event |
//! | debt | `OWED#<policy id>` | `<table ARN>#<flag>` | | | policy; policy and table |
//! | catch-up | `CAUGHT_UP#<policy id>` | `CAUGHT_UP` | | | policy |
//! | manual backup | `MANUAL#<request id>` | `MANUAL` | `MANUAL#OPEN` while open | `<claimed at>` | id; open ones |
//! | edit that has begun | `EDITS` | `POINT#<recovery point ARN>` | | | all |
//! | lock of edits | `EDITS` | `LOCK` | | | the one |
//! | what is left of edits that ran out of time, a piece of it | `EDITS` | `RUN#<piece>` | | | the one |
//! | restore point | `POINT#<recovery point ARN>` | `POINT` | `POINTS#<shard>` | `<recovery point ARN>` | ARN; all (rebuild) |
//! | copy | `COPY#<source recovery point ARN>` | `<target vault ARN>` | `COPIES#<destination>#<shard>` while missing | `<state>#<due at>#…` | source and target; destination, those that are due; all that are missing |
//! | destination of copies | `COPY_DESTINATIONS` | `TO#<account>/<Region>` | | | all |
//! | slot of a running copy | `COPY_SLOTS` | `SLOT#<destination>#<number>` | | | all |
//! | table that is being copied | `COPY_SLOTS` | `TABLE#<table ARN>` | | | whether it is there |
//! | newest copy | `COPIED#<table ARN>` | `<target vault ARN>` | | | table |
//! | rest of a configuration | `POINT#<recovery point ARN>` | `CONFIG` | | | ARN |
//! | rest of a copy's configuration | `CONFIG#<table ARN>` | `<started at>#<digest>#<vault name>` | | | what the copy's core says |
//! | run of retention | `PRUNE#<vault ARN>` | `LOCK` | | | vault |
//! | how far a run has come, a piece of it | `PRUNE#<vault ARN>` | `RUN#<run id>#<piece>` | | | run |
//! | plan that waits to be confirmed, a piece of it | `PRUNE#<vault ARN>` | `PLAN#<digest>#<piece>` | | | digest |
//! | restore | `RESTORE#<restore id>` | `<number>` | `RESTORES#OPEN` while open | `<claimed at>` | id; open ones |
//! | restore job | `JOB#<job id, lower case>` | `RESTORE` | | | the job id of an event |
//!
//! Items about sessions, manual backups and restores carry `expires_at` (TTL, 90 days), and so do debts once they are paid,
//! plans of retention for 72 hours, and how far runs of retention and of edits have come for 24; policies, restore points, their
//! copies and what is owed do not.

mod batch;
mod caught_up;
mod conflicts;
mod copies;
mod debts;
mod edits;
mod item;
mod kept;
mod manual;
mod points;
mod policies;
mod prunes;
mod restores;
mod sessions;
mod transaction;

pub use copies::{Copies, CopyRecord, CopyState, NewestCopy, Slot};
pub use debts::{DebtRecord, Debts};
pub use edits::{EditRecord, Edits};
pub use item::CatalogError;
pub use manual::{ManualBackups, ManualRecord};
pub use points::Points;
pub use policies::{Policies, StoredPolicy};
pub use prunes::{CONFIRMABLE, Hold, Prunes};
pub use restores::{RestoreJobRecord, RestoreRecord, Restores};
pub use sessions::{JobRecord, LEASE, SessionRecord, SessionState, Sessions, TableRecord, TableState};

use aws_sdk_dynamodb::Client;

/// The catalog table and a client for it; cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    client: Client,
    table: String,
}

impl Catalog {
    /// The catalog called `table` in the client's Region.
    pub fn new(config: &aws_config::SdkConfig, table: impl Into<String>) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            .retry_classifier(conflicts::RepeatConflicts)
            .build();
        Self { client: Client::from_conf(config), table: table.into() }
    }
}
