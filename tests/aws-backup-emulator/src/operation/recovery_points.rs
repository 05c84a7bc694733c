//! Recovery points: lists and descriptions.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};
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
    let none = none || kind.is_some_and(|kind| kind != "DynamoDB");
    let within = |point: &&RecoveryPoint| {
        before.is_none_or(|before| point.created < before) && after.is_none_or(|after| point.created > after)
    };
    call.state(|state| {
        existing(state, name)?;
        let place = later(page.after_newest()?, before.and_then(just_before));
        let describe = RecoveryPoint::list_entry;
        // A table has fewer points than a vault.
        Ok(match resource {
            _ if none => cut(&page, std::iter::empty(), describe),
            Some(arn) => {
                let points = state.points.of_resource(arn, place).take_while(within);
                cut(&page, points.filter(|point| point.vault == name), describe)
            }
            None => cut(&page, state.points.in_vault(name, place).take_while(within), describe),
        })
    })
}

/// The one of two places in a list, newest first, that comes later in it.
fn later<'a>(
    one: Option<(Timestamp, &'a str)>,
    other: Option<(Timestamp, &'a str)>,
) -> Option<(Timestamp, &'a str)> {
    one.into_iter().chain(other).max_by_key(|(created, arn)| (Reverse(*created), *arn))
}

/// The place after which everything is older than this; `None` where the calendar begins.
fn just_before(moment: Timestamp) -> Option<(Timestamp, &'static str)> {
    let newest = moment.checked_sub(SignedDuration::from_nanos(1)).ok()?;
    Some((newest, ""))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_what_is_older_begins_where_that_begins() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let place = just_before(at(10)).unwrap();
        assert!(place.0 < at(10) && place.0 > at(9));
        assert_eq!(just_before(Timestamp::MIN), None);
        assert_eq!(later(None, Some(place)), Some(place));
        assert_eq!(later(Some((at(20), "p")), Some(place)), Some(place));
        assert_eq!(later(Some((at(5), "p")), Some(place)), Some((at(5), "p")));
        assert_eq!(later(None, None), None);
    }
}
