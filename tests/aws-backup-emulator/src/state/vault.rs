//! Backup vaults.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::tags::Tags;
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
            "Locked": false,
        })
    }
}
