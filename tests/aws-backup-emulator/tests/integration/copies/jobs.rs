//! Copy jobs: their answers, lists, waits and failures.

use aws_sdk_backup::operation::list_copy_jobs::builders::ListCopyJobsFluentBuilder;
use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::CopyJobState;

use super::*;
use crate::stack::refusal;

const TOO_MANY: (&str, &str, &str) =
    ("FAILED", "CONCURRENT_JOB", "There are too many copy jobs running for resource.");

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_job_goes_from_created_to_running_to_completed() -> Result<()> {
    let scene = Scene::start().await?;
    let id = scene.copy().send().await?.copy_job_id.context("id")?;
    let mut states = Vec::new();
    for _ in 0..3 {
        states.push(ending(&scene.job(&id).await?).0.to_owned());
        scene.stack.pass(30).await;
    }
    states.push(ending(&scene.job(&id).await?).0.to_owned());
    assert_eq!(states, ["CREATED", "RUNNING", "COMPLETED", "COMPLETED"].map(str::to_owned));
    let job = scene.job(&id).await?;
    assert_eq!(job.message_category(), Some("SUCCESS"));
    assert_eq!(
        (job.source_recovery_point_arn(), job.destination_backup_vault_arn()),
        (Some(&*scene.point), Some(WEST))
    );
    assert_eq!((job.account_id(), job.resource_arn()), (Some(ACCOUNT), Some(&*scene.table)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_arn_of_a_copy_is_told_when_its_job_has_completed() -> Result<()> {
    let scene = Scene::start().await?;
    let id = scene.copy().send().await?.copy_job_id.context("id")?;
    scene.stack.pass(30).await;
    assert_eq!(scene.job(&id).await?.destination_recovery_point_arn(), None);
    scene.stack.pass(60).await;
    assert!(scene.job(&id).await?.destination_recovery_point_arn().is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_token_of_a_copy_answers_with_the_first_job() -> Result<()> {
    let scene = Scene::start().await?;
    let first = scene.copy().idempotency_token("t").send().await?;
    let again = scene.copy().idempotency_token("t").send().await?;
    scene.stack.backup.create_backup_vault().backup_vault_name("second").send().await?;
    let second = "arn:aws:backup:eu-central-1:111122223333:backup-vault:second";
    let other = scene.copy().idempotency_token("t").destination_backup_vault_arn(second).send().await?;
    for repeat in [again, other] {
        assert_eq!(repeat.copy_job_id(), first.copy_job_id());
        assert_eq!(repeat.creation_date(), first.creation_date());
    }
    let new = scene.copy().idempotency_token("u").send().await?;
    assert_ne!(new.copy_job_id(), first.copy_job_id());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_job_that_does_not_exist_is_not_found() -> Result<()> {
    let scene = Scene::start().await?;
    let id = scene.copy().send().await?.copy_job_id.context("id")?;
    let lower = scene.job(&id.to_lowercase()).await?;
    assert_eq!(lower.copy_job_id(), Some(&*id));
    let missing = scene.stack.backup.describe_copy_job().copy_job_id("none").send().await;
    assert!(refusal(missing).starts_with("400 ResourceNotFoundException"));
    let elsewhere = scene.west.describe_copy_job().copy_job_id(&id).send().await;
    assert!(refusal(elsewhere).starts_with("400 ResourceNotFoundException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_jobs_are_listed_newest_first_by_every_filter_of_the_model() -> Result<()> {
    let scene = Scene::start().await?;
    let first = scene.copied(scene.copy()).await?.copy_job_id.context("id")?;
    let missing = "arn:aws:backup:eu-west-1:111122223333:backup-vault:missing";
    let failed = scene.copied(scene.copy().destination_backup_vault_arn(missing)).await?;
    let failed = failed.copy_job_id.context("id")?;
    let last = scene.copy().send().await?.copy_job_id.context("id")?;
    let ids = async |list: ListCopyJobsFluentBuilder| {
        let mut ids = Vec::new();
        let mut pages = list.max_results(1).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page?.copy_jobs.unwrap_or_default();
            assert!(page.len() <= 1);
            ids.extend(page.into_iter().filter_map(|job| job.copy_job_id));
        }
        anyhow::Ok(ids)
    };
    let list = || scene.stack.backup.list_copy_jobs();
    let (first, failed, last) = (first.as_str(), failed.as_str(), last.as_str());
    let all = [last, failed, first];
    let ago = |seconds| DateTime::from_secs(scene.stack.now().as_second() - seconds);
    let (since, until) = (ago(150), ago(100));
    for (filtered, expected) in [
        (list(), &all[..]),
        (list().by_resource_arn(&scene.table), &all[..]),
        (list().by_resource_arn(format!("{}2", scene.table)), &[]),
        (list().by_source_recovery_point_arn(&scene.point), &all[..]),
        (list().by_source_recovery_point_arn(WEST), &[]),
        (list().by_destination_vault_arn(missing), &[failed]),
        (list().by_state(CopyJobState::Failed), &[failed]),
        (list().by_state(CopyJobState::Created), &[last]),
        (list().by_message_category("SUCCESS"), &[first]),
        (list().by_message_category("RESOURCE_NOT_FOUND"), &[failed]),
        (list().by_message_category("ANY"), &all[..]),
        (list().by_resource_type("DynamoDB"), &all[..]),
        (list().by_resource_type("EFS"), &[]),
        (list().by_account_id(ACCOUNT), &all[..]),
        (list().by_account_id("444455556666"), &[]),
        (list().by_parent_job_id("parent"), &[]),
        (list().by_created_after(since), &[last, failed]),
        (list().by_created_before(since), &[first]),
        (list().by_complete_after(until), &[failed]),
        (list().by_complete_before(until), &[first]),
    ] {
        let asked = format!("{:?}", filtered.as_input());
        assert_eq!(ids(filtered).await?, expected, "{asked}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_copy_jobs_with_a_filter_that_breaks_the_model_is_refused() -> Result<()> {
    let stack = Stack::start().await?;
    let list = || stack.backup.list_copy_jobs();
    for wrong in [
        list().by_account_id("*"),
        list().by_resource_type("a b"),
        list().by_resource_arn("orders"),
        list().by_destination_vault_arn("dynachain"),
        list().by_source_recovery_point_arn("point"),
        list().by_state(CopyJobState::from("ABORTED")),
        list().max_results(0),
        list().next_token("x"),
    ] {
        let asked = format!("{:?}", wrong.as_input());
        let refused = refusal(wrong.send().await);
        assert!(refused.starts_with("400 InvalidParameterValueException"), "{asked}: {refused}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_jobs_are_listed_for_thirty_days() -> Result<()> {
    let scene = Scene::start().await?;
    let id = scene.copied(scene.copy()).await?.copy_job_id.context("id")?;
    scene.stack.pass(29 * 24 * 3600).await;
    assert_eq!(scene.stack.backup.list_copy_jobs().send().await?.copy_jobs().len(), 1);
    scene.stack.pass(24 * 3600).await;
    assert!(scene.stack.backup.list_copy_jobs().send().await?.copy_jobs().is_empty());
    assert_eq!(ending(&scene.job(&id).await?).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_waits_while_another_job_of_its_table_runs() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.control("PUT", "/jobs", r#"{"backup_seconds": 1200, "copy_seconds": 50}"#).await?;
    scene.stack.start_backup(&scene.table).send().await?;
    scene.stack.pass(300).await;
    let id = scene.copy().send().await?.copy_job_id.context("id")?;
    scene.stack.pass(300).await;
    assert_eq!(ending(&scene.job(&id).await?).0, "CREATED");
    scene.stack.pass(1000).await;
    assert_eq!(ending(&scene.job(&id).await?).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_cannot_start_for_two_hours_fails() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.control("PUT", "/jobs", r#"{"copy_seconds": 18000}"#).await?;
    let first = scene.copy().send().await?.copy_job_id.context("id")?;
    scene.stack.pass(3600).await;
    scene.stack.control("PUT", "/jobs", r#"{"copy_seconds": 60}"#).await?;
    let second = scene.copy().send().await?.copy_job_id.context("id")?;
    scene.stack.pass(2 * 3600 - 1).await;
    assert_eq!(ending(&scene.job(&second).await?).0, "CREATED");
    scene.stack.pass(1).await;
    assert_eq!(ending(&scene.job(&second).await?), TOO_MANY);
    assert_eq!(ending(&scene.job(&first).await?).0, "RUNNING");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_waits_while_a_copy_of_its_table_runs() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.control("PUT", "/jobs", r#"{"backup_seconds": 50, "copy_seconds": 1200}"#).await?;
    scene.copy().send().await?;
    scene.stack.pass(300).await;
    let backup = scene.stack.start_backup(&scene.table).send().await?.backup_job_id.context("id")?;
    scene.stack.pass(300).await;
    assert_eq!(scene.stack.job(&backup).await?.0, "CREATED");
    scene.stack.pass(1200).await;
    assert_eq!(scene.stack.job(&backup).await?.0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_table_in_another_region_do_not_hold_up_a_copy() -> Result<()> {
    let scene = Scene::start().await?;
    let copy = scene.copy_arn().await?;
    scene.stack.control("PUT", "/jobs", r#"{"backup_seconds": 5000}"#).await?;
    scene.stack.start_backup(&scene.table).send().await?;
    scene.stack.pass(2000).await;
    let home = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
    let back = scene.west.start_copy_job().recovery_point_arn(copy).source_backup_vault_name(VAULT);
    back.destination_backup_vault_arn(home).iam_role_arn(BACKUP_ROLE).send().await?;
    scene.stack.pass(100).await;
    let jobs = scene.west.list_copy_jobs().send().await?;
    assert_eq!(ending(&jobs.copy_jobs()[0]).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_into_a_vault_that_does_not_exist_fails() -> Result<()> {
    let scene = Scene::start().await?;
    let missing = "arn:aws:backup:eu-west-1:111122223333:backup-vault:missing";
    let job = scene.copied(scene.copy().destination_backup_vault_arn(missing)).await?;
    let message = format!("Copy job failed because backup vault {missing} does not exist.");
    assert_eq!(ending(&job), ("FAILED", "RESOURCE_NOT_FOUND", &*message));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_destination_vault_is_deleted_before_it_starts_fails() -> Result<()> {
    let scene = Scene::start().await?;
    let id = scene.copy().send().await?.copy_job_id.context("id")?;
    scene.west.delete_backup_vault().backup_vault_name(VAULT).send().await?;
    scene.stack.pass(100).await;
    assert_eq!(ending(&scene.job(&id).await?).1, "RESOURCE_NOT_FOUND");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_a_running_copy_goes_to_cannot_be_deleted() -> Result<()> {
    let scene = Scene::start().await?;
    scene.copy().send().await?;
    scene.stack.pass(30).await;
    let refused = refusal(scene.west.delete_backup_vault().backup_vault_name(VAULT).send().await);
    assert!(refused.starts_with("400 InvalidRequestException"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_job_that_fails_leaves_no_point() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.allow("backup", BACKUP_POLICY).await?;
    assert_eq!(ending(&scene.copied(scene.copy()).await?).0, "FAILED");
    let list = scene.west.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await?;
    assert!(list.recovery_points().is_empty());
    Ok(())
}
