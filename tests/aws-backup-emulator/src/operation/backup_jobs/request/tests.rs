use rstest::rstest;
use serde_json::json;

use super::*;

fn scope() -> Scope {
    Scope { account: "111122223333".to_owned(), region: "eu-central-1".to_owned() }
}

/// A request that is in order but for the members given.
fn accept(change: &Value) -> Result<Accepted, String> {
    let mut body = json!({
        "BackupVaultName": "dynachain",
        "ResourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/orders",
        "IamRoleArn": "arn:aws:iam::111122223333:role/backup",
    });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let input: StartInput = serde_json::from_value(body).unwrap();
    input.accept(&scope()).map_err(|error| format!("{} {}", error.kind, error.body()))
}

/// Why a request is refused that is in order but for the members given.
fn refusal(change: &Value) -> String {
    accept(change).unwrap_err()
}

const INVALID: &str = "InvalidParameterValueException";

#[rstest]
#[case("BackupVaultName")]
#[case("ResourceArn")]
#[case("IamRoleArn")]
fn a_backup_without_vault_table_or_role_is_a_missingparametervalueexception(#[case] member: &str) {
    let refused = refusal(&json!({ member: null }));
    assert!(refused.starts_with("MissingParameterValueException") && refused.contains(member), "{refused}");
}

#[rstest]
#[case::vault_name(json!({"BackupVaultName": "a.b"}))]
#[case::no_arn(json!({"ResourceArn": "orders"}))]
#[case::role_name(json!({"IamRoleArn": "backup"}))]
#[case::role_without_a_name(json!({"IamRoleArn": "arn:aws:iam::111122223333:role/"}))]
fn a_malformed_vault_name_or_arn_is_refused_at_once(#[case] change: Value) {
    assert!(refusal(&change).starts_with(INVALID));
}

#[rstest]
#[case::another_service("arn:aws:s3:::bucket", "Unsupported resource")]
#[case::an_index("arn:aws:dynamodb:eu-central-1:111122223333:table/o/index/i", "Unsupported resource")]
#[case::another_region(
    "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
    "not in this account and Region"
)]
#[case::another_account(
    "arn:aws:dynamodb:eu-central-1:999999999999:table/orders",
    "not in this account and Region"
)]
fn only_tables_of_the_callers_account_and_region_are_backed_up(#[case] arn: &str, #[case] says: &str) {
    let refused = refusal(&json!({ "ResourceArn": arn }));
    assert!(refused.starts_with(INVALID) && refused.contains(says), "{refused}");
}

#[test]
fn a_role_of_another_account_is_an_accessdeniedexception() {
    let refused = refusal(&json!({"IamRoleArn": "arn:aws:iam::999999999999:role/backup"}));
    assert!(refused.starts_with("AccessDeniedException") && refused.contains("Cross-account"), "{refused}");
}

#[rstest]
#[case(59, false)]
#[case(60, true)]
#[case(52_560_000, true)]
#[case(52_560_001, false)]
fn startwindowminutes_is_60_to_52560000(#[case] minutes: i64, #[case] good: bool) {
    let accepted = accept(&json!({ "StartWindowMinutes": minutes }));
    assert_eq!(
        accepted.as_ref().map(|accepted| accepted.start_window.as_mins()).ok(),
        good.then_some(minutes)
    );
    assert!(accepted.err().is_none_or(|refused| refused.starts_with(INVALID)));
}

#[test]
fn a_job_waits_8_hours_to_start_unless_the_caller_says() {
    let job = accept(&json!({})).unwrap().into_job(&scope(), "2025-01-06T06:00:00Z".parse().unwrap(), true);
    assert_eq!((job.start_by.to_string().as_str(), job.complete_by), ("2025-01-06T14:00:00Z", None));
}

#[rstest]
#[case(0, false)]
#[case(1, true)]
#[case(52_560_001, false)]
fn completewindowminutes_is_1_to_52560000(#[case] minutes: i64, #[case] good: bool) {
    assert_eq!(accept(&json!({ "CompleteWindowMinutes": minutes })).is_ok(), good);
}

#[rstest]
#[case(119, false)]
#[case(120, true)]
fn deletion_comes_at_least_90_days_after_cold_storage(#[case] delete: i64, #[case] good: bool) {
    let lifecycle = json!({"Lifecycle": {"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": delete}});
    assert_eq!(accept(&lifecycle).err().is_none_or(|refused| !refused.contains("90 days greater")), good);
}

#[rstest]
#[case::delete(json!({"Lifecycle": {"DeleteAfterDays": 0}}))]
#[case::cold(json!({"Lifecycle": {"MoveToColdStorageAfterDays": -2}}))]
fn days_of_a_lifecycle_are_at_least_1(#[case] change: Value) {
    let refused = refusal(&change);
    assert!(refused.starts_with(INVALID) && refused.contains("Invalid lifecycle"), "{refused}");
}

#[test]
fn deleteafterevent_cannot_be_set() {
    let refused = refusal(&json!({"Lifecycle": {"DeleteAfterEvent": "DELETE_AFTER_COPY"}}));
    assert!(refused.starts_with(INVALID) && refused.contains("cannot be set"), "{refused}");
}

#[rstest]
#[case::reserved(json!({"aws:x": "y"}))]
#[case::braces(json!({"a": "{}"}))]
fn tags_of_a_backup_that_break_a_rule_are_refused_at_once(#[case] tags: Value) {
    assert!(refusal(&json!({ "RecoveryPointTags": tags })).starts_with(INVALID));
}

#[rstest]
#[case::options(json!({"BackupOptions": {"WindowsVSS": "enabled"}}))]
#[case::index(json!({"Index": "ENABLED"}))]
fn backup_options_and_an_index_are_not_for_dynamodb(#[case] change: Value) {
    let refused = refusal(&change);
    assert!(refused.starts_with(INVALID) && refused.contains("not supported for DynamoDB"), "{refused}");
}

#[test]
fn a_backup_into_a_logically_air_gapped_vault_is_not_emulated() {
    let arn = "arn:aws:backup:eu-central-1:111122223333:backup-vault:gapped";
    let refused = refusal(&json!({ "LogicallyAirGappedBackupVaultArn": arn }));
    assert!(refused.starts_with("NotImplementedException"), "{refused}");
}

#[rstest]
#[case::none(json!({}), None)]
#[case::for_ever(json!({"Lifecycle": {"DeleteAfterDays": -1, "MoveToColdStorageAfterDays": -1}}), None)]
#[case::days(json!({"Lifecycle": {"DeleteAfterDays": 35}}), Some((None, Some(35))))]
#[case::cold(json!({"Lifecycle": {"DeleteAfterDays": 120, "MoveToColdStorageAfterDays": 30}}), Some((Some(30), Some(120))))]
fn a_lifecycle_of_minus_one_or_none_keeps_the_point_for_ever(
    #[case] change: Value,
    #[case] days: Option<(Option<i64>, Option<i64>)>,
) {
    let lifecycle = accept(&change).unwrap().lifecycle;
    assert_eq!(lifecycle.map(|l| (l.cold_after, l.delete_after)), days);
}

fn job(advanced: bool) -> BackupJob {
    let days = json!({"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": 120});
    let given = accept(&json!({"RecoveryPointTags": {"a": "b"}, "Lifecycle": days})).unwrap();
    given.into_job(&scope(), "2025-01-06T06:00:00Z".parse().unwrap(), advanced)
}

#[test]
fn with_advanced_features_a_point_has_an_arn_of_aws_backup() {
    let job = job(true);
    assert!(job.recovery_point.starts_with("arn:aws:backup:eu-central-1:111122223333:recovery-point:"));
    assert_eq!((job.tags.len(), job.lifecycle.and_then(|lifecycle| lifecycle.cold_after)), (1, Some(30)));
}

#[test]
fn without_advanced_features_a_point_has_an_arn_of_dynamodb() {
    let job = job(false);
    let start = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/backup/01736143200000-";
    assert!(job.recovery_point.starts_with(start), "{}", job.recovery_point);
    assert_eq!(job.known_recovery_point(), None);
}

#[test]
fn without_advanced_features_tags_and_cold_storage_are_dropped() {
    let job = job(false);
    assert_eq!(job.tags.len(), 0);
    assert_eq!(job.lifecycle, Some(Lifecycle { cold_after: None, delete_after: Some(120) }));
}
