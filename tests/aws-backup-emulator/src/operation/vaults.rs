//! Backup vaults.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{ApiError, Call};
use crate::iam::Context;
use crate::state::RegionState;
use crate::state::vault::{Key, Vault};
use crate::time::epoch;

/// The most vaults in a Region (AWS Backup Developer Guide, "Quotas").
const MOST: usize = 300;
const KINDS: [&str; 3] = ["BACKUP_VAULT", "LOGICALLY_AIR_GAPPED_BACKUP_VAULT", "RESTORE_ACCESS_BACKUP_VAULT"];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateInput {
    backup_vault_tags: Option<BTreeMap<String, String>>,
    encryption_key_arn: Option<String>,
    creator_request_id: Option<String>,
}

/// The name in the path must be that of a vault: `[a-zA-Z0-9-_]`, 2 to 50 of them.
pub(crate) fn is_name(name: &str) -> bool {
    (2..=50).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// A vault of this name, or what AWS Backup says when there is none.
pub(super) fn existing<'a>(state: &'a RegionState, name: &str) -> Result<&'a Vault, ApiError> {
    state.vaults.get(name).ok_or_else(ApiError::insufficient_privileges)
}

/// As [`existing`], to change it.
pub(super) fn existing_mut<'a>(state: &'a mut RegionState, name: &str) -> Result<&'a mut Vault, ApiError> {
    state.vaults.get_mut(name).ok_or_else(ApiError::insufficient_privileges)
}

/// The name of a vault in the path.
pub(super) fn vault_name(call: &Call) -> Result<&str, ApiError> {
    let name = call.part("backupVaultName")?;
    if is_name(name) {
        Ok(name)
    } else {
        Err(ApiError::invalid_parameter(format!("Invalid backup vault name: {name}")))
    }
}

pub(super) async fn create(call: &Call) -> Result<Value, ApiError> {
    let name = vault_name(call)?;
    let input: CreateInput = call.body()?;
    let creator = input.creator_request_id;
    if creator.as_deref().is_some_and(|id| !is_creator(id)) {
        return Err(ApiError::invalid_parameter(
            "CreatorRequestId must be 1 to 50 letters, digits or -_. characters.",
        ));
    }
    let tags = input.backup_vault_tags.unwrap_or_default();
    super::tagging::check(&tags)?;
    let key = key(call, input.encryption_key_arn)?;
    let arn = super::vault(call)?;
    authorize_creation(call, &arn, &key).await?;
    let vault = Vault {
        name: name.to_owned(),
        arn,
        created: call.now(),
        key,
        creator_request_id: creator,
        tags,
        lock: None,
        policy: None,
    };
    call.state(|state| insert(state, vault))
}

/// What the caller needs beside `backup:CreateBackupVault` (AWS Backup Developer Guide, "Backup vault creation and
/// deletion"). The policy of AWS Backup's own key lets everyone use it who goes through AWS Backup; that of a customer's key
/// leaves it to IAM.
async fn authorize_creation(call: &Call, vault: &str, key: &Key) -> Result<(), ApiError> {
    call.authorize("backup-storage:MountCapsule", "*", Context::default()).await?;
    call.authorize_tagging(vault).await?;
    if !key.customer {
        return Ok(());
    }
    for action in ["DescribeKey", "CreateGrant", "GenerateDataKey", "Decrypt", "RetireGrant"] {
        let context = Context::default()
            .with("kms:ViaService", format!("backup.{}.amazonaws.com", call.scope.region))
            .with("kms:CallerAccount", call.scope.account.as_str())
            .with("kms:GrantIsForAWSResource", "true");
        call.authorize(&format!("kms:{action}"), &key.arn, context).await?;
    }
    Ok(())
}

/// A vault that is there already is an error, but the same request once more is not.
fn insert(state: &mut RegionState, vault: Vault) -> Result<Value, ApiError> {
    if let Some(there) = state.vaults.get(&vault.name) {
        let creator = there.creator_request_id.as_deref();
        if creator.is_some() && creator == vault.creator_request_id.as_deref() {
            return Ok(created(there));
        }
        let message = format!("Backup vault with the same name already exists: {}", there.name);
        return Err(ApiError::already_exists(message, &there.arn, creator));
    }
    if state.vaults.len() >= MOST {
        return Err(ApiError::limit_exceeded(format!("The Region has {MOST} backup vaults already.")));
    }
    let answer = created(&vault);
    state.vaults.insert(vault.name.clone(), vault);
    Ok(answer)
}

fn created(vault: &Vault) -> Value {
    json!({
        "BackupVaultName": vault.name,
        "BackupVaultArn": vault.arn,
        "CreationDate": epoch(vault.created),
    })
}

fn is_creator(id: &str) -> bool {
    (1..=50).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn key(call: &Call, arn: Option<String>) -> Result<Key, ApiError> {
    match arn {
        Some(arn) if is_key(&arn, &call.scope.region) => Ok(Key { arn, customer: true }),
        Some(arn) => Err(ApiError::invalid_parameter(format!("Invalid encryption key ARN: {arn}"))),
        // The Region's key of AWS Backup's own, alias aws/backup.
        None => {
            let scope = &call.scope;
            let key = format!("key/00000000-0000-4000-8000-{}", scope.account);
            Ok(Key { arn: scope.arn("kms", &key), customer: false })
        }
    }
}

/// The ARN of a KMS key, which must be in the vault's Region. It may be another account's.
fn is_key(arn: &str, region: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "kms", of, account, resource] = parts.as_slice() else { return false };
    *of == region
        && is_account(account)
        && resource.strip_prefix("key/").is_some_and(|id| !id.is_empty() && !id.contains('/'))
}

/// 12 digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

pub(super) async fn describe(call: &Call) -> Result<Value, ApiError> {
    let name = call.part("backupVaultName")?;
    own_account(call)?;
    call.state(|state| existing(state, name).map(|vault| vault.describe(state.points.count_in(name))))
}

/// As the model writes it in a query.
pub(super) fn is_boolean(text: &str) -> bool {
    text == "true" || text == "false"
}

/// A vault of another account is as good as none.
pub(super) fn own_account(call: &Call) -> Result<(), ApiError> {
    match call.query("backupVaultAccountId") {
        Some(account) if account != call.scope.account => Err(ApiError::insufficient_privileges()),
        _ => Ok(()),
    }
}

pub(super) async fn delete(call: &Call) -> Result<Value, ApiError> {
    let name = call.part("backupVaultName")?;
    call.state(|state| {
        existing(state, name)?;
        if state.points.count_in(name) > 0 {
            return Err(ApiError::vault_not_empty());
        }
        state.vaults.remove(name);
        Ok(Value::Null)
    })
}

pub(super) async fn list(call: &Call) -> Result<Value, ApiError> {
    let page = call.page()?;
    let kind = call.checked("vaultType", |kind| KINDS.contains(&kind))?;
    let shared = call.checked("shared", is_boolean)?;
    // All vaults here are the account's own plain ones.
    let none = kind.is_some_and(|kind| kind != "BACKUP_VAULT") || shared == Some("true");
    let vaults = call.state(|state| {
        let vaults = state.vaults.values().filter(|_| !none);
        vaults.map(|vault| (vault.name.clone(), vault.describe(state.points.count_in(&vault.name)))).collect()
    });
    let (vaults, next): (Vec<Value>, _) = page.cut(vaults);
    Ok(json!({ "BackupVaultList": vaults, "NextToken": next }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("dynachain", true)]
    #[case("a_-9", true)]
    #[case("a", false)]
    #[case("with.dot", false)]
    #[case("ümlaut", false)]
    fn a_vault_name_has_2_to_50_letters_digits_hyphens_and_underscores(
        #[case] name: &str,
        #[case] good: bool,
    ) {
        assert_eq!(is_name(name), good);
        assert!(is_name(&"a".repeat(50)) && !is_name(&"a".repeat(51)));
    }
}
