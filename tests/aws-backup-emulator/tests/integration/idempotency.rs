use anyhow::{Context as _, Result};
use futures::future::try_join_all;

use crate::stack::{BACKUP_ROLE, Stack, VAULT};

/// A local AWS with a table, and the job that the token `t` has made of it.
async fn used_token() -> Result<(Stack, String, String)> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let job = stack.start_backup(&table).idempotency_token("t").send().await?.backup_job_id.context("id")?;
    stack.pass(120).await;
    Ok((stack, table, job))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_idempotency_token_answers_with_the_first_job() -> Result<()> {
    let (stack, table, first) = used_token().await?;
    let again = stack.start_backup(&table).idempotency_token("t").send().await?;
    let described = stack.backup.describe_backup_job().backup_job_id(&first).send().await?;
    assert_eq!(again.backup_job_id(), Some(first.as_str()));
    assert_eq!(again.recovery_point_arn(), described.recovery_point_arn());
    assert_eq!(again.creation_date(), described.creation_date());
    let new = stack.start_backup(&table).idempotency_token("u").send().await?;
    assert_ne!(new.backup_job_id(), Some(first.as_str()));
    assert_eq!(stack.backup.list_backup_jobs().send().await?.backup_jobs().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_token_counts_whatever_else_the_request_says() -> Result<()> {
    let (stack, _, first) = used_token().await?;
    let users = stack.table("users", 1, &[]).await?;
    let other =
        stack.start_backup(&users).backup_vault_name("elsewhere").idempotency_token("t").send().await?;
    assert_eq!(other.backup_job_id(), Some(first.as_str()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_token_does_not_lapse() -> Result<()> {
    let (stack, table, first) = used_token().await?;
    stack.pass(366 * 24 * 3600).await;
    let again = stack.start_backup(&table).idempotency_token("t").send().await?;
    assert_eq!(again.backup_job_id(), Some(first.as_str()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_token_belongs_to_its_region() -> Result<()> {
    let (stack, table, first) = used_token().await?;
    let west =
        stack.backup_in("eu-west-1").start_backup_job().backup_vault_name(VAULT).iam_role_arn(BACKUP_ROLE);
    let west =
        west.resource_arn(table.replace("eu-central-1", "eu-west-1")).idempotency_token("t").send().await?;
    assert_ne!(west.backup_job_id(), Some(first.as_str()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_idempotency_token_counts_as_none() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let start = || stack.start_backup(&table).idempotency_token("").send();
    assert_ne!(start().await?.backup_job_id(), start().await?.backup_job_id());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_sent_many_times_at_once_makes_one_job() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let (_, point) = stack.backed_up(&table).await?;
    let backup = || stack.start_backup(&table).idempotency_token("t").send();
    let backups = try_join_all((0..20).map(|_| backup())).await?;
    assert!(backups.iter().all(|job| job.backup_job_id == backups[0].backup_job_id));
    assert_eq!(stack.backup.list_backup_jobs().send().await?.backup_jobs().len(), 2);
    let restore = || {
        let restore = stack.backup.start_restore_job().recovery_point_arn(&point).iam_role_arn(BACKUP_ROLE);
        restore.metadata("targetTableName", "restored").idempotency_token("t").send()
    };
    let restores = try_join_all((0..20).map(|_| restore())).await?;
    assert!(restores.iter().all(|job| job.restore_job_id == restores[0].restore_job_id));
    assert_eq!(stack.backup.list_restore_jobs().send().await?.restore_jobs().len(), 1);
    let hold =
        || stack.backup.create_legal_hold().title("case").description("42").idempotency_token("t").send();
    let holds = try_join_all((0..20).map(|_| hold())).await?;
    assert!(holds.iter().all(|hold| hold.legal_hold_id == holds[0].legal_hold_id));
    assert_eq!(stack.backup.list_legal_holds().send().await?.legal_holds().len(), 1);
    Ok(())
}
