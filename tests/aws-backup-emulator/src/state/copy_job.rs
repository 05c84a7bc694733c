//! Copy jobs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use super::recovery_point::{Lifecycle, RecoveryPoint};
use crate::aws::Scope;
use crate::faults::Ending;
use crate::time::epoch;

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waiting to start.
    Created,
    Running,
    Completed,
    Failed,
    /// Ended with less than the whole; the copy is no better.
    Partial,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Partial => "PARTIAL",
        }
    }

    /// Nothing comes after it.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Partial)
    }
}

/// The point that is copied, as far as its job tells.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) arn: String,
    pub(crate) vault_arn: String,
}

/// A vault in any account and Region that a copy goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) scope: Scope,
    pub(crate) vault: String,
    pub(crate) vault_arn: String,
}

/// How long the copy lives, as `StartCopyJob` was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    /// Nothing was said: the source's lifecycle.
    Inherited,
    Own(Lifecycle),
}

impl Retention {
    /// The copy's lifecycle. One that is never to end keeps the source's end (AWS Backup Developer Guide, "Backup and tag
    /// copy").
    pub(crate) fn of_copy(&self, source: Option<&Lifecycle>) -> Option<Lifecycle> {
        let Self::Own(own) = self else { return source.cloned() };
        let delete_after = own.delete_after.or(source.and_then(|source| source.delete_after));
        let own = Lifecycle { delete_after, ..own.clone() };
        (own != Lifecycle::default()).then_some(own)
    }
}

/// A copy job, kept where the source is.
#[derive(Clone, Debug)]
pub(crate) struct CopyJob {
    /// A UUID in upper case.
    pub(crate) id: String,
    pub(crate) source: Source,
    pub(crate) destination: Destination,
    pub(crate) resource_arn: String,
    pub(crate) role_arn: String,
    pub(crate) retention: Retention,
    pub(crate) created: Timestamp,
    pub(crate) state: State,
    /// It is being started now, so no other job of its resource may.
    pub(crate) starting: bool,
    pub(crate) completed: Option<Timestamp>,
    pub(crate) failure: Option<Failure>,
    /// How a fault makes it end when its time has come.
    pub(crate) ending: Option<Ending>,
    /// The copy's own ARN.
    pub(crate) recovery_point: String,
    /// The copy's lifecycle and key, known once the job runs.
    pub(crate) lifecycle: Option<Lifecycle>,
    pub(crate) key_arn: Option<String>,
    pub(crate) size: u64,
}

impl CopyJob {
    /// It runs, or is just being started: no other job of its resource may.
    pub(crate) fn is_running(&self) -> bool {
        self.starting || self.state == State::Running
    }

    /// The copy's ARN, told when the job has completed, at least in part.
    pub(crate) fn known_recovery_point(&self) -> Option<&str> {
        matches!(self.state, State::Completed | State::Partial).then_some(self.recovery_point.as_str())
    }

    /// The category that the job is listed under.
    pub(crate) fn category(&self) -> Option<&'static str> {
        failure::category(self.failure.as_ref(), self.state == State::Completed)
    }

    /// The copy as it is when the job begins to run: a point of its own, with the source's data, tags and creation date.
    pub(crate) fn copy_of(&self, source: &RecoveryPoint, key: &super::vault::Key) -> RecoveryPoint {
        RecoveryPoint {
            arn: self.recovery_point.clone(),
            job_id: self.id.clone(),
            vault: self.destination.vault.as_str().into(),
            vault_arn: self.destination.vault_arn.as_str().into(),
            source_vault_arn: Some(source.vault_arn.clone()),
            role_arn: self.role_arn.as_str().into(),
            status: super::recovery_point::Status::Creating,
            status_message: None,
            initiated: self.created,
            completed: None,
            last_restored: None,
            lifecycle: self.retention.of_copy(source.lifecycle.as_ref()),
            key_arn: Some(key.arn.as_str().into()),
            key_kind: key.kind(),
            ..source.clone()
        }
    }

    /// As `DescribeCopyJob` and `ListCopyJobs` give it.
    pub(crate) fn describe(&self, account: &str) -> Value {
        json!({
            "AccountId": account,
            "CopyJobId": self.id,
            "SourceBackupVaultArn": self.source.vault_arn,
            "SourceRecoveryPointArn": self.source.arn,
            "DestinationBackupVaultArn": self.destination.vault_arn,
            "DestinationVaultType": "BACKUP_VAULT",
            "DestinationRecoveryPointArn": self.known_recovery_point(),
            "DestinationRecoveryPointLifecycle": self.lifecycle.as_ref().map(Lifecycle::describe),
            "DestinationEncryptionKeyArn": self.key_arn,
            "ResourceArn": self.resource_arn,
            "ResourceName": self.resource_arn.rsplit('/').next(),
            "ResourceType": "DynamoDB",
            "CreationDate": epoch(self.created),
            "CompletionDate": self.completed.map(epoch),
            "State": self.state.as_str(),
            "StatusMessage": self.failure.as_ref().map(|failure| &failure.message),
            "MessageCategory": self.category(),
            "BackupSizeInBytes": self.size,
            "IamRoleArn": self.role_arn,
            "IsParent": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn lifecycle(cold_after: Option<i64>, delete_after: Option<i64>) -> Lifecycle {
        Lifecycle { cold_after, delete_after }
    }

    #[test]
    fn a_copy_without_a_lifecycle_of_its_own_has_its_sources() {
        let source = lifecycle(Some(30), Some(120));
        assert_eq!(Retention::Inherited.of_copy(Some(&source)), Some(source));
        assert_eq!(Retention::Inherited.of_copy(None), None);
    }

    #[test]
    fn a_copy_that_is_never_to_expire_keeps_its_sources_expiry() {
        let always = Retention::Own(lifecycle(None, None));
        let source = lifecycle(Some(30), Some(120));
        assert_eq!(always.of_copy(Some(&source)), Some(lifecycle(None, Some(120))));
        assert_eq!(always.of_copy(None), None);
    }

    #[rstest]
    #[case(lifecycle(None, Some(365)))]
    #[case(lifecycle(Some(7), Some(97)))]
    fn a_lifecycle_that_is_given_replaces_the_sources(#[case] own: Lifecycle) {
        let source = lifecycle(Some(30), Some(120));
        assert_eq!(Retention::Own(own.clone()).of_copy(Some(&source)), Some(own));
    }
}
