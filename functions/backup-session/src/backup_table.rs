//! One table of a session: capture, seal, claim, start; and once more when that came to nothing.

use dynachain::aws::AwsError;
use dynachain::aws::Fault;
use dynachain::aws::backup::{BackupJobs, StartBackup, StartedJob};
use dynachain::aws::table_reader::{CaptureError, TableReader};
use dynachain::catalog::{SessionRecord, TableRecord, TableState};
use dynachain::error::Refusal;
use dynachain::id::TableArn;
use dynachain::metadata::Digest;

use crate::seal::{Context, Wanted, prepare};
use crate::{Deps, Invocation, owed, settle, unclear};

/// How often a claim is made anew because a debt changed meanwhile; the last one takes none over.
const CLAIMS: u32 = 3;

/// What would become of a table: it would be claimed, or it cannot be backed up as things are.
pub(crate) async fn planned(
    deps: &Deps,
    reader: &TableReader,
    context: &Context<'_>,
    wanted: Wanted<'_>,
) -> Result<TableRecord, Refusal> {
    let record = ready(deps, reader, context, wanted).await?;
    Ok(match record.state {
        TableState::Again => TableRecord { state: TableState::Failed, ..record },
        _ => record,
    })
}

/// Captures a table's configuration and seals its metadata; nothing is written yet. A table that cannot be backed up comes
/// back failed, or to be tried again where what stands in the way passes.
async fn ready(
    deps: &Deps,
    reader: &TableReader,
    context: &Context<'_>,
    wanted: Wanted<'_>,
) -> Result<TableRecord, Refusal> {
    let table = wanted.table;
    let captured = match reader.capture(table).await {
        Ok(captured) => captured,
        Err(error) => {
            let state = if error.passes() { TableState::Again } else { TableState::Failed };
            return Ok(TableRecord::without_job(table.clone(), state, reason(&error), error.to_string()));
        }
    };
    Ok(match prepare(context, wanted, &captured, deps.now().await?) {
        Ok(record) => record,
        Err(error) => failed(table, error.reason(), error.to_string()),
    })
}

/// Backs a table up: from the start, or from where an invocation that died had left it. `None` when there is no time left for its
/// start.
pub(crate) async fn backup(
    deps: &Deps,
    invocation: &Invocation,
    reader: &TableReader,
    context: &Context<'_>,
    table: &TableArn,
    known: Option<TableRecord>,
) -> Result<Option<TableRecord>, Refusal> {
    let record = match known {
        Some(record) => Some(record),
        None => claim(deps, invocation, reader, context, table, None).await?,
    };
    match record {
        Some(record)
            if record.state == TableState::Claimed && unclear::is_fresh(&record, deps.now().await?) =>
        {
            start(deps, context.session, record).await.map(Some)
        }
        // An old claim is cleared up by reconciliation.
        _ => Ok(record),
    }
}

/// Backs a table up once more whose last attempt came to nothing: with its configuration as it is now, sealed anew. `None` when
/// there is no time left for its start.
pub(crate) async fn again(
    deps: &Deps,
    invocation: &Invocation,
    reader: &TableReader,
    context: &Context<'_>,
    last: TableRecord,
) -> Result<Option<TableRecord>, Refusal> {
    let table = last.table.clone();
    match claim(deps, invocation, reader, context, &table, Some(&last)).await? {
        Some(record) if record.state == TableState::Claimed => {
            start(deps, context.session, record).await.map(Some)
        }
        record => Ok(record),
    }
}

/// Claims a table with its metadata sealed, and with the debts that its point carries, in one transaction: a debt is carried
/// by one point only, and let go of by an attempt that does not carry it any more.
///
/// Many captures at the same time take longer than is left when time is up, and so they are given up then: `None`.
async fn claim(
    deps: &Deps,
    invocation: &Invocation,
    reader: &TableReader,
    context: &Context<'_>,
    table: &TableArn,
    last: Option<&TableRecord>,
) -> Result<Option<TableRecord>, Refusal> {
    let sessions = deps.catalog.sessions();
    let session = context.session;
    let mut debts = context.debts.get(table).cloned().unwrap_or_default();
    for claims_left in (0..CLAIMS).rev() {
        let taken_over = match claims_left {
            0 => Vec::new(),
            _ => owed::taken_over(context, &debts, deps.now().await?),
        };
        let owed = owed::flags(session, &taken_over);
        let attempt = last.map_or(1, |last| last.attempt + 1);
        let captured = ready(deps, reader, context, Wanted { table, attempt, owed });
        let Some(record) = invocation.in_time(captured).await else { return Ok(None) };
        let record = record?;
        match record.state {
            TableState::Failed => return give_up(deps, session, record, last).await.map(Some),
            TableState::Again => {
                return put_off(deps, session, TableRecord { attempt, ..record }, last).await.map(Some);
            }
            _ => {}
        }
        // Whether any job was started is known of all attempts by the last one.
        let record = TableRecord { job: last.and_then(|last| last.job.clone()), ..record };
        let changed = owed::with_released(session, &debts, taken_over);
        let claimed = match last {
            Some(last) => sessions.claim_again(session, &record, last, &changed).await?,
            None => sessions.claim_table(session, &record, &changed).await?,
        };
        if claimed {
            return Ok(Some(record));
        }
        let theirs = sessions.table(&session.session, table).await?;
        if let Some(theirs) = theirs.filter(|theirs| last.is_none_or(|last| theirs != last)) {
            // Somebody else is at it; its record says how far.
            return Ok(Some(theirs));
        }
        debts = deps.catalog.debts().of_table(session.policy_id, table).await?;
    }
    let message = "others changed what its chain owes all the time; start the session again";
    give_up(deps, session, failed(table, "contended", message.to_owned()), last).await.map(Some)
}

/// An attempt got no further than the capture, for a reason that passes: another one is to be made, as after a job that
/// failed. What the last attempt had taken over, the next one takes over.
async fn put_off(
    deps: &Deps,
    session: &SessionRecord,
    record: TableRecord,
    last: Option<&TableRecord>,
) -> Result<TableRecord, Refusal> {
    tracing::warn!(session = %session.session, table = %record.table, message = record.message, "a table could not be captured for now");
    let sessions = deps.catalog.sessions();
    let record = match last {
        Some(last) => TableRecord { owed: last.owed, job: last.job.clone(), ..record },
        None => record,
    };
    match last {
        Some(last) => settle::try_again(deps, session, record.clone(), last).await?,
        None if settle::has_attempts_left(session, &record)? => {
            sessions.claim_table(session, &record, &[]).await?
        }
        None => return give_up(deps, session, record, None).await,
    };
    // How it stands is what is written, whoever was faster.
    Ok(sessions.table(&session.session, &record.table).await?.unwrap_or(record))
}

/// Notes that no point comes of a table. What the last attempt had taken over is owed again.
pub(crate) async fn give_up(
    deps: &Deps,
    session: &SessionRecord,
    record: TableRecord,
    last: Option<&TableRecord>,
) -> Result<TableRecord, Refusal> {
    if let Some(last) = last {
        let record = TableRecord { attempt: last.attempt, owed: last.owed, ..record };
        settle::failed(deps, session, record.clone(), last).await?;
        return Ok(record);
    }
    let record = TableRecord { state: TableState::Failed, ..record };
    if record.reason.as_deref() != Some("table_not_found") {
        owed::lost(deps, session, &record).await?;
    }
    deps.catalog.sessions().note_table(session, &record).await?;
    Ok(record)
}

/// Starts a claimed table's job; nobody may know yet whether it was heard.
pub(crate) async fn start(
    deps: &Deps,
    session: &SessionRecord,
    record: TableRecord,
) -> Result<TableRecord, Refusal> {
    let sessions = deps.catalog.sessions();
    match ask(deps, &deps.jobs, &record, &token(session, &record)).await {
        Ok(job) => {
            tracing::info!(session = %session.session, table = %record.table, job = job.job_id, "backup started");
            let started = record.started(&job.job_id, job.recovery_point);
            sessions.record_job(session, &started, &job.job_id).await?;
            Ok(started)
        }
        Err(error) if error.passes() => {
            // Still claimed: reconciliation repeats the very same call.
            tracing::warn!(session = %session.session, table = %record.table, %error, "no answer to the start of a backup");
            Ok(record)
        }
        Err(error) if error.fault() == Fault::Quota => {
            // So many jobs at once are a matter of time: another attempt may find room.
            settle::unsuccessful(deps, session, record.clone(), "quota_reached", error.to_string()).await?;
            Ok(sessions.table(&session.session, &record.table).await?.unwrap_or(record))
        }
        Err(error) => {
            let refused = record.clone().because(TableState::Failed, "start_refused", error.to_string());
            settle::failed(deps, session, refused.clone(), &record).await?;
            Ok(refused)
        }
    }
}

/// Asks for a claimed table's job with the bytes that were stored when it was claimed: a repeat with the same token changes
/// nothing.
pub(crate) async fn ask(
    deps: &Deps,
    jobs: &BackupJobs,
    record: &TableRecord,
    token: &str,
) -> Result<StartedJob, AwsError> {
    jobs.start(&StartBackup {
        table: &record.table,
        tags: &record.start_tags,
        start_window_minutes: deps.settings.start_window_minutes,
        token,
        cold_after_days: record.cold_after_days,
        delete_after_days: record.delete_after_days,
    })
    .await
}

/// The same for every repeat of an attempt, another for every other attempt.
fn token(session: &SessionRecord, record: &TableRecord) -> String {
    let text = format!("{}\n{}\n{}", session.session, record.table, record.attempt);
    Digest::of(text.as_bytes()).to_string()
}

pub(crate) fn failed(table: &TableArn, reason: &str, message: String) -> TableRecord {
    TableRecord::without_job(table.clone(), TableState::Failed, reason, message)
}

pub(crate) fn reason(error: &CaptureError) -> &'static str {
    match error {
        CaptureError::NotFound(_) => "table_not_found",
        CaptureError::NotActive { .. } => "table_not_active",
        CaptureError::TagsUnreadable { .. } => "tags_unreadable",
        CaptureError::Aws { .. } => "not_described",
    }
}
