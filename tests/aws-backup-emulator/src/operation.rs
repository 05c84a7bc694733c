//! AWS Backup's operations: one table of them, one module for each family.

pub(crate) mod backup_jobs;
pub(crate) mod copy_jobs;
pub(crate) mod deletion;
mod job_list;
pub(crate) mod legal_holds;
pub(crate) mod lifecycle;
pub(crate) mod protected_resources;
pub(crate) mod recovery_points;
pub(crate) mod region_settings;
pub(crate) mod restore_jobs;
pub(crate) mod tagging;
mod time_span;
pub(crate) mod vault_lock;
pub(crate) mod vault_policies;
pub(crate) mod vaults;

use axum::http::StatusCode;
use futures::future::BoxFuture;
use serde_json::Value;

use crate::http::{ApiError, Call};

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// As in the service model, and after `backup:` the IAM action.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// Without the slashes at its ends; parts in braces are named as in the model.
    pub(crate) path: &'static str,
    /// What the caller must be allowed to do it to (Service Authorization Reference, "Actions, resources, and condition keys
    /// for AWS Backup").
    pub(crate) resource: fn(&Call) -> Result<String, ApiError>,
    /// Of an answer that is no error.
    pub(crate) status: StatusCode,
    pub(crate) run: for<'a> fn(&'a Call) -> BoxFuture<'a, Result<Value, ApiError>>,
}

macro_rules! operation {
    ($name:ident, $method:literal, $path:literal, $resource:path, $run:path) => {
        operation!($name, $method, $path, $resource, $run, StatusCode::OK)
    };
    ($name:ident, $method:literal, $path:literal, $resource:path, $run:path, $status:expr) => {
        Operation {
            name: stringify!($name),
            method: $method,
            path: $path,
            resource: $resource,
            status: $status,
            run: |call| Box::pin($run(call)),
        }
    };
}

/// Every operation there is.
pub(crate) static ALL: &[Operation] = &[
    operation!(CreateBackupVault, "PUT", "backup-vaults/{backupVaultName}", vault, vaults::create),
    operation!(DescribeBackupVault, "GET", "backup-vaults/{backupVaultName}", vault, vaults::describe),
    operation!(DeleteBackupVault, "DELETE", "backup-vaults/{backupVaultName}", vault, vaults::delete),
    operation!(
        PutBackupVaultLockConfiguration,
        "PUT",
        "backup-vaults/{backupVaultName}/vault-lock",
        vault,
        vault_lock::put
    ),
    operation!(
        DeleteBackupVaultLockConfiguration,
        "DELETE",
        "backup-vaults/{backupVaultName}/vault-lock",
        vault,
        vault_lock::delete
    ),
    operation!(ListBackupVaults, "GET", "backup-vaults", any, vaults::list),
    operation!(StartBackupJob, "PUT", "backup-jobs", backup_jobs::vault, backup_jobs::start),
    operation!(DescribeBackupJob, "GET", "backup-jobs/{backupJobId}", any, backup_jobs::describe),
    operation!(ListBackupJobs, "GET", "backup-jobs", any, backup_jobs::list),
    operation!(StopBackupJob, "POST", "backup-jobs/{backupJobId}", any, backup_jobs::stop),
    operation!(StartCopyJob, "PUT", "copy-jobs", copy_jobs::point, copy_jobs::start),
    operation!(DescribeCopyJob, "GET", "copy-jobs/{copyJobId}", any, copy_jobs::describe),
    operation!(ListCopyJobs, "GET", "copy-jobs", any, copy_jobs::list),
    operation!(
        PutBackupVaultAccessPolicy,
        "PUT",
        "backup-vaults/{backupVaultName}/access-policy",
        vault,
        vault_policies::put
    ),
    operation!(
        GetBackupVaultAccessPolicy,
        "GET",
        "backup-vaults/{backupVaultName}/access-policy",
        vault,
        vault_policies::get
    ),
    operation!(
        DeleteBackupVaultAccessPolicy,
        "DELETE",
        "backup-vaults/{backupVaultName}/access-policy",
        vault,
        vault_policies::delete
    ),
    operation!(
        ListRecoveryPointsByBackupVault,
        "GET",
        "backup-vaults/{backupVaultName}/recovery-points",
        vault,
        recovery_points::list_by_vault
    ),
    operation!(
        ListRecoveryPointsByResource,
        "GET",
        "resources/{resourceArn}/recovery-points",
        any,
        recovery_points::list_by_resource
    ),
    operation!(
        DescribeRecoveryPoint,
        "GET",
        "backup-vaults/{backupVaultName}/recovery-points/{recoveryPointArn}",
        point,
        recovery_points::describe
    ),
    operation!(
        GetRecoveryPointRestoreMetadata,
        "GET",
        "backup-vaults/{backupVaultName}/recovery-points/{recoveryPointArn}/restore-metadata",
        point,
        recovery_points::restore_metadata
    ),
    operation!(ListProtectedResources, "GET", "resources", any, protected_resources::list),
    operation!(CreateLegalHold, "POST", "legal-holds", legal_holds::new_hold, legal_holds::create),
    operation!(
        CancelLegalHold,
        "DELETE",
        "legal-holds/{legalHoldId}",
        legal_holds::hold,
        legal_holds::cancel,
        StatusCode::CREATED
    ),
    operation!(GetLegalHold, "GET", "legal-holds/{legalHoldId}", legal_holds::hold, legal_holds::get),
    operation!(ListLegalHolds, "GET", "legal-holds", any, legal_holds::list),
    operation!(
        ListRecoveryPointsByLegalHold,
        "GET",
        "legal-holds/{legalHoldId}/recovery-points",
        legal_holds::hold,
        legal_holds::list_points
    ),
    operation!(
        DeleteRecoveryPoint,
        "DELETE",
        "backup-vaults/{backupVaultName}/recovery-points/{recoveryPointArn}",
        point,
        deletion::delete
    ),
    operation!(
        UpdateRecoveryPointLifecycle,
        "POST",
        "backup-vaults/{backupVaultName}/recovery-points/{recoveryPointArn}",
        point,
        lifecycle::update
    ),
    operation!(StartRestoreJob, "PUT", "restore-jobs", restore_jobs::point, restore_jobs::start),
    operation!(DescribeRestoreJob, "GET", "restore-jobs/{restoreJobId}", any, restore_jobs::describe),
    operation!(ListRestoreJobs, "GET", "restore-jobs", any, restore_jobs::list),
    operation!(
        GetRestoreJobMetadata,
        "GET",
        "restore-jobs/{restoreJobId}/metadata",
        any,
        restore_jobs::metadata
    ),
    operation!(ListTags, "GET", "tags/{resourceArn}", tagged, tagging::list),
    operation!(TagResource, "POST", "tags/{resourceArn}", tagged, tagging::tag),
    operation!(UntagResource, "POST", "untag/{resourceArn}", tagged, tagging::untag),
    operation!(DescribeRegionSettings, "GET", "account-settings", any, region_settings::describe),
    operation!(UpdateRegionSettings, "PUT", "account-settings", any, region_settings::update),
];

/// The names of the operations that fit a name or a pattern of names.
pub(crate) fn named(pattern: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    ALL.iter()
        .map(|operation| operation.name)
        .filter(move |name| crate::iam::matches_wildcards(pattern, name))
}

/// For operations that IAM knows no resource for.
fn any(_: &Call) -> Result<String, ApiError> {
    Ok("*".to_owned())
}

fn vault(call: &Call) -> Result<String, ApiError> {
    let name = call.part("backupVaultName")?;
    Ok(call.scope.arn("backup", &format!("backup-vault:{name}")))
}

fn point(call: &Call) -> Result<String, ApiError> {
    call.part("recoveryPointArn").map(str::to_owned)
}

fn tagged(call: &Call) -> Result<String, ApiError> {
    call.part("resourceArn").map(str::to_owned)
}

#[cfg(test)]
mod tests;
