//! What no event brought about: jobs whose event never came, sessions whose holder died, further attempts, occurrences that
//! nothing woke us for, summaries that did not get out.

use dynachain::catalog::{SessionRecord, SessionState, TableRecord, TableState};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::SessionId;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::catch_up::{self, CaughtUp};
use crate::listed::{self, Jobs};
use crate::settle::Ended;
use crate::{Deps, Invocation, again, finish, manual, settle, start, unclear};

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Reconciled {
    /// Sessions that were not announced yet.
    open: Vec<SessionId>,
    /// Tables whose job had ended without our knowing, manual backups included.
    settled: u64,
    /// Sessions and tables that were gone on with.
    resumed: u64,
    /// Further attempts at tables whose job had failed.
    retried: u64,
    caught_up: CaughtUp,
    /// What could not be done this time: each with the reason.
    failures: Vec<String>,
}

/// Looks after every session that is not announced yet, oldest first, and after occurrences that nothing woke us for, as long
/// as there is time. Under `dry_run` it only names them. Trouble with one session does not keep it from the others.
pub(crate) async fn run(deps: &Deps, invocation: &Invocation, dry_run: bool) -> Result<Value, Refusal> {
    let now = deps.now().await?;
    let open = deps.catalog.sessions().open().await?;
    let mut done =
        Reconciled { open: open.iter().map(|s| s.session.clone()).collect(), ..Reconciled::default() };
    if !dry_run && let Some(oldest) = open.first() {
        let jobs = listed::since(&deps.jobs, oldest.claimed_at, now).await?;
        for session in &open {
            if !invocation.has_time() {
                break;
            }
            if let Err(refusal) = look_after(deps, invocation, session, &jobs, now, &mut done).await {
                tracing::warn!(session = %session.session, %refusal, "a session could not be looked after");
                done.failures.push(format!("{}: {refusal}", session.session));
            }
        }
    }
    if !dry_run {
        done.settled += manual::reconcile(deps, now).await?;
    }
    done.caught_up = catch_up::run(deps, invocation, now, dry_run).await?;
    tracing::info!(?done, "reconciled");
    serde_json::to_value(done).map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}

async fn look_after(
    deps: &Deps,
    invocation: &Invocation,
    session: &SessionRecord,
    jobs: &Jobs,
    now: Timestamp,
    done: &mut Reconciled,
) -> Result<(), Refusal> {
    let sessions = deps.catalog.sessions();
    let running = session.state == SessionState::Running;
    for record in sessions.tables(&session.session).await? {
        match record.state {
            TableState::Started => {
                done.settled += u64::from(settle_job(deps, session, record, jobs, now).await?);
            }
            TableState::Claimed if running => {
                done.resumed += u64::from(unclear::settle(deps, session, record, jobs, now).await?);
            }
            _ => {}
        }
    }
    if running {
        // Read anew: some have just come to wait for another attempt.
        let mut waiting = sessions.tables(&session.session).await?;
        waiting.retain(|table| table.state == TableState::Again);
        done.retried += again::run(deps, invocation, session, waiting, now).await?;
    } else if session.lease_until <= now {
        done.resumed += u64::from(revive(deps, invocation, session.clone()).await?);
    }
    finish::when_done(deps, &session.session).await
}

/// Settles a table whose job has ended, or whose job AWS Backup has forgotten.
async fn settle_job(
    deps: &Deps,
    session: &SessionRecord,
    record: TableRecord,
    jobs: &Jobs,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let Some(id) = record.job.as_deref() else { return Ok(false) };
    match jobs.get(id) {
        Some(job) if job.state.is_final() => settle::table(deps, session, record, &Ended::of(job)).await,
        None if listed::is_forgotten(session.claimed_at, now) => {
            let message = format!("AWS Backup does not tell of the backup job {id} any more");
            let lost = record.clone().because(TableState::Failed, "job_lost", message);
            settle::failed(deps, session, lost, &record).await
        }
        _ => Ok(false),
    }
}

/// Goes on where a holder died: with the starts of a session, or with its summary.
async fn revive(deps: &Deps, invocation: &Invocation, mut session: SessionRecord) -> Result<bool, Refusal> {
    match session.state {
        SessionState::Starting => start::resume(deps, invocation, &session.session).await.map(|_| true),
        SessionState::Finished => finish::announce(deps, &mut session).await.map(|()| true),
        SessionState::Running | SessionState::Announced => Ok(false),
    }
}
