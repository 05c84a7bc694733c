//! The vaults: the stack's own and those that copies go to.

use dynachain::aws::backup::Vault;
use dynachain::aws::{AwsError, Fault};
use dynachain::chain::PerFlag;
use dynachain::id::VaultArn;
use dynachain::policy::{CopyTarget, Document};
use dynachain::retention::Keep;
use jiff::Timestamp;

use super::finding::Finding;
use super::{keys, lock};
use crate::Deps;

const CHECK: &str = "vault";

pub(super) async fn check(deps: &Deps, document: &Document, now: Timestamp) -> Vec<Finding> {
    let zone = document.timezone.name();
    let mut findings = look_at(deps, &deps.stack.vault, &document.keeps(), zone, now).await;
    for target in &document.copies {
        if target.vault.account() == deps.home.account {
            findings.extend(look_at(deps, &target.vault, &target.keep, zone, now).await);
        } else {
            findings.push(elsewhere(target, &deps.home.account));
        }
    }
    findings
}

async fn look_at(
    deps: &Deps,
    vault: &VaultArn,
    keep: &PerFlag<Keep>,
    zone: &str,
    now: Timestamp,
) -> Vec<Finding> {
    match deps.vault(vault).describe().await {
        Ok(described) => {
            let mut findings = vec![Finding::holds(vault, CHECK, "is there")];
            findings.extend(key_of(deps, &described).await);
            findings.extend(lock::findings(&described, keep, zone, now));
            findings
        }
        Err(error) => vec![unseen(deps, vault, &error)],
    }
}

/// The key that the vault's points are encrypted with, where that is not the stack's own.
async fn key_of(deps: &Deps, vault: &Vault) -> Option<Finding> {
    let key = vault.key.as_ref()?;
    let own = deps.stack.key.in_region(vault.arn.region()).ok();
    if own.as_ref() == Some(key) {
        return None;
    }
    Some(keys::judge(key, "vault_key", deps.keys.of(key).await))
}

/// AWS Backup does not tell a vault that is not there from one that may not be looked at.
fn unseen(deps: &Deps, vault: &VaultArn, error: &AwsError) -> Finding {
    if !matches!(error.fault(), Fault::AccessDenied | Fault::NotFound) {
        return Finding::untold(vault, CHECK, error);
    }
    let (name, region) = (vault.name(), vault.region());
    let message = format!(
        "does not exist, or this function may not look at it (AWS Backup tells no difference); deploy the stack in {region}, \
         or make the vault: {}",
        error.summary()
    );
    let key = deps.stack.key.in_region(region);
    let key = key.map(|key| format!(" --encryption-key-arn {key}")).unwrap_or_default();
    let command = format!("aws backup create-backup-vault --backup-vault-name {name}{key} --region {region}");
    Finding::fails(vault, CHECK, message).run(command)
}

fn elsewhere(target: &CopyTarget, home: &str) -> Finding {
    let vault = &target.vault;
    let message = format!(
        "lies in account {}, where it cannot be seen from here; run the command there, and see that it exists, that its lock \
         allows the keeps of this target, and that its access policy allows this account backup:CopyIntoBackupVault \
         (parameter SourceAccounts={home} of the stack there). Both accounts must be of one organization, whose management \
         account has to allow copies between accounts once: aws backup update-global-settings \
         --global-settings isCrossAccountBackupEnabled=true",
        vault.account()
    );
    let (name, region) = (vault.name(), vault.region());
    Finding::unknown(vault, CHECK, message).run(format!(
        "aws backup describe-backup-vault --backup-vault-name {name} --region {region} && \
         aws backup get-backup-vault-access-policy --backup-vault-name {name} --region {region}"
    ))
}
