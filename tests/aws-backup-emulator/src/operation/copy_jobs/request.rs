//! What `StartCopyJob` is given, checked: all that AWS Backup refuses at once. The rest fails the job later.

use jiff::Timestamp;
use serde::Deserialize;

use crate::aws::Scope;
use crate::http::ApiError;
use crate::operation::backup_jobs::role;
use crate::operation::lifecycle::LifecycleInput;
use crate::operation::vaults::{existing, is_name};
use crate::state::RegionState;
use crate::state::copy_job::{CopyJob, Destination, Retention, Source, State};
use crate::state::recovery_point::{Lifecycle, RecoveryPoint, Status, Storage};

/// The request's body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartInput {
    pub(super) recovery_point_arn: Option<String>,
    source_backup_vault_name: Option<String>,
    destination_backup_vault_arn: Option<String>,
    iam_role_arn: Option<String>,
    idempotency_token: Option<String>,
    lifecycle: Option<LifecycleInput>,
}

/// A request that is in order as far as it can be told without looking at the point.
#[derive(Debug)]
pub(super) struct Accepted {
    point: String,
    vault: String,
    destination: Destination,
    pub(super) role_arn: String,
    pub(super) token: Option<String>,
    retention: Retention,
}

impl StartInput {
    pub(super) fn accept(self, scope: &Scope) -> Result<Accepted, ApiError> {
        let required =
            |value: Option<String>, name: &str| value.ok_or_else(|| ApiError::missing_parameter(name));
        let point = required(self.recovery_point_arn, "RecoveryPointArn")?;
        let vault = required(self.source_backup_vault_name, "SourceBackupVaultName")?;
        let destination = required(self.destination_backup_vault_arn, "DestinationBackupVaultArn")?;
        let role_arn = required(self.iam_role_arn, "IamRoleArn")?;
        if !is_name(&vault) {
            return refuse(format!("Invalid backup vault name: {vault}"));
        }
        source(&point, scope)?;
        let destination = destination_of(&destination, scope)?;
        role(&role_arn, scope)?;
        if destination.scope == *scope && destination.vault == vault {
            return refuse("The destination backup vault must not be the source backup vault.");
        }
        let retention = match self.lifecycle {
            None => Retention::Inherited,
            Some(lifecycle) => Retention::Own(lifecycle.accept()?.unwrap_or_default()),
        };
        let token = self.idempotency_token.filter(|token| !token.is_empty());
        Ok(Accepted { point, vault, destination, role_arn, token, retention })
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, ApiError> {
    Err(ApiError::invalid_parameter(message))
}

/// The ARN of a recovery point where the call is made, AWS Backup's own or DynamoDB's.
fn source(arn: &str, scope: &Scope) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, service, region, account, resource] = parts.as_slice() else {
        return refuse(format!("Invalid recovery point ARN: {arn}"));
    };
    let named = match *service {
        "backup" => resource.strip_prefix("recovery-point:").is_some_and(|id| !id.is_empty()),
        "dynamodb" => resource.starts_with("table/") && resource.contains("/backup/"),
        _ => false,
    };
    if !named {
        return refuse(format!("Invalid recovery point ARN: {arn}"));
    }
    if *region != scope.region || *account != scope.account {
        return refuse(format!("Recovery point {arn} is not in this account and Region."));
    }
    Ok(())
}

/// A vault of any account in any Region of the caller's partition.
fn destination_of(arn: &str, scope: &Scope) -> Result<Destination, ApiError> {
    let invalid = || ApiError::invalid_parameter(format!("Invalid backup vault ARN: {arn}"));
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "backup", region, account, resource] = parts.as_slice() else { return Err(invalid()) };
    let vault = resource.strip_prefix("backup-vault:").filter(|name| is_name(name)).ok_or_else(invalid)?;
    let there = Scope { account: (*account).to_owned(), region: (*region).to_owned() };
    let well_formed = account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && is_region(region)
        && there.arn("backup", resource) == arn;
    if !well_formed {
        return Err(invalid());
    }
    if there.arn("", "").split(':').nth(1) != scope.arn("", "").split(':').nth(1) {
        return refuse(format!("Backup vault {arn} is in another partition."));
    }
    Ok(Destination { scope: there, vault: vault.to_owned(), vault_arn: arn.to_owned() })
}

/// `eu-west-1`, `us-gov-east-1`
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let words = parts.iter().rev().skip(1);
    parts.len() >= 3
        && words.into_iter().all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        && parts.last().is_some_and(|number| number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit()))
}

impl Accepted {
    /// The job that it makes, if the point can be copied.
    pub(super) fn into_job(self, state: &RegionState, now: Timestamp) -> Result<CopyJob, ApiError> {
        let vault = existing(state, &self.vault)?;
        let point = state.points.get(&self.point).filter(|point| point.vault == self.vault);
        let point = point.ok_or_else(|| {
            let message =
                format!("Recovery point {} does not exist in the backup vault {}.", self.point, self.vault);
            ApiError::not_found(message)
        })?;
        copyable(point)?;
        ninety_days(self.retention.of_copy(point.lifecycle.as_ref()).as_ref())?;
        let id = uuid::Uuid::new_v4();
        Ok(CopyJob {
            id: uuid::Uuid::new_v4().to_string().to_uppercase(),
            source: Source { arn: self.point, vault_arn: vault.arn.clone() },
            recovery_point: self.destination.scope.arn("backup", &format!("recovery-point:{id}")),
            destination: self.destination,
            resource_arn: point.resource_arn.to_string(),
            role_arn: self.role_arn,
            retention: self.retention,
            created: now,
            state: State::Created,
            starting: false,
            completed: None,
            failure: None,
            ending: None,
            lifecycle: None,
            key_arn: None,
            size: point.size,
        })
    }
}

fn copyable(point: &RecoveryPoint) -> Result<(), ApiError> {
    let arn = &point.arn;
    // Only what AWS Backup manages fully has its ARN (AWS Backup Developer Guide, "Advanced DynamoDB backup").
    if arn.split(':').nth(2) != Some("backup") {
        return Err(ApiError::invalid_request("Feature is not supported for provided resource type."));
    }
    if point.status != Status::Completed {
        let status = point.status.as_str();
        return Err(ApiError::invalid_request(format!(
            "Recovery point {arn} is {status} and cannot be copied."
        )));
    }
    if point.storage == Storage::Cold {
        let message = format!("Recovery point {arn} is in cold storage and cannot be copied.");
        return Err(ApiError::invalid_request(message));
    }
    Ok(())
}

/// Also with an expiry that the copy has from its source.
fn ninety_days(lifecycle: Option<&Lifecycle>) -> Result<(), ApiError> {
    match lifecycle {
        Some(Lifecycle { cold_after: Some(cold), delete_after: Some(delete) })
            if *delete < cold.saturating_add(90) =>
        {
            refuse(
                "Invalid lifecycle: DeleteAfterDays must be at least 90 days greater than MoveToColdStorageAfterDays.",
            )
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
