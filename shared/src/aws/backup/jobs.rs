//! Starting backup jobs, and looking after them.

use std::collections::BTreeMap;

use aws_sdk_backup::Client;
use aws_sdk_backup::types::{BackupJob, Lifecycle};
use jiff::Timestamp;

use super::client::client;
use super::{instant, size};
use crate::aws::{AwsError, Rate};
use crate::event::JobState;
use crate::id::{RecoveryPointArn, TableArn, VaultArn};

/// A backup to start.
#[derive(Clone, Debug)]
pub struct StartBackup<'a> {
    /// The table.
    pub table: &'a TableArn,
    /// Tags for the recovery point.
    pub tags: &'a BTreeMap<String, String>,
    /// Minutes in which AWS Backup must begin.
    pub start_window_minutes: u32,
    /// The same for every repeat of the same attempt.
    pub token: &'a str,
    /// Days after which the point moves to cold storage.
    pub cold_after_days: Option<u32>,
    /// Days after which AWS deletes the point: for locked vaults only. Elsewhere dynachain's own retention ends it.
    pub delete_after_days: Option<u32>,
}

/// A backup job that AWS took on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedJob {
    /// The job.
    pub job_id: String,
    /// The recovery point it will make; told at once only with the advanced features.
    pub recovery_point: Option<RecoveryPointArn>,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobStatus {
    /// The job, in lower case: AWS writes the same id in either.
    pub job_id: String,
    /// Where it stands.
    pub state: JobState,
    /// What AWS says to it.
    pub message: Option<String>,
    /// The table that is backed up; `None` for other resources.
    pub table: Option<TableArn>,
    /// The recovery point.
    pub recovery_point: Option<RecoveryPointArn>,
    /// The vault.
    pub vault: Option<VaultArn>,
    /// The recovery point's size in bytes.
    pub size_bytes: Option<u64>,
    /// When the job was created; the recovery point has the same creation date.
    pub created_at: Option<Timestamp>,
}

/// Starts and reads backup jobs in one vault.
#[derive(Clone, Debug)]
pub struct BackupJobs {
    client: Client,
    vault: String,
    role: String,
    start: Rate,
    list: Rate,
}

impl BackupJobs {
    /// Jobs into the vault called `vault`, done by AWS Backup as `role` (an IAM role's ARN), at most so many calls a second.
    pub fn new(
        config: &aws_config::SdkConfig,
        vault: impl Into<String>,
        role: impl Into<String>,
        start: Rate,
        list: Rate,
    ) -> Self {
        Self { client: client(config), vault: vault.into(), role: role.into(), start, list }
    }

    /// The same for another vault of the Region.
    #[must_use]
    pub fn of(&self, vault: &str) -> Self {
        Self { vault: vault.to_owned(), ..self.clone() }
    }

    /// Starts a backup.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn start(&self, backup: &StartBackup<'_>) -> Result<StartedJob, AwsError> {
        const OPERATION: &str = "StartBackupJob";
        let days = |days: Option<u32>| days.map(i64::from);
        let lifecycle = Lifecycle::builder()
            .set_move_to_cold_storage_after_days(days(backup.cold_after_days))
            .set_delete_after_days(days(backup.delete_after_days))
            .build();
        let has_lifecycle = backup.cold_after_days.is_some() || backup.delete_after_days.is_some();
        let call = self
            .client
            .start_backup_job()
            .backup_vault_name(&self.vault)
            .resource_arn(backup.table.as_str())
            .iam_role_arn(&self.role)
            .idempotency_token(backup.token)
            .start_window_minutes(i64::from(backup.start_window_minutes))
            .set_recovery_point_tags(Some(backup.tags.clone().into_iter().collect()))
            .set_lifecycle(has_lifecycle.then_some(lifecycle));
        let answer = self
            .start
            .call(|turn| call.customize().interceptor(turn).send())
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        Ok(StartedJob {
            job_id: answer.backup_job_id.ok_or_else(|| AwsError::incomplete(OPERATION, "BackupJobId"))?,
            recovery_point: answer.recovery_point_arn.and_then(|arn| arn.parse().ok()),
        })
    }

    /// Whether a backup of a table is on its way in the Region, into whatever vault and whoever asked for it. Jobs that were
    /// created before an instant are not looked at.
    ///
    /// # Errors
    /// When AWS refuses a page.
    pub async fn is_backed_up(&self, table: &TableArn, since: Timestamp) -> Result<bool, AwsError> {
        let after = aws_smithy_types::DateTime::from_secs(since.as_second());
        let mut next = None;
        loop {
            let call = self
                .client
                .list_backup_jobs()
                .by_resource_arn(table.as_str())
                .by_created_after(after)
                .max_results(1000)
                .set_next_token(next);
            let answer = self
                .list
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new("ListBackupJobs", &error))?;
            let mut jobs = answer.backup_jobs().iter().filter_map(job_status);
            if jobs.any(|job| !job.state.is_final()) {
                return Ok(true);
            }
            next = answer.next_token;
            if next.is_none() {
                return Ok(false);
            }
        }
    }

    /// Those jobs of the vault that were created since an instant and are wanted; the others are let go of page by page.
    ///
    /// # Errors
    /// When AWS refuses a page.
    pub async fn since(
        &self,
        instant: Timestamp,
        is_wanted: impl Fn(&JobStatus) -> bool,
    ) -> Result<Vec<JobStatus>, AwsError> {
        let after = aws_smithy_types::DateTime::from_secs(instant.as_second());
        let mut jobs = Vec::new();
        let mut next = None;
        loop {
            let call = self
                .client
                .list_backup_jobs()
                .by_created_after(after)
                .by_backup_vault_name(&self.vault)
                .max_results(1000)
                .set_next_token(next);
            let answer = self
                .list
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new("ListBackupJobs", &error))?;
            let page = answer.backup_jobs.unwrap_or_default();
            jobs.extend(page.iter().filter_map(job_status).filter(&is_wanted));
            next = answer.next_token;
            if next.is_none() {
                return Ok(jobs);
            }
        }
    }
}

fn job_status(job: &BackupJob) -> Option<JobStatus> {
    Some(JobStatus {
        job_id: job.backup_job_id()?.to_ascii_lowercase(),
        state: JobState::from(job.state()?.as_str()),
        message: job.status_message().map(str::to_owned),
        table: job.resource_arn().and_then(|arn| arn.parse().ok()),
        recovery_point: job.recovery_point_arn().and_then(|arn| arn.parse().ok()),
        vault: job.backup_vault_arn().and_then(|arn| arn.parse().ok()),
        size_bytes: size(job.backup_size_in_bytes()),
        created_at: job.creation_date().and_then(instant),
    })
}
