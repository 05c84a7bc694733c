//! Backup jobs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use super::recovery_point::Lifecycle;
use super::tags::Tags;
use crate::faults::Ending;
use crate::time::epoch;

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waiting to start, for as long as its start window lasts.
    Created,
    Running,
    Aborting,
    Aborted,
    Completed,
    Failed,
    Expired,
    /// Ended with less than the whole; its recovery point is no better.
    Partial,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Aborting => "ABORTING",
            Self::Aborted => "ABORTED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Expired => "EXPIRED",
            Self::Partial => "PARTIAL",
        }
    }

    /// Nothing comes after it.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Aborted | Self::Completed | Self::Failed | Self::Expired | Self::Partial)
    }
}

/// A backup job.
#[derive(Clone, Debug)]
pub(crate) struct BackupJob {
    /// A UUID in upper case.
    pub(crate) id: String,
    pub(crate) vault: String,
    pub(crate) vault_arn: String,
    pub(crate) resource_arn: String,
    pub(crate) role_arn: String,
    pub(crate) lifecycle: Option<Lifecycle>,
    pub(crate) tags: Tags,
    pub(crate) options: Value,
    pub(crate) created: Timestamp,
    /// The end of the start window.
    pub(crate) start_by: Timestamp,
    /// The end of the completion window, if the caller set one.
    pub(crate) complete_by: Option<Timestamp>,
    pub(crate) state: State,
    /// It is being started now, so no other job of its resource may.
    pub(crate) starting: bool,
    /// Starts that were put off because another job of the resource ran.
    pub(crate) retries: u32,
    pub(crate) started: Option<Timestamp>,
    pub(crate) expected_completion: Option<Timestamp>,
    pub(crate) completed: Option<Timestamp>,
    pub(crate) failure: Option<Failure>,
    /// How a fault makes it end when its time has come.
    pub(crate) ending: Option<Ending>,
    /// Advanced features were on when the job was accepted.
    pub(crate) advanced: bool,
    pub(crate) recovery_point: String,
    pub(crate) key_arn: Option<String>,
    pub(crate) size: u64,
}

impl BackupJob {
    /// Its point's ARN as far as the caller may know it: at once with advanced features, else when it has completed.
    pub(crate) fn known_recovery_point(&self) -> Option<&str> {
        (self.advanced || self.state == State::Completed).then_some(self.recovery_point.as_str())
    }

    /// It runs, or is just being started: no other job of its resource may.
    pub(crate) fn is_running(&self) -> bool {
        self.starting || matches!(self.state, State::Running | State::Aborting)
    }

    /// `PercentDone`, halfway while it runs.
    pub(crate) fn percent(&self) -> u8 {
        match self.state {
            State::Completed => 100,
            State::Running | State::Aborting => 50,
            _ => 0,
        }
    }

    /// The category that the job is listed under.
    pub(crate) fn category(&self) -> Option<&'static str> {
        failure::category(self.failure.as_ref(), self.state == State::Completed)
    }

    /// As `DescribeBackupJob` and `ListBackupJobs` give it.
    pub(crate) fn describe(&self, account: &str) -> Value {
        let table = self.resource_arn.rsplit('/').next();
        json!({
            "AccountId": account,
            "BackupJobId": self.id,
            "BackupVaultName": self.vault,
            "BackupVaultArn": self.vault_arn,
            "VaultType": "BACKUP_VAULT",
            "RecoveryPointArn": self.known_recovery_point(),
            "RecoveryPointLifecycle": self.lifecycle.as_ref().map(Lifecycle::describe),
            "EncryptionKeyArn": self.key_arn,
            "IsEncrypted": self.key_arn.as_ref().map(|_| true),
            "ResourceArn": self.resource_arn,
            "ResourceName": table,
            "ResourceType": "DynamoDB",
            "CreationDate": epoch(self.created),
            "InitiationDate": epoch(self.created),
            "StartBy": epoch(self.start_by),
            "ExpectedCompletionDate": self.expected_completion.map(epoch),
            "CompletionDate": self.completed.map(epoch),
            "State": self.state.as_str(),
            "StatusMessage": self.failure.as_ref().map(|failure| &failure.message),
            "MessageCategory": self.category(),
            "PercentDone": format!("{:.1}", f64::from(self.percent())),
            "BackupSizeInBytes": self.started.map(|_| self.size),
            "BytesTransferred": self.completed.map(|_| self.size),
            "BackupOptions": self.options,
            "BackupType": "BACKUP",
            "IamRoleArn": self.role_arn,
            "IsParent": false,
        })
    }
}
