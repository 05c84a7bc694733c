//! A recovery point for unit tests.

use std::sync::Arc;

use aws_sdk_dynamodb::types::TableDescription;
use jiff::Timestamp;

use super::{Lifecycle, RecoveryPoint, Status, Storage};
use crate::aws::table::Snapshot;

/// A completed point, created on 2025-01-06 at 6.
pub(crate) fn point(id: &str, lifecycle: Option<Lifecycle>) -> RecoveryPoint {
    let created = "2025-01-06T06:00:00Z".parse().unwrap();
    RecoveryPoint {
        arn: format!("arn:aws:backup:eu-west-1:111122223333:recovery-point:{id}"),
        job_id: String::new(),
        vault: "ddb".into(),
        vault_arn: "arn:aws:backup:eu-west-1:111122223333:backup-vault:ddb".into(),
        source_vault_arn: None,
        resource_arn: "arn:aws:dynamodb:eu-west-1:111122223333:table/orders".into(),
        role_arn: "arn:aws:iam::111122223333:role/backup".into(),
        status: Status::Completed,
        status_message: None,
        storage: Storage::Warm,
        created,
        initiated: created,
        completed: Some(created),
        last_restored: None,
        lifecycle,
        key_arn: None,
        key_kind: None,
        tags: Default::default(),
        snapshot: Arc::new(Snapshot { table: TableDescription::builder().build(), items: Vec::new() }),
        size: 0,
    }
}

impl RecoveryPoint {
    /// A completed point of a table in a vault.
    pub(crate) fn sample(arn: &str, vault: &str, resource: &str, created: Timestamp) -> Self {
        Self {
            arn: arn.to_owned(),
            vault: vault.into(),
            vault_arn: format!("arn:aws:backup:eu-central-1:111122223333:backup-vault:{vault}").into(),
            resource_arn: resource.into(),
            created,
            initiated: created,
            completed: Some(created),
            ..point("sample", None)
        }
    }
}

/// A lifecycle of so many days.
pub(crate) fn days(cold_after: Option<i64>, delete_after: Option<i64>) -> Option<Lifecycle> {
    Some(Lifecycle { cold_after, delete_after })
}
