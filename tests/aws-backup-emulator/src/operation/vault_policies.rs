//! Access policies of vaults.

mod document;

use serde::Deserialize;
use serde_json::{Value, json};

use super::vaults::vault_name;
use crate::http::{ApiError, Call};
use crate::state::RegionState;
use crate::state::vault::Vault;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutInput {
    policy: Option<String>,
}

pub(super) async fn put(call: &Call) -> Result<Value, ApiError> {
    let name = vault_name(call)?;
    let input: PutInput = call.body()?;
    let document = input.policy.ok_or_else(|| ApiError::missing_parameter("Policy"))?;
    call.state(|state| {
        let vault = existing(state, name)?;
        let policy = document::read(document, &call.scope.account);
        vault.policy = Some(policy.map_err(ApiError::invalid_parameter)?);
        Ok(Value::Null)
    })
}

pub(super) async fn get(call: &Call) -> Result<Value, ApiError> {
    let name = vault_name(call)?;
    call.state(|state| {
        let vault = existing(state, name)?;
        let policy = vault.policy.as_ref().ok_or_else(|| none(&vault.arn))?;
        Ok(json!({
            "BackupVaultName": vault.name,
            "BackupVaultArn": vault.arn,
            "Policy": policy.document,
        }))
    })
}

pub(super) async fn delete(call: &Call) -> Result<Value, ApiError> {
    let name = vault_name(call)?;
    call.state(|state| {
        let vault = existing(state, name)?;
        vault.policy.take().map(|_| Value::Null).ok_or_else(|| none(&vault.arn))
    })
}

fn existing<'a>(state: &'a mut RegionState, name: &str) -> Result<&'a mut Vault, ApiError> {
    state.vaults.get_mut(name).ok_or_else(ApiError::insufficient_privileges)
}

/// What AWS Backup says of a vault without a policy.
fn none(vault: &str) -> ApiError {
    ApiError::not_found(format!("Backup Vault {vault} has no associated POLICY"))
}
