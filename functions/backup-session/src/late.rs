//! Until when backups are started for a moment, and what becomes of a session that was left over longer.

use dynachain::catalog::{SessionRecord, TableRecord, TableState};
use dynachain::error::Refusal;
use dynachain::id::TableArn;
use jiff::{SignedDuration, Timestamp};

use crate::answer::Answer;
use crate::input::How;
use crate::{Deps, Invocation, backup_table, settle, work};

/// An occurrence is run late for so long; later, its time has passed.
pub(crate) const LATE: SignedDuration = SignedDuration::from_hours(6);
/// A session that began just before that has so long to start its backups.
const AT_LEAST: SignedDuration = SignedDuration::from_hours(1);

const REASON: &str = "too_late";

/// Whether a session starts no more backups of tables of which no job was started yet.
pub(crate) fn is_too_late(session: &SessionRecord, now: Timestamp) -> bool {
    has_passed(session.scheduled_at, session.claimed_at, now)
}

fn has_passed(scheduled_at: Timestamp, claimed_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(scheduled_at) > LATE && now.duration_since(claimed_at) > AT_LEAST
}

/// Ends a session that an invocation left and nobody went on with in time: the tables that it had not come to have failed.
pub(crate) async fn wind_up(
    deps: &Deps,
    invocation: &Invocation,
    session: SessionRecord,
    how: &How,
) -> Result<Answer, Refusal> {
    tracing::warn!(session = %session.session, "a session was left over too long; what it had not started is not started any more");
    let cover = work::cover(deps, &session).await?;
    let (work, tables) = work::take_up(deps, session, &cover).await?;
    let session = &work.session;
    let begun = work::in_hand(deps, invocation, tables, |(table, known)| async move {
        match known {
            Some(known) => Ok(Some(known)),
            None => backup_table::give_up(deps, session, failed(session, table), None).await.map(Some),
        }
    })
    .await?;
    work::conclude(deps, work, begun, how).await
}

/// A table that waits for another attempt, and of which no job was ever started, is given up.
pub(crate) async fn give_up(deps: &Deps, session: &SessionRecord, last: &TableRecord) -> Result<(), Refusal> {
    let before = last.message.as_deref().unwrap_or_default();
    let record = last.clone().because(TableState::Failed, REASON, format!("{}: {before}", said(session)));
    settle::failed(deps, session, record, last).await.map(drop)
}

fn failed(session: &SessionRecord, table: &TableArn) -> TableRecord {
    let message = format!("{}: the session was interrupted before it came to the table", said(session));
    backup_table::failed(table, REASON, message)
}

fn said(session: &SessionRecord) -> String {
    let moment = session.scheduled_at;
    format!(
        "no backup was started for {moment} within 6 hours, and the next session makes one for its own moment"
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::soon("06:00:30", "06:16:00", false)]
    #[case::six_hours("06:00:30", "12:00:00", false)]
    #[case::later("06:00:30", "12:00:01", true)]
    #[case::run_late_and_just_begun("11:55:00", "12:10:00", false)]
    #[case::run_late_an_hour_ago("11:55:00", "12:55:00", false)]
    #[case::run_late_and_left_over("11:55:00", "12:55:01", true)]
    fn backups_are_started_within_six_hours_or_within_one_of_a_late_beginning(
        #[case] claimed_at: &str,
        #[case] now: &str,
        #[case] passed: bool,
    ) {
        let at = |time: &str| format!("2025-01-06T{time}Z").parse().unwrap();
        assert_eq!(has_passed(at("06:00:00"), at(claimed_at), at(now)), passed);
    }
}
