//! Restore jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::failure::Failure;
use super::recovery_point::Storage;
use crate::aws::table::Snapshot;
use crate::faults::Ending;
use crate::time::epoch;

/// What reading from cold storage adds to a restore (AWS Backup Developer Guide, "Restore a backup").
const FROM_COLD: SignedDuration = SignedDuration::from_hours(4);

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Pending,
    Running,
    Aborted,
    Completed,
    Failed,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Aborted => "ABORTED",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }

    /// Nothing comes after it.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Aborted | Self::Completed | Self::Failed)
    }
}

/// The encryption that the caller wants for the restored table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Nothing is said.
    AsOriginal,
    AwsOwned,
    /// DynamoDB's own key in the account, `aws/dynamodb`.
    AwsManaged,
    /// The customer's key with this ARN.
    Customer(String),
}

/// A table that a running job makes.
#[derive(Clone, Debug)]
pub(crate) struct Making {
    /// Tells the job's table from one that somebody else has made under the same name.
    pub(crate) table_id: String,
    /// What goes into it, even when the point goes away meanwhile.
    pub(crate) snapshot: Arc<Snapshot>,
    /// The customer's key that it is encrypted with.
    pub(crate) key_arn: Option<String>,
}

/// A restore job.
#[derive(Clone, Debug)]
pub(crate) struct RestoreJob {
    /// A UUID in upper case.
    pub(crate) id: String,
    pub(crate) recovery_point: String,
    pub(crate) vault_arn: String,
    /// The table that was backed up.
    pub(crate) resource_arn: String,
    pub(crate) role_arn: String,
    /// As the caller wrote it.
    pub(crate) metadata: BTreeMap<String, String>,
    /// The new table's name.
    pub(crate) target: String,
    pub(crate) encryption: Encryption,
    pub(crate) copy_tags: bool,
    pub(crate) created: Timestamp,
    pub(crate) point_created: Timestamp,
    pub(crate) duration: Duration,
    pub(crate) state: State,
    /// It is being started now, so it counts as running.
    pub(crate) starting: bool,
    pub(crate) making: Option<Making>,
    pub(crate) created_resource: Option<String>,
    pub(crate) completed: Option<Timestamp>,
    pub(crate) failure: Option<Failure>,
    /// How a fault makes it end when its time has come.
    pub(crate) ending: Option<Ending>,
    pub(crate) size: u64,
}

/// How long a job takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Duration {
    pub(crate) pending: SignedDuration,
    pub(crate) running: SignedDuration,
}

impl Duration {
    /// A fifth of it is spent waiting to start.
    pub(crate) fn new(restore_seconds: u32, storage: Storage) -> Self {
        let whole = SignedDuration::from_secs(i64::from(restore_seconds));
        let pending = whole / 5;
        let thaw = if storage == Storage::Cold { FROM_COLD } else { SignedDuration::ZERO };
        Self { pending, running: whole - pending + thaw }
    }

    /// Begun minutes.
    fn minutes(self) -> i64 {
        let seconds = (self.pending + self.running).as_secs();
        seconds / 60 + i64::from(seconds % 60 > 0)
    }
}

impl RestoreJob {
    /// It counts against the restores that may run at once.
    pub(crate) fn is_active(&self) -> bool {
        self.starting || self.state == State::Running
    }

    /// `PercentDone`, halfway while it runs.
    fn percent(&self) -> &'static str {
        match self.state {
            State::Completed => "100.00%",
            State::Running => "50.00%",
            _ => "0.00%",
        }
    }

    /// As `DescribeRestoreJob` and `ListRestoreJobs` give it.
    pub(crate) fn describe(&self, account: &str) -> Value {
        json!({
            "AccountId": account,
            "RestoreJobId": self.id,
            "RecoveryPointArn": self.recovery_point,
            "SourceResourceArn": self.resource_arn,
            "BackupVaultArn": self.vault_arn,
            "CreationDate": epoch(self.created),
            "CompletionDate": self.completed.map(epoch),
            "Status": self.state.as_str(),
            "StatusMessage": self.failure.as_ref().map(|failure| &failure.message),
            "PercentDone": self.percent(),
            "BackupSizeInBytes": self.size,
            "IamRoleArn": self.role_arn,
            "ExpectedCompletionTimeMinutes": self.duration.minutes(),
            "CreatedResourceArn": self.created_resource,
            "ResourceType": "DynamoDB",
            "RecoveryPointCreationDate": epoch(self.point_created),
            "IsParent": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_from_cold_storage_takes_four_hours_more() {
        let (warm, cold) = (Duration::new(60, Storage::Warm), Duration::new(60, Storage::Cold));
        assert_eq!((warm.pending.as_secs(), warm.running.as_secs(), warm.minutes()), (12, 48, 1));
        assert_eq!((cold.pending.as_secs(), cold.running.as_secs()), (12, 4 * 3600 + 48));
        assert_eq!((cold.minutes(), Duration::new(61, Storage::Warm).minutes()), (241, 2));
    }
}
