//! The role that a job is given: it must be there, trust AWS Backup, and allow what the job does as it.

use crate::aws::Scope;
use crate::aws::roles::Role;
use crate::iam::{Context, Principal, Request, Verdict};
use crate::service::Service;
use crate::state::failure::Failure;
use crate::state::vault_policy::VaultPolicy;

const SERVICE: &str = "backup.amazonaws.com";

/// Fails as the job does when the role will not do: `needed` are the actions that the job takes as it, and on what.
pub(super) async fn check(
    service: &Service,
    scope: &Scope,
    role_arn: &str,
    job: &str,
    needed: &[(&str, &str)],
) -> Result<(), Failure> {
    let role = Assumed::new(service, scope, role_arn, job).await?;
    needed.iter().try_for_each(|(action, resource)| {
        role.may(&Need { action, resource, context: via_service(action, scope), policy: None })
    })
}

/// A role that a job has taken.
#[derive(Debug)]
pub(super) struct Assumed {
    role: Role,
    /// The session's ARN.
    session: String,
    account: String,
    region: String,
}

/// Something that a job does as its role.
#[derive(Debug)]
pub(super) struct Need<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    /// Condition keys of this action's own.
    pub(super) context: Context,
    /// The policy of the vault that it is done to.
    pub(super) policy: Option<&'a VaultPolicy>,
}

impl Assumed {
    /// Fails as the job does when there is no such role, or when it does not trust AWS Backup.
    pub(super) async fn new(
        service: &Service,
        scope: &Scope,
        role_arn: &str,
        job: &str,
    ) -> Result<Self, Failure> {
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        let role = service.role(scope, name).await;
        let role = role.map_err(|error| Failure::new("FATAL_ERROR", error.body()))?;
        let trust = Context::default().with("aws:SourceAccount", scope.account.as_str());
        let Some(role) = role.filter(|role| role.arn == role_arn && role.trusts(SERVICE, &trust)) else {
            let message = format!("IAM Role {role_arn} cannot be assumed by AWS Backup");
            return Err(Failure::new("ACCESS_DENIED", message));
        };
        let (account, region) = (scope.account.clone(), scope.region.clone());
        let session = format!("arn:aws:sts::{account}:assumed-role/{name}/AWSBackup-{}", job.to_lowercase());
        Ok(Self { role, session, account, region })
    }

    /// As whom a resource policy sees it.
    pub(super) fn principal(&self) -> Principal<'_> {
        Principal { arn: &self.role.arn, session: Some(&self.session), account: &self.account }
    }

    /// The condition keys of what it does to a resource, and those of the action's own.
    pub(super) fn context(&self, resource: &str, own: &Context) -> Context {
        let owner = resource.split(':').nth(4).filter(|account| !account.is_empty());
        own.clone()
            .with("aws:PrincipalArn", self.role.arn.as_str())
            .with("aws:PrincipalAccount", self.account.as_str())
            .with("aws:ResourceAccount", owner.unwrap_or(&self.account))
            .with("aws:RequestedRegion", self.region.as_str())
    }

    /// Fails as the job does when neither the role's policies nor the vault's allow this, or one of them denies it.
    pub(super) fn may(&self, need: &Need<'_>) -> Result<(), Failure> {
        let (action, resource) = (need.action, need.resource);
        let context = self.context(resource, &need.context);
        let request = Request { action, resource, context: &context };
        let grant = VaultPolicy::grant_of(need.policy, self.principal(), request);
        let why = match self.role.policies.evaluate(request, grant) {
            Verdict::Allowed => return Ok(()),
            verdict => verdict.reason(action, grant),
        };
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} {why}",
            self.session
        );
        Err(Failure::new("ACCESS_DENIED", message))
    }
}

/// Keys are used by DynamoDB, on the role's behalf (Key Management Service Developer Guide, "AWS KMS condition keys").
fn via_service(action: &str, scope: &Scope) -> Context {
    match action.strip_prefix("kms:") {
        None => Context::default(),
        Some(_) => Context::default()
            .with("kms:ViaService", format!("dynamodb.{}.amazonaws.com", scope.region))
            .with("kms:GrantIsForAWSResource", "true"),
    }
}
