//! Backup vaults.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::tags::Tags;
use super::vault_policy::VaultPolicy;
use crate::time::epoch;

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
    /// May a point be kept so many days, `None` being for ever?
    pub(crate) fn permits(&self, days: Option<i64>) -> bool {
        let long_enough = self.min_days.is_none_or(|min| days.is_none_or(|days| days >= min));
        long_enough && self.max_days.is_none_or(|max| days.is_some_and(|days| days <= max))
    }
}
