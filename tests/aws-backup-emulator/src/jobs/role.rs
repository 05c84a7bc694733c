//! The role that a job is given: it must be there, trust AWS Backup, and allow what the job does as it.

use crate::aws::Scope;
use crate::aws::roles::Role;
use crate::iam::{Context, Grant, Request, Verdict};
use crate::service::Service;
use crate::state::failure::Failure;

const SERVICE: &str = "backup.amazonaws.com";

/// Fails as the job does when the role will not do: `needed` are the actions that the job takes as it, and on what.
pub(super) async fn check(
    service: &Service,
    scope: &Scope,
    role_arn: &str,
    job: &str,
    needed: &[(&str, &str)],
) -> Result<(), Failure> {
    let denied = |message: String| Failure::new("ACCESS_DENIED", message);
    let name = role_arn.rsplit('/').next().unwrap_or_default();
    let role = service.role(scope, name).await;
    let role = role.map_err(|error| Failure::new("FATAL_ERROR", error.body()))?;
    let trust = Context::default().with("aws:SourceAccount", scope.account.as_str());
    let Some(role) = role.filter(|role| role.arn == role_arn && role.trusts(SERVICE, &trust)) else {
        return Err(denied(format!("IAM Role {role_arn} cannot be assumed by AWS Backup")));
    };
    for (action, resource) in needed {
        if !allows(&role, scope, action, resource) {
            let session = format!(
                "arn:aws:sts::{}:assumed-role/{name}/AWSBackup-{}",
                scope.account,
                job.to_lowercase()
            );
            return Err(denied(format!(
                "User: {session} is not authorized to perform: {action} on resource: {resource} because no \
                 identity-based policy allows the {action} action"
            )));
        }
    }
    Ok(())
}

fn allows(role: &Role, scope: &Scope, action: &str, resource: &str) -> bool {
    let context = Context::default()
        .with("aws:PrincipalArn", role.arn.as_str())
        .with("aws:PrincipalAccount", scope.account.as_str())
        .with("aws:ResourceAccount", scope.account.as_str())
        .with("aws:RequestedRegion", scope.region.as_str());
    role.policies.evaluate(Request { action, resource, context: &context }, Grant::Nothing)
        == Verdict::Allowed
}
