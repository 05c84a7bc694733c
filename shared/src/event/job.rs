//! State changes of AWS Backup's backup, copy and restore jobs.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Origin;
use super::fields::{Fields, Moment};
use crate::id::{RecoveryPointArn, TableArn, VaultArn};
use crate::open_text::open_text;

pub(super) const BACKUP: &str = "Backup Job State Change";
pub(super) const COPY: &str = "Copy Job State Change";
pub(super) const RESTORE: &str = "Restore Job State Change";

/// The id of a job of AWS Backup, in lower case: the same id appears in either case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct JobId(String);

impl JobId {
    /// The id as text, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for JobId {
    fn from(text: String) -> Self {
        Self(text.to_ascii_lowercase())
    }
}

impl From<&str> for JobId {
    fn from(text: &str) -> Self {
        Self(text.to_ascii_lowercase())
    }
}

impl FromStr for JobId {
    type Err = EmptyJobId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() { Err(EmptyJobId) } else { Ok(text.into()) }
    }
}

/// A job id without a single character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is empty")]
pub struct EmptyJobId;

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

open_text! {
    /// The state of a job, in events and in the API. Copy and restore jobs have only some of them.
    JobState {
        /// Accepted; may stay so for the whole start window.
        Created = "CREATED",
        /// Waiting for its turn.
        Pending = "PENDING",
        /// At work.
        Running = "RUNNING",
        /// Being stopped by somebody.
        Aborting = "ABORTING",
        /// Stopped by somebody.
        Aborted = "ABORTED",
        /// Done.
        Completed = "COMPLETED",
        /// Failed.
        Failed = "FAILED",
        /// Not started before the start window ended, or not done before the completion window did.
        Expired = "EXPIRED",
        /// Done in part.
        Partial = "PARTIAL",
    }
}

impl JobState {
    /// Whether the job's state does not change any more. A state that this version does not know is taken for one on the
    /// way: reconciliation looks at the job again.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Aborted | Self::Completed | Self::Failed | Self::Expired | Self::Partial => true,
            Self::Created | Self::Pending | Self::Running | Self::Aborting | Self::Other(_) => false,
        }
    }
}

impl FromStr for JobState {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(word.into())
    }
}

/// A backup job changed its state. The event for CREATED has no more than id, state and creation date.
#[derive(Clone, Debug, PartialEq)]
pub struct BackupJob {
    /// Where the event comes from.
    pub origin: Origin,
    /// The job.
    pub job: JobId,
    /// Its new state.
    pub state: JobState,
    /// What AWS Backup says about it.
    pub message: Option<String>,
    /// The table.
    pub table: Option<TableArn>,
    /// The vault.
    pub vault: Option<VaultArn>,
    /// The recovery point, once the job is completed.
    pub recovery_point: Option<RecoveryPointArn>,
    /// The role that AWS Backup works with.
    pub role: Option<String>,
    /// The backup plan that made the job, ARN or id; none for a job that was started on demand.
    pub backup_plan: Option<String>,
    /// The size of the backup.
    pub size_bytes: Option<u64>,
    /// How much has been moved.
    pub transferred_bytes: Option<u64>,
    /// How far the job is, in percent.
    pub percent_done: Option<f64>,
    /// When the job was made.
    pub created_at: Option<Moment>,
    /// When it ended.
    pub completed_at: Option<Moment>,
    /// By when it must have started.
    pub start_by: Option<Moment>,
    /// When it is expected to end.
    pub expected_completion: Option<Moment>,
}

pub(super) fn backup(
    origin: Origin,
    resource: Option<&str>,
    detail: &mut Fields<'_, '_>,
) -> Option<BackupJob> {
    let job = detail.required("backupJobId");
    let state = detail.required("state");
    let table = detail.optional("resourceArn");
    let vault = detail.optional("backupVaultArn");
    let recovery_point = detail.point_among_resources(resource);
    Some(BackupJob {
        origin,
        job: job?,
        state: state?,
        message: detail.message("statusMessage"),
        table,
        vault,
        recovery_point,
        role: detail.text("iamRoleArn"),
        backup_plan: backup_plan(detail),
        size_bytes: detail.count("backupSizeInBytes"),
        transferred_bytes: detail.count("bytesTransferred"),
        percent_done: detail.percent("percentDone"),
        created_at: detail.moment("creationDate"),
        completed_at: detail.moment("completionDate"),
        start_by: detail.moment("startBy"),
        expected_completion: detail.moment("expectedCompletionDate"),
    })
}

fn backup_plan(detail: &Fields<'_, '_>) -> Option<String> {
    detail.inner_text("createdBy", "backupPlanArn").or_else(|| detail.inner_text("createdBy", "backupPlanId"))
}

/// A copy job changed its state. The event comes from the source Region; that for CREATED has no job id.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyJob {
    /// Where the event comes from.
    pub origin: Origin,
    /// The job; not there for CREATED.
    pub job: Option<JobId>,
    /// Its new state.
    pub state: JobState,
    /// What AWS Backup says about it.
    pub message: Option<String>,
    /// The table.
    pub table: Option<TableArn>,
    /// The vault that is copied from.
    pub source_vault: Option<VaultArn>,
    /// The recovery point that is copied.
    pub source_point: Option<RecoveryPointArn>,
    /// The vault that is copied to.
    pub target_vault: Option<VaultArn>,
    /// The copy, once the job is completed.
    pub target_point: Option<RecoveryPointArn>,
    /// The role that AWS Backup works with.
    pub role: Option<String>,
    /// The backup plan that made the job, ARN or id; none for a job that was started on demand.
    pub backup_plan: Option<String>,
    /// The size of the copy.
    pub size_bytes: Option<u64>,
    /// When the job was made.
    pub created_at: Option<Moment>,
    /// When it ended.
    pub completed_at: Option<Moment>,
}

pub(super) fn copy(origin: Origin, resource: Option<&str>, detail: &mut Fields<'_, '_>) -> Option<CopyJob> {
    let job = detail.optional("copyJobId");
    let state = detail.required::<JobState>("state");
    if job.is_none() && state.as_ref().is_some_and(|state| *state != JobState::Created) {
        detail.required_text("copyJobId")?;
    }
    let table = detail.optional("resourceArn");
    let source_vault = detail.optional("sourceBackupVaultArn");
    let target_vault = detail.optional("destinationBackupVaultArn");
    let source_point = detail.point_among_resources(resource);
    let target_point = detail.optional("destinationRecoveryPointArn");
    Some(CopyJob {
        origin,
        job,
        state: state?,
        message: detail.message("statusMessage"),
        table,
        source_vault,
        source_point,
        target_vault,
        target_point,
        role: detail.text("iamRoleArn"),
        backup_plan: backup_plan(detail),
        size_bytes: detail.count("backupSizeInBytes"),
        created_at: detail.moment("creationDate"),
        completed_at: detail.moment("completionDate"),
    })
}

/// A restore job changed its state.
#[derive(Clone, Debug, PartialEq)]
pub struct RestoreJob {
    /// Where the event comes from.
    pub origin: Origin,
    /// The job.
    pub job: JobId,
    /// Its new state.
    pub state: JobState,
    /// What AWS Backup says about it.
    pub message: Option<String>,
    /// The table that was backed up.
    pub source_table: Option<TableArn>,
    /// The table that the restore made, once the job is completed.
    pub table: Option<TableArn>,
    /// The vault.
    pub vault: Option<VaultArn>,
    /// The recovery point that is restored.
    pub recovery_point: Option<RecoveryPointArn>,
    /// The role that AWS Backup works with.
    pub role: Option<String>,
    /// The restore testing plan that made the job; none for a restore that somebody wanted.
    pub testing_plan: Option<String>,
    /// The size of the backup.
    pub size_bytes: Option<u64>,
    /// How far the job is, in percent.
    pub percent_done: Option<f64>,
    /// When the job was made.
    pub created_at: Option<Moment>,
    /// When it ended.
    pub completed_at: Option<Moment>,
}

pub(super) fn restore(
    origin: Origin,
    resource: Option<&str>,
    detail: &mut Fields<'_, '_>,
) -> Option<RestoreJob> {
    let job = detail.required("restoreJobId");
    // The event for CREATED says `state`, every other says `status`.
    let state = match detail.optional("status") {
        Some(status) => Some(status),
        None => detail.required("state"),
    };
    let source_table = detail.optional("sourceResourceArn");
    let table = detail.optional("createdResourceArn");
    let vault = detail.optional("backupVaultArn");
    let in_detail = detail.optional("recoveryPointArn");
    let recovery_point = in_detail.or_else(|| detail.point_among_resources(resource));
    Some(RestoreJob {
        origin,
        job: job?,
        state: state?,
        message: detail.message("statusMessage"),
        source_table,
        table,
        vault,
        recovery_point,
        role: detail.text("iamRoleArn"),
        testing_plan: detail.text("restoreTestingPlanArn"),
        size_bytes: detail.count("backupSizeInBytes"),
        percent_done: detail.percent("percentDone"),
        created_at: detail.moment("creationDate"),
        completed_at: detail.moment("completionDate"),
    })
}
