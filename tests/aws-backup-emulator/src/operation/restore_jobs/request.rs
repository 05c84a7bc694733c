//! What `StartRestoreJob` is given, checked: all that AWS Backup refuses at once. The rest fails the job later.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::metadata::{self, Wanted};
use crate::aws::Scope;
use crate::http::ApiError;
use crate::operation::backup_jobs;
use crate::operation::recovery_points::is_resource_type;
use crate::state::recovery_point::RecoveryPoint;
use crate::state::restore_job::{Duration, RestoreJob, State};

/// The request's body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartInput {
    pub(super) recovery_point_arn: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    iam_role_arn: Option<String>,
    idempotency_token: Option<String>,
    resource_type: Option<String>,
    copy_source_tags_to_restored_resource: Option<bool>,
}

/// A request that is in order.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) recovery_point: String,
    pub(super) role_arn: String,
    pub(super) token: Option<String>,
    metadata: BTreeMap<String, String>,
    wanted: Wanted,
    copy_tags: bool,
}

impl StartInput {
    pub(super) fn accept(self, scope: &Scope) -> Result<Accepted, ApiError> {
        let missing = ApiError::missing_parameter;
        let recovery_point = self.recovery_point_arn.ok_or_else(|| missing("RecoveryPointArn"))?;
        let metadata = self.metadata.ok_or_else(|| missing("Metadata"))?;
        let role_arn = self.iam_role_arn.ok_or_else(|| missing("IamRoleArn"))?;
        if !is_recovery_point(&recovery_point) {
            return refuse(format!("Invalid recovery point ARN: {recovery_point}"));
        }
        backup_jobs::role(&role_arn, scope)?;
        if let Some(kind) = self.resource_type.filter(|kind| kind != "DynamoDB") {
            let good = is_resource_type(&kind);
            let why = if good { "is not the resource type of" } else { "cannot be the resource type of" };
            return refuse(format!("Invalid ResourceType: {kind} {why} {recovery_point}."));
        }
        let wanted = metadata::read(&metadata)?;
        Ok(Accepted {
            recovery_point,
            role_arn,
            token: self.idempotency_token.filter(|token| !token.is_empty()),
            metadata,
            wanted,
            copy_tags: self.copy_source_tags_to_restored_resource.unwrap_or(false),
        })
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, ApiError> {
    Err(ApiError::invalid_parameter(message))
}

/// One of AWS Backup's own, or a DynamoDB backup made without advanced features.
fn is_recovery_point(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "backup", _, _, resource] => {
            resource.strip_prefix("recovery-point:").is_some_and(|id| !id.is_empty())
        }
        ["arn", _, "dynamodb", _, _, resource] => {
            resource.starts_with("table/") && resource.contains("/backup/")
        }
        _ => false,
    }
}

impl Accepted {
    /// The job that it makes, of this point.
    pub(super) fn into_job(self, now: Timestamp, restore_seconds: u32, point: &RecoveryPoint) -> RestoreJob {
        RestoreJob {
            id: uuid::Uuid::new_v4().to_string().to_uppercase(),
            recovery_point: self.recovery_point,
            vault_arn: point.vault_arn.to_string(),
            resource_arn: point.resource_arn.to_string(),
            role_arn: self.role_arn,
            metadata: self.metadata,
            target: self.wanted.table,
            encryption: self.wanted.encryption,
            copy_tags: self.copy_tags,
            created: now,
            point_created: point.created,
            duration: Duration::new(restore_seconds, point.storage),
            state: State::Pending,
            starting: false,
            making: None,
            created_resource: None,
            completed: None,
            failure: None,
            ending: None,
            size: point.size,
        }
    }
}
