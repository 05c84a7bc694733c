//! What a copy must be allowed before it starts: by the role that it was given, by the policies of both vaults, and by
//! the keys of both.

use crate::aws::{Scope, keys};
use crate::iam::{Context, Grant, Request};
use crate::jobs::role::{Assumed, Need};
use crate::service::Service;
use crate::state::copy_job::CopyJob;
use crate::state::failure::Failure;
use crate::state::recovery_point::RecoveryPoint;
use crate::state::vault::Vault;
use crate::state::vault_policy::VaultPolicy;

const INTO: &str = "backup:CopyIntoBackupVault";
const FROM: &str = "backup:CopyFromBackupVault";

/// Fails as the job does when the copy is not allowed.
pub(super) async fn check(
    service: &Service,
    scope: &Scope,
    job: &CopyJob,
    source: &RecoveryPoint,
) -> Result<(), Failure> {
    let role = Assumed::new(service, scope, &job.role_arn, &job.id).await?;
    let there = &job.destination;
    let from = service.world.with(scope, |state| state.vault_policy(&source.arn).cloned());
    let context = Context::default().with("backup:CopyTargets", there.vault_arn.as_str());
    role.may(&Need { action: FROM, resource: &source.arn, context, policy: from.as_ref() })?;
    let vault = service.world.with(&there.scope, |state| state.vaults.get(&there.vault).cloned());
    let vault = if there.scope.account == scope.account {
        into_own(job, source, vault, &role)?
    } else {
        into_another_account(job, vault, &role)?
    };
    let source_key = source.key_arn.as_deref().filter(|_| source.key_kind.is_some());
    usable(service, scope, source_key).await?;
    usable(service, &there.scope, vault.key.customer.then_some(vault.key.arn.as_str())).await
}

/// The destination in the role's own account, if the role may copy into it.
fn into_own(
    job: &CopyJob,
    source: &RecoveryPoint,
    vault: Option<Vault>,
    role: &Assumed,
) -> Result<Vault, Failure> {
    let policy = vault.as_ref().and_then(|vault| vault.policy.as_ref());
    let need = |action, resource| Need { action, resource, context: Context::default(), policy };
    role.may(&need(INTO, &job.destination.vault_arn))?;
    if !source.tags.is_empty() {
        role.may(&need("backup:TagResource", &job.recovery_point))?;
    }
    vault.ok_or_else(|| super::no_vault(job))
}

/// The destination in another account, if both accounts let the role copy into it. Tags are then copied by that account's
/// service-linked role (AWS Backup Developer Guide, "Creating backup copies across AWS accounts").
fn into_another_account(job: &CopyJob, vault: Option<Vault>, role: &Assumed) -> Result<Vault, Failure> {
    let resource = job.destination.vault_arn.as_str();
    role.may(&Need { action: INTO, resource, context: Context::default(), policy: None })?;
    // Whether there is such a vault is not for another account to know.
    let Some(vault) = vault.filter(|vault| invites(vault, role)) else {
        return Err(denied("Access Denied trying to call AWS Backup service"));
    };
    if !vault.key.customer {
        return Err(denied(
            "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed \
             key. The contents of this vault cannot be copied. Only the contents of a Backup vault encrypted by an AWS \
             KMS key may be copied.",
        ));
    }
    Ok(vault)
}

fn denied(message: &str) -> Failure {
    Failure::new("ACCESS_DENIED", message)
}

/// Does the vault's policy let a role of another account copy into it? (AWS Backup Developer Guide, "Creating backup copies
/// across AWS accounts".)
fn invites(vault: &Vault, role: &Assumed) -> bool {
    let context = role.context(&vault.arn, &Context::default());
    let request = Request { action: INTO, resource: &vault.arn, context: &context };
    let grant = VaultPolicy::grant_of(vault.policy.as_ref(), role.principal(), request);
    matches!(grant, Grant::ToAccount | Grant::ToPrincipal)
}

/// A customer's key must be there and enabled.
async fn usable(service: &Service, scope: &Scope, key: Option<&str>) -> Result<(), Failure> {
    let Some(key) = key else { return Ok(()) };
    match keys::usable(&service.aws.clients(scope).kms, key).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let message = "KMS key is either disabled or pending deletion or access to KMS key is denied";
            Err(Failure::new("KMS_KEY_ERROR", message))
        }
        Err(why) => Err(Failure::new("FATAL_ERROR", format!("The local AWS did not answer: {why}"))),
    }
}
