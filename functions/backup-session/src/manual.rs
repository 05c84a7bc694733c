//! A backup that somebody asks for: sealed like any other, outside every chain, never removed by retention.

use std::collections::BTreeMap;

use dynachain::aws::table_reader::{CaptureError, Captured};
use dynachain::catalog::{ManualRecord, TableRecord, TableState};
use dynachain::chain::PerFlag;
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::JobState;
use dynachain::evolving::Evolving;
use dynachain::id::{TableArn, VaultArn};
use dynachain::metadata::{Core, Digest, Kind};
use dynachain::request::TableRef;
use dynachain::retention::End;
use jiff::Timestamp;

use crate::answer::Answer;
use crate::failures::Failures;
use crate::input::BackupNow;
use crate::listed::{self, Jobs, Wanted};
use crate::preflight::{self, Ready};
use crate::seal::{self, NotSealed};
use crate::settle::{self, Ended};
use crate::unclear::{self, Found};
use crate::{Deps, Invocation, backup_table};

const PATH: &str = "$.backup_now";

/// Makes the backup, or with `dry_run` says what it would be.
pub(crate) async fn backup_now(
    deps: &Deps,
    invocation: &Invocation,
    wanted: BackupNow,
    dry_run: bool,
) -> Result<Answer, Refusal> {
    let now = deps.now().await?;
    let backups = deps.catalog.manual_backups();
    if let Some(known) = backups.get(invocation.request_id()).await? {
        return again(deps, known, now).await;
    }
    let table = table(deps, &wanted.table)?;
    let vault = wanted.vault.as_deref().unwrap_or(deps.vault.name());
    let ready = preflight::check_vault(deps, &deps.vault.of(vault), dry_run).await?;
    allowed_for_ever(&ready, now)?;
    let captured = match deps.reader.afresh().capture(&table).await {
        Ok(captured) => captured,
        Err(error @ CaptureError::NotFound(_)) => {
            return Err(Refusal::at(ErrorType::TableNotFound, format!("{PATH}.table"), error.to_string()));
        }
        Err(error) => {
            let failed = backup_table::failed(&table, backup_table::reason(&error), error.to_string());
            return Ok(Answer::of_manual(now, failed, false, dry_run));
        }
    };
    let record = match sealed(deps, &ready, &table, &captured, now) {
        Ok(record) => record,
        Err(error) => {
            let failed = backup_table::failed(&table, error.reason(), error.to_string());
            return Ok(Answer::of_manual(now, failed, false, dry_run));
        }
    };
    if dry_run {
        return Ok(Answer::of_manual(now, record, false, true));
    }
    let claimed = ManualRecord {
        request_id: invocation.request_id().to_owned(),
        vault: vault.to_owned(),
        table_backup: record,
        claimed_at: now,
    };
    if !backups.claim(&claimed).await? {
        // Another invocation of the same request was faster; its job is ours.
        let theirs = backups.get(invocation.request_id()).await?.unwrap_or(claimed);
        return again(deps, theirs, now).await;
    }
    let started = start(deps, claimed).await?;
    Ok(Answer::of_manual(now, started.table_backup, false, false))
}

/// The table as an ARN of this Region.
fn table(deps: &Deps, table: &TableRef) -> Result<TableArn, Refusal> {
    let path = format!("{PATH}.table");
    let (region, account) = (&deps.settings.region, &deps.settings.account);
    match table {
        TableRef::Name(name) => TableArn::of(region, account, name)
            .map_err(|error| Refusal::at(ErrorType::InvalidRequest, path, error.to_string())),
        TableRef::Arn(arn) if arn.region() == region && arn.account() == account => Ok(arn.clone()),
        TableRef::Arn(arn) => {
            let message = format!("{arn} is not in {region} of the account {account}; ask the stack there");
            Err(Refusal::at(ErrorType::InvalidRequest, path, message))
        }
    }
}

/// A manual backup has no end of its own, so the vault's lock must not set one.
fn allowed_for_ever(ready: &Ready, now: Timestamp) -> Result<(), Refusal> {
    let conflict = ready.vault.lock().and_then(|lock| lock.delete_after_days(now, End::Never).err());
    match conflict {
        Some(conflict) => {
            let message = format!("{}: {conflict}; name another vault", ready.vault.arn);
            Err(Refusal::at(ErrorType::VaultLockConflict, format!("{PATH}.vault"), message))
        }
        None => Ok(()),
    }
}

fn sealed(
    deps: &Deps,
    ready: &Ready,
    table: &TableArn,
    captured: &Captured,
    now: Timestamp,
) -> Result<TableRecord, NotSealed> {
    let config = Evolving::new(&captured.config).encode().map_err(NotSealed::Encode)?;
    let core = core(deps, &ready.vault.arn, captured, &config, now);
    seal::record(&core, &ready.key, None, table, captured, &config)
}

fn core(deps: &Deps, vault: &VaultArn, captured: &Captured, config: &[u8], now: Timestamp) -> Core {
    Core {
        kind: Kind::Manual,
        policy: None,
        session: None,
        scheduled_at: now,
        started_at: now,
        start_window_minutes: deps.settings.start_window_minutes,
        table_id: captured.table_id.clone(),
        home_vault: vault.clone(),
        keep: PerFlag::default(),
        own_keep: None,
        until: None,
        copies: BTreeMap::new(),
        keep_last: 0,
        cold_after_days: None,
        config_digest: Digest::of(config),
        item_count: Some(captured.item_count),
        size_bytes: Some(captured.size_bytes),
        product_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// A request that is repeated: its backup is gone on with, and told about.
async fn again(deps: &Deps, known: ManualRecord, now: Timestamp) -> Result<Answer, Refusal> {
    let record = &known.table_backup;
    let stands = match record.state == TableState::Claimed && unclear::is_fresh(record, now) {
        true => start(deps, known).await?,
        false => known,
    };
    Ok(Answer::of_manual(stands.claimed_at, stands.table_backup, true, false))
}

/// Starts the job with the bytes that were stored when it was claimed: a repeat changes nothing.
async fn start(deps: &Deps, claimed: ManualRecord) -> Result<ManualRecord, Refusal> {
    let backups = deps.catalog.manual_backups();
    let record = &claimed.table_backup;
    let token = Digest::of(format!("{}\n{}", claimed.request_id, record.table).as_bytes()).to_string();
    match backup_table::ask(deps, &deps.jobs.of(&claimed.vault), record, &token).await {
        Ok(job) => {
            tracing::info!(table = %record.table, job = job.job_id, vault = claimed.vault, "manual backup started");
            let table_backup = record.clone().started(&job.job_id, job.recovery_point);
            let started = ManualRecord { table_backup, ..claimed };
            backups.record_job(&started, &job.job_id).await?;
            Ok(started)
        }
        Err(error) if error.passes() => {
            tracing::warn!(table = %record.table, %error, "no answer to the start of a manual backup");
            Ok(claimed)
        }
        Err(error) => failed(deps, claimed, "start_refused", error.to_string()).await,
    }
}

async fn failed(
    deps: &Deps,
    last: ManualRecord,
    reason: &str,
    message: String,
) -> Result<ManualRecord, Refusal> {
    tracing::warn!(table = %last.table_backup.table, reason, message, "a manual backup failed");
    let table_backup = last.table_backup.clone().because(TableState::Failed, reason, message);
    let failed = ManualRecord { table_backup, ..last.clone() };
    deps.catalog.manual_backups().close(&failed, &last).await?;
    Ok(failed)
}

/// The job of the manual backup that this request asked for has ended; false when that is known already.
pub(crate) async fn settle(deps: &Deps, request_id: &str, ended: &Ended<'_>) -> Result<bool, Refusal> {
    let Some(last) = deps.catalog.manual_backups().get(request_id).await? else { return Ok(false) };
    if last.table_backup.state != TableState::Started {
        return Ok(false);
    }
    if *ended.state != JobState::Completed {
        let (reason, message) = settle::said(ended);
        failed(deps, last, reason, message).await?;
        return Ok(true);
    }
    let settled = settle::completed(deps, last.table_backup.clone(), ended).await?;
    let state = match settled.state {
        TableState::Completed => TableState::Completed,
        // No further attempts are made at a manual backup.
        _ => TableState::Failed,
    };
    let table_backup = TableRecord { state, ..settled };
    tracing::info!(table = %table_backup.table, job = ended.job, ?state, "manual backup ended");
    let done = ManualRecord { table_backup, ..last.clone() };
    Ok(deps.catalog.manual_backups().close(&done, &last).await?)
}

/// Looks after manual backups whose end no event has told, as long as there is time; how many were settled or gone on with.
pub(crate) async fn reconcile(
    deps: &Deps,
    invocation: &Invocation,
    now: Timestamp,
    failures: &mut Failures,
) -> Result<u64, Refusal> {
    let mut vaults: BTreeMap<String, Vec<ManualRecord>> = BTreeMap::new();
    for known in deps.catalog.manual_backups().open().await? {
        vaults.entry(known.vault.clone()).or_default().push(known);
    }
    let mut settled = 0;
    for (vault, open) in vaults {
        let mut wanted = Wanted::default();
        open.iter().for_each(|known| wanted.add(known.table_backup.table.clone(), known.claimed_at));
        let jobs = listed::wanted(&deps.jobs.of(&vault), &wanted, now).await;
        let Some(jobs) = failures.caught(format_args!("the jobs of the vault {vault}"), jobs.map(Some))
        else {
            continue;
        };
        for known in open {
            if !invocation.has_time() {
                return Ok(settled);
            }
            let what = format!("the manual backup {} of {}", known.request_id, known.table_backup.table);
            settled += u64::from(failures.caught(what, look_after(deps, known, &jobs, now).await));
        }
    }
    Ok(settled)
}

async fn look_after(deps: &Deps, known: ManualRecord, jobs: &Jobs, now: Timestamp) -> Result<bool, Refusal> {
    let record = &known.table_backup;
    if record.state == TableState::Claimed {
        return clear_up(deps, known, jobs, now).await;
    }
    match record.job.as_ref().and_then(|job| jobs.get(job)) {
        Some(job) if job.state.is_final() => settle(deps, &known.request_id, &Ended::of(job)).await,
        None if listed::is_forgotten(known.claimed_at, now) => {
            let message = "AWS Backup does not tell of its job any more".to_owned();
            failed(deps, known, "job_lost", message).await.map(|_| true)
        }
        _ => Ok(false),
    }
}

/// A start that got no answer.
async fn clear_up(deps: &Deps, known: ManualRecord, jobs: &Jobs, now: Timestamp) -> Result<bool, Refusal> {
    if unclear::is_fresh(&known.table_backup, now) {
        return start(deps, known).await.map(|_| true);
    }
    match unclear::find(deps, &known.table_backup, known.claimed_at, jobs).await? {
        Found::NotYet => Ok(false),
        Found::Job(job) => {
            let table_backup = known.table_backup.clone().started(&job.job_id, job.recovery_point.clone());
            let started = ManualRecord { table_backup, ..known };
            deps.catalog.manual_backups().record_job(&started, &job.job_id).await?;
            Ok(true)
        }
        Found::Nothing => {
            let message =
                "AWS Backup has no job for it: its start was not heard; ask for it again".to_owned();
            failed(deps, known, "start_unheard", message).await.map(|_| true)
        }
    }
}
