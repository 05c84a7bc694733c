//! What a legal hold keeps from its end, and for how long.

use anyhow::{Context as _, Result};
use aws_sdk_backup::types::RecoveryPointStatus;

use crate::ends::{DAY, delete, lifecycle, status, with_point};
use crate::stack::Stack;

/// A hold in force on every point there is; its id.
async fn hold(stack: &Stack) -> Result<String> {
    let hold = stack.backup.create_legal_hold().title("case").description("42").send().await?;
    stack.pass(5).await;
    hold.legal_hold_id.context("a hold without an id")
}

async fn release(stack: &Stack, hold: &str) -> Result<()> {
    stack.backup.cancel_legal_hold().legal_hold_id(hold).cancel_description("closed").send().await?;
    stack.pass(5).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_under_a_legal_hold_cannot_be_deleted_until_the_hold_has_ended() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    let hold = hold(&stack).await?;
    let refused = "400 InvalidRequestException The recovery point cannot be deleted because it has active legal hold(s)";
    assert_eq!(delete(&stack, &point).await, refused);
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Completed));
    release(&stack, &hold).await?;
    stack
        .backup
        .delete_recovery_point()
        .backup_vault_name("dynachain")
        .recovery_point_arn(&point)
        .send()
        .await?;
    stack.pass(60).await;
    assert_eq!(status(&stack, &point).await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_under_a_legal_hold_outlives_its_retention_until_the_hold_has_ended() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 35))).await?;
    let hold = hold(&stack).await?;
    stack.pass(50 * DAY).await;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Completed));
    release(&stack, &hold).await?;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Completed));
    stack.pass(DAY + 60).await;
    assert_eq!(status(&stack, &point).await?, None);
    Ok(())
}
