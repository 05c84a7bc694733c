//! The end of a session: when no job runs any more, its summary goes out once.

use dynachain::catalog::{SessionRecord, SessionState, TableRecord, TableState};
use dynachain::error::Refusal;
use dynachain::event::{SessionFinished, TableFailure};
use dynachain::id::SessionId;
use dynachain::telemetry::{Metric, Metrics};

use crate::Deps;
use crate::answer::counts;

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
    let summary = SessionFinished {
        session: session.session.clone(),
        policy: session.policy.clone(),
        scheduled_at: session.scheduled_at,
        flags: session.flags,
        tables: counts(session, &tables),
        duplicate: false,
        finished: true,
        failures: tables.iter().filter_map(failure).collect(),
    };
    report(deps, &summary).await?;
    deps.bus.emit(&summary).await.map_err(|error| error.refusal())?;
    if sessions.advance(session, SessionState::Finished, SessionState::Announced).await? {
        session.state = SessionState::Announced;
    }
    Ok(())
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
