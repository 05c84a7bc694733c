//! Recovery points.

pub(crate) mod fate;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::shared::{Shared, Texts};
use super::tags::Tags;
use crate::aws::table::Snapshot;
use crate::time::epoch;

/// Where a point is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Creating,
    Completed,
    /// Made by a job that ended so: not to be restored from.
    Partial,
    /// On its way out, but there until it has gone.
    Deleting,
    /// To be deleted, but it could not be: there and paid for until it is deleted again.
    Expired,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Completed => "COMPLETED",
            Self::Partial => "PARTIAL",
            Self::Deleting => "DELETING",
            Self::Expired => "EXPIRED",
        }
    }
}

/// Where a point lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Warm,
    Cold,
}

impl Storage {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Warm => "WARM",
            Self::Cold => "COLD",
        }
    }
}

/// When a point moves to cold storage and when it ends, in days after its creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lifecycle {
    pub(crate) cold_after: Option<i64>,
    pub(crate) delete_after: Option<i64>,
}

impl Lifecycle {
    /// As a point has it: those that DynamoDB keeps itself, made without advanced features, have no cold storage.
    pub(crate) fn of_point(self, arn: &str) -> Self {
        let cold = arn.contains(":recovery-point:");
        Self { cold_after: self.cold_after.filter(|_| cold), ..self }
    }

    /// As the API gives it.
    pub(crate) fn describe(&self) -> Value {
        json!({ "MoveToColdStorageAfterDays": self.cold_after, "DeleteAfterDays": self.delete_after })
    }

    /// `CalculatedLifecycle` of a point created then.
    pub(crate) fn describe_calculated(&self, created: Timestamp) -> Value {
        let (cold, delete) = self.calculated(created);
        json!({ "MoveToColdStorageAt": cold.map(epoch), "DeleteAt": delete.map(epoch) })
    }

    /// The moments that follow from it for a point created then; `None` where there is nothing to follow, or not before the
    /// end of the calendar.
    pub(crate) fn calculated(&self, created: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
        let after = |days: Option<i64>| {
            let seconds = days?.checked_mul(24 * 60 * 60)?;
            created.checked_add(SignedDuration::from_secs(seconds)).ok()
        };
        (after(self.cold_after), after(self.delete_after))
    }
}

/// A recovery point.
#[derive(Clone, Debug)]
pub(crate) struct RecoveryPoint {
    pub(crate) arn: String,
    /// The job that made it.
    pub(crate) job_id: String,
    pub(crate) vault: Shared,
    pub(crate) vault_arn: Shared,
    /// The vault that a copy was made from.
    pub(crate) source_vault_arn: Option<Shared>,
    pub(crate) resource_arn: Shared,
    pub(crate) role_arn: Shared,
    pub(crate) status: Status,
    /// Why it is in this status, where that needs words.
    pub(crate) status_message: Option<String>,
    pub(crate) storage: Storage,
    pub(crate) created: Timestamp,
    /// When the job was accepted that made it.
    pub(crate) initiated: Timestamp,
    pub(crate) completed: Option<Timestamp>,
    pub(crate) last_restored: Option<Timestamp>,
    pub(crate) lifecycle: Option<Lifecycle>,
    pub(crate) key_arn: Option<Shared>,
    pub(crate) key_kind: Option<&'static str>,
    pub(crate) tags: Tags,
    pub(crate) snapshot: Arc<Snapshot>,
    /// Of the items, in bytes.
    pub(crate) size: u64,
}

impl RecoveryPoint {
    /// What it has in common with other points is kept once.
    pub(super) fn share(&mut self, texts: &mut Texts) {
        let Self { vault, vault_arn, resource_arn, role_arn, source_vault_arn, key_arn, .. } = self;
        let always = [vault, vault_arn, resource_arn, role_arn];
        always.into_iter().chain(source_vault_arn).chain(key_arn).for_each(|text| texts.share(text));
    }

    /// Its size as far as it is known: when it has been made.
    fn known_size(&self) -> Option<u64> {
        self.completed.map(|_| self.size)
    }

    fn resource_name(&self) -> Option<&str> {
        self.resource_arn.rsplit('/').next()
    }

    /// As `ListRecoveryPointsByBackupVault` gives it.
    pub(crate) fn list_entry(&self) -> Value {
        let calculated = self.lifecycle.as_ref().map(|lifecycle| lifecycle.describe_calculated(self.created));
        json!({
            "RecoveryPointArn": self.arn,
            "BackupVaultName": self.vault,
            "BackupVaultArn": self.vault_arn,
            "SourceBackupVaultArn": self.source_vault_arn,
            "ResourceArn": self.resource_arn,
            "ResourceName": self.resource_name(),
            "ResourceType": "DynamoDB",
            "IamRoleArn": self.role_arn,
            "Status": self.status.as_str(),
            "StatusMessage": self.status_message,
            "CreationDate": epoch(self.created),
            "InitiationDate": epoch(self.initiated),
            "CompletionDate": self.completed.map(epoch),
            "LastRestoreTime": self.last_restored.map(epoch),
            "BackupSizeInBytes": self.known_size(),
            "Lifecycle": self.lifecycle.as_ref().map(Lifecycle::describe),
            "CalculatedLifecycle": calculated,
            "EncryptionKeyArn": self.key_arn,
            "EncryptionKeyType": self.key_kind,
            "IsEncrypted": self.key_arn.is_some(),
            "IsParent": false,
            "VaultType": "BACKUP_VAULT",
        })
    }

    /// As `DescribeRecoveryPoint` gives it.
    pub(crate) fn describe(&self) -> Value {
        let mut entry = self.list_entry();
        entry["StorageClass"] = self.storage.as_str().into();
        entry
    }

    /// As `ListRecoveryPointsByResource` gives it: without the vault, which is given for EFS and EC2 alone.
    pub(crate) fn resource_entry(&self) -> Value {
        json!({
            "RecoveryPointArn": self.arn,
            "CreationDate": epoch(self.created),
            "Status": self.status.as_str(),
            "StatusMessage": self.status_message,
            "EncryptionKeyArn": self.key_arn,
            "EncryptionKeyType": self.key_kind,
            "BackupSizeBytes": self.known_size(),
            "ResourceName": self.resource_name(),
            "IsParent": false,
            "VaultType": "BACKUP_VAULT",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifecycle_counts_days_of_24_hours_from_the_creation_of_the_point() {
        let created: Timestamp = "2025-03-29T12:00:00Z".parse().unwrap();
        let lifecycle = Lifecycle { cold_after: Some(1), delete_after: Some(91) };
        let (cold, delete) = lifecycle.calculated(created);
        assert_eq!(cold, "2025-03-30T12:00:00Z".parse().ok());
        assert_eq!(delete, "2025-06-28T12:00:00Z".parse().ok());
        assert_eq!(Lifecycle::default().calculated(created), (None, None));
    }
}
