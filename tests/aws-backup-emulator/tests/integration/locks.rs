//! Vault locks.

use anyhow::{Context as _, Result};
use aws_sdk_backup::operation::put_backup_vault_lock_configuration::builders::PutBackupVaultLockConfigurationFluentBuilder as Put;
use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::{Lifecycle, RecoveryPointStatus};

use crate::ends::{DAY, delete, lifecycle, status, update, with_point};
use crate::stack::{Stack, VAULT, refusal};

fn put(stack: &Stack) -> Put {
    stack.backup.put_backup_vault_lock_configuration().backup_vault_name(VAULT)
}

async fn remove(stack: &Stack) -> String {
    refusal(stack.backup.delete_backup_vault_lock_configuration().backup_vault_name(VAULT).send().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_without_a_grace_time_is_in_governance_mode_and_can_be_removed() -> Result<()> {
    let stack = Stack::start().await?;
    put(&stack).min_retention_days(7).max_retention_days(30).send().await?;
    stack.pass(40_000 * DAY).await;
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!((vault.locked(), vault.lock_date()), (Some(true), None));
    assert_eq!((vault.min_retention_days(), vault.max_retention_days()), (Some(7), Some(30)));
    let listed = stack.backup.list_backup_vaults().send().await?;
    assert_eq!(listed.backup_vault_list()[0].locked(), Some(true));
    put(&stack).send().await?;
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!((vault.locked(), vault.min_retention_days()), (Some(true), None));
    assert_eq!(remove(&stack).await, "no refusal at all");
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!(vault.locked(), Some(false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compliance_lock_can_be_changed_and_removed_before_its_lock_date() -> Result<()> {
    let stack = Stack::start().await?;
    put(&stack).changeable_for_days(3).send().await?;
    stack.pass(3 * DAY - 1).await;
    put(&stack).changeable_for_days(5).max_retention_days(30).send().await?;
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!(vault.lock_date(), Some(&DateTime::from_secs(stack.now().as_second() + 5 * DAY)));
    stack.pass(5 * DAY - 1).await;
    assert_eq!(remove(&stack).await, "no refusal at all");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_immutable_lock_can_be_neither_changed_nor_removed() -> Result<()> {
    let stack = Stack::start().await?;
    put(&stack).changeable_for_days(3).min_retention_days(7).send().await?;
    stack.pass(3 * DAY).await;
    let longer = refusal(put(&stack).min_retention_days(8).send().await);
    assert!(longer.starts_with("400 InvalidRequestException"), "{longer}");
    let removed = remove(&stack).await;
    assert!(removed.starts_with("400 InvalidRequestException"), "{removed}");
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!((vault.locked(), vault.min_retention_days()), (Some(true), Some(7)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_vault_with_an_immutable_lock_can_be_deleted() -> Result<()> {
    let stack = Stack::start().await?;
    put(&stack).changeable_for_days(3).send().await?;
    stack.pass(4 * DAY).await;
    stack.backup.delete_backup_vault().backup_vault_name(VAULT).send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_lock_that_is_not_there_is_resource_not_found() -> Result<()> {
    let stack = Stack::start().await?;
    let removed = remove(&stack).await;
    assert!(removed.starts_with("400 ResourceNotFoundException"), "{removed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_on_a_missing_vault_is_access_denied() -> Result<()> {
    let stack = Stack::start().await?;
    let missing = put(&stack).backup_vault_name("missing").send().await;
    assert!(refusal(missing).starts_with("403 AccessDeniedException Insufficient privileges"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_job_whose_retention_a_lock_does_not_allow_fails_later() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    put(&stack).min_retention_days(7).max_retention_days(30).changeable_for_days(3).send().await?;
    for (days, state) in [(Some(6), "FAILED"), (Some(7), "COMPLETED"), (Some(31), "FAILED"), (None, "FAILED")]
    {
        let lifecycle = days.map(|days| Lifecycle::builder().delete_after_days(days).build());
        let started = stack.start_backup(&table).set_lifecycle(lifecycle).send().await?;
        let id = started.backup_job_id().context("id")?;
        assert_eq!(stack.job(id).await?.0, "CREATED");
        stack.pass(100).await;
        let (ended, message) = stack.job(id).await?;
        assert_eq!(ended, state, "{days:?}: {message}");
        if state == "FAILED" {
            assert!(message.contains("is not within the range specified for the target Backup Vault."));
            let job = stack.backup.describe_backup_job().backup_job_id(id).send().await?;
            assert_eq!(job.message_category(), Some("INVALID_LIFECYCLE"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_refuses_deletes_and_lifecycle_updates_from_the_first_moment() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 35))).await?;
    put(&stack).changeable_for_days(3).send().await?;
    for _ in 0..2 {
        let deleted = delete(&stack, &point).await;
        assert!(deleted.starts_with("400 InvalidRequestException"), "{deleted}");
        let longer = refusal(update(&stack, &point).lifecycle(lifecycle(0, 36)).send().await);
        assert!(longer.starts_with("400 InvalidRequestException"), "{longer}");
        assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Completed));
        stack.pass(4 * DAY).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_leaves_the_retention_of_the_points_that_are_there() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 2))).await?;
    put(&stack).min_retention_days(7).changeable_for_days(3).send().await?;
    stack.pass(3 * DAY).await;
    assert_eq!(status(&stack, &point).await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_can_be_deleted_once_the_lock_is_removed() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    put(&stack).send().await?;
    assert!(delete(&stack, &point).await.starts_with("400 InvalidRequestException"));
    remove(&stack).await;
    assert_eq!(delete(&stack, &point).await, "no refusal at all");
    Ok(())
}
