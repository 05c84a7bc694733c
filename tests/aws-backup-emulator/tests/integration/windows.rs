//! One job of a table at a time, and the windows in which a job must start and complete.

use anyhow::{Context as _, Result};
use aws_sdk_backup::primitives::DateTime;

use crate::stack::{ACCOUNT, REGION, Stack};

const BUSY: &str = "Backup job failed because there was a running job for the same resource.";

/// A local AWS where a job takes this many minutes and one of the table `orders` has been accepted: that table and the job.
async fn slow(minutes: u32) -> Result<(Stack, String, String)> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.control("PUT", "/jobs", &format!(r#"{{"backup_seconds": {}}}"#, minutes * 60)).await?;
    let job = stack.start_backup(&table).send().await?.backup_job_id.context("id")?;
    stack.pass(1).await;
    Ok((stack, table, job))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_backup_job_of_a_table_runs_at_a_time() -> Result<()> {
    let (stack, orders, first) = slow(120).await?;
    let second = stack.start_backup(&orders).send().await?.backup_job_id.context("id")?;
    let users = stack.table("users", 1, &[]).await?;
    let other = stack.start_backup(&users).send().await?.backup_job_id.context("id")?;
    for (minutes, states) in [
        (30, ["RUNNING", "CREATED", "RUNNING"]),
        (95, ["COMPLETED", "RUNNING", "COMPLETED"]),
        (120, ["COMPLETED", "COMPLETED", "COMPLETED"]),
    ] {
        stack.pass(minutes * 60).await;
        let found = [stack.job(&first).await?.0, stack.job(&second).await?.0, stack.job(&other).await?.0];
        assert_eq!(found, states);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_start_is_tried_again_every_10_minutes() -> Result<()> {
    // The first runs to 08:00:00; the second is tried at 06:24:01 and every 10 minutes from then.
    let (stack, orders, _) = slow(120).await?;
    let second = stack.start_backup(&orders).send().await?;
    stack.pass(3 * 3600).await;
    let point = stack.describe_point(second.recovery_point_arn().context("arn")?).send().await?;
    let began = "2025-01-06T08:04:01Z".parse::<jiff::Timestamp>()?;
    assert_eq!(point.creation_date(), Some(&DateTime::from_secs(began.as_second())));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_another_to_the_end_of_its_start_window_ends_expired() -> Result<()> {
    let (stack, orders, _) = slow(120).await?;
    let second = stack.start_backup(&orders).start_window_minutes(60).send().await?;
    let second = second.backup_job_id.context("id")?;
    stack.pass(59 * 60).await;
    assert_eq!(stack.job(&second).await?.0, "CREATED");
    stack.pass(60).await;
    assert_eq!(stack.job(&second).await?, ("EXPIRED".to_owned(), BUSY.to_owned()));
    let described = stack.backup.describe_backup_job().backup_job_id(&second).send().await?;
    assert_eq!(described.message_category(), Some("CONCURRENT_JOB"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_start_in_its_window_ends_expired() -> Result<()> {
    // Ten hours, two of them waiting to start.
    let (stack, _, _) = slow(600).await?;
    let users = stack.table("users", 1, &[]).await?;
    let late = stack.start_backup(&users).start_window_minutes(60).send().await?;
    let late = late.backup_job_id.context("id")?;
    stack.pass(3600).await;
    let expired = ("EXPIRED".to_owned(), "Backup job expired before completion.".to_owned());
    assert_eq!(stack.job(&late).await?, expired);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_completion_window_counts_from_when_the_job_was_created() -> Result<()> {
    let (stack, _, _) = slow(600).await?;
    let users = stack.table("users", 1, &[]).await?;
    let late = stack.start_backup(&users).complete_window_minutes(200).send().await?;
    let (job, point) = (late.backup_job_id.context("id")?, late.recovery_point_arn.context("arn")?);
    stack.pass(199 * 60).await;
    assert_eq!(stack.job(&job).await?.0, "RUNNING");
    stack.pass(60).await;
    assert_eq!(
        stack.job(&job).await?,
        ("EXPIRED".to_owned(), "Backup job expired before completion.".to_owned())
    );
    assert!(stack.emulator.snapshot(ACCOUNT, REGION, &point).is_none());
    Ok(())
}
