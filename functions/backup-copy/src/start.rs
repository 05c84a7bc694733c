//! One copy: claimed, looked at, and its job started.

use dynachain::aws::backup::StartCopy;
use dynachain::aws::{AwsError, Fault};
use dynachain::catalog::{CopyRecord, CopyState};
use dynachain::chain::ListedPoint;
use dynachain::copying::{CopyLifecycle, LATER, is_overdue, token, too_many_jobs};
use dynachain::error::Refusal;
use dynachain::id::RecoveryPointArn;
use dynachain::metadata::Core;
use dynachain::retention::{End, Lifespan};
use jiff::{SignedDuration, Timestamp};

use crate::existing::{self, Existing};
use crate::tally::Tally;
use crate::{Deps, arrival, given_up, settle};

/// A backup that began longer ago has long ended: AWS Backup gives a job seven days by default.
const LONGEST_BACKUP: SignedDuration = SignedDuration::from_hours(8 * 24);

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

/// What is to be done with a copy that is claimed.
enum Next {
    Start(CopyLifecycle),
    /// Something is in its way: a word, and a sentence.
    Wait(&'static str, String),
    Settle(CopyState, &'static str, String),
    Found(Existing),
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
    match next(deps, &claimed, now).await {
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
    match next(deps, &claimed, now).await? {
        Next::Start(lifecycle) => ask(deps, tally, claimed, lifecycle, now).await.map(drop),
        Next::Found(existing) => found(deps, tally, claimed, existing, now).await.map(drop),
        Next::Settle(state, reason, message) => {
            given_up::settle(deps, tally, claimed, state, (reason, message), now).await
        }
        Next::Wait(..) => Ok(()),
    }
}

async fn next(deps: &Deps, record: &CopyRecord, now: Timestamp) -> Result<Next, Refusal> {
    if record.look_first {
        match existing::look(deps, record).await.map_err(|error| error.refusal())? {
            Existing::Nothing => {}
            found => return Ok(Next::Found(found)),
        }
    }
    let source = match deps.points.vault().point(&record.source).await {
        Ok(Some(source)) => source,
        Ok(None) => return Ok(gone("it is gone")),
        Err(error) => return Err(error.refusal()),
    };
    let status = source.listed.status.clone();
    match status.as_str() {
        "COMPLETED" | "AVAILABLE" => {}
        "CREATING" => return Ok(Next::Wait("source_not_complete", "its point is CREATING".to_owned())),
        _ => return Ok(gone(&format!("it is {status}"))),
    }
    if source.is_cold {
        let message = "its point is in cold storage, and AWS Backup copies none from there".to_owned();
        return Ok(Next::Settle(CopyState::Impossible, "cold_storage", message));
    }
    let core = match core(deps, &source.listed).await? {
        Ok(core) => core,
        Err(doubt) => return Ok(Next::Wait("source_doubtful", doubt)),
    };
    let lifespan = lifespan(record, &core);
    if lifespan.active_flags(now).is_empty() {
        let message = "every flag for which it is wanted has ended meanwhile".to_owned();
        return Ok(Next::Settle(CopyState::Impossible, "no_longer_wanted", message));
    }
    let since = now.checked_sub(LONGEST_BACKUP).unwrap_or(now);
    if deps.backups.is_backed_up(&record.table, since).await.map_err(|error| error.refusal())? {
        return Ok(Next::Wait("backup_running", "a backup of its table runs".to_owned()));
    }
    let end = lifespan.expires_at().unwrap_or(End::Never);
    let lock = match deps.there(&record.target)? {
        None => None,
        Some(there) => match there.describe().await.map_err(|error| error.refusal())? {
            Some(vault) => {
                keep_config_there(deps, record, &core).await?;
                vault.lock()
            }
            None => {
                let message = format!("there is no vault {} any more", record.target);
                return Ok(Next::Settle(CopyState::Impossible, "vault_gone", message));
            }
        },
    };
    Ok(match CopyLifecycle::of(lock, record.created_at, end, source.ends) {
        Ok(lifecycle) => Next::Start(lifecycle),
        Err(conflict) => {
            Next::Settle(CopyState::GivenUp, "vault_lock", format!("{}: {conflict}", record.target))
        }
    })
}

fn gone(what: &str) -> Next {
    Next::Settle(CopyState::Impossible, "source_gone", format!("its point cannot be copied: {what}"))
}

/// What the source says about itself; or why it is not to be trusted.
async fn core(deps: &Deps, listed: &ListedPoint) -> Result<Result<Box<Core>, String>, Refusal> {
    let tags = deps.points.vault().tags(&listed.arn).await.map_err(|error| error.refusal())?;
    let point = deps.points.identify_with(listed.clone(), &tags).await;
    let doubt = point.doubt.unwrap_or_else(|| "its point has no metadata of ours".to_owned());
    Ok(point.core.ok_or(doubt))
}

/// When the flags of the copy end.
fn lifespan(record: &CopyRecord, core: &Core) -> Lifespan {
    let zone = core.policy.as_ref().map_or("UTC", |policy| policy.timezone.as_str());
    match &record.backfill {
        Some(keep) => Lifespan::counted(core.scheduled_at, zone, keep, None),
        None => Lifespan::of_copy(core, &record.target),
    }
}

/// What of the table's configuration the tags have no room for goes to the target's own catalog before the copy: there a restore
/// needs nothing from here.
async fn keep_config_there(deps: &Deps, record: &CopyRecord, core: &Core) -> Result<(), Refusal> {
    let Some(there) = deps.there(&record.target)? else { return Ok(()) };
    let Some(config) = deps.catalog.points().config(&record.source).await? else { return Ok(()) };
    match there.catalog.points().put_copied_config(&record.table, core, &config).await {
        // No stack, no catalog: better a copy without its configuration than none.
        Err(error) if error.is_missing_table() => {
            tracing::warn!(target_vault = %record.target, %error, "the target has no catalog for the configuration");
            Ok(())
        }
        kept => Ok(kept?),
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
        Err(error) if may_have_started(&error) => {
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

/// Whether nobody knows if the call had an effect.
fn may_have_started(error: &AwsError) -> bool {
    error.fault() == Fault::NoAnswer || error.code() == "ServiceUnavailableException"
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
