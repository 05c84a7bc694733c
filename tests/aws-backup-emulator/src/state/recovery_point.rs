//! Recovery points.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::tags::Tags;
use crate::aws::table::Snapshot;
use crate::time::epoch;

/// Where a point is in its life.
#[expect(dead_code, reason = "deletion comes next")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Creating,
    Completed,
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
            Self::Deleting => "DELETING",
            Self::Expired => "EXPIRED",
        }
    }
}

/// Where a point lies.
#[expect(dead_code, reason = "transitions come next")]
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
    /// As the API gives it.
    pub(crate) fn describe(&self) -> Value {
        json!({ "MoveToColdStorageAfterDays": self.cold_after, "DeleteAfterDays": self.delete_after })
    }

    /// The moments that follow from it for a point created then; `None` where there is nothing to follow.
    pub(crate) fn calculated(&self, created: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
        let after = |days: Option<i64>| {
            days.and_then(|days| {
                created.checked_add(SignedDuration::from_hours(days.saturating_mul(24))).ok()
            })
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
    pub(crate) vault: String,
    pub(crate) vault_arn: String,
    /// The vault that a copy was made from.
    pub(crate) source_vault_arn: Option<String>,
    pub(crate) resource_arn: String,
    pub(crate) role_arn: String,
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
    pub(crate) key_arn: Option<String>,
    pub(crate) key_kind: Option<&'static str>,
    pub(crate) tags: Tags,
    pub(crate) snapshot: Arc<Snapshot>,
    /// Of the items, in bytes.
    pub(crate) size: u64,
}

impl RecoveryPoint {
    /// Its size as far as it is known: when it has been made.
    fn known_size(&self) -> Option<u64> {
        self.completed.map(|_| self.size)
    }

    fn resource_name(&self) -> Option<&str> {
        self.resource_arn.rsplit('/').next()
    }

    /// As `ListRecoveryPointsByBackupVault` gives it.
    pub(crate) fn list_entry(&self) -> Value {
        let calculated = self.lifecycle.as_ref().map(|lifecycle| {
            let (cold, delete) = lifecycle.calculated(self.created);
            json!({ "MoveToColdStorageAt": cold.map(epoch), "DeleteAt": delete.map(epoch) })
        });
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
