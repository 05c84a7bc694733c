//! Lists of jobs and of recovery points.

use anyhow::{Context as _, Result};
use aws_sdk_backup::operation::list_backup_jobs::builders::ListBackupJobsFluentBuilder as ListJobs;
use aws_sdk_backup::operation::list_recovery_points_by_backup_vault::builders::ListRecoveryPointsByBackupVaultFluentBuilder as ListPoints;
use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::{BackupJobState, Lifecycle};

use crate::stack::{Stack, VAULT, refusal};

const DAY: i64 = 24 * 3600;

/// Ids of jobs, from pages of one.
async fn ids(list: ListJobs) -> Result<Vec<String>> {
    let (mut ids, mut pages) = (Vec::new(), list.max_results(1).into_paginator().send());
    while let Some(page) = pages.next().await {
        let page = page?.backup_jobs.unwrap_or_default();
        assert!(page.len() <= 1);
        ids.extend(page.into_iter().filter_map(|job| job.backup_job_id));
    }
    Ok(ids)
}

/// ARNs of points, from pages of two.
async fn arns(list: ListPoints) -> Result<Vec<String>> {
    let (mut arns, mut pages) = (Vec::new(), list.max_results(2).into_paginator().send());
    while let Some(page) = pages.next().await {
        let page = page?.recovery_points.unwrap_or_default();
        assert!(page.len() <= 2);
        arns.extend(page.into_iter().filter_map(|point| point.recovery_point_arn));
    }
    Ok(arns)
}

fn points(stack: &Stack) -> ListPoints {
    stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT)
}

/// A job of 29 days ago, one of another table, and one that has just been accepted; newest first.
async fn three_jobs() -> Result<(Stack, [String; 3], String)> {
    let stack = Stack::start().await?;
    let (orders, users) = (stack.table("orders", 1, &[]).await?, stack.table("users", 1, &[]).await?);
    let (old, _) = stack.backed_up(&orders).await?;
    stack.pass(29 * DAY - 100).await;
    let (middle, _) = stack.backed_up(&users).await?;
    let newest = stack.start_backup(&orders).send().await?.backup_job_id.context("id")?;
    Ok((stack, [newest, middle, old], users))
}

/// Five points of two tables, newest first, and these tables: the third is of `users`.
async fn five_points() -> Result<(Stack, Vec<String>, [String; 2])> {
    let stack = Stack::start().await?;
    let (orders, users) = (stack.table("orders", 1, &[]).await?, stack.table("users", 1, &[]).await?);
    let mut made = Vec::new();
    for table in [&orders, &orders, &users, &orders, &orders] {
        made.insert(0, stack.backed_up(table).await?.1);
    }
    Ok((stack, made, [orders, users]))
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_newest_first_in_pages() -> Result<()> {
    let (stack, jobs, _) = three_jobs().await?;
    assert_eq!(ids(stack.backup.list_backup_jobs()).await?, jobs);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_for_30_days_and_described_for_longer() -> Result<()> {
    let (stack, [newest, middle, old], _) = three_jobs().await?;
    stack.pass(DAY).await;
    assert_eq!(ids(stack.backup.list_backup_jobs()).await?, [newest, middle]);
    assert_eq!(stack.job(&old).await?.0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_by_state_table_vault_type_category_account_and_dates() -> Result<()> {
    let (stack, [newest, middle, old], users) = three_jobs().await?;
    let list = || stack.backup.list_backup_jobs();
    let ended = [middle.clone(), old.clone()];
    assert_eq!(ids(list().by_state(BackupJobState::Completed)).await?, ended);
    assert_eq!(ids(list().by_resource_arn(&users)).await?, std::slice::from_ref(&middle));
    assert_eq!(ids(list().by_message_category("SUCCESS")).await?, ended);
    assert_eq!(ids(list().by_message_category("*")).await?.len(), 3);
    assert_eq!(ids(list().by_backup_vault_name(VAULT)).await?.len(), 3);
    assert_eq!(ids(list().by_resource_type("DynamoDB")).await?.len(), 3);
    assert_eq!(ids(list().by_account_id("111122223333")).await?.len(), 3);
    let since = DateTime::from_secs(stack.now().as_second() - 200);
    assert_eq!(ids(list().by_created_after(since)).await?, [newest, middle]);
    assert_eq!(ids(list().by_created_before(since)).await?, std::slice::from_ref(&old));
    assert_eq!(ids(list().by_complete_before(since)).await?, std::slice::from_ref(&old));
    assert_eq!(ids(list().by_complete_after(since)).await?.len(), 1);
    for none in [
        list().by_backup_vault_name("other"),
        list().by_resource_type("EFS"),
        list().by_account_id("444455556666"),
        list().by_parent_job_id("parent"),
    ] {
        assert!(ids(none).await?.is_empty());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_filter_leaves_out_what_is_of_the_very_moment_that_it_names() -> Result<()> {
    let stack = Stack::start().await?;
    let (job, point) = stack.backed_up(&stack.table("orders", 1, &[]).await?).await?;
    let job = stack.backup.describe_backup_job().backup_job_id(job).send().await?;
    let created = *job.creation_date().context("no date")?;
    let list = || stack.backup.list_backup_jobs();
    assert!(ids(list().by_created_after(created)).await?.is_empty());
    assert!(ids(list().by_created_before(created)).await?.is_empty());
    let point = stack.describe_point(&point).send().await?;
    let created = *point.creation_date().context("no date")?;
    assert!(arns(points(&stack).by_created_after(created)).await?.is_empty());
    assert!(arns(points(&stack).by_created_before(created)).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_or_page_size_that_breaks_the_model_is_refused() -> Result<()> {
    let stack = Stack::start().await?;
    for path in [
        "/backup-jobs/?state=DONE",
        "/backup-jobs/?accountId=1",
        "/backup-jobs/?resourceArn=orders",
        "/backup-jobs/?resourceType=Dynamo%20DB",
        "/backup-jobs/?backupVaultName=a.b",
        "/backup-jobs/?createdAfter=yesterday",
        "/backup-jobs/?maxResults=0",
        "/backup-jobs/?nextToken=x",
        "/backup-vaults/dynachain/recovery-points/?resourceArn=orders",
        "/backup-vaults/dynachain/recovery-points/?resourceType=",
        "/backup-vaults/dynachain/recovery-points/?createdBefore=soon",
        "/backup-vaults/dynachain/recovery-points/?parentRecoveryPointArn=none",
        "/backup-vaults/dynachain/recovery-points/?maxResults=1001",
        "/backup-vaults/a.b/recovery-points/",
        "/resources/orders/recovery-points/",
        "/resources/arn%3Aaws%3Adynamodb%3Aeu-central-1%3A1%3Atable%2Fo/recovery-points/?managedByAWSBackupOnly=2",
        "/backup-vaults/?maxResults=many",
    ] {
        let answer = stack.raw("GET", path, "").await?;
        let empty = path.ends_with('=');
        assert_eq!(
            answer.contains("x-amzn-errortype: InvalidParameterValueException"),
            !empty,
            "{path}: {answer}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_listed_newest_first_in_pages() -> Result<()> {
    let (stack, made, _) = five_points().await?;
    assert_eq!(arns(points(&stack)).await?, made);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_listed_by_table_type_and_dates_and_none_is_of_a_plan() -> Result<()> {
    let (stack, made, [_, users]) = five_points().await?;
    let list = || points(&stack);
    assert_eq!(arns(list().by_resource_arn(&users)).await?, [made[2].clone()]);
    assert_eq!(arns(list().by_resource_type("DynamoDB")).await?, made);
    let middle = DateTime::from_secs(stack.now().as_second() - 250);
    assert_eq!(arns(list().by_created_after(middle)).await?, made[..2]);
    assert_eq!(arns(list().by_created_before(middle)).await?, made[2..]);
    assert!(arns(list().by_resource_type("EFS")).await?.is_empty());
    assert!(arns(list().by_backup_plan_id("plan")).await?.is_empty());
    assert!(arns(list().by_parent_recovery_point_arn(&made[0])).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn listrecoverypointsbyresource_gives_neither_vault_nor_table_of_a_dynamodb_point() -> Result<()> {
    let (stack, made, [orders, _]) = five_points().await?;
    let list = || stack.backup.list_recovery_points_by_resource().resource_arn(&orders).max_results(3);
    let first = list().send().await?;
    let second = list().set_next_token(first.next_token.clone()).send().await?;
    let all: Vec<_> = first.recovery_points().iter().chain(second.recovery_points()).collect();
    let arns: Vec<_> = all.iter().filter_map(|point| point.recovery_point_arn()).collect();
    assert_eq!(arns, [&made[0], &made[1], &made[3], &made[4]]);
    assert!(all.iter().all(|point| point.backup_vault_name().is_none()));
    let raw =
        stack.raw("GET", &format!("/resources/{}/recovery-points", orders.replace('/', "%2F")), "").await?;
    assert!(!raw.contains("BackupVaultName") && !raw.contains("ResourceArn"), "{raw}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_points_has_an_empty_list() -> Result<()> {
    let stack = Stack::start().await?;
    let missing = "arn:aws:dynamodb:eu-central-1:111122223333:table/missing";
    let list = stack.backup.list_recovery_points_by_resource().resource_arn(missing).send().await?;
    assert!(list.recovery_points().is_empty() && list.next_token().is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_is_found_in_its_own_vault_only() -> Result<()> {
    let stack = Stack::start().await?;
    stack.backup.create_backup_vault().backup_vault_name("other").send().await?;
    let (_, point) = stack.backed_up(&stack.table("orders", 1, &[]).await?).await?;
    stack.describe_point(&point).send().await?;
    let elsewhere = refusal(stack.describe_point(&point).backup_vault_name("other").send().await);
    assert!(elsewhere.starts_with("400 ResourceNotFoundException"), "{elsewhere}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_with_a_lifecycle_tells_the_moments_that_follow_from_it() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let days = Lifecycle::builder().move_to_cold_storage_after_days(30).delete_after_days(120).build();
    let started = stack.start_backup(&table).lifecycle(days).send().await?;
    stack.pass(100).await;
    let point = stack.describe_point(started.recovery_point_arn().context("arn")?).send().await?;
    let created = point.creation_date().context("no date")?.secs();
    let moments = point.calculated_lifecycle().context("no moments")?;
    assert_eq!(moments.move_to_cold_storage_at(), Some(&DateTime::from_secs(created + 30 * DAY)));
    assert_eq!(moments.delete_at(), Some(&DateTime::from_secs(created + 120 * DAY)));
    let (_, plain) = stack.backed_up(&table).await?;
    let plain = stack.describe_point(&plain).send().await?;
    assert_eq!((plain.lifecycle(), plain.calculated_lifecycle()), (None, None));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_vaults_list_is_refused() -> Result<()> {
    let (stack, _, [orders, users]) = five_points().await?;
    stack.backup.create_backup_vault().backup_vault_name("other").send().await?;
    let token = points(&stack).max_results(1).send().await?.next_token.context("token")?;
    assert!(points(&stack).next_token(&token).send().await.is_ok());
    let other = points(&stack).backup_vault_name("other").next_token(&token).send().await;
    assert!(refusal(other).starts_with("400 InvalidParameterValueException"));
    let of = |table: &str| stack.backup.list_recovery_points_by_resource().resource_arn(table);
    let token = of(&orders).max_results(1).send().await?.next_token.context("token")?;
    assert!(refusal(of(&users).next_token(&token).send().await).starts_with("400 InvalidParameterValue"));
    let jobs = stack.backup.list_backup_jobs().max_results(1).send().await?.next_token.context("token")?;
    let west = stack.backup_in("eu-west-1").list_backup_jobs().next_token(jobs).send().await;
    assert!(refusal(west).starts_with("400 InvalidParameterValueException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn managedbyawsbackuponly_leaves_out_no_point_of_aws_backup() -> Result<()> {
    let (stack, made, [orders, _]) = five_points().await?;
    let list = || stack.backup.list_recovery_points_by_resource().resource_arn(&orders);
    for only in [true, false] {
        let listed = list().managed_by_aws_backup_only(only).send().await?;
        let arns: Vec<_> =
            listed.recovery_points().iter().filter_map(|point| point.recovery_point_arn()).collect();
        assert_eq!(arns, [&made[0], &made[1], &made[3], &made[4]], "{only}");
    }
    Ok(())
}
