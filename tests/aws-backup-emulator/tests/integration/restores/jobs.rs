use anyhow::{Context as _, Result};
use aws_sdk_backup::operation::list_restore_jobs::builders::ListRestoreJobsFluentBuilder;
use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::RestoreJobStatus;
use aws_sdk_dynamodb::types::{IndexStatus, TableStatus, Tag};

use super::*;
use crate::stack::{BACKUP_ROLE, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_job_is_pending_then_running_then_completed() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let begun = stack.now().as_second();
    let id = start(restore(&stack, &point)).await?;
    let pending = job(&stack, &id).await?;
    assert_eq!((outcome(&pending), pending.percent_done()), (("PENDING", ""), Some("0.00%")));
    assert_eq!((pending.created_resource_arn(), pending.completion_date()), (None, None));
    assert_eq!(pending.expected_completion_time_minutes(), Some(1));
    stack.pass(12).await;
    let running = job(&stack, &id).await?;
    assert_eq!((outcome(&running), running.percent_done()), (("RUNNING", ""), Some("50.00%")));
    assert_eq!(running.created_resource_arn(), Some(arn("restored").as_str()));
    stack.pass(48).await;
    let done = job(&stack, &id.to_lowercase()).await?;
    assert_eq!((outcome(&done), done.percent_done()), (("COMPLETED", ""), Some("100.00%")));
    assert_eq!(done.creation_date(), Some(&DateTime::from_secs(begun)));
    assert_eq!(done.completion_date(), Some(&DateTime::from_secs(begun + 60)));
    assert_eq!(done.created_resource_arn(), Some(arn("restored").as_str()));
    assert_eq!((done.restore_job_id(), done.account_id()), (Some(id.as_str()), Some(ACCOUNT)));
    assert_eq!((done.recovery_point_arn(), done.iam_role_arn()), (Some(point.as_str()), Some(RESTORE_ROLE)));
    assert_eq!((done.resource_type(), done.is_parent()), (Some("DynamoDB"), false));
    assert_eq!(done.source_resource_arn(), Some(arn("orders").as_str()));
    assert_eq!(done.recovery_point_creation_date(), Some(&DateTime::from_secs(begun - 88)));
    assert!(done.backup_vault_arn().is_some_and(|vault| vault.ends_with(":backup-vault:dynachain")));
    assert!(done.backup_size_in_bytes().is_some_and(|size| size > 300));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_being_restored_is_creating_and_cannot_be_used_until_the_job_ends() -> Result<()> {
    let stack = stack().await?;
    tables::rich_table(&stack, "rich").await?;
    let point = point(&stack, "rich").await?;
    let id = start(restore(&stack, &point)).await?;
    assert!(described(&stack, "restored").await.is_none());
    stack.pass(59).await;
    let statuses = async || {
        let table = described(&stack, "restored").await.context("no table")?;
        let index = table.global_secondary_indexes()[0].index_status().cloned();
        anyhow::Ok((table.table_status().cloned(), index))
    };
    let scan = || stack.dynamodb.scan().table_name("restored").send();
    let update = || {
        let update = stack.dynamodb.update_table().table_name("restored");
        update.deletion_protection_enabled(true).send()
    };
    let team = Tag::builder().key("team").value("shop").build()?;
    let tag = || stack.dynamodb.tag_resource().resource_arn(arn("restored")).tags(team.clone()).send();
    assert_eq!(statuses().await?, (Some(TableStatus::Creating), Some(IndexStatus::Creating)));
    assert!(scan().await.is_err_and(|e| e.into_service_error().is_resource_not_found_exception()));
    assert!(update().await.is_err_and(|e| e.into_service_error().is_resource_in_use_exception()));
    assert!(tag().await.is_err_and(|e| e.into_service_error().is_resource_in_use_exception()));
    stack.pass(1).await;
    assert_eq!(outcome(&job(&stack, &id).await?).0, "COMPLETED");
    assert_eq!(statuses().await?, (Some(TableStatus::Active), Some(IndexStatus::Active)));
    assert_eq!(scan().await?.count(), 2);
    update().await?;
    tag().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_restore_time_of_a_point_is_when_a_restore_completed() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let last = async || -> Result<Option<DateTime>> {
        let point = stack.backup.describe_recovery_point().recovery_point_arn(&point);
        Ok(point.backup_vault_name(VAULT).send().await?.last_restore_time)
    };
    start(restore(&stack, &point)).await?;
    stack.pass(59).await;
    assert_eq!(last().await?, None);
    stack.pass(1).await;
    let completed = Some(DateTime::from_secs(stack.now().as_second()));
    assert_eq!(last().await?, completed);
    assert_eq!(outcome(&run(&stack, restore(&stack, &point)).await?).0, "FAILED");
    assert_eq!(last().await?, completed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_token_answers_with_the_first_restore_job() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let with = |token: &str| start(restore(&stack, &point).idempotency_token(token));
    let first = with("once").await?;
    assert_eq!(with("once").await?, first);
    stack.pass(100).await;
    let other = restore(&stack, &point).idempotency_token("once").metadata("encryptionType", "Default");
    assert_eq!(start(other).await?, first);
    assert_ne!(with("twice").await?, first);
    assert_eq!(stack.backup.list_restore_jobs().send().await?.restore_jobs().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_a_restore_job_is_given_as_it_was_sent() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let restore = restore(&stack, &point).metadata("ENCRYPTIONTYPE", "Default");
    let id = start(restore).await?;
    let answer = stack.backup.get_restore_job_metadata().restore_job_id(&id).send().await?;
    let metadata = answer.metadata().context("no metadata")?;
    assert_eq!((metadata.len(), metadata["targetTableName"].as_str()), (2, "restored"));
    assert_eq!(
        (metadata["ENCRYPTIONTYPE"].as_str(), answer.restore_job_id()),
        ("Default", Some(id.as_str()))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_job_or_point_that_is_not_there_is_not_found() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let missing = format!("{point}0");
    let refused = [
        refusal(restore(&stack, &missing).send().await),
        refusal(stack.backup.describe_restore_job().restore_job_id("none").send().await),
        refusal(stack.backup.get_restore_job_metadata().restore_job_id("none").send().await),
        refusal(stack.backup_in("eu-west-1").describe_restore_job().restore_job_id("none").send().await),
    ];
    for refused in refused {
        assert!(refused.starts_with("400 ResourceNotFoundException"), "{refused}");
    }
    Ok(())
}

async fn ids(list: ListRestoreJobsFluentBuilder) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    let mut pages = list.max_results(1).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page?.restore_jobs.unwrap_or_default();
        assert!(page.len() <= 1);
        ids.extend(page.into_iter().filter_map(|job| job.restore_job_id));
    }
    Ok(ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_jobs_are_listed_by_every_filter_newest_first() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let old = start(restore(&stack, &point)).await?;
    stack.pass(40 * 24 * 3600).await;
    // Its table is there already.
    let failed = start(restore(&stack, &point)).await?;
    stack.pass(100).await;
    let newest = start(restore(&stack, &point).metadata("targetTableName", "other")).await?;
    let list = || stack.backup.list_restore_jobs();
    assert_eq!(ids(list()).await?, [newest.clone(), failed.clone(), old.clone()]);
    assert_eq!(ids(list().by_status(RestoreJobStatus::Failed)).await?, std::slice::from_ref(&failed));
    assert_eq!(ids(list().by_status(RestoreJobStatus::Pending)).await?, std::slice::from_ref(&newest));
    let since = DateTime::from_secs(stack.now().as_second() - 200);
    assert_eq!(ids(list().by_created_after(since)).await?, [newest.clone(), failed.clone()]);
    assert_eq!(ids(list().by_created_before(since)).await?, std::slice::from_ref(&old));
    assert_eq!(ids(list().by_complete_after(since)).await?, std::slice::from_ref(&failed));
    assert_eq!(ids(list().by_complete_before(since)).await?, std::slice::from_ref(&old));
    assert_eq!(ids(list().by_account_id(ACCOUNT).by_resource_type("DynamoDB")).await?.len(), 3);
    let plan = "arn:aws:backup:eu-central-1:111122223333:restore-testing-plan:p";
    let none = [
        list().by_account_id("999999999999"),
        list().by_resource_type("EFS"),
        list().by_restore_testing_plan_arn(plan),
        list().by_parent_job_id("parent"),
    ];
    for list in none {
        assert!(ids(list).await?.is_empty());
    }
    let bad = [
        list().by_account_id("*"),
        list().by_resource_type("a b"),
        list().by_status("CREATED".into()),
        list().by_restore_testing_plan_arn("plan"),
        list().max_results(1001),
        list().next_token("x"),
    ];
    for list in bad {
        let refused = refusal(list.send().await);
        assert!(refused.starts_with("400 InvalidParameterValueException"), "{refused}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_needs_startrestorejob_on_the_point_and_may_pass_the_role() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let allow = |resource: &str| {
        format!(r#"{{"Effect":"Allow","Action":"backup:StartRestoreJob","Resource":"{resource}"}}"#)
    };
    let pass = format!(
        r#"{{"Effect":"Allow","Action":"iam:PassRole","Resource":"{RESTORE_ROLE}",
            "Condition":{{"StringEquals":{{"iam:PassedToService":"backup.amazonaws.com"}}}}}}"#
    );
    let policy = |statements: &[&str]| format!(r#"{{"Statement":[{}]}}"#, statements.join(","));
    stack.caller("restorer", &pass).await?;
    let caller = stack.backup_with("restorer").await?;
    let attempt = async |role: &str| {
        let restore = caller.start_restore_job().recovery_point_arn(&point).iam_role_arn(role);
        refusal(restore.metadata("targetTableName", "restored").send().await)
    };
    let other = format!("{point}0");
    for statements in [vec![pass.as_str()], vec![pass.as_str(), &allow(&other)]] {
        stack.allow("restorer", &policy(&statements)).await?;
        let denied = attempt(RESTORE_ROLE).await;
        assert!(denied.contains(&format!("backup:StartRestoreJob on resource: {point}")), "{denied}");
    }
    stack.allow("restorer", &policy(&[&allow(&point)])).await?;
    assert!(attempt(RESTORE_ROLE).await.contains("iam:PassRole"), "without PassRole");
    stack.allow("restorer", &policy(&[&allow(&point), &pass])).await?;
    assert!(attempt(BACKUP_ROLE).await.contains("iam:PassRole"), "another role");
    assert_eq!(attempt(RESTORE_ROLE).await, "no refusal at all");
    Ok(())
}
