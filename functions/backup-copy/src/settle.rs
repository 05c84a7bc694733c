//! A copy job has ended: its copy is looked at, or tried again, or given up.

use dynachain::aws::Fault;
use dynachain::aws::backup::CopyJobStatus;
use dynachain::catalog::{CopyRecord, CopyState};
use dynachain::copying::{LATER, Next, after_failure, is_overdue, too_many_jobs};
use dynachain::error::Refusal;
use dynachain::event::{CopyJob, JobState};
use jiff::Timestamp;

use crate::tally::Tally;
use crate::{Deps, arrival, given_up};

/// Settles the copy that an event is about. Jobs that are not ours, or settled already, change nothing.
pub(crate) async fn event(deps: &Deps, tally: &Tally, job: &CopyJob) -> Result<(), Refusal> {
    let (Some(source), Some(target), Some(id)) = (&job.source_point, &job.target_vault, &job.job) else {
        return Ok(());
    };
    let Some(record) = deps.catalog.copies().get(source, target).await? else {
        tracing::info!(%source, %target, job = %id, "a copy that is not ours");
        return Ok(());
    };
    let status = CopyJobStatus {
        job: id.clone(),
        state: job.state.clone(),
        message: job.message.clone(),
        copy: job.target_point.clone(),
        created_at: None,
    };
    ended(deps, tally, record, &status, deps.now().await?).await
}

/// Settles a copy whose job has ended so. A copy that has come about counts, whichever of its jobs made it; a failure only of
/// the job that is known to be its present one.
pub(crate) async fn ended(
    deps: &Deps,
    tally: &Tally,
    record: CopyRecord,
    status: &CopyJobStatus,
    now: Timestamp,
) -> Result<(), Refusal> {
    let job = status.job.as_str();
    if status.state == JobState::Completed {
        if matches!(record.state, CopyState::Usable | CopyState::Arrived) {
            return Ok(());
        }
        let Some(copy) = status.copy.clone() else {
            let message = format!("the copy job {job} completed and AWS named no copy");
            return failed(deps, tally, record, "no_copy_named", message, now).await;
        };
        tracing::info!(source = %record.source, target_vault = %record.target, job, %copy, "copy made");
        let arrived = CopyRecord {
            state: CopyState::Arrived,
            slot: None,
            made_up: false,
            job: Some(job.to_owned()),
            copy: Some(copy),
            reason: None,
            message: None,
            ..record.clone()
        };
        return match deps.catalog.copies().change(arrived, &record).await? {
            Some(arrived) => arrival::look(deps, tally, arrived, now).await,
            None => Ok(()),
        };
    }
    if record.state != CopyState::Running || record.job.as_deref() != Some(job) {
        return Ok(());
    }
    let said = status.message.as_deref().unwrap_or("AWS Backup gave no reason");
    let message = format!("the copy job {job} ended {}: {said}", status.state.as_str());
    let reason = if status.state == JobState::Partial { "copy_partial" } else { "copy_failed" };
    failed(deps, tally, record, reason, message, now).await
}

/// An attempt came to nothing: another one comes later, or the copy is impossible or given up.
pub(crate) async fn failed(
    deps: &Deps,
    tally: &Tally,
    record: CopyRecord,
    reason: &str,
    message: String,
    now: Timestamp,
) -> Result<(), Refusal> {
    tracing::warn!(source = %record.source, target_vault = %record.target, reason, message, "a copy failed");
    let deadline_days = deps.settings.deadline_days;
    let no_room = too_many_jobs(&message);
    if !no_room && let Some((word, why)) = impossible(deps, &record, &message).await {
        return given_up::settle(deps, tally, record, CopyState::Impossible, (word, why), now).await;
    }
    let failures = record.failures + u32::from(!no_room);
    let next = match no_room {
        true if is_overdue(record.queued_at, deadline_days, now) => Next::Overdue,
        true => Next::Again(now.checked_add(LATER).unwrap_or(now)),
        false => after_failure(failures, record.retries, record.queued_at, deadline_days, now),
    };
    let record_with_failure = CopyRecord { failures, ..record.clone() };
    let Next::Again(due_at) = next else {
        let why = (reason, message);
        return given_up::change(deps, tally, record_with_failure, &record, CopyState::GivenUp, why, now)
            .await;
    };
    let again = CopyRecord {
        state: CopyState::Queued,
        slot: None,
        due_at,
        copy: None,
        reason: Some(reason.to_owned()),
        message: Some(message),
        ..record_with_failure
    };
    deps.catalog.copies().change(again, &record).await?;
    Ok(())
}

/// Why no further attempt can succeed, where AWS says so for certain.
async fn impossible(deps: &Deps, record: &CopyRecord, message: &str) -> Option<(&'static str, String)> {
    match deps.points.vault().point(&record.source).await {
        Ok(source) if source.is_cold => {
            return Some(("cold_storage", format!("its point has moved to cold storage: {message}")));
        }
        Ok(source) if !source.listed.is_restorable() => {
            let status = source.listed.status;
            return Some(("source_gone", format!("its point is {status}: {message}")));
        }
        Err(error) if error.fault() == Fault::NotFound => {
            return Some(("source_gone", format!("its point is gone: {message}")));
        }
        _ => {}
    }
    let vault = match deps.there(&record.target) {
        Ok(Some(there)) => there.describe().await,
        _ => return None,
    };
    matches!(vault, Ok(None))
        .then(|| ("vault_gone", format!("there is no vault {}: {message}", record.target)))
}
