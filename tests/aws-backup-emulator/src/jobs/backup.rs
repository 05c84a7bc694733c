//! A backup job's life: CREATED, RUNNING, COMPLETED, or one of the other ends.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{announce, role};
use crate::agenda::Task;
use crate::aws::Scope;
use crate::aws::keys;
use crate::aws::table::{self, CaptureError, Snapshot};
use crate::event::Event;
use crate::faults::{End, Ending};
use crate::service::Service;
use crate::state::RegionState;
use crate::state::backup_job::{BackupJob, State};
use crate::state::failure::Failure;
use crate::state::recovery_point::{RecoveryPoint, Status, Storage};
use crate::state::shared::Shared;
use crate::state::tags::{self, Tags};
use crate::state::vault::{Key, Vault};

/// How often a job that cannot start yet is tried again (AWS Backup Developer Guide, "Backup plan options").
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// What may become of an attempt to start.
enum Attempt {
    /// The job is not waiting any more.
    Over,
    Later(Timestamp),
    Refused(Failure),
    Expired(Failure),
    /// Nothing stands in its way: start it, into this vault.
    Go(Box<BackupJob>, Vault),
}

pub(super) async fn start(service: &Service, scope: &Scope, id: &str) {
    let now = crate::time::milliseconds(service.timeline.now());
    match service.world.with(scope, |state| attempt(state, id, now)) {
        Attempt::Over => {}
        Attempt::Later(when) => {
            service.agenda.add(when, Task::StartBackup { scope: scope.clone(), job: id.to_owned() });
        }
        Attempt::Refused(failure) => end(service, scope, id, State::Failed, Some(failure)),
        Attempt::Expired(failure) => end(service, scope, id, State::Expired, Some(failure)),
        Attempt::Go(job, vault) => match capture(service, scope, &job, &vault.key).await {
            Ok((tags, snapshot)) => run(service, scope, &job, &vault.key, tags, snapshot),
            // The Region has gone off meanwhile: tried again when it is back.
            Err(_) if service.agenda.holds(&scope.region) => wait(service, scope, id, now),
            Err(failure) => end(service, scope, id, State::Failed, Some(failure)),
        },
    }
}

/// An attempt to start that came to nothing is made again.
fn wait(service: &Service, scope: &Scope, id: &str, now: Timestamp) {
    service.world.with(scope, |state| {
        if let Some(job) = state.backup_jobs.get_mut(id) {
            job.starting = false;
        }
    });
    service.agenda.add(now, Task::StartBackup { scope: scope.clone(), job: id.to_owned() });
}

/// One job per resource: while another one runs, a backup or a copy, a job waits to the end of its start window.
fn attempt(state: &mut RegionState, id: &str, now: Timestamp) -> Attempt {
    let Some(job) = state.backup_jobs.get(id).filter(|job| job.state == State::Created && !job.starting)
    else {
        return Attempt::Over;
    };
    let vault = match destination(state, job) {
        Ok(vault) => vault.clone(),
        Err(failure) => return Attempt::Refused(failure),
    };
    let busy = state.is_busy(&job.resource_arn, id);
    if now >= job.start_by {
        let message = "Backup job failed because there was a running job for the same resource.";
        let concurrent = busy || job.retries > 0;
        return Attempt::Expired(if concurrent {
            Failure::new("CONCURRENT_JOB", message)
        } else {
            expired()
        });
    }
    let start_by = job.start_by;
    let Some(job) = state.backup_jobs.get_mut(id) else { return Attempt::Over };
    if busy {
        job.retries += 1;
        return Attempt::Later((now + TRY_AGAIN).min(start_by));
    }
    job.starting = true;
    Attempt::Go(Box::new(job.clone()), vault)
}

/// The job's vault, as long as it is there and takes the point.
fn destination<'a>(state: &'a RegionState, job: &BackupJob) -> Result<&'a Vault, Failure> {
    let Some(vault) = state.vaults.get(&job.vault) else {
        let message = format!("Backup job failed because backup vault {} does not exist.", job.vault_arn);
        return Err(Failure::new("RESOURCE_NOT_FOUND", message));
    };
    vault.admit("Backup", job.lifecycle.as_ref(), state.points.count_in(&vault.name))?;
    Ok(vault)
}

fn expired() -> Failure {
    Failure::new("JOB_EXPIRED", "Backup job expired before completion.")
}

/// The table as it is now, read with what the passed role may do.
async fn capture(
    service: &Service,
    scope: &Scope,
    job: &BackupJob,
    key: &Key,
) -> Result<(Tags, Snapshot), Failure> {
    role::check(service, scope, &job.role_arn, &job.id, &needed(job)).await?;
    let clients = service.aws.clients(scope);
    if key.customer
        && job.advanced
        && !keys::usable(&clients.kms, &key.arn).await.map_err(|why| no_answer(&why))?
    {
        let message = "KMS key is either disabled or pending deletion or access to KMS key is denied";
        return Err(Failure::new("KMS_KEY_ERROR", message));
    }
    let client = clients.dynamodb;
    let table = job.resource_arn.rsplit('/').next().unwrap_or_default();
    let description = table::description(&client, table).await.map_err(failure)?;
    let tags = if job.advanced {
        if job.tags.len() > tags::MOST {
            return Err(Failure::new("LIMIT_EXCEEDED", "More than 50 tags specified"));
        }
        let inherited = table::tags(&client, &job.resource_arn).await.map_err(failure)?;
        tags::merge(inherited, &job.tags).map_err(|_| {
            let message = "The resultant tag set must not have more than 50 user tags.";
            Failure::new("LIMIT_EXCEEDED", message)
        })?
    } else {
        Tags::new()
    };
    let items = table::items(&client, table).await.map_err(failure)?;
    Ok((tags, Snapshot { table: description, items }))
}

/// What a backup does as its role, on what (AWS Managed Policy Reference, `AWSBackupServiceRolePolicyForBackup`).
fn needed(job: &BackupJob) -> Vec<(&'static str, &str)> {
    let table = job.resource_arn.as_str();
    let mut needed = vec![
        ("backup:DescribeBackupVault", job.vault_arn.as_str()),
        ("dynamodb:DescribeTable", table),
        ("dynamodb:CreateBackup", table),
    ];
    if job.advanced {
        needed.push(("dynamodb:ListTagsOfResource", table));
        needed.push(("dynamodb:StartAwsBackupJob", table));
        needed.push(("backup:TagResource", job.recovery_point.as_str()));
    } else {
        needed.push(("dynamodb:DescribeBackup", job.recovery_point.as_str()));
    }
    needed
}

fn failure(error: CaptureError) -> Failure {
    match error {
        CaptureError::NotFound => Failure::new("RESOURCE_NOT_FOUND", "Table not found."),
        CaptureError::Unfit(why) => Failure::new("MISCELLANEOUS", why),
        CaptureError::Failed(why) => no_answer(&why),
    }
}

fn no_answer(why: &str) -> Failure {
    Failure::new("FATAL_ERROR", format!("The local AWS did not answer: {why}"))
}

/// The job runs, and its recovery point is there, being created.
fn run(service: &Service, scope: &Scope, job: &BackupJob, key: &Key, tags: Tags, snapshot: Snapshot) {
    let now = crate::time::milliseconds(service.timeline.now());
    let whole = SignedDuration::from_secs(i64::from(service.job_times().backup_seconds));
    let finish = now + (whole - whole / 5);
    let size = snapshot.size_in_bytes();
    let point = RecoveryPoint {
        arn: job.recovery_point.clone(),
        job_id: job.id.clone(),
        vault: job.vault.as_str().into(),
        vault_arn: job.vault_arn.as_str().into(),
        source_vault_arn: None,
        resource_arn: job.resource_arn.as_str().into(),
        role_arn: job.role_arn.as_str().into(),
        status: Status::Creating,
        status_message: None,
        storage: Storage::Warm,
        created: now,
        initiated: job.created,
        completed: None,
        last_restored: None,
        lifecycle: job.lifecycle.clone(),
        // Without advanced features the point has the table's own key.
        key_arn: if job.advanced { Some(key.arn.as_str().into()) } else { table_key(&snapshot) },
        key_kind: key.kind().filter(|_| job.advanced),
        tags,
        snapshot: Arc::new(snapshot),
        size,
    };
    let job = match service.world.with(scope, |state| begin(state, &job.id, point.clone(), finish)) {
        None => return,
        Some(Err(failure)) => return end(service, scope, &job.id, State::Failed, Some(failure)),
        Some(Ok(job)) => job,
    };
    announce(service, Event::backup_job(scope, now, &job));
    announce(service, Event::recovery_point(scope, now, &point));
    let (scope, id) = (scope.clone(), job.id);
    match job.complete_by.filter(|by| *by < finish) {
        Some(by) => service.agenda.add(by.max(now), Task::ExpireBackup { scope, job: id }),
        None => service.agenda.add(finish, Task::FinishBackup { scope, job: id }),
    }
}

/// Puts the point into its vault; `None` when the job does not wait any more. The vault may have changed since the job began
/// to read its table.
fn begin(
    state: &mut RegionState,
    id: &str,
    point: RecoveryPoint,
    finish: Timestamp,
) -> Option<Result<BackupJob, Failure>> {
    let job = state.backup_jobs.get(id).filter(|job| job.state == State::Created)?;
    if let Err(failure) = destination(state, job) {
        return Some(Err(failure));
    }
    let job = state.backup_jobs.get_mut(id)?;
    (job.state, job.starting) = (State::Running, false);
    (job.started, job.expected_completion) = (Some(point.created), Some(finish));
    (job.key_arn, job.size) = (point.key_arn.as_ref().map(Shared::to_string), point.size);
    let job = job.clone();
    state.points.insert(point);
    Some(Ok(job))
}

fn table_key(snapshot: &Snapshot) -> Option<Shared> {
    snapshot.table.sse_description()?.kms_master_key_arn().map(Shared::from)
}

/// The job has run its time.
pub(super) fn finish(service: &Service, scope: &Scope, id: &str) {
    let now = crate::time::milliseconds(service.timeline.now());
    let job = service.world.with(scope, |state| state.backup_jobs.get(id).cloned());
    let Some(job) = job.filter(|job| job.state == State::Running) else { return };
    // It stood still while its Region was off, its completion window did not.
    if job.complete_by.is_some_and(|by| by < now) {
        return end(service, scope, id, State::Expired, Some(expired()));
    }
    let (how, failure) = match job.ending {
        None => (State::Completed, None),
        Some(Ending { end, failure }) => (state_of(end), Some(failure)),
    };
    end(service, scope, id, how, failure);
}

fn state_of(end: End) -> State {
    match end {
        End::Failed => State::Failed,
        End::Expired => State::Expired,
        End::Aborted => State::Aborted,
        End::Partial => State::Partial,
    }
}

pub(super) fn expire(service: &Service, scope: &Scope, id: &str) {
    let running =
        |state: &mut RegionState| state.backup_jobs.get(id).is_some_and(|j| j.state == State::Running);
    if service.world.with(scope, running) {
        end(service, scope, id, State::Expired, Some(expired()));
    }
}

pub(super) fn abort(service: &Service, scope: &Scope, id: &str) {
    let stopped = Failure::new("ABORTED", "Backup job was stopped by user.");
    end(service, scope, id, State::Aborted, Some(stopped));
}

fn end(service: &Service, scope: &Scope, id: &str, how: State, failure: Option<Failure>) {
    let now = crate::time::milliseconds(service.timeline.now());
    let Some((job, point)) = service.world.with(scope, |state| close(state, id, how, failure, now)) else {
        return;
    };
    let message = job.failure.as_ref().map_or("", |failure| &failure.message);
    tracing::info!(job = %job.id, state = how.as_str(), message, "a backup job has ended");
    if let Some(point) = point {
        announce(service, Event::recovery_point(scope, now, &point));
    }
    announce(service, Event::backup_job(scope, now, &job));
}

/// The job ends, and its point is as complete as it gets; unless the job completed at least in part, the point goes. Both in
/// one step: a job that is being stopped meanwhile has no point that was complete. `None` when the job cannot end so.
fn close(
    state: &mut RegionState,
    id: &str,
    how: State,
    failure: Option<Failure>,
    now: Timestamp,
) -> Option<(BackupJob, Option<RecoveryPoint>)> {
    let job = state.backup_jobs.get_mut(id)?;
    job.starting = false;
    let stopping = job.state == State::Aborting;
    if job.state.is_final() || (stopping && how != State::Aborted) {
        return None;
    }
    (job.state, job.completed, job.failure) = (how, Some(now), failure);
    let job = job.clone();
    let status = match how {
        State::Completed => Status::Completed,
        State::Partial => Status::Partial,
        _ => {
            state.points.remove(&job.recovery_point);
            return Some((job, None));
        }
    };
    let point = state.points.get_mut(&job.recovery_point).map(|point| {
        (point.status, point.completed) = (status, Some(now));
        point.clone()
    });
    state.points.plan(&job.recovery_point, now);
    Some((job, point))
}

#[cfg(test)]
mod tests;
