//! What no event brought about: jobs whose event never came, sessions whose holder died, summaries that did not get out.

use std::collections::HashMap;

use dynachain::aws::backup::JobStatus;
use dynachain::catalog::{SessionRecord, SessionState, TableState};
use dynachain::error::Refusal;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::settle::Ended;
use crate::{Deps, Invocation, backup_table, finish, settle, start};

/// Clocks of ours and of AWS Backup differ by less.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// Looks after every session that is not announced yet, oldest first, as long as there is time. Under `dry_run` it only
/// names them.
pub(crate) async fn run(deps: &Deps, invocation: &Invocation, dry_run: bool) -> Result<Value, Refusal> {
    let now = deps.now().await?;
    let open = deps.catalog.sessions().open().await?;
    let (mut settled, mut resumed) = (0_u64, 0_u64);
    let jobs = match open.first() {
        Some(oldest) if !dry_run => {
            jobs_since(deps, oldest.claimed_at.checked_sub(CLOCKS).unwrap_or(oldest.claimed_at)).await?
        }
        _ => HashMap::new(),
    };
    for session in &open {
        if dry_run || !invocation.has_time() {
            continue;
        }
        settled += settle_jobs(deps, session, &jobs).await?;
        if session.lease_until <= now {
            resumed += u64::from(revive(deps, invocation, session.clone()).await?);
        }
    }
    let names: Vec<_> = open.iter().map(|session| session.session.to_string()).collect();
    tracing::info!(open = names.len(), settled, resumed, "reconciled");
    Ok(json!({ "open": names, "settled": settled, "resumed": resumed }))
}

/// All jobs of the vault since an instant, in a few calls rather than one per job.
async fn jobs_since(deps: &Deps, since: jiff::Timestamp) -> Result<HashMap<String, JobStatus>, Refusal> {
    let jobs = deps.jobs.since(since).await.map_err(|error| error.refusal())?;
    Ok(jobs.into_iter().map(|job| (job.job_id.clone(), job)).collect())
}

async fn settle_jobs(
    deps: &Deps,
    session: &SessionRecord,
    jobs: &HashMap<String, JobStatus>,
) -> Result<u64, Refusal> {
    let mut settled = 0;
    for record in deps.catalog.sessions().tables(&session.session).await? {
        let job = record.job.as_deref().and_then(|job| jobs.get(job)).filter(|job| job.state.is_final());
        if let Some(job) = job {
            let ended = Ended {
                job: &job.job_id,
                state: &job.state,
                message: job.message.as_deref(),
                recovery_point: job.recovery_point.as_ref(),
            };
            settled += u64::from(settle::table(deps, session, record, &ended).await?);
        }
    }
    finish::when_done(deps, &session.session).await?;
    Ok(settled)
}

/// Goes on where a holder died: with the starts of a session, with starts that got no answer, with the summary.
async fn revive(deps: &Deps, invocation: &Invocation, mut session: SessionRecord) -> Result<bool, Refusal> {
    match session.state {
        SessionState::Starting => start::resume(deps, invocation, &session.session).await.map(|_| true),
        SessionState::Running => {
            let mut revived = false;
            for record in deps.catalog.sessions().tables(&session.session).await? {
                if record.state == TableState::Claimed {
                    backup_table::start(deps, &session, record).await?;
                    revived = true;
                }
            }
            Ok(revived)
        }
        SessionState::Finished => finish::announce(deps, &mut session).await.map(|()| true),
        SessionState::Announced => Ok(false),
    }
}
