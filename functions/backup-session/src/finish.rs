//! The end of a session: when no job runs any more, its summary goes out once.

use dynachain::catalog::{SessionRecord, SessionState, TableRecord, TableState};
use dynachain::error::Refusal;
use dynachain::event::{SessionFinished, TableFailure};
use dynachain::id::SessionId;
use dynachain::telemetry::{Metric, Metrics};

use crate::Deps;
use crate::answer::counts;

/// What failures may take of an event, which may have 256 KB (Amazon EventBridge User Guide, "Calculating PutEvents event
/// entry size").
const ROOM: usize = 200_000;

/// Finishes a session whose jobs have all ended, as it stands now: a record read before the last table was closed may still
/// say that the session is starting, and then nobody would finish it.
pub(crate) async fn when_done(deps: &Deps, session: &SessionId) -> Result<(), Refusal> {
    match deps.catalog.sessions().get(session).await? {
        Some(mut session) => try_finish(deps, &mut session).await,
        None => Ok(()),
    }
}

/// Finishes a session whose jobs have all ended, and announces it. Whoever comes second finds it done.
pub(crate) async fn try_finish(deps: &Deps, session: &mut SessionRecord) -> Result<(), Refusal> {
    let sessions = deps.catalog.sessions();
    if session.state == SessionState::Running
        && !sessions.has_open_tables(&session.session).await?
        && sessions.advance(session, SessionState::Running, SessionState::Finished).await?
    {
        session.state = SessionState::Finished;
        announce(deps, session).await?;
    }
    Ok(())
}

/// Emits the summary of a finished session. Should the function die before it has noted so, reconciliation emits it again:
/// at least once.
pub(crate) async fn announce(deps: &Deps, session: &mut SessionRecord) -> Result<(), Refusal> {
    let sessions = deps.catalog.sessions();
    let tables = sessions.tables(&session.session).await?;
    let (failures, failures_left_out) = fitting(tables.iter().filter_map(failure).collect());
    let summary = SessionFinished {
        session: session.session.clone(),
        policy: session.policy.clone(),
        scheduled_at: session.scheduled_at,
        flags: session.flags,
        tables: counts(session.covered, &tables),
        duplicate: false,
        finished: true,
        failures,
        failures_left_out,
    };
    report(deps, &summary).await?;
    deps.bus.emit(&summary).await.map_err(|error| error.refusal())?;
    if sessions.advance(session, SessionState::Finished, SessionState::Announced).await? {
        session.state = SessionState::Announced;
    }
    Ok(())
}

/// As many failures as an event carries, and how many are left out.
fn fitting(mut failures: Vec<TableFailure>) -> (Vec<TableFailure>, u64) {
    let mut size = 0;
    let fit = failures.iter().take_while(|failure| {
        size += serde_json::to_string(failure).map_or(ROOM, |json| json.len() + 1);
        size <= ROOM
    });
    let fit = fit.count();
    let left_out = failures.len() - fit;
    failures.truncate(fit);
    (failures, u64::try_from(left_out).unwrap_or(u64::MAX))
}

fn failure(table: &TableRecord) -> Option<TableFailure> {
    (table.state == TableState::Failed).then(|| TableFailure {
        table: table.table.to_string(),
        recovery_point: table.recovery_point.clone(),
        reason: table.reason.clone().unwrap_or_default(),
        message: table.message.clone().unwrap_or_default(),
    })
}

async fn report(deps: &Deps, summary: &SessionFinished) -> Result<(), Refusal> {
    let tables = &summary.tables;
    tracing::info!(session = %summary.session, covered = tables.covered, started = tables.started, failed = tables.failed, "session finished");
    let metrics = [
        Metric::count("TablesCovered", tables.covered),
        Metric::count("PointsMade", tables.started),
        Metric::count("PointsFailed", tables.failed),
    ];
    Metrics::of_policy(&summary.policy, deps.now().await?).emit(&metrics);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_as_many_failures_as_it_has_room_for() {
        let failure = |i: usize| TableFailure {
            table: format!("arn:aws:dynamodb:eu-central-1:111122223333:table/orders-{i:05}"),
            recovery_point: None,
            reason: "backup_failed".to_owned(),
            message: "x".repeat(300),
        };
        let (all, none) = fitting((0..100).map(failure).collect());
        assert_eq!((all.len(), none), (100, 0));
        let (some, left_out) = fitting((0..10_000).map(failure).collect());
        assert_eq!(some.len() + usize::try_from(left_out).unwrap(), 10_000);
        let size = serde_json::to_string(&some).unwrap().len();
        assert!(size <= ROOM + 2 && size > ROOM - 1_000, "{size}");
    }
}
