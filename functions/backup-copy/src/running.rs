//! Copies that run: their jobs are asked about, and starts that got no answer are cleared up.
//!
//! A start that is repeated soon, with its token, changes nothing at AWS. Later the token may be forgotten; then AWS Backup's
//! list of jobs tells whether there is one, and if there is none, the copy waits for another attempt.

use std::collections::HashSet;

use dynachain::catalog::{CopyRecord, CopyState, Slot};
use dynachain::error::Refusal;
use dynachain::event::JobId;
use dynachain::id::{RecoveryPointArn, VaultArn};
use jiff::{SignedDuration, Timestamp};

use crate::tally::Tally;
use crate::{Deps, settle, start};

/// A start so young may be repeated as it is.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
/// Clocks of ours and of AWS Backup differ by less.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);
/// AWS Backup lists jobs of so many days (AWS Backup API Reference, "ListCopyJobs").
const LISTED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Looks after every copy that holds a slot, and tells of which it has; trouble with one does not keep it from the others.
/// Under `dry_run` only counts those whose job has ended.
pub(crate) async fn reconcile(
    deps: &Deps,
    tally: &Tally,
    dry_run: bool,
    now: Timestamp,
) -> Result<HashSet<(RecoveryPointArn, VaultArn)>, Refusal> {
    let mut holding = HashSet::new();
    for slot in deps.catalog.copies().slots().await? {
        match holder(deps, tally, &slot, dry_run, now).await {
            Ok(true) => {
                holding.insert((slot.source, slot.target));
            }
            Ok(false) => {}
            Err(refusal) => {
                tracing::warn!(source = %slot.source, target_vault = %slot.target, %refusal, "a copy could not be looked after");
            }
        }
    }
    Ok(holding)
}

/// Looks after the copy that holds a slot, or gives back one that nobody holds; whether somebody does.
async fn holder(
    deps: &Deps,
    tally: &Tally,
    slot: &Slot,
    dry_run: bool,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let copies = deps.catalog.copies();
    let record = copies.get(&slot.source, &slot.target).await?;
    let holds = |record: &CopyRecord| record.state == CopyState::Running && record.slot == Some(slot.number);
    let Some(record) = record.filter(holds) else {
        // Its record is lost, and with it whoever would give the slot back.
        if !dry_run {
            copies.free(slot).await?;
        }
        return Ok(false);
    };
    look_after(deps, tally, record, dry_run, now).await?;
    Ok(true)
}

/// Looks after a copy that runs, as the index has it, and holds no slot: that is lost, as it is when somebody deletes it. One
/// that has begun just now may have taken its slot since the slots were read.
pub(crate) async fn without_slot(
    deps: &Deps,
    tally: &Tally,
    listed: &CopyRecord,
    now: Timestamp,
) -> Result<(), Refusal> {
    let record = deps.catalog.copies().get(&listed.source, &listed.target).await?;
    let has_begun_long_ago =
        |record: &CopyRecord| now.duration_since(record.started_at.unwrap_or(record.queued_at)) > FRESH;
    match record.filter(|record| record.state == CopyState::Running && has_begun_long_ago(record)) {
        Some(record) => look_after(deps, tally, record, false, now).await,
        None => Ok(()),
    }
}

async fn look_after(
    deps: &Deps,
    tally: &Tally,
    record: CopyRecord,
    dry_run: bool,
    now: Timestamp,
) -> Result<(), Refusal> {
    match record.job.clone() {
        Some(job) => known(deps, tally, record, &JobId::from(job), dry_run, now).await,
        None if dry_run => Ok(()),
        None => unclear(deps, tally, record, now).await,
    }
}

/// A copy whose job is known.
async fn known(
    deps: &Deps,
    tally: &Tally,
    record: CopyRecord,
    job: &JobId,
    dry_run: bool,
    now: Timestamp,
) -> Result<(), Refusal> {
    let jobs = deps.jobs.of(&record.source, &record.target).await.map_err(|error| error.refusal())?;
    let started_at = record.started_at.unwrap_or(record.queued_at);
    match jobs.iter().find(|status| status.job == *job) {
        Some(status) if status.state.is_final() && dry_run => {
            tally.settled(&record);
            Ok(())
        }
        Some(status) if status.state.is_final() => settle::ended(deps, tally, record, status, now).await,
        None if now.duration_since(started_at) > LISTED && !dry_run => {
            let message = format!("AWS Backup does not tell of the copy job {job} any more");
            settle::failed(deps, tally, record, "job_lost", message, now).await
        }
        _ => Ok(()),
    }
}

/// A copy whose start got no answer, or whose invocation died.
async fn unclear(deps: &Deps, tally: &Tally, record: CopyRecord, now: Timestamp) -> Result<(), Refusal> {
    let started_at = record.started_at.unwrap_or(record.queued_at);
    let jobs = deps.jobs.of(&record.source, &record.target).await.map_err(|error| error.refusal())?;
    let since = started_at.checked_sub(CLOCKS).unwrap_or(started_at);
    let present = jobs.into_iter().find(|job| job.created_at.is_some_and(|created| created >= since));
    if let Some(status) = present {
        tracing::info!(source = %record.source, job = %status.job, "a start without an answer had been heard");
        let adopted = CopyRecord { job: Some(status.job.as_str().to_owned()), ..record.clone() };
        let adopted = deps.catalog.copies().change(adopted, &record).await?;
        return match adopted.filter(|_| status.state.is_final()) {
            Some(adopted) => settle::ended(deps, tally, adopted, &status, now).await,
            None => Ok(()),
        };
    }
    if now.duration_since(started_at) <= FRESH {
        return start::repeat(deps, tally, record, now).await;
    }
    // Its attempt stays counted, and with it its token: should it be heard after all, the next one is another.
    let again = CopyRecord {
        state: CopyState::Queued,
        slot: None,
        due_at: now,
        look_first: true,
        reason: Some("start_unheard".to_owned()),
        message: Some("AWS Backup has no job for it: its start was not heard".to_owned()),
        ..record.clone()
    };
    deps.catalog.copies().change(again, &record).await?;
    Ok(())
}
