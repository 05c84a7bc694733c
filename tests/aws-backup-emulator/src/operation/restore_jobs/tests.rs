use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::aws::Scope;

const POINT: &str = "arn:aws:backup:eu-central-1:111122223333:recovery-point:ab";

/// What becomes of a request that is in order but for the members given.
fn accept(change: &Value) -> Result<Accepted, String> {
    let scope = Scope { account: "111122223333".to_owned(), region: "eu-central-1".to_owned() };
    let mut body = json!({
        "RecoveryPointArn": POINT,
        "IamRoleArn": "arn:aws:iam::111122223333:role/restore",
        "Metadata": { "targetTableName": "restored" },
    });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let input: Result<StartInput, _> = serde_json::from_value(body);
    let input = input.map_err(|error| format!("SerializationException {error}"))?;
    input.accept(&scope).map_err(|error| format!("{} {}", error.kind, error.body()))
}

fn refused(change: &Value, kind: &str) {
    let error = accept(change).unwrap_err();
    assert!(error.starts_with(kind), "{change}: {error}");
}

#[test]
fn a_restore_needs_a_recovery_point_and_metadata() {
    refused(&json!({ "RecoveryPointArn": null }), "MissingParameterValueException");
    refused(&json!({ "Metadata": null }), "MissingParameterValueException");
    assert!(accept(&json!({})).is_ok());
}

#[test]
fn a_restore_without_a_role_is_refused() {
    refused(&json!({ "IamRoleArn": null }), "MissingParameterValueException");
    refused(&json!({ "IamRoleArn": "restore" }), "InvalidParameterValueException");
    refused(&json!({ "IamRoleArn": "arn:aws:iam::999999999999:role/restore" }), "AccessDeniedException");
}

#[test]
fn a_restore_of_another_resource_type_is_refused() {
    for kind in ["EFS", "dynamodb", "Dynamo DB", ""] {
        refused(&json!({ "ResourceType": kind }), "InvalidParameterValueException");
    }
    assert!(accept(&json!({ "ResourceType": "DynamoDB" })).is_ok());
}

#[test]
fn a_recovery_point_arn_of_another_kind_is_refused() {
    for arn in [
        "",
        "orders",
        "arn:aws:backup:eu-central-1:111122223333:backup-vault:v",
        "arn:aws:backup:eu-central-1:111122223333:recovery-point:",
        "arn:aws:dynamodb:eu-central-1:111122223333:table/orders",
        "arn:aws:ec2:eu-central-1::snapshot/snap-1",
    ] {
        refused(&json!({ "RecoveryPointArn": arn }), "InvalidParameterValueException");
    }
    let native = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/backup/01736143200000-ab";
    assert!(accept(&json!({ "RecoveryPointArn": native })).is_ok());
}

#[rstest]
#[case(json!({ "Metadata": ["targetTableName"] }))]
#[case(json!({ "Metadata": { "targetTableName": 7 } }))]
#[case(json!({ "Metadata": { "targetTableName": null } }))]
#[case(json!({ "CopySourceTagsToRestoredResource": "yes" }))]
#[case(json!({ "IdempotencyToken": 1 }))]
fn a_member_of_a_restore_request_with_a_wrong_type_is_a_serialization_error(#[case] change: Value) {
    refused(&change, "SerializationException");
}

#[test]
fn a_point_that_is_not_complete_cannot_be_restored() {
    assert!(restorable(POINT, Status::Completed).is_ok());
    for status in [Status::Creating, Status::Deleting, Status::Expired] {
        let error = restorable(POINT, status).unwrap_err();
        assert_eq!(error.kind, "InvalidRequestException");
        assert!(error.body().contains(status.as_str()), "{}", error.body());
    }
}
