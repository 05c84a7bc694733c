//! Starting copy jobs, and looking after them. All of it happens in the Region of the source.

use aws_sdk_backup::Client;
use aws_sdk_backup::types::{CopyJob, Lifecycle};
use jiff::Timestamp;

use super::client::client;
use super::instant;
use crate::aws::{AwsError, Rate};
use crate::copying::CopyLifecycle;
use crate::event::{JobId, JobState};
use crate::id::{RecoveryPointArn, VaultArn};

/// A copy to start.
#[derive(Clone, Debug)]
pub struct StartCopy<'a> {
    /// The point to copy.
    pub source: &'a RecoveryPointArn,
    /// The vault to copy it to.
    pub target: &'a VaultArn,
    /// How long AWS itself keeps the copy.
    pub lifecycle: CopyLifecycle,
    /// The same for every repeat of the same attempt.
    pub token: &'a str,
}

/// How a copy job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyJobStatus {
    /// The job.
    pub job: JobId,
    /// Where it stands.
    pub state: JobState,
    /// What AWS says to it.
    pub message: Option<String>,
    /// The copy, once the job is completed.
    pub copy: Option<RecoveryPointArn>,
    /// When the job was created.
    pub created_at: Option<Timestamp>,
}

/// Starts and reads the copy jobs of one vault's points.
#[derive(Clone, Debug)]
pub struct CopyJobs {
    client: Client,
    vault: String,
    role: String,
    start: Rate,
    list: Rate,
}

impl CopyJobs {
    /// Copies out of the vault called `vault`, done by AWS Backup as `role` (an IAM role's ARN), at most so many calls a second.
    pub fn new(
        config: &aws_config::SdkConfig,
        vault: impl Into<String>,
        role: impl Into<String>,
        start: Rate,
        list: Rate,
    ) -> Self {
        Self { client: client(config), vault: vault.into(), role: role.into(), start, list }
    }

    /// Starts a copy.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn start(&self, copy: &StartCopy<'_>) -> Result<JobId, AwsError> {
        const OPERATION: &str = "StartCopyJob";
        let delete_after = match copy.lifecycle {
            // -1 is "never" (AWS Backup API Reference, "Lifecycle"); saying nothing would be the source's lifecycle.
            CopyLifecycle::Never => -1,
            CopyLifecycle::DeleteAfterDays(days) => i64::from(days),
        };
        let lifecycle =
            Lifecycle::builder().move_to_cold_storage_after_days(-1).delete_after_days(delete_after).build();
        let call = self
            .client
            .start_copy_job()
            .recovery_point_arn(copy.source.as_str())
            .source_backup_vault_name(&self.vault)
            .destination_backup_vault_arn(copy.target.as_str())
            .iam_role_arn(&self.role)
            .idempotency_token(copy.token)
            .lifecycle(lifecycle);
        let answer = self
            .start
            .call(|turn| call.customize().interceptor(turn).send())
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        let job = answer.copy_job_id.filter(|job| !job.is_empty());
        job.map(JobId::from).ok_or_else(|| AwsError::incomplete(OPERATION, "CopyJobId"))
    }

    /// All jobs of the last 30 days that copied a point to a vault, newest first.
    ///
    /// # Errors
    /// When AWS refuses a page.
    pub async fn of(
        &self,
        source: &RecoveryPointArn,
        target: &VaultArn,
    ) -> Result<Vec<CopyJobStatus>, AwsError> {
        let mut jobs = Vec::new();
        let mut next = None;
        loop {
            let call = self
                .client
                .list_copy_jobs()
                .by_source_recovery_point_arn(source.as_str())
                .by_destination_vault_arn(target.as_str())
                .max_results(1000)
                .set_next_token(next);
            let answer = self
                .list
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new("ListCopyJobs", &error))?;
            jobs.extend(answer.copy_jobs().iter().filter_map(status));
            next = answer.next_token;
            if next.is_none() {
                jobs.sort_by_key(|job| std::cmp::Reverse(job.created_at));
                return Ok(jobs);
            }
        }
    }
}

fn status(job: &CopyJob) -> Option<CopyJobStatus> {
    Some(CopyJobStatus {
        job: JobId::from(job.copy_job_id()?),
        state: JobState::from(job.state()?.as_str()),
        message: job.status_message().map(str::to_owned),
        copy: job.destination_recovery_point_arn().and_then(|arn| arn.parse().ok()),
        created_at: job.creation_date().and_then(instant),
    })
}
