//! The role that a job is given: it must be there, trust AWS Backup, and allow what a DynamoDB backup does with it (AWS
//! Managed Policy Reference, `AWSBackupServiceRolePolicyForBackup`).

use crate::aws::Scope;
use crate::aws::roles::Role;
use crate::iam::{Context, Request, Verdict};
use crate::service::Service;
use crate::state::backup_job::{BackupJob, Failure};

const SERVICE: &str = "backup.amazonaws.com";

/// Fails as the job does when the role will not do.
pub(super) async fn check(service: &Service, scope: &Scope, job: &BackupJob) -> Result<(), Failure> {
    let denied = |message: String| Failure::new("ACCESS_DENIED", message);
    let name = job.role_arn.rsplit('/').next().unwrap_or_default();
    let role = service.role(scope, name).await;
    let role = role.map_err(|error| Failure::new("FATAL_ERROR", error.body()))?;
    let trust = Context::default().with("aws:SourceAccount", scope.account.as_str());
    let Some(role) = role.filter(|role| role.arn == job.role_arn && role.trusts(SERVICE, &trust)) else {
        return Err(denied(format!("IAM Role {} cannot be assumed by AWS Backup", job.role_arn)));
    };
    for (action, resource) in needed(job) {
        if !allows(&role, scope, action, resource) {
            let session = format!(
                "arn:aws:sts::{}:assumed-role/{name}/AWSBackup-{}",
                scope.account,
                job.id.to_lowercase()
            );
            return Err(denied(format!(
                "User: {session} is not authorized to perform: {action} on resource: {resource} because no \
                 identity-based policy allows the {action} action"
            )));
        }
    }
    Ok(())
}

/// What a backup does as the role, on what.
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

fn allows(role: &Role, scope: &Scope, action: &str, resource: &str) -> bool {
    let context = Context::default()
        .with("aws:PrincipalArn", role.arn.as_str())
        .with("aws:PrincipalAccount", scope.account.as_str())
        .with("aws:ResourceAccount", scope.account.as_str())
        .with("aws:RequestedRegion", scope.region.as_str());
    role.policies.evaluate(Request { action, resource, context: &context }) == Verdict::Allowed
}
