use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::state::samples::{self, POINT, scope};

/// A request that is in order but for the members given.
fn accept(change: &Value) -> Result<Accepted, String> {
    let mut body = json!({
        "RecoveryPointArn": POINT,
        "SourceBackupVaultName": "ddb",
        "DestinationBackupVaultArn": "arn:aws:backup:eu-central-1:111122223333:backup-vault:copies",
        "IamRoleArn": "arn:aws:iam::111122223333:role/backup",
    });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let input: StartInput = serde_json::from_value(body).unwrap();
    input.accept(&scope()).map_err(|error| format!("{} {}", error.kind, error.body()))
}

/// A point in the vault that requests name.
fn point(change: impl FnOnce(&mut RecoveryPoint)) -> RecoveryPoint {
    let mut point = samples::point();
    change(&mut point);
    point
}

/// What a request comes to where there is a vault with this point.
fn start(point: RecoveryPoint, change: &Value) -> Result<CopyJob, String> {
    let now = point.created;
    let mut state = RegionState::default();
    state.vaults.insert("ddb".to_owned(), samples::vault());
    state.points.insert(point);
    accept(change)?.into_job(&state, now).map_err(|error| format!("{} {}", error.kind, error.body()))
}

fn refusal_of(point: RecoveryPoint) -> String {
    start(point, &json!({})).unwrap_err()
}

#[rstest]
#[case::point("RecoveryPointArn")]
#[case::source("SourceBackupVaultName")]
#[case::destination("DestinationBackupVaultArn")]
#[case::role("IamRoleArn")]
fn a_copy_needs_a_point_both_vaults_and_a_role(#[case] member: &str) {
    let error = accept(&json!({ member: null })).unwrap_err();
    assert!(error.starts_with("MissingParameterValueException") && error.contains(member), "{error}");
}

#[rstest]
#[case::no_point(json!({"RecoveryPointArn": "ab"}), "Invalid recovery point ARN")]
#[case::a_vault_as_point(json!({"RecoveryPointArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:v"}), "Invalid recovery point ARN")]
#[case::a_snapshot(json!({"RecoveryPointArn": "arn:aws:ec2:eu-central-1::snapshot/snap-1"}), "Invalid recovery point ARN")]
#[case::vault_name(json!({"SourceBackupVaultName": "a.b"}), "Invalid backup vault name")]
#[case::no_destination(json!({"DestinationBackupVaultArn": "copies"}), "Invalid backup vault ARN")]
#[case::a_point_as_destination(json!({"DestinationBackupVaultArn": POINT}), "Invalid backup vault ARN")]
#[case::no_region(json!({"DestinationBackupVaultArn": "arn:aws:backup::111122223333:backup-vault:copies"}), "Invalid backup vault ARN")]
#[case::no_such_region(json!({"DestinationBackupVaultArn": "arn:aws:backup:europe:111122223333:backup-vault:copies"}), "Invalid backup vault ARN")]
#[case::no_account(json!({"DestinationBackupVaultArn": "arn:aws:backup:eu-west-1:1:backup-vault:copies"}), "Invalid backup vault ARN")]
#[case::destination_name(json!({"DestinationBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:c"}), "Invalid backup vault ARN")]
#[case::role_name(json!({"IamRoleArn": "backup"}), "Invalid IAM role ARN")]
fn a_copy_with_a_malformed_name_or_arn_is_refused(#[case] change: Value, #[case] says: &str) {
    let error = accept(&change).unwrap_err();
    assert!(error.starts_with("InvalidParameterValueException") && error.contains(says), "{error}");
}

#[rstest]
#[case::region("arn:aws:backup:eu-central-1:111122223333:recovery-point:ab")]
#[case::account("arn:aws:backup:eu-west-1:999999999999:recovery-point:ab")]
fn a_copy_is_started_in_the_account_and_region_of_its_source(#[case] arn: &str) {
    let error = accept(&json!({ "RecoveryPointArn": arn })).unwrap_err();
    assert!(error.contains("is not in this account and Region"), "{error}");
}

#[test]
fn a_copy_to_another_partition_is_refused() {
    let china = "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:copies";
    let error = accept(&json!({ "DestinationBackupVaultArn": china })).unwrap_err();
    assert!(error.starts_with("InvalidParameterValueException"), "{error}");
}

#[test]
fn a_copy_into_the_vault_it_comes_from_is_refused() {
    let same = "arn:aws:backup:eu-west-1:111122223333:backup-vault:ddb";
    let error = accept(&json!({ "DestinationBackupVaultArn": same })).unwrap_err();
    assert!(error.starts_with("InvalidParameterValueException"), "{error}");
    for other in ["eu-central-1:111122223333:backup-vault:ddb", "eu-west-1:111122223333:backup-vault:ddb2"] {
        accept(&json!({ "DestinationBackupVaultArn": format!("arn:aws:backup:{other}") })).unwrap();
    }
}

#[test]
fn a_copy_by_a_role_of_another_account_is_access_denied() {
    let error = accept(&json!({ "IamRoleArn": "arn:aws:iam::999999999999:role/backup" })).unwrap_err();
    assert!(error.starts_with("AccessDeniedException"), "{error}");
}

#[rstest]
#[case::creating(Status::Creating)]
#[case::deleting(Status::Deleting)]
#[case::expired(Status::Expired)]
fn only_a_completed_point_can_be_copied(#[case] status: Status) {
    let error = refusal_of(point(|point| point.status = status));
    assert!(error.starts_with("InvalidRequestException") && error.contains(status.as_str()), "{error}");
}

#[test]
fn a_point_in_cold_storage_cannot_be_copied() {
    let error = refusal_of(point(|point| point.storage = Storage::Cold));
    assert!(error.starts_with("InvalidRequestException") && error.contains("cold storage"), "{error}");
}

#[test]
fn a_point_without_advanced_features_cannot_be_copied() {
    let arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/backup/01736143200000-0a1b2c3d";
    let plain = point(|point| point.arn = arn.to_owned());
    let error = start(plain, &json!({ "RecoveryPointArn": arn })).unwrap_err();
    assert!(error.starts_with("InvalidRequestException") && error.contains("not supported"), "{error}");
}

#[test]
fn a_copy_of_a_point_that_is_not_in_the_source_vault_is_not_found() {
    let elsewhere = refusal_of(point(|point| point.vault = "elsewhere".into()));
    assert!(elsewhere.starts_with("ResourceNotFoundException"), "{elsewhere}");
    let error = start(point(|_| {}), &json!({ "SourceBackupVaultName": "missing" })).unwrap_err();
    assert!(error.starts_with("AccessDeniedException"), "{error}");
}

#[rstest]
#[case::own(None, json!({"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": 119}), false)]
#[case::enough(None, json!({"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": 120}), true)]
#[case::with_the_sources_end(Some(119), json!({"MoveToColdStorageAfterDays": 30}), false)]
#[case::with_the_sources_late_end(Some(120), json!({"MoveToColdStorageAfterDays": 30}), true)]
#[case::always(Some(119), json!({"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": -1}), false)]
#[case::no_days(None, json!({"DeleteAfterDays": 0}), false)]
fn a_copys_cold_storage_must_last_ninety_days_its_sources_expiry_included(
    #[case] delete_after: Option<i64>,
    #[case] lifecycle: Value,
    #[case] good: bool,
) {
    let source = point(|point| point.lifecycle = Some(Lifecycle { cold_after: None, delete_after }));
    let started = start(source, &json!({ "Lifecycle": lifecycle }));
    match started {
        Ok(_) => assert!(good),
        Err(error) => assert!(!good && error.starts_with("InvalidParameterValueException"), "{error}"),
    }
}
