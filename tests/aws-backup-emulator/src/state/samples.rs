//! One of each noun, with the values of the documented event samples where there is one, for tests to change.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::TableDescription;
use jiff::Timestamp;

use super::backup_job::{self, BackupJob};
use super::copy_job::{self, CopyJob, Destination, Retention, Source};
use super::recovery_point::{Lifecycle, RecoveryPoint, Status, Storage};
use super::restore_job::{self, RestoreJob};
use super::vault::{Key, Vault};
use crate::aws::Scope;
use crate::aws::table::Snapshot;

pub(crate) const POINT: &str =
    "arn:aws:backup:eu-west-1:111122223333:recovery-point:f1d966fe-a3bd-410b-b292-99f442d13b56";
pub(crate) const COPY: &str =
    "arn:aws:backup:eu-central-1:111122223333:recovery-point:0c7c1e7a-0000-4000-8000-000000000002";

/// Where the account's vault `ddb` is; its copies go to `eu-central-1`.
pub(crate) fn scope() -> Scope {
    Scope { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn vault() -> Vault {
    Vault {
        name: "ddb".to_owned(),
        arn: scope().arn("backup", "backup-vault:ddb"),
        created: at("2026-01-01T00:00:00Z"),
        key: Key { arn: scope().arn("kms", "key/k"), customer: false },
        creator_request_id: None,
        tags: Default::default(),
        lock: None,
        policy: None,
    }
}

/// A lifecycle of so many days.
pub(crate) fn days(cold_after: Option<i64>, delete_after: Option<i64>) -> Option<Lifecycle> {
    Some(Lifecycle { cold_after, delete_after })
}

/// The job that makes [`point`].
pub(crate) fn backup_job(state: backup_job::State) -> BackupJob {
    let point = point();
    BackupJob {
        id: point.job_id,
        vault: vault().name,
        vault_arn: vault().arn,
        resource_arn: point.resource_arn.to_string(),
        role_arn: point.role_arn.to_string(),
        lifecycle: None,
        tags: Default::default(),
        options: serde_json::json!({}),
        created: at("2026-01-31T02:10:31.207Z"),
        start_by: at("2026-01-31T10:10:31.207Z"),
        complete_by: None,
        state,
        starting: false,
        retries: 3,
        started: Some(at("2026-01-31T02:10:40Z")),
        expected_completion: Some(at("2026-01-31T02:11:05.921Z")),
        completed: state.is_final().then(|| at("2026-01-31T02:11:05.921Z")),
        failure: None,
        ending: None,
        advanced: true,
        recovery_point: point.arn,
        key_arn: None,
        size: point.size,
    }
}

/// A completed point in [`vault`].
pub(crate) fn point() -> RecoveryPoint {
    let created = at("2026-01-31T02:10:31.152Z");
    RecoveryPoint {
        arn: POINT.to_owned(),
        job_id: "A827233A-D405-4A86-A440-759FA94F34DD".to_owned(),
        vault: "ddb".into(),
        vault_arn: vault().arn.into(),
        source_vault_arn: None,
        resource_arn: scope().arn("dynamodb", "table/orders").into(),
        role_arn: "arn:aws:iam::111122223333:role/ddb-backup".into(),
        status: Status::Completed,
        status_message: None,
        storage: Storage::Warm,
        created,
        initiated: created,
        completed: Some(at("2026-01-31T02:11:05.689Z")),
        last_restored: None,
        lifecycle: None,
        key_arn: Some(vault().key.arn.into()),
        key_kind: None,
        tags: Default::default(),
        snapshot: Arc::new(Snapshot { table: TableDescription::builder().build(), items: Vec::new() }),
        size: 36048,
    }
}

/// A completed point with a lifecycle, created at 6 sharp.
pub(crate) fn living(id: &str, lifecycle: Option<Lifecycle>) -> RecoveryPoint {
    let created = at("2025-01-06T06:00:00Z");
    let arn = scope().arn("backup", &format!("recovery-point:{id}"));
    RecoveryPoint { arn, created, initiated: created, completed: Some(created), lifecycle, ..point() }
}

/// A completed point of a table in a vault.
pub(crate) fn point_of(arn: &str, vault: &str, resource: &str, created: Timestamp) -> RecoveryPoint {
    RecoveryPoint {
        arn: arn.to_owned(),
        vault: vault.into(),
        vault_arn: scope().arn("backup", &format!("backup-vault:{vault}")).into(),
        resource_arn: resource.into(),
        created,
        initiated: created,
        completed: Some(created),
        ..point()
    }
}

/// A copy of [`point`] that waits to start.
pub(crate) fn copy_job() -> CopyJob {
    let there = Scope { region: "eu-central-1".to_owned(), ..scope() };
    let point = point();
    CopyJob {
        id: "0175DE71-5784-589F-D8AC-541ACCB4CAC8".to_owned(),
        source: Source { arn: point.arn, vault_arn: point.vault_arn.to_string() },
        destination: Destination {
            vault_arn: there.arn("backup", "backup-vault:ddb-dr"),
            scope: there,
            vault: "ddb-dr".to_owned(),
        },
        resource_arn: point.resource_arn.to_string(),
        role_arn: point.role_arn.to_string(),
        retention: Retention::Inherited,
        created: at("2026-01-31T03:06:27.234Z"),
        state: copy_job::State::Created,
        starting: false,
        completed: None,
        failure: None,
        ending: None,
        recovery_point: COPY.to_owned(),
        lifecycle: None,
        key_arn: None,
        size: point.size,
    }
}

/// A restore of [`point`].
pub(crate) fn restore_job(state: restore_job::State) -> RestoreJob {
    let point = point();
    RestoreJob {
        id: "AB123456-78C9-0123-456D-789012E34567".to_owned(),
        recovery_point: point.arn,
        vault_arn: point.vault_arn.to_string(),
        resource_arn: point.resource_arn.to_string(),
        role_arn: "arn:aws:iam::111122223333:role/ddb-restore".to_owned(),
        metadata: BTreeMap::from([("targetTableName".to_owned(), "orders-restored".to_owned())]),
        target: "orders-restored".to_owned(),
        encryption: restore_job::Encryption::AsOriginal,
        copy_tags: false,
        created: at("2026-01-31T05:10:01.742Z"),
        point_created: at("2026-01-31T02:10:31.207Z"),
        duration: restore_job::Duration::new(60, Storage::Warm),
        state,
        starting: false,
        making: None,
        created_resource: (state == restore_job::State::Completed)
            .then(|| scope().arn("dynamodb", "table/orders-restored")),
        completed: state.is_final().then(|| at("2026-01-31T05:14:53.128Z")),
        failure: None,
        ending: None,
        size: point.size,
    }
}
