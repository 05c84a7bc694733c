//! Starting restore jobs, and looking after them.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_backup::Client;
use jiff::Timestamp;

use super::client::client;
use super::instant;
use crate::aws::{AwsError, Fault, Rate};
use crate::event::JobState;
use crate::id::{RecoveryPointArn, TableArn, TableName};
use crate::restore::Encryption;

const TABLE: &str = "targetTableName";

/// A restore to start.
#[derive(Clone, Debug)]
pub struct StartRestore<'a> {
    /// The point.
    pub recovery_point: &'a RecoveryPointArn,
    /// The table that is to be made.
    pub target: &'a TableName,
    /// How it is encrypted: always said, never left to AWS.
    pub encryption: &'a Encryption,
    /// The same for every repeat.
    pub token: &'a str,
}

/// How a restore job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreJobStatus {
    /// The job, in lower case.
    pub job: String,
    /// Where it stands.
    pub state: JobState,
    /// What AWS says to it.
    pub message: Option<String>,
    /// The table that it made, or is making.
    pub table: Option<TableArn>,
    /// The recovery point.
    pub recovery_point: Option<RecoveryPointArn>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

/// Starts and reads restore jobs of the client's Region.
#[derive(Clone, Debug)]
pub struct RestoreJobs {
    client: Client,
    role: String,
    start: Rate,
    list: Rate,
    describe: Rate,
}

impl RestoreJobs {
    /// Jobs that AWS Backup does as `role` (an IAM role's ARN), with at most so many calls a second.
    pub fn new(config: &SdkConfig, role: impl Into<String>, start: Rate, list: Rate, describe: Rate) -> Self {
        Self { client: client(config), role: role.into(), start, list, describe }
    }

    /// Starts a restore; the job's id, in lower case. The point's tags are not asked for: with
    /// `CopySourceTagsToRestoredResource` a restore of a DynamoDB table fails (AWS Backup Developer Guide, "Restore a
    /// backup").
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn start(&self, restore: &StartRestore<'_>) -> Result<String, AwsError> {
        const OPERATION: &str = "StartRestoreJob";

        let call = self
            .client
            .start_restore_job()
            .recovery_point_arn(restore.recovery_point.as_str())
            .iam_role_arn(&self.role)
            .resource_type("DynamoDB")
            .idempotency_token(restore.token)
            .set_metadata(Some(metadata(restore)));
        let answer = self
            .start
            .call(|turn| call.customize().interceptor(turn).send())
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        let job = answer.restore_job_id.ok_or_else(|| AwsError::incomplete(OPERATION, "RestoreJobId"))?;
        Ok(job.to_ascii_lowercase())
    }

    /// One job; `None` when AWS does not know it any more.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn status(&self, job: &str) -> Result<Option<RestoreJobStatus>, AwsError> {
        const OPERATION: &str = "DescribeRestoreJob";

        let call = self.client.describe_restore_job().restore_job_id(job);
        let answer = self.describe.call(|turn| call.customize().interceptor(turn).send()).await;
        let answer = match answer.map_err(|error| AwsError::new(OPERATION, &error)) {
            Ok(answer) => answer,
            Err(error) if error.fault() == Fault::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let state = answer.status().ok_or_else(|| AwsError::incomplete(OPERATION, "Status"))?;
        Ok(Some(RestoreJobStatus {
            job: job.to_owned(),
            state: JobState::from(state.as_str()),
            message: answer.status_message().map(str::to_owned),
            table: answer.created_resource_arn().and_then(|arn| arn.parse().ok()),
            recovery_point: answer.recovery_point_arn().and_then(|arn| arn.parse().ok()),
            created_at: answer.creation_date().and_then(instant),
        }))
    }

    /// The jobs since a moment that restore a point into a table of this name, oldest first: for a start that may have been
    /// heard, and whose answer was not.
    ///
    /// # Errors
    /// When AWS refuses a call.
    pub async fn find(
        &self,
        recovery_point: &RecoveryPointArn,
        target: &TableName,
        since: Timestamp,
    ) -> Result<Vec<String>, AwsError> {
        let mut found = Vec::new();
        for job in self.of_point(recovery_point, since).await? {
            if self.target(&job).await?.as_deref() == Some(target.as_str()) {
                found.push(job.to_ascii_lowercase());
            }
        }
        Ok(found)
    }

    /// All jobs of a point since a moment, oldest first.
    async fn of_point(&self, point: &RecoveryPointArn, since: Timestamp) -> Result<Vec<String>, AwsError> {
        let after = aws_smithy_types::DateTime::from_secs(since.as_second());
        let mut jobs = Vec::new();
        let mut next = None;
        loop {
            let call = self.client.list_restore_jobs().by_created_after(after).max_results(1000);
            let call = call.set_next_token(next);
            let page = self.list.call(|turn| call.customize().interceptor(turn).send()).await;
            let page = page.map_err(|error| AwsError::new("ListRestoreJobs", &error))?;
            let all = page.restore_jobs.unwrap_or_default().into_iter();
            let of_point = all.filter(|job| job.recovery_point_arn() == Some(point.as_str()));
            jobs.extend(of_point.filter_map(|job| Some((job.creation_date?, job.restore_job_id?))));
            next = page.next_token;
            if next.is_none() {
                jobs.sort();
                return Ok(jobs.into_iter().map(|(_, job)| job).collect());
            }
        }
    }

    /// The name of the table that a job is to make.
    async fn target(&self, job: &str) -> Result<Option<String>, AwsError> {
        let call = self.client.get_restore_job_metadata().restore_job_id(job);
        let answer = self.list.call(|turn| call.customize().interceptor(turn).send()).await;
        let answer = answer.map_err(|error| AwsError::new("GetRestoreJobMetadata", &error))?;
        let metadata = answer.metadata.unwrap_or_default();
        Ok(metadata.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(TABLE)).map(|(_, value)| value))
    }
}

/// What AWS Backup is told about the new table (AWS Backup Developer Guide, "Restore an Amazon DynamoDB table").
fn metadata(restore: &StartRestore<'_>) -> HashMap<String, String> {
    let mut metadata = vec![(TABLE, restore.target.to_string())];
    match restore.encryption {
        Encryption::AwsOwned => metadata.push(("encryptionType", "Default".to_owned())),
        Encryption::AwsManaged => metadata.push(("encryptionType", "KMS".to_owned())),
        Encryption::Key(key) => {
            metadata.push(("encryptionType", "KMS".to_owned()));
            metadata.push(("kmsMasterKeyArn", key.to_string()));
        }
    }
    metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
