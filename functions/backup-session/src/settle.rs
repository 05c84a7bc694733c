//! A job has ended: its table is settled or to be tried again, and the session finished when it was the last.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dynachain::aws::backup::JobStatus;
use dynachain::aws::{AwsError, Fault};
use dynachain::catalog::{JobRecord, SessionRecord, TableRecord, TableState};
use dynachain::error::Refusal;
use dynachain::event::{BackupJob, JobState, PointCompleted};
use dynachain::evolving::Evolving;
use dynachain::id::RecoveryPointArn;
use dynachain::metadata::{Core, Part, PointTags};

use crate::{Deps, finish, manual, owed, start};

/// How a job ended, as an event or a list tells it.
#[derive(Clone, Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) job: &'a str,
    pub(crate) state: &'a JobState,
    pub(crate) message: Option<&'a str>,
    pub(crate) recovery_point: Option<&'a RecoveryPointArn>,
}

impl<'a> Ended<'a> {
    /// As a list of jobs has it.
    pub(crate) fn of(job: &'a JobStatus) -> Self {
        Self {
            job: &job.job_id,
            state: &job.state,
            message: job.message.as_deref(),
            recovery_point: job.recovery_point.as_ref(),
        }
    }
}

/// Settles the table that an event is about. Jobs that are not ours, not ended, or settled already: nothing happens, and
/// false is the answer.
pub(crate) async fn event(deps: &Deps, job: &BackupJob) -> Result<bool, Refusal> {
    if !job.state.is_final() {
        return Ok(false);
    }
    let ended = Ended {
        job: job.job.as_str(),
        state: &job.state,
        message: job.message.as_deref(),
        recovery_point: job.recovery_point.as_ref(),
    };
    let sessions = deps.catalog.sessions();
    let Some(belongs) = sessions.job(ended.job).await? else {
        tracing::info!(job = ended.job, "a job that is not ours");
        return Ok(false);
    };
    let (session, table_arn) = match belongs {
        JobRecord::Manual { manual } => return manual::settle(deps, &manual, &ended).await,
        JobRecord::Session { session, table } => (session, table),
    };
    let Some(session) = sessions.get(&session).await? else { return Ok(false) };
    let Some(record) = sessions.table(&session.session, &table_arn).await? else { return Ok(false) };
    let settled = table(deps, &session, record, &ended).await?;
    finish::when_done(deps, &session.session).await?;
    Ok(settled)
}

/// Settles one table; false when it was settled before.
pub(crate) async fn table(
    deps: &Deps,
    session: &SessionRecord,
    record: TableRecord,
    ended: &Ended<'_>,
) -> Result<bool, Refusal> {
    if record.state != TableState::Started || record.job.as_deref() != Some(ended.job) {
        return Ok(false);
    }
    tracing::info!(session = %session.session, table = %record.table, job = ended.job, state = ?ended.state, "job ended");
    if *ended.state == JobState::Completed {
        let settled = completed(deps, record.clone(), ended).await?;
        return match settled.state {
            TableState::Completed => made(deps, session, settled, &record).await,
            TableState::Again => try_again(deps, session, settled, &record).await,
            _ => failed(deps, session, settled, &record).await,
        };
    }
    let (reason, message) = said(ended);
    unsuccessful(deps, session, record, reason, message).await
}

/// The table's point is there and whole.
async fn made(
    deps: &Deps,
    session: &SessionRecord,
    settled: TableRecord,
    last: &TableRecord,
) -> Result<bool, Refusal> {
    owed::paid(deps, session, &settled).await?;
    let closed = close(deps, session, &settled, last).await?;
    if closed {
        tell_copying(deps, session, &settled).await;
    }
    Ok(closed)
}

/// An attempt came to nothing: another one is to be made as long as the policy allows; then the table has failed, and its
/// flags are owed.
pub(crate) async fn unsuccessful(
    deps: &Deps,
    session: &SessionRecord,
    record: TableRecord,
    reason: &str,
    message: String,
) -> Result<bool, Refusal> {
    let again = record.clone().because(TableState::Again, reason, message);
    try_again(deps, session, again, &record).await
}

/// Writes that another attempt is to be made after that of `again`, if the policy allows one; `last` is how the table stands.
pub(crate) async fn try_again(
    deps: &Deps,
    session: &SessionRecord,
    again: TableRecord,
    last: &TableRecord,
) -> Result<bool, Refusal> {
    match has_attempts_left(session, &again)? {
        true => Ok(deps.catalog.sessions().try_again(session, &again, last).await?),
        false => failed(deps, session, again, last).await,
    }
}

/// Whether the policy allows another attempt at a table after its present one.
pub(crate) fn has_attempts_left(session: &SessionRecord, record: &TableRecord) -> Result<bool, Refusal> {
    Ok(record.attempt <= start::document(session)?.retries)
}

/// No other attempt is made at the table.
pub(crate) async fn failed(
    deps: &Deps,
    session: &SessionRecord,
    record: TableRecord,
    last: &TableRecord,
) -> Result<bool, Refusal> {
    let record = TableRecord { state: TableState::Failed, ..record };
    owed::lost(deps, session, &record).await?;
    close(deps, session, &record, last).await
}

async fn close(
    deps: &Deps,
    session: &SessionRecord,
    record: &TableRecord,
    last: &TableRecord,
) -> Result<bool, Refusal> {
    Ok(deps.catalog.sessions().close_table(session, record, last).await?)
}

/// The job is done: the rest of its point's metadata is added before anything can copy it, then the catalog learns of it. Without
/// a point the table has failed; one that is deleted already has come to nothing, and another attempt may be made.
pub(crate) async fn completed(
    deps: &Deps,
    mut record: TableRecord,
    ended: &Ended<'_>,
) -> Result<TableRecord, Refusal> {
    let point = record.recovery_point.take().or_else(|| ended.recovery_point.cloned());
    let Some(point) = point else {
        let message = format!("the backup job {} completed and AWS named no recovery point", ended.job);
        return Ok(record.because(TableState::Failed, "no_recovery_point", message));
    };
    let points = deps.catalog.points();
    if let Some(config) = record.sealed_config.as_deref().and_then(|config| STANDARD.decode(config).ok()) {
        points.put_config(&point, &config).await?;
    }
    match deps.tagger.add(&point, record.later_tags.clone()).await {
        Ok(()) => {}
        Err(error) if error.fault() == Fault::NotFound => {
            let message = format!("its point {point} was deleted before its metadata was whole: {error}");
            return Ok(record.because(TableState::Again, "point_gone", message));
        }
        Err(error) if error.passes() => return Err(error.refusal()),
        Err(error) => keep_aside(deps, &record, &point, &error).await?,
    }
    if let Some(core) = decoded_core(&record) {
        points.remember(&point, &core).await?;
    }
    Ok(TableRecord { state: TableState::Completed, recovery_point: Some(point), ..record })
}

/// Copying has heard of the job's end too, and leaves a point alone whose metadata is not whole yet: this tells that it is. An
/// event that gets lost is made up for by copying's own reconciliation.
async fn tell_copying(deps: &Deps, session: &SessionRecord, settled: &TableRecord) {
    let added = !settled.later_tags.is_empty() || settled.sealed_config.is_some();
    let copied = decoded_core(settled).is_none_or(|core| !core.copies.is_empty());
    let Some(point) = settled.recovery_point.as_ref().filter(|_| added && copied) else { return };
    let event = PointCompleted {
        session: session.session.clone(),
        table: settled.table.clone(),
        recovery_point: point.clone(),
    };
    if let Err(error) = deps.bus.emit(&event).await {
        tracing::warn!(%point, %error, "nobody is told that the point can be copied");
    }
}

/// The rest of the point's configuration cannot be added to its tags: somebody gave it others meanwhile and there is no room left,
/// or forbids that they are changed. The catalog keeps it.
async fn keep_aside(
    deps: &Deps,
    record: &TableRecord,
    point: &RecoveryPointArn,
    error: &AwsError,
) -> Result<(), Refusal> {
    tracing::warn!(%point, %error, "the configuration cannot be added to the point's tags; the catalog keeps it");
    let tags = record.start_tags.clone().into_iter().chain(record.later_tags.clone()).collect();
    match PointTags::read(&tags).config {
        Part::Whole(config) => Ok(deps.catalog.points().put_config(point, &config).await?),
        _ => Err(error.refusal()),
    }
}

fn decoded_core(record: &TableRecord) -> Option<Core> {
    let encoded = STANDARD.decode(record.core.as_deref()?).ok()?;
    Evolving::<Core>::decode(&encoded).ok().map(|core| core.value)
}

/// What is said of a job that did not complete: a word for scripts, and a sentence.
pub(crate) fn said(ended: &Ended<'_>) -> (&'static str, String) {
    let reason = match ended.state {
        JobState::Aborted => "backup_aborted",
        JobState::Expired => "backup_expired",
        JobState::Partial => "backup_partial",
        _ => "backup_failed",
    };
    let said = ended.message.unwrap_or("AWS Backup gave no reason");
    (reason, format!("the backup job {} ended {}: {said}", ended.job, ended.state.as_str()))
}
