use anyhow::{Context as _, Result};
use aws_sdk_backup::primitives::DateTime;

use crate::stack::{Stack, VAULT, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn points_are_listed_page_by_page_and_by_filter() -> Result<()> {
    let stack = Stack::start().await?;
    let (orders, users) = (stack.table("orders", 1, &[]).await?, stack.table("users", 1, &[]).await?);
    let mut made = Vec::new();
    for table in [&orders, &orders, &users, &orders, &orders] {
        let started = stack.start_backup(table).send().await?;
        made.push(started.recovery_point_arn.context("arn")?);
        stack.pass(100).await;
    }
    made.reverse();
    let list = || stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT);
    let arns = async |list: aws_sdk_backup::operation::list_recovery_points_by_backup_vault::builders::ListRecoveryPointsByBackupVaultFluentBuilder| {
        let mut pages = list.max_results(2).into_paginator().send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page?.recovery_points.unwrap_or_default();
            assert!(page.len() <= 2);
            arns.extend(page.into_iter().filter_map(|point| point.recovery_point_arn));
        }
        anyhow::Ok(arns)
    };
    assert_eq!(arns(list()).await?, made);
    assert_eq!(arns(list().by_resource_arn(&users)).await?, [made[2].clone()]);
    assert_eq!(arns(list().by_resource_type("DynamoDB")).await?, made);
    assert!(arns(list().by_resource_type("EFS")).await?.is_empty());
    assert!(arns(list().by_backup_plan_id("plan")).await?.is_empty());
    let middle = DateTime::from_secs(stack.now().as_second() - 250);
    assert_eq!(arns(list().by_created_after(middle)).await?, made[..2]);
    assert_eq!(arns(list().by_created_before(middle)).await?, made[2..]);

    let by_table =
        stack.backup.list_recovery_points_by_resource().resource_arn(&orders).max_results(3).send().await?;
    assert_eq!((by_table.recovery_points().len(), by_table.next_token().is_some()), (3, true));
    assert!(by_table.recovery_points().iter().all(|point| point.backup_vault_name().is_none()));

    assert!(refusal(list().max_results(1001).send().await).starts_with("400 InvalidParameterValueException"));
    assert!(refusal(list().next_token("x").send().await).starts_with("400 InvalidParameterValueException"));
    let missing =
        stack.backup.list_recovery_points_by_backup_vault().backup_vault_name("missing").send().await;
    assert!(refusal(missing).starts_with("403 AccessDeniedException Insufficient privileges"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_advanced_features_there_are_other_arns_and_no_tags() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 2, &[("team", "shop")]).await?;
    let settings = stack.backup.describe_region_settings().send().await?;
    assert!(settings.resource_type_management_preference().is_some_and(|types| types["DynamoDB"]));
    let off = stack.backup.update_region_settings().resource_type_management_preference("DynamoDB", false);
    off.send().await?;
    let settings = stack.backup.describe_region_settings().send().await?;
    assert!(
        settings.resource_type_opt_in_preference().is_some_and(|types| types["DynamoDB"] && types["EFS"])
    );
    assert!(!settings.resource_type_management_preference().is_some_and(|types| types["DynamoDB"]));

    let started = stack.start_backup(&table).recovery_point_tags("a", "b").send().await?;
    assert_eq!(started.recovery_point_arn(), None);
    let job = started.backup_job_id().context("id")?;
    stack.pass(30).await;
    let running = stack.backup.describe_backup_job().backup_job_id(job).send().await?;
    assert_eq!(running.recovery_point_arn(), None);
    stack.pass(60).await;
    let done = stack.backup.describe_backup_job().backup_job_id(job).send().await?;
    let point = done.recovery_point_arn().context("arn")?;
    assert!(point.starts_with(&format!("{table}/backup/")), "{point}");
    let described = stack.backup.describe_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point);
    assert_eq!(described.send().await?.recovery_point_arn(), Some(point));
    let tags = stack.backup.list_tags().resource_arn(point).send().await;
    assert!(refusal(tags).starts_with("400 InvalidParameterValueException"));

    let strange =
        stack.backup.update_region_settings().resource_type_opt_in_preference("Dynamo", true).send().await;
    assert!(refusal(strange).starts_with("400 InvalidParameterValueException"));
    Ok(())
}
