//! The table of operations held against the Service Authorization Reference.

use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;

use super::*;
use crate::aws::Scope;
use crate::caller::Caller;
use crate::service::Service;
use crate::timeline::Timeline;

const POINT: &str = "arn:aws:backup:eu-central-1:111122223333:recovery-point:ab";
const VAULT: &str = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
const HOLD: &str = "arn:aws:backup:eu-central-1:111122223333:legal-hold:ab";
const NEW_HOLD: &str = "arn:aws:backup:eu-central-1:111122223333:legal-hold:*";
const ANY: &str = "*";

/// What each action is on, as "Actions, resources, and condition keys for AWS Backup" has it.
const RESOURCES: &[(&str, &[&str])] = &[
    (
        VAULT,
        &[
            "CreateBackupVault",
            "DescribeBackupVault",
            "DeleteBackupVault",
            "StartBackupJob",
            "ListRecoveryPointsByBackupVault",
            "ListProtectedResourcesByBackupVault",
            "PutBackupVaultLockConfiguration",
            "DeleteBackupVaultLockConfiguration",
            "PutBackupVaultAccessPolicy",
            "GetBackupVaultAccessPolicy",
            "DeleteBackupVaultAccessPolicy",
        ],
    ),
    (
        POINT,
        &[
            "DescribeRecoveryPoint",
            "GetRecoveryPointRestoreMetadata",
            "DeleteRecoveryPoint",
            "UpdateRecoveryPointLifecycle",
            "StartCopyJob",
            "StartRestoreJob",
            "ListTags",
            "TagResource",
            "UntagResource",
        ],
    ),
    (HOLD, &["CancelLegalHold", "GetLegalHold", "ListRecoveryPointsByLegalHold"]),
    (NEW_HOLD, &["CreateLegalHold"]),
    (
        ANY,
        &[
            "ListBackupVaults",
            "DescribeBackupJob",
            "ListBackupJobs",
            "StopBackupJob",
            "DescribeCopyJob",
            "ListCopyJobs",
            "DescribeRestoreJob",
            "ListRestoreJobs",
            "ListRestoreJobsByProtectedResource",
            "GetRestoreJobMetadata",
            "GetRestoreTestingInferredMetadata",
            "DescribeProtectedResource",
            "ListProtectedResources",
            "ListRecoveryPointsByResource",
            "ListLegalHolds",
            "DescribeRegionSettings",
            "UpdateRegionSettings",
            "DescribeGlobalSettings",
            "GetSupportedResourceTypes",
        ],
    ),
];

/// A call that names this vault, this point and this hold, wherever the operation has them.
fn call(operation: &'static Operation) -> Call {
    let timeline = Arc::new(Timeline::new(Timestamp::UNIX_EPOCH));
    let named = |name: &str| match name {
        "backupVaultName" => "dynachain",
        "recoveryPointArn" | "resourceArn" => POINT,
        _ => "ab",
    };
    let parts = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let body = serde_json::json!({
        "BackupVaultName": "dynachain", "SourceBackupVaultName": "dynachain", "RecoveryPointArn": POINT,
    });
    Call {
        service: Arc::new(Service::new("http://127.0.0.1:1", "111122223333", timeline)),
        operation,
        caller: Caller {
            arn: "arn:aws:iam::111122223333:root".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
        },
        scope: Scope { account: "111122223333".to_owned(), region: "eu-central-1".to_owned() },
        path: parts.map(|name| (name, named(name).to_owned())).collect(),
        query: Vec::new(),
        body: Bytes::from(body.to_string()),
    }
}

#[test]
fn each_operation_is_allowed_on_the_resource_that_aws_names_for_it() {
    for operation in ALL {
        let wanted = RESOURCES.iter().find(|(_, names)| names.contains(&operation.name));
        let (wanted, _) = wanted.unwrap_or_else(|| panic!("{} is not in the table", operation.name));
        let resource = (operation.resource)(&call(operation)).unwrap();
        assert_eq!(&resource, wanted, "{}", operation.name);
    }
}

#[test]
fn no_two_operations_answer_the_same_request() {
    let mut seen = std::collections::BTreeSet::new();
    for operation in ALL {
        let path: Vec<&str> =
            operation.path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
        assert!(seen.insert((operation.method, path)), "{}", operation.name);
    }
}
