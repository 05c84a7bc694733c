//! One copy: claimed, and its job started unless something is in its way.

use dynachain::aws::backup::StartCopy;
use dynachain::aws::{AwsError, Fault};
use dynachain::catalog::{CopyRecord, CopyState};
use dynachain::copying::{CopyLifecycle, LATER, is_overdue, token, too_many_jobs};
use dynachain::error::Refusal;
use dynachain::id::RecoveryPointArn;
use jiff::Timestamp;

use crate::existing::Existing;
use crate::ready::{self, Next};
use crate::tally::Tally;
use crate::{Deps, arrival, given_up, settle};

/// What became of a copy that was to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its job runs, or may run.
    Started,
    /// Somebody else has the slot, the table or the copy.
    Lost,
    /// AWS has no room for more at this destination.
    Full,
    /// It waits again, or is settled.
    Over,
}

/// Claims a copy that waits, and starts its job unless something is in its way.
pub(crate) async fn run(
    deps: &Deps,
    tally: &Tally,
    read: &CopyRecord,
    slot: u32,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    if is_overdue(read.queued_at, deps.settings.deadline_days, now) {
        given_up::overdue(deps, tally, read, now).await?;
        return Ok(Outcome::Over);
    }
    let claimed = CopyRecord {
        state: CopyState::Running,
        attempts: read.attempts + 1,
        slot: Some(slot),
        job: None,
        started_at: Some(now),
        ..read.clone()
    };
    let Some(claimed) = deps.catalog.copies().claim(claimed, read).await? else { return Ok(Outcome::Lost) };
    match ready::look(deps, &claimed, now).await {
        Ok(Next::Start(lifecycle)) => ask(deps, tally, claimed, lifecycle, now).await,
        Ok(Next::Wait(reason, message)) => wait(deps, claimed, reason, message, now).await,
        Ok(Next::Settle(state, reason, message)) => {
            given_up::settle(deps, tally, claimed, state, (reason, message), now).await?;
            Ok(Outcome::Over)
        }
        Ok(Next::Found(existing)) => found(deps, tally, claimed, existing, now).await,
        // Nothing is known about the copy, only that it cannot begin now.
        Err(refusal) => wait(deps, claimed, "not_started", refusal.to_string(), now).await,
    }
}

/// Repeats the start of a copy that is claimed and whose job is not known: with the same token it changes nothing.
pub(crate) async fn repeat(
    deps: &Deps,
    tally: &Tally,
    claimed: CopyRecord,
    now: Timestamp,
) -> Result<(), Refusal> {
    match ready::look(deps, &claimed, now).await? {
        Next::Start(lifecycle) => ask(deps, tally, claimed, lifecycle, now).await.map(drop),
        Next::Found(existing) => found(deps, tally, claimed, existing, now).await.map(drop),
        Next::Settle(state, reason, message) => {
            given_up::settle(deps, tally, claimed, state, (reason, message), now).await
        }
        Next::Wait(..) => Ok(()),
    }
}

/// Asks for the job.
async fn ask(
    deps: &Deps,
    tally: &Tally,
    record: CopyRecord,
    lifecycle: CopyLifecycle,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    let (source, target) = (&record.source, &record.target);
    let token = token(source, target, record.attempts);
    match deps.jobs.start(&StartCopy { source, target, lifecycle, token: &token }).await {
        Ok(job) => {
            tracing::info!(%source, %target, %job, attempt = record.attempts, "copy started");
            let started = CopyRecord {
                job: Some(job.as_str().to_owned()),
                reason: None,
                message: None,
                ..record.clone()
            };
            // When the record has changed meanwhile, an event of this very job was faster.
            deps.catalog.copies().change(started, &record).await?;
            tally.started();
            Ok(Outcome::Started)
        }
        Err(error) if error.is_unclear() => {
            // Still claimed: reconciliation repeats the very same call.
            tracing::warn!(%source, %target, %error, "no answer to the start of a copy");
            Ok(Outcome::Started)
        }
        Err(error) if has_no_room(&error) => {
            tracing::info!(%source, %target, %error, "no room for a copy");
            wait(deps, record, "no_room", error.to_string(), now).await?;
            Ok(Outcome::Full)
        }
        Err(error) => {
            settle::failed(deps, tally, record, "start_refused", error.to_string(), now).await?;
            Ok(Outcome::Over)
        }
    }
}

/// Quotas and rates mean "later", never failure; so does the job that already runs of a table.
fn has_no_room(error: &AwsError) -> bool {
    matches!(error.fault(), Fault::Quota | Fault::Throttled) || too_many_jobs(error.message())
}

/// Back into the queue: no job was asked for, so the attempt does not count.
async fn wait(
    deps: &Deps,
    claimed: CopyRecord,
    reason: &str,
    message: String,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    tracing::info!(source = %claimed.source, target_vault = %claimed.target, reason, message, "a copy waits");
    let waiting = CopyRecord {
        state: CopyState::Queued,
        attempts: claimed.attempts.saturating_sub(1),
        slot: None,
        due_at: now.checked_add(LATER).unwrap_or(now),
        reason: Some(reason.to_owned()),
        message: Some(message),
        ..claimed.clone()
    };
    deps.catalog.copies().change(waiting, &claimed).await?;
    Ok(Outcome::Over)
}

/// Somebody has started it before: its job is gone on with, or its copy looked at.
async fn found(
    deps: &Deps,
    tally: &Tally,
    claimed: CopyRecord,
    existing: Existing,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    let copies = deps.catalog.copies();
    let known = CopyRecord { look_first: false, ..claimed.clone() };
    match existing {
        Existing::Job(job) => {
            tracing::info!(source = %claimed.source, target_vault = %claimed.target, %job, "a copy runs already");
            copies.change(CopyRecord { job: Some(job.as_str().to_owned()), ..known }, &claimed).await?;
            Ok(Outcome::Started)
        }
        Existing::Copy(copy) => {
            arrived(deps, tally, known, &claimed, copy, now).await?;
            Ok(Outcome::Over)
        }
        Existing::Nothing => Ok(Outcome::Over),
    }
}

async fn arrived(
    deps: &Deps,
    tally: &Tally,
    known: CopyRecord,
    claimed: &CopyRecord,
    copy: RecoveryPointArn,
    now: Timestamp,
) -> Result<(), Refusal> {
    tracing::info!(source = %claimed.source, %copy, "a copy is there already");
    let there = CopyRecord { state: CopyState::Arrived, slot: None, copy: Some(copy), ..known };
    match deps.catalog.copies().change(there, claimed).await? {
        Some(there) => arrival::look(deps, tally, there, now).await,
        None => Ok(()),
    }
}
