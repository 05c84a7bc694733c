//! Restore jobs, and the tables that they make.

mod copies;
mod encryption;
mod events;
mod failures;
mod items;
mod jobs;
mod tables;

use anyhow::{Context as _, Result};
use aws_sdk_backup::operation::describe_restore_job::DescribeRestoreJobOutput;
use aws_sdk_backup::operation::start_restore_job::builders::StartRestoreJobFluentBuilder;
use aws_sdk_dynamodb::types::TableDescription;

use crate::stack::{ACCOUNT, REGION, Stack, VAULT};

pub(crate) const RESTORE_ROLE: &str = "arn:aws:iam::111122223333:role/restore";

/// All that a restore does as its role, in the form of AWS's managed policy.
pub(crate) const RESTORE_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Resource":"arn:aws:dynamodb:*:*:table/*",
     "Action":["dynamodb:Scan","dynamodb:Query","dynamodb:UpdateItem","dynamodb:PutItem","dynamodb:GetItem",
               "dynamodb:DeleteItem","dynamodb:BatchWriteItem","dynamodb:DescribeTable"]},
    {"Effect":"Allow","Action":"dynamodb:RestoreTableFromBackup","Resource":"arn:aws:dynamodb:*:*:table/*/backup/*"},
    {"Effect":"Allow","Action":"dynamodb:RestoreTableFromAwsBackup","Resource":"arn:aws:dynamodb:*:*:table/*"},
    {"Effect":"Allow","Action":"kms:DescribeKey","Resource":"*"},
    {"Effect":"Allow","Resource":"*",
     "Action":["kms:Decrypt","kms:Encrypt","kms:GenerateDataKey","kms:ReEncryptTo","kms:ReEncryptFrom",
               "kms:GenerateDataKeyWithoutPlaintext"],
     "Condition":{"StringLike":{"kms:ViaService":["dynamodb.*.amazonaws.com","ec2.*.amazonaws.com"]}}},
    {"Effect":"Allow","Action":"kms:CreateGrant","Resource":"*",
     "Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}]}"#;

/// A stack with the role that restores run as.
pub(crate) async fn stack() -> Result<Stack> {
    let stack = Stack::start().await?;
    stack.role("restore", r#"{"Service":"backup.amazonaws.com"}"#, RESTORE_POLICY).await?;
    Ok(stack)
}

/// A recovery point of a table as it is now; its ARN.
pub(crate) async fn point(stack: &Stack, table: &str) -> Result<String> {
    point_in(stack, table, VAULT).await
}

pub(crate) async fn point_in(stack: &Stack, table: &str, vault: &str) -> Result<String> {
    let started = stack.start_backup(&arn(table)).backup_vault_name(vault).send().await?;
    stack.pass(100).await;
    let job = stack.backup.describe_backup_job().backup_job_id(started.backup_job_id().context("id")?);
    job.send().await?.recovery_point_arn.context("no recovery point")
}

/// A stack with a recovery point of a table `orders` with three items.
pub(crate) async fn backed_up() -> Result<(Stack, String)> {
    let stack = stack().await?;
    stack.table("orders", 3, &[("team", "shop")]).await?;
    let point = point(&stack, "orders").await?;
    Ok((stack, point))
}

pub(crate) fn arn(table: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}")
}

/// A restore into a table `restored`, with nothing special about it, not sent yet.
pub(crate) fn restore(stack: &Stack, point: &str) -> StartRestoreJobFluentBuilder {
    stack
        .backup
        .start_restore_job()
        .recovery_point_arn(point)
        .iam_role_arn(RESTORE_ROLE)
        .metadata("targetTableName", "restored")
}

/// Starts a restore; its job's id.
pub(crate) async fn start(restore: StartRestoreJobFluentBuilder) -> Result<String> {
    restore.send().await?.restore_job_id.context("a restore without a job")
}

/// Starts a restore and lets its time pass; how it ended.
pub(crate) async fn run(
    stack: &Stack,
    restore: StartRestoreJobFluentBuilder,
) -> Result<DescribeRestoreJobOutput> {
    let id = start(restore).await?;
    stack.pass(100).await;
    job(stack, &id).await
}

pub(crate) async fn job(stack: &Stack, id: &str) -> Result<DescribeRestoreJobOutput> {
    Ok(stack.backup.describe_restore_job().restore_job_id(id).send().await?)
}

/// Status and message of a job.
pub(crate) fn outcome(job: &DescribeRestoreJobOutput) -> (&str, &str) {
    let status = job.status().map_or("none", |status| status.as_str());
    (status, job.status_message().unwrap_or_default())
}

/// A table's description, if it is there.
pub(crate) async fn described(stack: &Stack, table: &str) -> Option<TableDescription> {
    stack.dynamodb.describe_table().table_name(table).send().await.ok()?.table
}
