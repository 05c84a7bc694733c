//! The answer to a start, made from how the session's tables stand.

use dynachain::catalog::{SessionRecord, SessionState, TableRecord, TableState};
use dynachain::chain::Flags;
use dynachain::event::TableCounts;
use dynachain::id::{PolicyName, RecoveryPointArn, SessionId, TableArn};
use jiff::Timestamp;
use serde::Serialize;

/// Answers are cut after so many details.
const LIMIT: usize = 1000;

/// What a session did, or under `dry_run` would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// None for a manual backup.
    session: Option<SessionId>,
    policy: Option<PolicyName>,
    scheduled_at: Timestamp,
    flags: Flags,
    tables: TableCounts,
    details: Vec<Detail>,
    /// Whether another invocation had the session already; the answer then tells how it stands.
    duplicate: bool,
    /// Whether every job of the session has ended.
    finished: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<TableArn>,
}

/// How one table fared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Detail {
    table: TableArn,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_point: Option<RecoveryPointArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Answer {
    /// Of a moment at which no flag is due: nothing is done, and nothing is recorded.
    pub(crate) fn nothing_due(session: SessionId, scheduled_at: Timestamp) -> Self {
        Self {
            policy: Some(session.policy().clone()),
            session: Some(session),
            scheduled_at,
            flags: Flags::NONE,
            tables: TableCounts::default(),
            details: Vec::new(),
            duplicate: false,
            finished: true,
            next: None,
        }
    }

    /// Of a manual backup that was asked for then.
    pub(crate) fn of_manual(
        asked_at: Timestamp,
        backup: TableRecord,
        duplicate: bool,
        dry_run: bool,
    ) -> Self {
        Self {
            session: None,
            policy: None,
            scheduled_at: asked_at,
            flags: Flags::NONE,
            tables: counts(1, std::slice::from_ref(&backup)),
            duplicate,
            finished: matches!(backup.state, TableState::Completed | TableState::Failed),
            details: Detail::of(backup, dry_run).into_iter().collect(),
            next: None,
        }
    }

    /// Of a session whose tables stand so, in any order.
    pub(crate) fn of(
        session: &SessionRecord,
        mut tables: Vec<TableRecord>,
        duplicate: bool,
        dry_run: bool,
        after: Option<&TableArn>,
    ) -> Self {
        tables.sort_by(|a, b| a.table.cmp(&b.table));
        let counts = counts(session.covered, &tables);
        let shown: Vec<_> =
            tables.into_iter().filter(|table| after.is_none_or(|after| table.table > *after)).collect();
        let cut = shown.len() > LIMIT;
        let details: Vec<_> =
            shown.into_iter().take(LIMIT).filter_map(|table| Detail::of(table, dry_run)).collect();
        let next = details.last().filter(|_| cut).map(|last| last.table.clone());
        Self {
            session: Some(session.session.clone()),
            policy: Some(session.policy.clone()),
            scheduled_at: session.scheduled_at,
            flags: session.flags,
            tables: counts,
            details,
            duplicate,
            finished: matches!(session.state, SessionState::Finished | SessionState::Announced),
            next,
        }
    }
}

/// Tables, counted by how they stand; so many are covered.
pub(crate) fn counts(covered: u64, tables: &[TableRecord]) -> TableCounts {
    let in_state = |states: &[TableState]| {
        let n = tables.iter().filter(|table| states.contains(&table.state)).count();
        u64::try_from(n).unwrap_or(u64::MAX)
    };
    TableCounts {
        covered,
        started: in_state(&[TableState::Started, TableState::Again, TableState::Completed]),
        skipped: in_state(&[TableState::Skipped]),
        failed: in_state(&[TableState::Failed]),
    }
}

impl Detail {
    /// `None` while a table is claimed and its job not known: that is no outcome.
    fn of(record: TableRecord, dry_run: bool) -> Option<Self> {
        let outcome = match record.state {
            TableState::Claimed if dry_run => "would_start",
            TableState::Claimed => return None,
            TableState::Started | TableState::Again | TableState::Completed => "started",
            TableState::Skipped => "skipped",
            TableState::Failed => "failed",
        };
        Some(Self {
            table: record.table,
            outcome,
            recovery_point: record.recovery_point,
            reason: record.reason,
            message: record.message,
        })
    }
}
