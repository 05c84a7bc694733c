//! Backup vaults.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::Failure;
use super::recovery_point::Lifecycle;
use super::tags::Tags;
use super::vault_policy::VaultPolicy;
use crate::time::epoch;

/// The most recovery points in a vault (AWS Backup Developer Guide, "Quotas").
pub(crate) const MOST_POINTS: usize = 1_000_000;

/// A backup vault.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) created: Timestamp,
    /// The customer's key, or AWS Backup's own one.
    pub(crate) key: Key,
    pub(crate) creator_request_id: Option<String>,
    pub(crate) tags: Tags,
    pub(crate) lock: Option<Lock>,
    pub(crate) policy: Option<VaultPolicy>,
}

/// What a vault's points are encrypted with.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) arn: String,
    /// A key that the customer named.
    pub(crate) customer: bool,
}

impl Key {
    /// `EncryptionKeyType`, which knows no word for an AWS managed key.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        self.customer.then_some("CUSTOMER_MANAGED_KMS_KEY")
    }
}

impl Vault {
    /// Fails a job (`Backup` or `Copy`) that would put a point of this lifecycle into this vault, where there are so many
    /// already, if the vault does not take it.
    pub(crate) fn admit(
        &self,
        job: &str,
        lifecycle: Option<&Lifecycle>,
        points: usize,
    ) -> Result<(), Failure> {
        if self.lock.as_ref().is_some_and(|lock| !lock.permits(lifecycle)) {
            let message = format!(
                "{job} job failed. The retention specified in the job is not within the range specified for the target \
                 Backup Vault."
            );
            return Err(Failure::new("INVALID_LIFECYCLE", message));
        }
        if points >= MOST_POINTS {
            let message =
                format!("{job} job failed. The backup vault has {MOST_POINTS} recovery points already.");
            return Err(Failure::new("LIMIT_EXCEEDED", message));
        }
        Ok(())
    }

    /// As `DescribeBackupVault` and `ListBackupVaults` give it.
    pub(crate) fn describe(&self, points: usize) -> Value {
        json!({
            "BackupVaultName": self.name,
            "BackupVaultArn": self.arn,
            "VaultType": "BACKUP_VAULT",
            "VaultState": "AVAILABLE",
            "EncryptionKeyArn": self.key.arn,
            "EncryptionKeyType": self.key.kind(),
            "CreationDate": epoch(self.created),
            "CreatorRequestId": self.creator_request_id,
            "NumberOfRecoveryPoints": points,
            "Locked": self.lock.is_some(),
            "MinRetentionDays": self.lock.as_ref().and_then(|lock| lock.min_days),
            "MaxRetentionDays": self.lock.as_ref().and_then(|lock| lock.max_days),
            "LockDate": self.lock.as_ref().and_then(|lock| lock.date).map(epoch),
        })
    }
}

/// A vault lock (AWS Backup Developer Guide, "AWS Backup Vault Lock").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    /// The shortest retention, in days, that a job may ask for.
    pub(crate) min_days: Option<i64>,
    /// The longest.
    pub(crate) max_days: Option<i64>,
    /// When the lock can no longer be changed; `None` for one in governance mode.
    pub(crate) date: Option<Timestamp>,
}

impl Lock {
    /// Nobody can change or remove it any more.
    pub(crate) fn is_immutable(&self, now: Timestamp) -> bool {
        self.date.is_some_and(|date| date <= now)
    }

    /// Is a job's retention within its range? A point without an end is kept for ever, longer than any maximum.
    fn permits(&self, lifecycle: Option<&Lifecycle>) -> bool {
        match lifecycle.and_then(|lifecycle| lifecycle.delete_after) {
            Some(days) => {
                self.min_days.is_none_or(|min| days >= min) && self.max_days.is_none_or(|max| days <= max)
            }
            None => self.max_days.is_none(),
        }
    }
}

#[cfg(test)]
mod tests;
