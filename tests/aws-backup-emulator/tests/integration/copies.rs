//! Copies of recovery points, as the documents have them: each test is one row of `docs/emulator.md`.

mod accounts;
mod events;
mod jobs;
mod permissions;
mod points;
mod quotas;

use anyhow::{Context as _, Result};
use aws_sdk_backup::Client;
use aws_sdk_backup::operation::describe_recovery_point::DescribeRecoveryPointOutput;
use aws_sdk_backup::operation::start_copy_job::builders::StartCopyJobFluentBuilder;
use aws_sdk_backup::types::{CopyJob, Lifecycle};

use crate::stack::{ACCOUNT, BACKUP_POLICY, BACKUP_ROLE, Stack, VAULT};

/// Where copies go.
const WEST: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";
/// All that a copy does as its role.
pub(crate) const COPY: &str = r#"{"Effect":"Allow","Action":"backup:CopyFromBackupVault","Resource":"arn:aws:backup:*:*:recovery-point:*"},
    {"Effect":"Allow","Action":"backup:CopyIntoBackupVault","Resource":"arn:aws:backup:*:*:backup-vault:*"}"#;

/// A role's policy with these statements beside those that backups need.
pub(crate) fn with_backups(statements: &str) -> String {
    BACKUP_POLICY.replacen('[', &format!("[{statements},"), 1)
}

/// A table with a point in the home vault, and a vault in the west for its copies.
pub(crate) struct Scene {
    pub(crate) stack: Stack,
    pub(crate) west: Client,
    pub(crate) table: String,
    pub(crate) point: String,
}

impl Scene {
    pub(crate) async fn start() -> Result<Self> {
        let stack = Stack::start().await?;
        stack.allow("backup", &with_backups(COPY)).await?;
        let west = stack.backup_in("eu-west-1");
        west.create_backup_vault().backup_vault_name(VAULT).send().await?;
        let table = stack.table("orders", 3, &[("team", "shop")]).await?;
        let lifecycle = Lifecycle::builder().delete_after_days(35).build();
        let started =
            stack.start_backup(&table).lifecycle(lifecycle).recovery_point_tags("a", "b").send().await?;
        stack.pass(100).await;
        let point = started.recovery_point_arn.context("arn")?;
        Ok(Self { stack, west, table, point })
    }

    /// A copy to the west with nothing special about it, not sent yet.
    pub(crate) fn copy(&self) -> StartCopyJobFluentBuilder {
        let copy = self.stack.backup.start_copy_job().recovery_point_arn(&self.point);
        copy.source_backup_vault_name(VAULT).destination_backup_vault_arn(WEST).iam_role_arn(BACKUP_ROLE)
    }

    /// Starts a copy and lets it run to its end.
    pub(crate) async fn copied(&self, copy: StartCopyJobFluentBuilder) -> Result<CopyJob> {
        let id = copy.send().await?.copy_job_id.context("id")?;
        self.stack.pass(100).await;
        self.job(&id).await
    }

    pub(crate) async fn job(&self, id: &str) -> Result<CopyJob> {
        let answer = self.stack.backup.describe_copy_job().copy_job_id(id).send().await?;
        answer.copy_job.context("no job")
    }

    /// A point of the west, or of whichever client is asked.
    async fn in_west(&self, arn: &str) -> Result<DescribeRecoveryPointOutput> {
        let describe = self.west.describe_recovery_point().backup_vault_name(VAULT).recovery_point_arn(arn);
        Ok(describe.send().await?)
    }

    async fn source(&self) -> Result<DescribeRecoveryPointOutput> {
        let describe = self.stack.backup.describe_recovery_point().backup_vault_name(VAULT);
        Ok(describe.recovery_point_arn(&self.point).send().await?)
    }

    /// Starts a copy and runs it to its end: the copy's ARN.
    pub(crate) async fn copy_arn(&self) -> Result<String> {
        self.copied(self.copy()).await?.destination_recovery_point_arn.context("no copy")
    }
}

/// State, category and message.
pub(crate) fn ending(job: &CopyJob) -> (&str, &str, &str) {
    let state = job.state().map_or("", |state| state.as_str());
    (state, job.message_category().unwrap_or_default(), job.status_message().unwrap_or_default())
}

/// Every item of two points, told apart by nothing but the points' ARNs.
fn hold_the_same(scene: &Scene, copy: &str) -> bool {
    let held = |region: &str, arn: &str| scene.stack.emulator.snapshot(ACCOUNT, region, arn);
    let (source, copy) = (held("eu-central-1", &scene.point), held("eu-west-1", copy));
    source.zip(copy).is_some_and(|(source, copy)| source.items.len() == 3 && source.items == copy.items)
}
