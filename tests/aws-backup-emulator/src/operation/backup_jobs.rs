//! Backup jobs: accepted here, carried out in [`crate::jobs`].

mod request;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(super) use self::request::role;
use self::request::{Accepted, StartInput};
use super::job_list::{self, Common};
use super::recovery_points::is_arn;
use super::vaults::{is_account, is_name};
use crate::agenda::Task;
use crate::event::Event;
use crate::http::{ApiError, Call};
use crate::jobs::announce;
use crate::state::RegionState;
use crate::state::backup_job::{BackupJob, State};

/// `ListBackupJobs` goes back so far, and no further (AWS Backup API Reference, "ListBackupJobs").
const LISTED: SignedDuration = SignedDuration::from_hours(30 * 24);
const STATES: [&str; 9] =
    ["CREATED", "PENDING", "RUNNING", "ABORTING", "ABORTED", "COMPLETED", "FAILED", "EXPIRED", "PARTIAL"];

/// What a backup is started into.
pub(super) fn vault(call: &Call) -> Result<String, ApiError> {
    let input: StartInput = call.body()?;
    let name = input.backup_vault_name.ok_or_else(|| ApiError::missing_parameter("BackupVaultName"))?;
    Ok(call.scope.arn("backup", &format!("backup-vault:{name}")))
}

pub(super) async fn start(call: &Call) -> Result<Value, ApiError> {
    let input: StartInput = call.body()?;
    let accepted = input.accept(&call.scope)?;
    call.authorize_passing(&accepted.role_arn).await?;
    let (job, new) = call.state(|state| insert(state, call, accepted));
    if new {
        let times = call.service.job_times();
        let waiting = SignedDuration::from_secs(i64::from(times.backup_seconds)) / 5;
        let due = (job.created + waiting).min(job.start_by);
        let task = Task::StartBackup { scope: call.scope.clone(), job: job.id.clone() };
        announce(&call.service, Event::backup_job(&call.scope, job.created, &job));
        call.service.agenda.add(due, task);
    }
    Ok(json!({
        "BackupJobId": job.id,
        "RecoveryPointArn": job.advanced.then_some(job.recovery_point),
        "CreationDate": crate::time::epoch(job.created),
        "IsParent": false,
    }))
}

/// A new job, or the one that the same token made before.
fn insert(state: &mut RegionState, call: &Call, accepted: Accepted) -> (BackupJob, bool) {
    let token = accepted.token.clone();
    let known = token.as_ref().and_then(|token| state.backup_tokens.get(token));
    if let Some(job) = known.and_then(|id| state.backup_jobs.get(id)) {
        return (job.clone(), false);
    }
    let mut job = accepted.into_job(&call.scope, call.now(), state.settings.advanced_dynamodb());
    job.ending = call.service.faults.ending(call.operation.name, &call.caller);
    if let Some(token) = token {
        state.backup_tokens.insert(token, job.id.clone());
    }
    state.backup_jobs.insert(job.id.clone(), job.clone());
    (job, true)
}

pub(super) async fn describe(call: &Call) -> Result<Value, ApiError> {
    let id = call.part("backupJobId")?;
    call.state(|state| job(state, id).map(|job| job.describe(&call.scope.account)))
}

fn job<'a>(state: &'a mut RegionState, id: &str) -> Result<&'a mut BackupJob, ApiError> {
    let job = state.backup_jobs.get_mut(&id.to_uppercase());
    job.ok_or_else(|| ApiError::not_found(format!("Backup job {id} does not exist.")))
}

pub(super) async fn stop(call: &Call) -> Result<Value, ApiError> {
    let id = call.part("backupJobId")?;
    call.state(|state| {
        let job = job(state, id)?;
        if !matches!(job.state, State::Created | State::Running) {
            let message = format!("Backup job {id} is {} and cannot be stopped.", job.state.as_str());
            return Err(ApiError::invalid_request(message));
        }
        job.state = State::Aborting;
        let task = Task::AbortBackup { scope: call.scope.clone(), job: job.id.clone() };
        call.service.agenda.add(call.now(), task);
        Ok(Value::Null)
    })
}

pub(super) async fn list(call: &Call) -> Result<Value, ApiError> {
    let page = call.page()?;
    let filter = Filter::of(call)?;
    call.state(|state| {
        let jobs = state.backup_jobs.values().filter(|job| filter.wants(job));
        let describe = |job: &BackupJob| job.describe(&call.scope.account);
        Ok(job_list::page(&page, "BackupJobs", jobs, |job| (job.created, &job.id), describe))
    })
}

/// Which jobs a list is to give.
struct Filter<'a> {
    resource: Option<&'a str>,
    state: Option<&'a str>,
    vault: Option<&'a str>,
    category: Option<&'a str>,
    oldest: Timestamp,
    common: Common,
}

impl<'a> Filter<'a> {
    fn of(call: &'a Call) -> Result<Self, ApiError> {
        let common = Common::of(call, |text| text == "*" || is_account(text))?;
        Ok(Self {
            resource: call.checked("resourceArn", is_arn)?,
            state: call.checked("state", |text| STATES.contains(&text))?,
            vault: call.checked("backupVaultName", is_name)?,
            category: call
                .query("messageCategory")
                .filter(|category| !["*", "AGGREGATE_ALL"].contains(category)),
            oldest: call.now().checked_sub(LISTED).unwrap_or(Timestamp::MIN),
            common,
        })
    }

    fn wants(&self, job: &BackupJob) -> bool {
        job.created >= self.oldest
            && self.resource.is_none_or(|arn| job.resource_arn == arn)
            && self.state.is_none_or(|state| job.state.as_str() == state)
            && self.vault.is_none_or(|vault| job.vault == vault)
            && self.category.is_none_or(|category| job.category() == Some(category))
            && self.common.holds(job.created, job.completed)
    }
}
