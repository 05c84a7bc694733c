//! One of each noun with nothing special about it, for tests to change.

use jiff::Timestamp;

use super::copy_job::{self, CopyJob, Destination, Retention, Source};
use super::recovery_point::RecoveryPoint;
use super::vault::{Key, Vault};
use crate::aws::Scope;

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

/// A complete one, in [`vault`].
pub(crate) fn point() -> RecoveryPoint {
    let created = at("2026-01-31T02:10:31.152Z");
    RecoveryPoint {
        job_id: "A827233A-D405-4A86-A440-759FA94F34DD".to_owned(),
        vault_arn: vault().arn.into(),
        role_arn: "arn:aws:iam::111122223333:role/ddb-backup".into(),
        completed: Some(at("2026-01-31T02:11:05.689Z")),
        key_arn: Some(vault().key.arn.into()),
        size: 36048,
        ..RecoveryPoint::sample(POINT, "ddb", &scope().arn("dynamodb", "table/orders"), created)
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
