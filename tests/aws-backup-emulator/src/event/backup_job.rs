//! `Backup Job State Change`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Event;
use crate::aws::Scope;
use crate::state::backup_job::{BackupJob, State};
use crate::time::{american, iso};

impl Event {
    /// A backup job is in another state.
    pub(crate) fn backup_job(scope: &Scope, at: Timestamp, job: &BackupJob) -> Self {
        let completed = job.state == State::Completed;
        let resources: &[&str] = if completed { &[&job.recovery_point] } else { &[] };
        let detail = if job.state == State::Created { sparse(job) } else { detail(job) };
        Self::new(scope, at, "Backup Job State Change", resources, detail)
    }
}

fn sparse(job: &BackupJob) -> Value {
    json!({
        "backupJobId": job.id.to_lowercase(),
        "state": job.state.as_str(),
        "creationDate": iso(job.created),
    })
}

fn detail(job: &BackupJob) -> Value {
    let ended = job.state.is_final();
    let size = if job.state == State::Completed { job.size } else { 0 };
    json!({
        "backupJobId": job.id.to_lowercase(),
        "backupSizeInBytes": size.to_string(),
        "backupVaultArn": job.vault_arn,
        "backupVaultName": job.vault,
        "bytesTransferred": size.to_string(),
        "creationDate": iso(job.created),
        "iamRoleArn": job.role_arn,
        "resourceArn": job.resource_arn,
        "resourceType": "DynamoDB",
        "state": job.state.as_str(),
        "statusMessage": job.failure.as_ref().map(|failure| format!("\"{}\"", failure.message)),
        "completionDate": job.completed.map(iso),
        "expectedCompletionDate": job.expected_completion.filter(|_| !ended).map(american),
        "startBy": iso(job.start_by),
        "percentDone": job.percent(),
        "retryCount": ended.then_some(job.retries),
    })
}
