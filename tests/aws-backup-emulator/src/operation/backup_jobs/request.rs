//! What `StartBackupJob` is given, checked: all that AWS Backup refuses at once. The rest fails the job later.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::aws::Scope;
use crate::http::ApiError;
use crate::operation::lifecycle::LifecycleInput;
use crate::operation::vaults::is_name;
use crate::state::backup_job::{BackupJob, State};
use crate::state::recovery_point::Lifecycle;
use crate::state::tags::Tags;

/// 8 hours.
const DEFAULT_START_WINDOW: i64 = 480;
const SHORTEST_START_WINDOW: i64 = 60;
/// 100 years, in minutes.
const LONGEST_WINDOW: i64 = 52_560_000;

/// The request's body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartInput {
    pub(super) backup_vault_name: Option<String>,
    logically_air_gapped_backup_vault_arn: Option<String>,
    resource_arn: Option<String>,
    iam_role_arn: Option<String>,
    idempotency_token: Option<String>,
    start_window_minutes: Option<i64>,
    complete_window_minutes: Option<i64>,
    lifecycle: Option<LifecycleInput>,
    recovery_point_tags: Option<BTreeMap<String, String>>,
    backup_options: Option<BTreeMap<String, String>>,
    index: Option<String>,
}

/// A request that is in order.
#[derive(Debug)]
pub(super) struct Accepted {
    vault: String,
    resource_arn: String,
    pub(super) role_arn: String,
    pub(super) token: Option<String>,
    start_window: SignedDuration,
    complete_window: Option<SignedDuration>,
    lifecycle: Option<Lifecycle>,
    tags: Tags,
}

impl StartInput {
    pub(super) fn accept(self, scope: &Scope) -> Result<Accepted, ApiError> {
        let required =
            |value: Option<String>, name: &str| value.ok_or_else(|| ApiError::missing_parameter(name));
        let vault = required(self.backup_vault_name, "BackupVaultName")?;
        let resource_arn = required(self.resource_arn, "ResourceArn")?;
        let role_arn = required(self.iam_role_arn, "IamRoleArn")?;
        if !is_name(&vault) {
            return refuse(format!("Invalid backup vault name: {vault}"));
        }
        table(&resource_arn, scope)?;
        role(&role_arn, scope)?;
        if self.logically_air_gapped_backup_vault_arn.is_some() {
            return Err(ApiError::not_emulated("StartBackupJob", "LogicallyAirGappedBackupVaultArn"));
        }
        if self.backup_options.is_some_and(|options| !options.is_empty()) {
            return refuse("BackupOptions are not supported for DynamoDB.");
        }
        if self.index.is_some_and(|index| index != "DISABLED") {
            return refuse("Index is not supported for DynamoDB.");
        }
        let start_window = self.start_window_minutes.unwrap_or(DEFAULT_START_WINDOW);
        if !(SHORTEST_START_WINDOW..=LONGEST_WINDOW).contains(&start_window) {
            let bounds = format!("{SHORTEST_START_WINDOW} to {LONGEST_WINDOW}");
            return refuse(format!("StartWindowMinutes must be {bounds}, not {start_window}."));
        }
        if let Some(window) =
            self.complete_window_minutes.filter(|window| !(1..=LONGEST_WINDOW).contains(window))
        {
            return refuse(format!("CompleteWindowMinutes must be 1 to {LONGEST_WINDOW}, not {window}."));
        }
        let tags = self.recovery_point_tags.unwrap_or_default();
        crate::operation::tagging::check(&tags)?;
        Ok(Accepted {
            vault,
            resource_arn,
            role_arn,
            token: self.idempotency_token.filter(|token| !token.is_empty()),
            start_window: SignedDuration::from_mins(start_window),
            complete_window: self.complete_window_minutes.map(SignedDuration::from_mins),
            lifecycle: self.lifecycle.map(LifecycleInput::accept).transpose()?.flatten(),
            tags,
        })
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, ApiError> {
    Err(ApiError::invalid_parameter(message))
}

/// The ARN of a DynamoDB table where the call is made.
fn table(arn: &str, scope: &Scope) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, service, region, account, resource] = parts.as_slice() else {
        return refuse(format!("Invalid resource ARN: {arn}"));
    };
    let name = resource.strip_prefix("table/").filter(|name| !name.is_empty() && !name.contains('/'));
    if *service != "dynamodb" || name.is_none() {
        return refuse(format!("Unsupported resource: {arn}. This emulator backs up DynamoDB tables."));
    }
    if *region != scope.region || *account != scope.account {
        return refuse(format!("Resource {arn} is not in this account and Region."));
    }
    Ok(())
}

/// The ARN of a role of the caller's account.
pub(in crate::operation) fn role(arn: &str, scope: &Scope) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, resource] = parts.as_slice() else {
        return refuse(format!("Invalid IAM role ARN: {arn}"));
    };
    if !resource.strip_prefix("role/").is_some_and(|name| !name.is_empty() && !name.ends_with('/')) {
        return refuse(format!("Invalid IAM role ARN: {arn}"));
    }
    if *account != scope.account {
        return Err(ApiError::access_denied("Cross-account pass role is not allowed."));
    }
    Ok(())
}

impl Accepted {
    /// The job that it makes. Without advanced features DynamoDB backups have another ARN, and neither tags nor cold storage.
    pub(super) fn into_job(self, scope: &Scope, now: Timestamp, advanced: bool) -> BackupJob {
        let recovery_point = recovery_point(scope, &self.resource_arn, now, advanced);
        let lifecycle = self.lifecycle.map(|lifecycle| lifecycle.of_point(&recovery_point));
        let after = |window| now.checked_add(window).unwrap_or(Timestamp::MAX);
        BackupJob {
            id: uuid::Uuid::new_v4().to_string().to_uppercase(),
            vault_arn: scope.arn("backup", &format!("backup-vault:{}", self.vault)),
            vault: self.vault,
            resource_arn: self.resource_arn,
            role_arn: self.role_arn,
            lifecycle,
            tags: if advanced { self.tags } else { Tags::new() },
            options: Value::Object(serde_json::Map::new()),
            created: now,
            start_by: after(self.start_window),
            complete_by: self.complete_window.map(after),
            state: State::Created,
            starting: false,
            retries: 0,
            started: None,
            expected_completion: None,
            completed: None,
            failure: None,
            ending: None,
            advanced,
            recovery_point,
            key_arn: None,
            size: 0,
        }
    }
}

fn recovery_point(scope: &Scope, table: &str, now: Timestamp, advanced: bool) -> String {
    let id = uuid::Uuid::new_v4();
    if advanced {
        return scope.arn("backup", &format!("recovery-point:{id}"));
    }
    let hex: String = id.simple().to_string().chars().take(8).collect();
    format!("{table}/backup/{:014}-{hex}", now.as_millisecond())
}

#[cfg(test)]
mod tests;
