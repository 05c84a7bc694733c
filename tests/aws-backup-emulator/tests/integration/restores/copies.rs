//! Restores of copies and of what lies in cold storage.

use anyhow::{Context as _, Result};
use aws_sdk_backup::types::{RestoreJobStatus, StorageClass};

use super::*;
use crate::copies::Scene;
use crate::ends::{DAY, delete, lifecycle, status, with_point};
use crate::stack::{BACKUP_ROLE, refusal};

/// A restore of a copy where it lies; how it ended.
async fn restored_in_west(
    scene: &Scene,
    copy: &str,
    encryption: Option<&str>,
) -> Result<DescribeRestoreJobOutput> {
    let restore = scene.west.start_restore_job().recovery_point_arn(copy).iam_role_arn(RESTORE_ROLE);
    let mut restore = restore.metadata("targetTableName", "restored");
    if let Some(kind) = encryption {
        restore = restore.metadata("encryptionType", kind);
    }
    let id = start(restore).await?;
    scene.stack.pass(100).await;
    Ok(scene.west.describe_restore_job().restore_job_id(id).send().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_restored_in_its_own_region_when_the_encryption_is_chosen() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.role("restore", r#"{"Service":"backup.amazonaws.com"}"#, RESTORE_POLICY).await?;
    let copy = scene.copy_arn().await?;
    let unsaid = restored_in_west(&scene, &copy, None).await?;
    let message = "An encryption key must be specified to restore a backup of a table of another Region.";
    assert_eq!(outcome(&unsaid), ("FAILED", message));
    let said = restored_in_west(&scene, &copy, Some("Default")).await?;
    assert_eq!(outcome(&said), ("COMPLETED", ""));
    let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/restored";
    assert_eq!(said.created_resource_arn(), Some(table));
    let west = aws_sdk_dynamodb::Client::new(&scene.stack.aws_in("eu-west-1"));
    assert_eq!(west.scan().table_name("restored").send().await?.count(), 3);
    assert!(described(&scene.stack, "restored").await.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_has_moved_to_cold_storage_is_restored_late_and_not_copied() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(1, 0))).await?;
    stack.role("restore", r#"{"Service":"backup.amazonaws.com"}"#, RESTORE_POLICY).await?;
    stack.pass(DAY).await;
    let cold = stack.backup.describe_recovery_point().backup_vault_name(VAULT).recovery_point_arn(&point);
    assert_eq!(cold.send().await?.storage_class(), Some(&StorageClass::Cold));
    let west = format!("arn:aws:backup:eu-west-1:{ACCOUNT}:backup-vault:{VAULT}");
    let copy = stack.backup.start_copy_job().recovery_point_arn(&point).source_backup_vault_name(VAULT);
    let copy = copy.destination_backup_vault_arn(west).iam_role_arn(BACKUP_ROLE).send().await;
    let refused = format!("Recovery point {point} is in cold storage and cannot be copied.");
    assert_eq!(refusal(copy), format!("400 InvalidRequestException {refused}"));
    let restoring = start(restore(&stack, &point)).await?;
    stack.pass(4 * 3600).await;
    assert_eq!(job(&stack, &restoring).await?.status(), Some(&RestoreJobStatus::Running));
    stack.pass(60).await;
    assert_eq!(outcome(&job(&stack, &restoring).await?), ("COMPLETED", ""));
    let items = stack.dynamodb.scan().table_name("restored").send().await.context("no table")?;
    assert_eq!(items.count(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_is_being_copied_or_restored_cannot_be_deleted() -> Result<()> {
    let scene = Scene::start().await?;
    let stack = &scene.stack;
    stack.role("restore", r#"{"Service":"backup.amazonaws.com"}"#, RESTORE_POLICY).await?;
    let being = |work: &str| {
        let message = format!("Recovery point {} is being {work}. Try again later.", scene.point);
        format!("400 InvalidResourceStateException {message}")
    };
    scene.copy().send().await?;
    assert_eq!(delete(stack, &scene.point).await, being("copied"));
    stack.pass(100).await;
    start(restore(stack, &scene.point)).await?;
    stack.pass(20).await;
    assert_eq!(delete(stack, &scene.point).await, being("restored"));
    stack.pass(100).await;
    assert_eq!(delete(stack, &scene.point).await, "no refusal at all");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_ends_by_its_own_lifecycle_whatever_becomes_of_its_source() -> Result<()> {
    let scene = Scene::start().await?;
    let copy = scene.copied(scene.copy().lifecycle(lifecycle(0, 60))).await?;
    let copy = copy.destination_recovery_point_arn.context("no copy")?;
    let describe = || scene.west.describe_recovery_point().backup_vault_name(VAULT).recovery_point_arn(&copy);
    scene.stack.pass(40 * DAY).await;
    assert_eq!(status(&scene.stack, &scene.point).await?, None);
    assert_eq!(describe().send().await?.storage_class(), Some(&StorageClass::Warm));
    scene.stack.pass(21 * DAY).await;
    let gone = refusal(describe().send().await);
    assert!(gone.starts_with("400 ResourceNotFoundException"), "{gone}");
    Ok(())
}
