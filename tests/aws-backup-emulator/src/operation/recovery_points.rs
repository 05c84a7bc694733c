//! Recovery points: lists and descriptions.

use serde_json::{Value, json};

use super::vaults::{existing, is_account, is_boolean, own_account, vault_name};
use crate::http::{ApiError, Call, Page, newest_first};
use crate::state::RegionState;
use crate::state::recovery_point::RecoveryPoint;
use crate::state::vault::Vault;

pub(super) async fn list_by_vault(call: &Call) -> Result<Value, ApiError> {
    let name = vault_name(call)?;
    vault_account(call)?;
    let page = call.page()?;
    let resource = call.checked("resourceArn", is_arn)?;
    let kind = call.checked("resourceType", is_resource_type)?;
    let (before, after) = (call.time("createdBefore")?, call.time("createdAfter")?);
    // No point here comes from a backup plan, and none has a parent.
    let none =
        call.query("backupPlanId").is_some() || call.checked("parentRecoveryPointArn", is_arn)?.is_some();
    let wanted = |point: &&RecoveryPoint| {
        !none
            && point.vault == name
            && resource.is_none_or(|arn| point.resource_arn == arn)
            && kind.is_none_or(|kind| kind == "DynamoDB")
            && before.is_none_or(|before| point.created < before)
            && after.is_none_or(|after| point.created > after)
    };
    call.state(|state| {
        existing(state, name)?;
        let after = page.after_newest()?;
        // A table has fewer points than a vault.
        Ok(match resource {
            Some(arn) => {
                cut(&page, state.points.of_resource(arn, after).filter(wanted), RecoveryPoint::list_entry)
            }
            None => cut(&page, state.points.in_vault(name, after).filter(wanted), RecoveryPoint::list_entry),
        })
    })
}

pub(super) async fn list_by_resource(call: &Call) -> Result<Value, ApiError> {
    let resource = call.part("resourceArn")?;
    if !is_arn(resource) {
        return Err(ApiError::invalid_parameter(format!("Invalid resource ARN: {resource}")));
    }
    call.checked("managedByAWSBackupOnly", is_boolean)?;
    let page = call.page()?;
    let after = page.after_newest()?;
    Ok(call
        .state(|state| cut(&page, state.points.of_resource(resource, after), RecoveryPoint::resource_entry)))
}

fn cut<'a>(
    page: &Page,
    points: impl Iterator<Item = &'a RecoveryPoint>,
    describe: fn(&RecoveryPoint) -> Value,
) -> Value {
    let (points, next) = page.begin(points, |point| newest_first(point.created, &point.arn));
    let points: Vec<Value> = points.into_iter().map(describe).collect();
    json!({ "RecoveryPoints": points, "NextToken": next })
}

pub(super) async fn describe(call: &Call) -> Result<Value, ApiError> {
    with_point(call, RecoveryPoint::describe)
}

/// What the backup was made with; for DynamoDB no more than the request's id.
pub(super) async fn restore_metadata(call: &Call) -> Result<Value, ApiError> {
    with_point(call, |point| {
        json!({
            "BackupVaultArn": point.vault_arn,
            "RecoveryPointArn": point.arn,
            "RestoreMetadata": { "aws:backup:request-id": point.job_id.to_lowercase() },
            "ResourceType": "DynamoDB",
        })
    })
}

fn with_point(call: &Call, describe: impl FnOnce(&RecoveryPoint) -> Value) -> Result<Value, ApiError> {
    let named = named(call)?;
    vault_account(call)?;
    call.state(|state| find(state, named).map(|(_, point)| describe(point)))
}

/// Here the account's number has a pattern, other than in `DescribeBackupVault`.
fn vault_account(call: &Call) -> Result<(), ApiError> {
    call.checked("backupVaultAccountId", is_account)?;
    own_account(call)
}

/// Vault and point in the path.
pub(super) fn named(call: &Call) -> Result<(&str, &str), ApiError> {
    let (name, arn) = (vault_name(call)?, call.part("recoveryPointArn")?);
    if is_arn(arn) {
        Ok((name, arn))
    } else {
        Err(ApiError::invalid_parameter(format!("Invalid recovery point ARN: {arn}")))
    }
}

/// The vault and the point of these names, if the point is in the vault.
pub(super) fn find<'a>(
    state: &'a RegionState,
    (name, arn): (&str, &str),
) -> Result<(&'a Vault, &'a RecoveryPoint), ApiError> {
    let vault = existing(state, name)?;
    let point = state.points.get(arn).filter(|point| point.vault == name);
    point.map(|point| (vault, point)).ok_or_else(|| {
        ApiError::not_found(format!("Recovery point {arn} does not exist in the backup vault {name}."))
    })
}

pub(super) fn is_arn(text: &str) -> bool {
    text.starts_with("arn:") && text.splitn(6, ':').count() == 6
}

/// `[a-zA-Z0-9-_.]`, 1 to 50 of them.
pub(super) fn is_resource_type(text: &str) -> bool {
    (1..=50).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}
