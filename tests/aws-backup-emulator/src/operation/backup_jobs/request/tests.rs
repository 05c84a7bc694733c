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

#[rstest]
#[case::vault(json!({"BackupVaultName": null}), "MissingParameterValueException")]
#[case::table(json!({"ResourceArn": null}), "MissingParameterValueException")]
#[case::role(json!({"IamRoleArn": null}), "MissingParameterValueException")]
#[case::vault_name(json!({"BackupVaultName": "a.b"}), "InvalidParameterValueException")]
#[case::no_arn(json!({"ResourceArn": "orders"}), "InvalidParameterValueException")]
#[case::another_service(json!({"ResourceArn": "arn:aws:s3:::bucket"}), "InvalidParameterValueException")]
#[case::an_index(json!({"ResourceArn": "arn:aws:dynamodb:eu-central-1:111122223333:table/o/index/i"}), "InvalidParameterValueException")]
#[case::elsewhere(json!({"ResourceArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"}), "not in this account and Region")]
#[case::role_name(json!({"IamRoleArn": "backup"}), "InvalidParameterValueException")]
#[case::role_of_another(json!({"IamRoleArn": "arn:aws:iam::999999999999:role/backup"}), "Cross-account")]
#[case::window_too_short(json!({"StartWindowMinutes": 59}), "StartWindowMinutes must be")]
#[case::window_too_long(json!({"StartWindowMinutes": 52_560_001}), "StartWindowMinutes must be")]
#[case::completion(json!({"CompleteWindowMinutes": 0}), "CompleteWindowMinutes must be")]
#[case::cold_too_late(json!({"Lifecycle": {"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": 119}}), "90 days greater")]
#[case::no_days(json!({"Lifecycle": {"DeleteAfterDays": 0}}), "Invalid lifecycle")]
#[case::event(json!({"Lifecycle": {"DeleteAfterEvent": "DELETE_AFTER_COPY"}}), "cannot be set")]
#[case::tag(json!({"RecoveryPointTags": {"aws:x": "y"}}), "reserved")]
#[case::options(json!({"BackupOptions": {"WindowsVSS": "enabled"}}), "not supported for DynamoDB")]
fn a_request_that_breaks_the_model_is_refused(#[case] change: Value, #[case] says: &str) {
    let error = accept(&change).unwrap_err();
    assert!(error.contains(says), "{error}");
}

#[rstest]
#[case::none(json!({}), None)]
#[case::for_ever(json!({"Lifecycle": {"DeleteAfterDays": -1, "MoveToColdStorageAfterDays": -1}}), None)]
#[case::days(json!({"Lifecycle": {"DeleteAfterDays": 35}}), Some((None, Some(35))))]
#[case::cold(json!({"Lifecycle": {"DeleteAfterDays": 120, "MoveToColdStorageAfterDays": 30}}), Some((Some(30), Some(120))))]
fn a_lifecycle_is_read_as_meant(#[case] change: Value, #[case] days: Option<(Option<i64>, Option<i64>)>) {
    let lifecycle = accept(&change).unwrap().lifecycle;
    assert_eq!(lifecycle.map(|l| (l.cold_after, l.delete_after)), days);
}

#[test]
fn without_advanced_features_a_point_has_another_arn_and_no_tags() {
    let now = "2025-01-06T06:00:00Z".parse().unwrap();
    let given = || accept(&json!({"RecoveryPointTags": {"a": "b"}, "StartWindowMinutes": 60})).unwrap();
    let advanced = given().into_job(&scope(), now, true);
    assert!(advanced.recovery_point.starts_with("arn:aws:backup:eu-central-1:111122223333:recovery-point:"));
    assert_eq!((advanced.tags.len(), advanced.start_by.to_string().as_str()), (1, "2025-01-06T07:00:00Z"));
    let plain = given().into_job(&scope(), now, false);
    let start = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/backup/01736143200000-";
    assert!(plain.recovery_point.starts_with(start), "{}", plain.recovery_point);
    assert_eq!((plain.tags.len(), plain.known_recovery_point()), (0, None));
}
