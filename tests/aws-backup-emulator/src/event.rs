//! Events as AWS Backup sends them to EventBridge (AWS Backup Developer Guide, "Monitoring AWS Backup events using Amazon
//! EventBridge"), with the peculiarities of the documented samples: sizes as text, a sparse CREATED, the recovery point
//! among the `resources` of a completed job only, ids in lower case where the API gives upper case.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::Scope;
use crate::http::without_nulls;
use crate::state::backup_job::{BackupJob, State};
use crate::state::recovery_point::RecoveryPoint;
use crate::time::{american, iso, iso_seconds};

/// An event on its way.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) scope: Scope,
    pub(crate) body: Value,
}

impl Event {
    fn new(scope: &Scope, at: Timestamp, detail_type: &str, resources: &[&str], detail: Value) -> Self {
        let body = json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": detail_type,
            "source": "aws.backup",
            "account": scope.account,
            "time": iso_seconds(at),
            "region": scope.region,
            "resources": resources,
            "detail": without_nulls(detail),
        });
        Self { scope: scope.clone(), body }
    }

    /// A backup job is in another state.
    pub(crate) fn backup_job(scope: &Scope, at: Timestamp, job: &BackupJob) -> Self {
        let completed = job.state == State::Completed;
        let resources: &[&str] = if completed { &[&job.recovery_point] } else { &[] };
        let detail = if job.state == State::Created { sparse(job) } else { detail(job) };
        Self::new(scope, at, "Backup Job State Change", resources, detail)
    }

    /// A recovery point is in another status.
    pub(crate) fn recovery_point(scope: &Scope, at: Timestamp, point: &RecoveryPoint) -> Self {
        let lifecycle = point.lifecycle.as_ref();
        let calculated = lifecycle.map(|lifecycle| {
            let (cold, delete) = lifecycle.calculated(point.created);
            json!({ "moveToColdStorageAt": cold.map(iso), "deleteAt": delete.map(iso) })
        });
        let lifecycle = lifecycle.map(
            |l| json!({ "moveToColdStorageAfterDays": l.cold_after, "deleteAfterDays": l.delete_after }),
        );
        let detail = json!({
            "backupVaultName": point.vault,
            "backupVaultArn": point.vault_arn,
            "creationDate": iso(point.created),
            "iamRoleArn": point.role_arn,
            "resourceType": "DynamoDB",
            "resourceArn": point.resource_arn,
            "status": point.status.as_str(),
            "isEncrypted": point.key_arn.is_some().to_string(),
            "storageClass": "WARM",
            "completionDate": point.completed.map(iso),
            "lifecycle": lifecycle,
            "calculatedLifeCycle": calculated,
        });
        Self::new(scope, at, "Recovery Point State Change", &[&point.arn], detail)
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

#[cfg(test)]
mod tests;
