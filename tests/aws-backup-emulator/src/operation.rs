//! AWS Backup's operations: one table of them, one module for each family.

pub(crate) mod backup_jobs;
pub(crate) mod recovery_points;
pub(crate) mod region_settings;
pub(crate) mod tagging;
pub(crate) mod vaults;

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
    pub(crate) run: for<'a> fn(&'a Call) -> BoxFuture<'a, Result<Value, ApiError>>,
}

macro_rules! operation {
    ($name:ident, $method:literal, $path:literal, $resource:path, $run:path) => {
        Operation {
            name: stringify!($name),
            method: $method,
            path: $path,
            resource: $resource,
            run: |call| Box::pin($run(call)),
        }
    };
}

/// Every operation there is.
pub(crate) static ALL: &[Operation] = &[
    operation!(CreateBackupVault, "PUT", "backup-vaults/{backupVaultName}", vault, vaults::create),
    operation!(DescribeBackupVault, "GET", "backup-vaults/{backupVaultName}", vault, vaults::describe),
    operation!(DeleteBackupVault, "DELETE", "backup-vaults/{backupVaultName}", vault, vaults::delete),
    operation!(ListBackupVaults, "GET", "backup-vaults", any, vaults::list),
    operation!(StartBackupJob, "PUT", "backup-jobs", backup_jobs::vault, backup_jobs::start),
    operation!(DescribeBackupJob, "GET", "backup-jobs/{backupJobId}", any, backup_jobs::describe),
    operation!(ListBackupJobs, "GET", "backup-jobs", any, backup_jobs::list),
    operation!(StopBackupJob, "POST", "backup-jobs/{backupJobId}", any, backup_jobs::stop),
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
    operation!(ListTags, "GET", "tags/{resourceArn}", tagged, tagging::list),
    operation!(TagResource, "POST", "tags/{resourceArn}", tagged, tagging::tag),
    operation!(UntagResource, "POST", "untag/{resourceArn}", tagged, tagging::untag),
    operation!(DescribeRegionSettings, "GET", "account-settings", any, region_settings::describe),
    operation!(UpdateRegionSettings, "PUT", "account-settings", any, region_settings::update),
];

/// The names of the operations that fit a name or a pattern of names.
pub(crate) fn named(pattern: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    ALL.iter().map(|operation| operation.name).filter(move |name| crate::iam::matches_glob(pattern, name))
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
