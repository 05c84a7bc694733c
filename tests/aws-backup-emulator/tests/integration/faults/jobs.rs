//! Faults of copies, restores and deletes.

use super::*;
use crate::copies::{self, Scene};
use crate::ends::{delete, status, with_point};
use crate::restores;

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_job_ends_as_a_fault_says() -> Result<()> {
    let scene = Scene::start().await?;
    set(
        &scene.stack,
        r#"[{"operation": "StartCopyJob", "count": 1, "effect": "job_failed", "message": "No.", "category": "TAG_COPY_ERROR"},
            {"operation": "StartCopyJob", "count": 1, "effect": "job_partial"}]"#,
    )
    .await?;
    let points = || scene.west.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send();
    let failed = scene.copied(scene.copy()).await?;
    assert_eq!(copies::ending(&failed), ("FAILED", "TAG_COPY_ERROR", "No."));
    assert_eq!(points().await?.recovery_points().len(), 0);
    let partial = scene.copied(scene.copy()).await?;
    let message = "Copy job completed partially.";
    assert_eq!(copies::ending(&partial), ("PARTIAL", "MISCELLANEOUS", message));
    let left = points().await?.recovery_points.context("no points")?;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].recovery_point_arn(), partial.destination_recovery_point_arn());
    assert_eq!(left[0].status(), Some(&aws_sdk_backup::types::RecoveryPointStatus::Partial));
    let sound = scene.copied(scene.copy()).await?;
    assert_eq!(copies::ending(&sound), ("COMPLETED", "SUCCESS", ""));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_job_ends_as_a_fault_says_and_leaves_no_table() -> Result<()> {
    let (stack, point) = restores::backed_up().await?;
    set(
        &stack,
        r#"[{"operation": "StartRestoreJob", "count": 1, "effect": "job_failed"},
            {"operation": "StartRestoreJob", "count": 1, "effect": "job_aborted"}]"#,
    )
    .await?;
    for (status, message) in [
        ("FAILED", "Restore job encountered a fatal error."),
        ("ABORTED", "Restore job was stopped by user."),
    ] {
        let ended = restores::run(&stack, restores::restore(&stack, &point)).await?;
        assert_eq!(restores::outcome(&ended), (status, message));
        assert_eq!(ended.created_resource_arn(), None);
        assert!(restores::described(&stack, "restored").await.is_none(), "{status}");
    }
    let sound = restores::run(&stack, restores::restore(&stack, &point)).await?;
    assert_eq!(restores::outcome(&sound), ("COMPLETED", ""));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_leaves_a_point_expired_when_a_fault_says_so() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    set(&stack, r#"[{"operation": "DeleteRecoveryPoint", "count": 1, "effect": "delete_expired"}]"#).await?;
    let vault = stack.backup.delete_recovery_point().backup_vault_name("missing");
    assert!(vault.recovery_point_arn(&point).send().await.is_err());
    // What is refused uses up no fault.
    assert_eq!(strikes(&stack).await?, [0]);
    let deleting =
        || stack.backup.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn(&point);
    deleting().send().await?;
    let expired = aws_sdk_backup::types::RecoveryPointStatus::Expired;
    assert_eq!(status(&stack, &point).await?, Some(expired));
    deleting().send().await?;
    stack.pass(60).await;
    assert_eq!(status(&stack, &point).await?, None);
    assert!(delete(&stack, &point).await.starts_with("400 ResourceNotFoundException"));
    Ok(())
}
