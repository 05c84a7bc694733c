//! One table of a session: capture, seal, claim, start.

use dynachain::aws::AwsError;
use dynachain::aws::Fault;
use dynachain::aws::backup::StartBackup;
use dynachain::aws::table_reader::{CaptureError, TableReader};
use dynachain::catalog::{SessionRecord, TableRecord, TableState};
use dynachain::error::Refusal;
use dynachain::id::TableArn;
use dynachain::metadata::Digest;

use crate::Deps;
use crate::seal::{Context, NotSealed, prepare};

/// Captures a table's configuration and seals its metadata; nothing is written yet. A table that cannot be backed up comes
/// back failed.
pub(crate) async fn ready(
    deps: &Deps,
    reader: &TableReader,
    context: &Context<'_>,
    table: &TableArn,
) -> Result<TableRecord, Refusal> {
    let captured = match reader.capture(table).await {
        Ok(captured) => captured,
        Err(error) => return Ok(failed(table, reason(&error), error.to_string())),
    };
    match prepare(context, table, &captured, deps.now().await?) {
        Ok(record) => Ok(record),
        Err(NotSealed::NoTagRoom(error)) => Ok(failed(table, "no_tag_room", error.to_string())),
        Err(NotSealed::Encode(error)) => Ok(failed(table, "not_sealed", error.to_string())),
        Err(NotSealed::Seal(error)) => Ok(failed(table, "not_sealed", error.to_string())),
    }
}

/// Backs a table up: from the start, or from where an invocation that died had left it.
pub(crate) async fn backup(
    deps: &Deps,
    reader: &TableReader,
    context: &Context<'_>,
    table: &TableArn,
    known: Option<TableRecord>,
) -> Result<TableRecord, Refusal> {
    let sessions = deps.catalog.sessions();
    let record = match known {
        Some(record) => record,
        None => {
            let record = ready(deps, reader, context, table).await?;
            if record.state == TableState::Failed {
                sessions.note_table(context.session, &record).await?;
                return Ok(record);
            }
            if !sessions.claim_table(context.session, &record).await? {
                // Somebody else is at it; its record says how far.
                let theirs = sessions.table(&context.session.session, table).await?;
                return Ok(theirs.unwrap_or(record));
            }
            record
        }
    };
    match record.state {
        TableState::Claimed => start(deps, context.session, record).await,
        _ => Ok(record),
    }
}

/// Starts a claimed table's job with the bytes that were stored when it was claimed: a repeat changes nothing.
pub(crate) async fn start(
    deps: &Deps,
    session: &SessionRecord,
    mut record: TableRecord,
) -> Result<TableRecord, Refusal> {
    let sessions = deps.catalog.sessions();
    let token = token(session, &record);
    let backup = StartBackup {
        table: &record.table,
        tags: &record.start_tags,
        start_window_minutes: deps.settings.start_window_minutes,
        token: &token,
        cold_after_days: record.cold_after_days,
        delete_after_days: record.delete_after_days,
    };
    match deps.jobs.start(&backup).await {
        Ok(job) => {
            tracing::info!(session = %session.session, table = %record.table, job = job.job_id, "backup started");
            let id = job.job_id.to_ascii_lowercase();
            record.state = TableState::Started;
            record.recovery_point = job.recovery_point;
            record.job = Some(id.clone());
            record.message = None;
            record.reason = None;
            sessions.record_job(session, &record, &id).await?;
        }
        Err(error) if may_have_started(&error) => {
            // Still claimed: reconciliation repeats the very same call.
            tracing::warn!(session = %session.session, table = %record.table, %error, "no answer to the start of a backup");
        }
        Err(error) => {
            record = TableRecord { state: TableState::Failed, ..record };
            record.reason = Some("start_refused".to_owned());
            record.message = Some(error.to_string());
            sessions.close_table(session, &record).await?;
        }
    }
    Ok(record)
}

/// The same for every repeat of an attempt, another for every other attempt.
fn token(session: &SessionRecord, record: &TableRecord) -> String {
    let text = format!("{}\n{}\n{}", session.session, record.table, record.attempt);
    Digest::of(text.as_bytes()).to_string()
}

fn may_have_started(error: &AwsError) -> bool {
    matches!(error.fault(), Fault::NoAnswer | Fault::Throttled)
        || error.code() == "ServiceUnavailableException"
}

pub(crate) fn failed(table: &TableArn, reason: &str, message: String) -> TableRecord {
    TableRecord::without_job(table.clone(), TableState::Failed, reason, message)
}

fn reason(error: &CaptureError) -> &'static str {
    match error {
        CaptureError::NotFound(_) => "table_not_found",
        CaptureError::NotActive { .. } => "table_not_active",
        CaptureError::TagsUnreadable { .. } => "tags_unreadable",
        CaptureError::Aws { .. } => "not_described",
    }
}
