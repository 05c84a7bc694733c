//! The restore job: started once however often it is tried, and followed to its end.

use dynachain::aws::backup::{RestoreJobStatus, StartRestore};
use dynachain::aws::{AwsError, Fault};
use dynachain::catalog::RestoreRecord;
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::{JobState, RestoreJob};
use dynachain::id::TableName;
use dynachain::invocation::Invocation;
use dynachain::metadata::Digest;
use dynachain::restore::RestoreState;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{Deps, configure, finish};

/// Nothing is tried for longer than this: no start after the restore was asked for, no step after the table was there.
pub(crate) const GIVE_UP: SignedDuration = SignedDuration::from_hours(6);
/// How far the clocks of AWS and of this function may be apart.
const CLOCKS: SignedDuration = SignedDuration::from_secs(60);

/// What a message begins with while something is tried again.
const AGAIN: &str = "it is tried again: ";

/// A restore job has changed its state, which is asked for: events come late, doubled and out of order.
pub(crate) async fn event(deps: &Deps, invocation: &Invocation, job: &RestoreJob) -> Result<Value, Refusal> {
    let restores = deps.catalog.restores();
    let Some(belongs) = restores.of_job(job.job.as_str()).await? else {
        tracing::info!(job = %job.job, "a restore job that is not ours");
        return Ok(json!({ "ignored": true }));
    };
    let Some(record) = restores.get(&belongs.restore_id, belongs.number).await? else {
        return Ok(json!({ "ignored": true }));
    };
    let state = go_on(deps, invocation, record).await?;
    Ok(json!({ "restore_id": belongs.restore_id, "state": state }))
}

/// Goes on with a restore, wherever it stands, unless another invocation does.
pub(crate) async fn go_on(
    deps: &Deps,
    invocation: &Invocation,
    record: RestoreRecord,
) -> Result<RestoreState, Refusal> {
    let state = record.state;
    if state.is_final() {
        return Ok(state);
    }
    let now = deps.now().await?;
    let Some(record) = deps.catalog.restores().take(record, now).await? else { return Ok(state) };
    let held = Holding::of(&record);
    let outcome = match record.state {
        RestoreState::Planned => start_again(deps, record).await,
        RestoreState::Restoring => follow(deps, invocation, record).await,
        _ => Box::pin(configure::run(deps, invocation, record)).await,
    };
    held.let_go_on_trouble(deps, outcome).await
}

/// A restore that this invocation holds.
struct Holding {
    restore_id: String,
    number: u32,
    generation: u64,
}

impl Holding {
    fn of(record: &RestoreRecord) -> Self {
        let RestoreRecord { restore_id, number, generation, .. } = record;
        Self { restore_id: restore_id.clone(), number: *number, generation: *generation }
    }

    /// Lets go of the restore when this invocation cannot go on with it: Lambda tries an event again within minutes, and then it is
    /// not to seem that somebody is at it.
    async fn let_go_on_trouble(
        self,
        deps: &Deps,
        outcome: Result<RestoreState, Refusal>,
    ) -> Result<RestoreState, Refusal> {
        if outcome.is_err()
            && let Err(error) =
                deps.catalog.restores().let_go(&self.restore_id, self.number, self.generation).await
        {
            tracing::warn!(restore_id = self.restore_id, %error, "a restore is held until its lease lapses");
        }
        outcome
    }
}

/// Starts the job of a restore that was written down just now, and is held.
pub(crate) async fn begin(deps: &Deps, record: RestoreRecord) -> Result<RestoreState, Refusal> {
    let held = Holding::of(&record);
    let outcome = start(deps, record).await;
    held.let_go_on_trouble(deps, outcome).await
}

async fn start(deps: &Deps, record: RestoreRecord) -> Result<RestoreState, Refusal> {
    let target: TableName = record.target.name().parse().map_err(|_| no_name(&record))?;
    let token = token(&record);
    let restore = StartRestore {
        recovery_point: &record.recovery_point,
        target: &target,
        encryption: &record.encryption,
        token: &token,
    };
    match deps.jobs.start(&restore).await {
        Ok(job) => started(deps, record, job).await,
        Err(error) if passes(&error) => later(deps, record, &error).await,
        Err(error) => finish::run(deps, record, RestoreState::Failed, Some(error.to_string())).await,
    }
}

fn no_name(record: &RestoreRecord) -> Refusal {
    Refusal::new(ErrorType::Internal, format!("{} has no name", record.target))
}

/// The same for every repeat of the same start.
fn token(record: &RestoreRecord) -> String {
    Digest::of(format!("restore {} {}", record.restore_id, record.number).as_bytes()).to_string()
}

fn passes(error: &AwsError) -> bool {
    error.passes() || error.fault() == Fault::Quota
}

/// The start was not heard, or not answered; reconciliation clears it up.
async fn later(deps: &Deps, mut record: RestoreRecord, error: &AwsError) -> Result<RestoreState, Refusal> {
    record.message = Some(format!("{AGAIN}{error}"));
    deps.catalog.restores().release(&mut record).await?;
    Ok(record.state)
}

/// The job is noted first, so that its event finds the restore.
async fn started(deps: &Deps, mut record: RestoreRecord, job: String) -> Result<RestoreState, Refusal> {
    let restores = deps.catalog.restores();
    restores.record_job(&record, &job).await?;
    tracing::info!(restore = record.name(), job, target = %record.target, "restore job started");
    (record.state, record.job, record.message) = (RestoreState::Restoring, Some(job), None);
    restores.release(&mut record).await?;
    Ok(record.state)
}

/// A restore whose start nobody has noted. AWS Backup may have heard it all the same: then its job is taken over. A start that nobody
/// hears for long is given up: a table that comes days later is not what was asked for.
async fn start_again(deps: &Deps, record: RestoreRecord) -> Result<RestoreState, Refusal> {
    let target: TableName = record.target.name().parse().map_err(|_| no_name(&record))?;
    let since = record.claimed_at - CLOCKS;
    let jobs = deps.jobs.find(&record.recovery_point, &target, since).await;
    for job in jobs.map_err(|error| error.refusal())? {
        let owner = deps.catalog.restores().of_job(&job).await?;
        if owner.is_none_or(|owner| owner.restore_id == record.restore_id && owner.number == record.number) {
            tracing::info!(restore = record.name(), job, "a start without an answer had been heard");
            return started(deps, record, job).await;
        }
    }
    if deps.now().await?.duration_since(record.claimed_at) >= GIVE_UP {
        let last = record.message.as_deref().map(|message| message.strip_prefix(AGAIN).unwrap_or(message));
        let last = last.unwrap_or("nothing was heard of its start");
        let message = format!("given up after {} hours: {last}", GIVE_UP.as_hours());
        return finish::run(deps, record, RestoreState::Failed, Some(message)).await;
    }
    start(deps, record).await
}

/// Asks how the job stands.
async fn follow(
    deps: &Deps,
    invocation: &Invocation,
    mut record: RestoreRecord,
) -> Result<RestoreState, Refusal> {
    let job = record.job.clone().unwrap_or_default();
    let status = deps.jobs.status(&job).await.map_err(|error| error.refusal())?;
    let Some(status) = status else {
        let message = format!("AWS Backup does not know the restore job {job} any more");
        return finish::run(deps, record, RestoreState::Failed, Some(message)).await;
    };
    if status.state == JobState::Completed {
        return completed(deps, invocation, record, &status).await;
    }
    if status.state.is_final() {
        let message = said(&status);
        return finish::run(deps, record, RestoreState::Failed, Some(message)).await;
    }
    deps.catalog.restores().release(&mut record).await?;
    Ok(record.state)
}

fn said(status: &RestoreJobStatus) -> String {
    let why = status.message.as_deref().unwrap_or("AWS Backup gave no reason");
    format!("the restore job {} ended {}: {why}", status.job, status.state.as_str())
}

/// The table is there with its items, and can be configured.
async fn completed(
    deps: &Deps,
    invocation: &Invocation,
    mut record: RestoreRecord,
    status: &RestoreJobStatus,
) -> Result<RestoreState, Refusal> {
    if let Some(table) = status.table.as_ref().filter(|table| **table != record.target) {
        let message = format!("the restore job {} made {table}, not {}", status.job, record.target);
        return finish::run(deps, record, RestoreState::Failed, Some(message)).await;
    }
    (record.state, record.restored_at) = (RestoreState::Configuring, Some(deps.now().await?));
    if !deps.catalog.restores().save(&record).await? {
        return Ok(record.state);
    }
    Box::pin(configure::run(deps, invocation, record)).await
}
