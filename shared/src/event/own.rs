//! Our own events: what dynachain says on the default event bus.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Event;
use super::fields::Fields;
use crate::chain::Flags;
use crate::error::Problem;
use crate::id::{PolicyName, RecoveryPointArn, SessionId, TableArn, VaultArn};
use crate::restore::{Property, RestoreState};

/// The source of our own events.
pub const SOURCE: &str = "dynachain";

/// An event of ours: its JSON is the event's `detail`.
pub trait OwnEvent: Serialize {
    /// The event's `detail-type`.
    const DETAIL_TYPE: &'static str;
}

/// A session has come to its end: its answer without the single tables, but with what failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFinished {
    /// The session.
    pub session: SessionId,
    /// The policy it ran.
    pub policy: PolicyName,
    /// The moment it ran for.
    pub scheduled_at: Timestamp,
    /// The flags its points carry.
    pub flags: Flags,
    /// How many tables there were, and what became of them.
    pub tables: TableCounts,
    /// Whether this answers a repeated start of the session.
    pub duplicate: bool,
    /// Whether the session has ended; always so in this event.
    pub finished: bool,
    /// The tables without a recovery point, each with the reason; as many as an event has room for.
    pub failures: Vec<TableFailure>,
    /// How many more there are, which the session's answer names.
    #[serde(default, skip_serializing_if = "is_none")]
    pub failures_left_out: u64,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

impl OwnEvent for SessionFinished {
    const DETAIL_TYPE: &'static str = "Backup Session Finished";
}

/// The tables of a session, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCounts {
    /// Covered by the policy.
    pub covered: u64,
    /// A backup was started.
    pub started: u64,
    /// Left to a stronger policy.
    pub skipped: u64,
    /// No backup.
    pub failed: u64,
}

/// Trouble with one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFailure {
    /// The table: its ARN, or the name in the policy when there is no such table.
    pub table: String,
    /// The recovery point it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<RecoveryPointArn>,
    /// A word for the reason.
    pub reason: String,
    /// What happened and what to do about it.
    pub message: String,
}

/// A session ran out of time; whoever receives this goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionContinued {
    /// The session.
    pub session: SessionId,
    /// Where to go on; only the function that wrote it reads it.
    #[serde(flatten)]
    pub cursor: Map<String, Value>,
}

impl OwnEvent for SessionContinued {
    const DETAIL_TYPE: &'static str = "Backup Session Continued";
}

/// A session has added the rest of a point's metadata after its job had ended: from now on the point can be copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointCompleted {
    /// The session.
    pub session: SessionId,
    /// The table.
    pub table: TableArn,
    /// The point.
    pub recovery_point: RecoveryPointArn,
}

impl OwnEvent for PointCompleted {
    const DETAIL_TYPE: &'static str = "Restore Point Completed";
}

/// No further attempt is made at a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyGivenUp {
    /// The table.
    pub table: TableArn,
    /// The point that was to be copied.
    pub recovery_point: RecoveryPointArn,
    /// The vault it was to be copied to.
    pub target: VaultArn,
    /// The policy that wanted it.
    pub policy: PolicyName,
    /// The moment that the point was made for.
    pub scheduled_at: Timestamp,
    /// How many copy jobs were asked for.
    pub attempts: u32,
    /// A word for the reason.
    pub reason: String,
    /// What happened and what to do about it.
    pub message: String,
}

impl OwnEvent for CopyGivenUp {
    const DETAIL_TYPE: &'static str = "Copy Given Up";
}

/// Looking after copies ran out of time; whoever receives this goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesContinued {
    /// Where to go on; only the function that wrote it reads it.
    #[serde(flatten)]
    pub cursor: Map<String, Value>,
}

impl OwnEvent for CopiesContinued {
    const DETAIL_TYPE: &'static str = "Backup Copy Continued";
}

/// A run of retention did not delete all that is due, and waits for somebody to confirm it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneBlocked {
    /// The vault.
    pub vault: VaultArn,
    /// The digest of the plan, which confirms it.
    pub digest: String,
    /// The tables whose points wait; as many as an event has room for.
    pub tables: Vec<TableArn>,
    /// How many points wait.
    pub would_delete: u64,
}

impl OwnEvent for PruneBlocked {
    const DETAIL_TYPE: &'static str = "Prune Blocked";
}

/// A run of retention goes on in a further invocation: whoever receives this goes on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneContinued {
    /// The vault.
    pub vault: VaultArn,
    /// Where to go on; only the function that wrote it reads it.
    #[serde(flatten)]
    pub cursor: Map<String, Value>,
}

impl OwnEvent for PruneContinued {
    const DETAIL_TYPE: &'static str = "Prune Continued";
}

/// Edits of points go on in a further invocation: whoever receives this goes on with them. What is left stands in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditContinued {
    /// The vault of the stack that edits.
    pub vault: VaultArn,
    /// The digest of the plan that is carried out.
    pub digest: String,
}

impl OwnEvent for EditContinued {
    const DETAIL_TYPE: &'static str = "Chain Edit Continued";
}

/// The kinds of our own events that functions of ours receive.
pub(super) const RECEIVED: [&str; 6] = [
    SessionFinished::DETAIL_TYPE,
    SessionContinued::DETAIL_TYPE,
    PointCompleted::DETAIL_TYPE,
    CopiesContinued::DETAIL_TYPE,
    PruneContinued::DETAIL_TYPE,
    EditContinued::DETAIL_TYPE,
];

/// The restore of one table is over. Nobody of ours receives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreFinished {
    /// The restore.
    pub restore_id: String,
    /// How it ended.
    pub state: RestoreState,
    /// The new table.
    pub table: TableArn,
    /// The table that was backed up.
    pub source_table: TableArn,
    /// The point.
    pub recovery_point: RecoveryPointArn,
    /// What happened to the restore as a whole.
    pub message: Option<String>,
    /// The properties that the table does not have as it should, each with the reason.
    pub problems: Vec<RestoreProblem>,
}

/// A property that could not be put back, or not all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreProblem {
    /// The property.
    pub property: Property,
    /// Why.
    pub error: String,
}

impl OwnEvent for RestoreFinished {
    const DETAIL_TYPE: &'static str = "Restore Finished";
}

pub(super) fn read(
    detail_type: &str,
    detail: &Map<String, Value>,
    problems: &mut Vec<Problem>,
) -> Option<Event> {
    let mut fields = Fields::new("$.detail", detail, problems);
    match detail_type {
        CopiesContinued::DETAIL_TYPE => Some(()),
        PruneContinued::DETAIL_TYPE | EditContinued::DETAIL_TYPE => {
            fields.required::<VaultArn>("vault").map(drop)
        }
        _ => fields.required::<SessionId>("session").map(drop),
    }?;
    let detail = Value::Object(detail.clone());
    let event = match detail_type {
        SessionFinished::DETAIL_TYPE => {
            serde_json::from_value(detail).map(|finished| Event::SessionFinished(Box::new(finished)))
        }
        PointCompleted::DETAIL_TYPE => serde_json::from_value(detail).map(Event::PointCompleted),
        CopiesContinued::DETAIL_TYPE => serde_json::from_value(detail).map(Event::CopiesContinued),
        PruneContinued::DETAIL_TYPE => serde_json::from_value(detail).map(Event::PruneContinued),
        EditContinued::DETAIL_TYPE => serde_json::from_value(detail).map(Event::EditContinued),
        _ => serde_json::from_value(detail).map(Event::SessionContinued),
    };
    event.map_err(|error| problems.push(Problem::new("$.detail", error.to_string()))).ok()
}
