use anyhow::{Context as _, Result};
use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::{BackupJobState, RecoveryPointStatus};

use crate::stack::{ACCOUNT, BACKUP_ROLE, REGION, Stack, VAULT, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_job_goes_from_created_to_completed_and_captures_the_items() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 0, &[("team", "shop"), ("stage", "table")]).await?;
    // More than the megabyte that one page of a Scan has.
    stack.fill("orders", 0..400, 4_000).await?;
    let started = stack.start_backup(&table).recovery_point_tags("stage", "assigned").send().await?;
    let (job, point) = (started.backup_job_id().context("id")?, started.recovery_point_arn().context("arn")?);
    let describe =
        || stack.backup.describe_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point).send();
    assert_eq!(stack.job(job).await?.0, "CREATED");
    assert!(refusal(describe().await).starts_with("400 ResourceNotFoundException"));

    stack.pass(13).await;
    let running = stack.backup.describe_backup_job().backup_job_id(job).send().await?;
    assert_eq!((running.state(), running.percent_done()), (Some(&BackupJobState::Running), Some("50.0")));
    assert_eq!(running.recovery_point_arn(), Some(point));
    assert_eq!(describe().await?.status(), Some(&RecoveryPointStatus::Creating));
    let tag = stack.backup.tag_resource().resource_arn(point).tags("late", "x").send().await;
    assert!(refusal(tag).starts_with("400 InvalidParameterValueException"));
    stack.fill("orders", 400..410, 10).await?;

    stack.pass(60).await;
    let done = stack.backup.describe_backup_job().backup_job_id(job.to_lowercase()).send().await?;
    assert_eq!((done.state(), done.percent_done()), (Some(&BackupJobState::Completed), Some("100.0")));
    assert_eq!(done.completion_date(), Some(&DateTime::from_secs(stack.now().as_second() - 13)));
    let described = describe().await?;
    assert_eq!(described.status(), Some(&RecoveryPointStatus::Completed));
    assert_eq!((described.resource_name(), described.resource_arn()), (Some("orders"), Some(table.as_str())));
    assert_eq!(described.creation_date(), Some(&DateTime::from_secs(stack.now().as_second() - 61)));
    assert_eq!(described.backup_size_in_bytes(), done.backup_size_in_bytes());
    assert!(described.backup_size_in_bytes().unwrap_or_default() > 1_600_000);
    let snapshot = stack.emulator.snapshot(ACCOUNT, REGION, point).context("no snapshot")?;
    assert_eq!((snapshot.items.len(), snapshot.table.table_name()), (400, Some("orders")));

    let tags = stack.backup.list_tags().resource_arn(point).send().await?.tags.context("no tags")?;
    assert_eq!((tags.len(), tags["team"].as_str(), tags["stage"].as_str()), (2, "shop", "assigned"));
    let metadata =
        stack.backup.get_recovery_point_restore_metadata().backup_vault_name(VAULT).recovery_point_arn(point);
    assert!(
        metadata.send().await?.restore_metadata().is_some_and(|m| m.contains_key("aws:backup:request-id"))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_job_on_the_same_table_waits_and_expires_or_runs_after_the_first() -> Result<()> {
    let stack = Stack::start().await?;
    let (orders, users) = (stack.table("orders", 3, &[]).await?, stack.table("users", 3, &[]).await?);
    // 2 hours, 24 minutes of them waiting to start.
    stack.control("PUT", "/jobs", r#"{"backup_seconds": 7200}"#).await?;
    let first = stack.start_backup(&orders).send().await?.backup_job_id.context("id")?;
    stack.pass(1).await;
    let second =
        stack.start_backup(&orders).start_window_minutes(60).send().await?.backup_job_id.context("id")?;
    let third =
        stack.start_backup(&orders).start_window_minutes(240).send().await?.backup_job_id.context("id")?;
    let other = stack.start_backup(&users).send().await?.backup_job_id.context("id")?;
    stack.pass(30 * 60).await;
    let states = async || -> Result<Vec<String>> {
        let mut states = Vec::new();
        for id in [&first, &second, &third, &other] {
            states.push(stack.job(id).await?.0);
        }
        Ok(states)
    };
    assert_eq!(states().await?, ["RUNNING", "CREATED", "CREATED", "RUNNING"]);
    stack.pass(31 * 60).await;
    assert_eq!(states().await?, ["RUNNING", "EXPIRED", "CREATED", "RUNNING"]);
    let (_, message) = stack.job(&second).await?;
    assert_eq!(message, "Backup job failed because there was a running job for the same resource.");
    stack.pass(75 * 60).await;
    assert_eq!(states().await?, ["COMPLETED", "EXPIRED", "RUNNING", "COMPLETED"]);
    stack.pass(2 * 60 * 60).await;
    assert_eq!(states().await?, ["COMPLETED", "EXPIRED", "COMPLETED", "COMPLETED"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_token_starts_nothing_new() -> Result<()> {
    let stack = Stack::start().await?;
    let (orders, users) = (stack.table("orders", 3, &[]).await?, stack.table("users", 3, &[]).await?);
    let first = stack.start_backup(&orders).idempotency_token("t").send().await?;
    stack.pass(120).await;
    let again = stack.start_backup(&orders).idempotency_token("t").send().await?;
    let different = stack.start_backup(&users).idempotency_token("t").send().await?;
    let new = stack.start_backup(&orders).idempotency_token("u").send().await?;
    for repeat in [&again, &different] {
        assert_eq!(repeat.backup_job_id(), first.backup_job_id());
        assert_eq!(repeat.recovery_point_arn(), first.recovery_point_arn());
        assert_eq!(repeat.creation_date(), first.creation_date());
    }
    assert_ne!(new.backup_job_id(), first.backup_job_id());
    assert_eq!(stack.backup.list_backup_jobs().send().await?.backup_jobs().len(), 2);
    // A token is known where it was used, and only there.
    assert!(stack.backup_in("eu-west-1").list_backup_jobs().send().await?.backup_jobs().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_backed_up_fails_the_job_and_leaves_no_point() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 3, &[]).await?;
    let missing = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/missing");
    let no_vault = stack.start_backup(&table).backup_vault_name("elsewhere").send().await?;
    let no_table = stack.start_backup(&missing).send().await?;
    let role = format!("{BACKUP_ROLE}-missing");
    let no_role = stack.start_backup(&table).iam_role_arn(&role).send().await?;
    assert!(no_vault.recovery_point_arn().is_some());
    stack.pass(120).await;
    let mut failures = Vec::new();
    for started in [no_vault, no_table, no_role] {
        failures.push(stack.job(started.backup_job_id().context("id")?).await?);
    }
    let vault = "arn:aws:backup:eu-central-1:111122223333:backup-vault:elsewhere";
    let failed = |message: String| ("FAILED".to_owned(), message);
    assert_eq!(
        failures[0],
        failed(format!("Backup job failed because backup vault {vault} does not exist."))
    );
    assert_eq!(failures[1], failed("Table not found.".to_owned()));
    assert_eq!(failures[2], failed(format!("IAM Role {role} cannot be assumed by AWS Backup")));
    let points = stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await?;
    assert!(points.recovery_points().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_can_be_stopped_until_it_has_ended() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 3, &[]).await?;
    let started = stack.start_backup(&table).send().await?;
    let (job, point) = (started.backup_job_id().context("id")?, started.recovery_point_arn().context("arn")?);
    stack.pass(20).await;
    stack.backup.stop_backup_job().backup_job_id(job).send().await?;
    stack.pass(60).await;
    assert_eq!(stack.job(job).await?, ("ABORTED".to_owned(), "Backup job was stopped by user.".to_owned()));
    let gone = stack
        .backup
        .describe_recovery_point()
        .backup_vault_name(VAULT)
        .recovery_point_arn(point)
        .send()
        .await;
    assert!(refusal(gone).starts_with("400 ResourceNotFoundException"));
    let again = stack.backup.stop_backup_job().backup_job_id(job).send().await;
    assert!(refusal(again).starts_with("400 InvalidRequestException"));
    let none = stack.backup.describe_backup_job().backup_job_id("none").send().await;
    assert!(refusal(none).starts_with("400 ResourceNotFoundException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_by_filter_newest_first_for_thirty_days() -> Result<()> {
    let stack = Stack::start().await?;
    let (orders, users) = (stack.table("orders", 1, &[]).await?, stack.table("users", 1, &[]).await?);
    let old = stack.start_backup(&orders).send().await?.backup_job_id.context("id")?;
    stack.pass(29 * 24 * 3600).await;
    let middle = stack.start_backup(&users).send().await?.backup_job_id.context("id")?;
    stack.pass(100).await;
    let newest = stack.start_backup(&orders).send().await?.backup_job_id.context("id")?;
    let ids =
        async |list: aws_sdk_backup::operation::list_backup_jobs::builders::ListBackupJobsFluentBuilder| {
            let mut ids = Vec::new();
            let mut pages = list.max_results(1).into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page?.backup_jobs.unwrap_or_default();
                assert!(page.len() <= 1);
                ids.extend(page.into_iter().filter_map(|job| job.backup_job_id));
            }
            anyhow::Ok(ids)
        };
    let list = || stack.backup.list_backup_jobs();
    assert_eq!(ids(list()).await?, [newest.clone(), middle.clone(), old.clone()]);
    assert_eq!(ids(list().by_state(BackupJobState::Completed)).await?, [middle.clone(), old.clone()]);
    assert_eq!(ids(list().by_resource_arn(&users)).await?, std::slice::from_ref(&middle));
    assert_eq!(ids(list().by_message_category("SUCCESS")).await?, [middle.clone(), old.clone()]);
    let since = DateTime::from_secs(stack.now().as_second() - 200);
    assert_eq!(ids(list().by_created_after(since)).await?, [newest.clone(), middle.clone()]);
    assert_eq!(ids(list().by_complete_before(since)).await?, std::slice::from_ref(&old));
    assert!(ids(list().by_backup_vault_name("other")).await?.is_empty());
    assert!(ids(list().by_resource_type("EFS")).await?.is_empty());
    stack.pass(24 * 3600).await;
    assert_eq!(ids(list()).await?, [newest, middle]);
    assert_eq!(stack.job(&old).await?.0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_misses_a_window_expires() -> Result<()> {
    let stack = Stack::start().await?;
    let (orders, users) = (stack.table("orders", 1, &[]).await?, stack.table("users", 1, &[]).await?);
    // 10 hours, 2 of them waiting to start.
    stack.control("PUT", "/jobs", r#"{"backup_seconds": 36000}"#).await?;
    let late =
        stack.start_backup(&orders).start_window_minutes(60).send().await?.backup_job_id.context("id")?;
    let slow = stack.start_backup(&users).complete_window_minutes(200).send().await?;
    let (slow, point) = (slow.backup_job_id.context("id")?, slow.recovery_point_arn.context("arn")?);
    stack.pass(3 * 3600).await;
    let expired = ("EXPIRED".to_owned(), "Backup job expired before completion.".to_owned());
    assert_eq!(stack.job(&late).await?, expired);
    assert_eq!(stack.job(&slow).await?.0, "RUNNING");
    stack.pass(3600).await;
    assert_eq!(stack.job(&slow).await?, expired);
    assert!(stack.emulator.snapshot(ACCOUNT, REGION, &point).is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_whose_key_is_disabled_fails_the_job() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let key = stack.kms.create_key().send().await?.key_metadata.context("key")?;
    let key = key.arn.context("arn")?;
    let vault = stack.backup.create_backup_vault().backup_vault_name("keyed").encryption_key_arn(&key);
    vault.send().await?;
    let run = async || -> Result<(String, String)> {
        let started = stack.start_backup(&table).backup_vault_name("keyed").send().await?;
        stack.pass(100).await;
        stack.job(started.backup_job_id().context("id")?).await
    };
    assert_eq!(run().await?.0, "COMPLETED");
    stack.kms.disable_key().key_id(&key).send().await?;
    let message = "KMS key is either disabled or pending deletion or access to KMS key is denied";
    assert_eq!(run().await?, ("FAILED".to_owned(), message.to_owned()));
    Ok(())
}
