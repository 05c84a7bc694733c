//! What no event brought about: jobs whose event never came, sessions whose holder died, further attempts, occurrences that
//! nothing woke us for, summaries that did not get out.

use std::collections::HashMap;

use dynachain::aws::backup::JobStatus;
use dynachain::catalog::{SessionRecord, SessionState, TableRecord, TableState};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::SessionId;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::catch_up::{self, CaughtUp};
use crate::settle::Ended;
use crate::{Deps, Invocation, again, finish, manual, settle, start, unclear};

/// `ListBackupJobs` tells of jobs of the last 30 days (AWS Backup API Reference, "ListBackupJobs").
const LISTED: SignedDuration = SignedDuration::from_hours(30 * 24);

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
        let since = oldest.claimed_at.max(now.checked_sub(LISTED).unwrap_or(oldest.claimed_at));
        let jobs = unclear::jobs_since(&deps.jobs, since).await?;
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
    jobs: &HashMap<String, JobStatus>,
    now: Timestamp,
    done: &mut Reconciled,
) -> Result<(), Refusal> {
    done.settled += settle_jobs(deps, session, jobs, now).await?;
    if session.state == SessionState::Running {
        for record in tables_in(deps, session, TableState::Claimed).await? {
            done.resumed += u64::from(unclear::settle(deps, session, record, jobs, now).await?);
        }
        let waiting = tables_in(deps, session, TableState::Again).await?;
        done.retried += again::run(deps, invocation, session, waiting, now).await?;
        return finish::when_done(deps, &session.session).await;
    }
    if session.lease_until <= now {
        done.resumed += u64::from(revive(deps, invocation, session.clone()).await?);
    }
    Ok(())
}

async fn tables_in(
    deps: &Deps,
    session: &SessionRecord,
    state: TableState,
) -> Result<Vec<TableRecord>, Refusal> {
    let tables = deps.catalog.sessions().tables(&session.session).await?;
    Ok(tables.into_iter().filter(|table| table.state == state).collect())
}

async fn settle_jobs(
    deps: &Deps,
    session: &SessionRecord,
    jobs: &HashMap<String, JobStatus>,
    now: Timestamp,
) -> Result<u64, Refusal> {
    let mut settled = 0;
    for record in tables_in(deps, session, TableState::Started).await? {
        let Some(id) = record.job.clone() else { continue };
        match jobs.get(&id) {
            Some(job) if job.state.is_final() => {
                settled += u64::from(settle::table(deps, session, record, &Ended::of(job)).await?);
            }
            Some(_) => {}
            None if now.duration_since(session.claimed_at) > LISTED => {
                let message = format!("AWS Backup does not tell of the backup job {id} any more");
                let lost = TableRecord {
                    reason: Some("job_lost".to_owned()),
                    message: Some(message),
                    ..record.clone()
                };
                settled += u64::from(settle::failed(deps, session, lost, &record).await?);
            }
            None => {}
        }
    }
    finish::when_done(deps, &session.session).await?;
    Ok(settled)
}

/// Goes on where a holder died: with the starts of a session, or with its summary.
async fn revive(deps: &Deps, invocation: &Invocation, mut session: SessionRecord) -> Result<bool, Refusal> {
    match session.state {
        SessionState::Starting => start::resume(deps, invocation, &session.session).await.map(|_| true),
        SessionState::Finished => finish::announce(deps, &mut session).await.map(|()| true),
        SessionState::Running | SessionState::Announced => Ok(false),
    }
}
