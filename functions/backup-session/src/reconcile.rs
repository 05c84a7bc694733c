//! What no event brought about: jobs whose event never came, sessions whose holder died, further attempts, occurrences that
//! nothing woke us for, summaries that did not get out.

use dynachain::catalog::{SessionRecord, SessionState, TableRecord, TableState};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::SessionId;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::catch_up::{self, CaughtUp};
use crate::failures::{Failures, table_of};
use crate::listed::{self, Jobs, Wanted};
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
    /// What could not be done this time.
    failures: Failures,
}

/// Looks after every session that is not announced yet, oldest first, then after manual backups and after occurrences that
/// nothing woke us for, as long as there is time. Under `dry_run` it only names them. Trouble with one table, backup, session or
/// policy keeps it from no other.
pub(crate) async fn run(deps: &Deps, invocation: &Invocation, dry_run: bool) -> Result<Value, Refusal> {
    let now = deps.now().await?;
    let open = deps.catalog.sessions().open().await?;
    let mut done =
        Reconciled { open: open.iter().map(|s| s.session.clone()).collect(), ..Reconciled::default() };
    let mut listed = Ok(());
    if !dry_run {
        listed = sessions(deps, invocation, &open, now, &mut done).await;
        let settled = manual::reconcile(deps, invocation, now, &mut done.failures).await;
        done.settled += done.failures.caught("manual backups", settled);
    }
    done.caught_up = catch_up::run(deps, invocation, now, dry_run).await?;
    tracing::info!(?done, "reconciled");
    listed?;
    serde_json::to_value(done).map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}

/// Looks after sessions; without the vault's jobs as far as nobody needs them.
///
/// # Errors
/// When the vault's jobs cannot be listed.
async fn sessions(
    deps: &Deps,
    invocation: &Invocation,
    open: &[SessionRecord],
    now: Timestamp,
    done: &mut Reconciled,
) -> Result<(), Refusal> {
    let (mut wanted, mut known) = (Wanted::default(), Vec::new());
    for session in open {
        match deps.catalog.sessions().open_tables(&session.session).await {
            Ok(tables) => {
                tables.into_iter().for_each(|table| wanted.add(table, session.claimed_at));
                known.push(session);
            }
            Err(error) => done.failures.note(&session.session, &error.into()),
        }
    }
    let jobs = listed::wanted(&deps.jobs, &wanted, now).await;
    for session in known {
        if !invocation.has_time() {
            break;
        }
        let looked_after = look_after(deps, invocation, session, jobs.as_ref().ok(), now, done).await;
        done.failures.caught(&session.session, looked_after);
    }
    jobs.map(drop)
}

async fn look_after(
    deps: &Deps,
    invocation: &Invocation,
    session: &SessionRecord,
    jobs: Option<&Jobs>,
    now: Timestamp,
    done: &mut Reconciled,
) -> Result<(), Refusal> {
    let sessions = deps.catalog.sessions();
    let running = session.state == SessionState::Running;
    if let Some(jobs) = jobs {
        tables(deps, invocation, session, jobs, now, done).await?;
    }
    if !invocation.has_time() {
        return Ok(());
    }
    if running {
        // Read anew: some have just come to wait for another attempt.
        let mut waiting = sessions.tables(&session.session).await?;
        waiting.retain(|table| table.state == TableState::Again);
        done.retried += again::run(deps, invocation, session, waiting, now, &mut done.failures).await?;
    } else if session.lease_until <= now {
        done.resumed += u64::from(revive(deps, invocation, session.clone()).await?);
    }
    finish::when_done(deps, &session.session).await
}

/// Looks after the tables of a session of which nobody knows how they ended.
async fn tables(
    deps: &Deps,
    invocation: &Invocation,
    session: &SessionRecord,
    jobs: &Jobs,
    now: Timestamp,
    done: &mut Reconciled,
) -> Result<(), Refusal> {
    for record in deps.catalog.sessions().tables(&session.session).await? {
        if !invocation.has_time() {
            break;
        }
        let what = table_of(session, &record.table);
        match record.state {
            TableState::Started => {
                let settled = settle_job(deps, session, record, jobs, now).await;
                done.settled += u64::from(done.failures.caught(what, settled));
            }
            TableState::Claimed if session.state == SessionState::Running => {
                let resumed = unclear::settle(deps, session, record, jobs, now).await;
                done.resumed += u64::from(done.failures.caught(what, resumed));
            }
            _ => {}
        }
    }
    Ok(())
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
