//! Region settings, and backups without advanced features for DynamoDB.

use anyhow::{Context as _, Result};

use crate::stack::{Stack, VAULT, refusal};

/// A local AWS with a table and a completed backup of it, made with advanced features off: its job and point.
async fn plain_backup() -> Result<(Stack, String, String, String)> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 2, &[("team", "shop")]).await?;
    turn_off(&stack).await?;
    let (job, point) = stack.backed_up(&table).await?;
    Ok((stack, table, job, point))
}

async fn turn_off(stack: &Stack) -> Result<()> {
    let off = stack.backup.update_region_settings().resource_type_management_preference("DynamoDB", false);
    off.send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_begins_with_every_resource_type_on() -> Result<()> {
    let stack = Stack::start().await?;
    let settings = stack.backup.describe_region_settings().send().await?;
    let (opt_in, management) =
        (settings.resource_type_opt_in_preference(), settings.resource_type_management_preference());
    let (opt_in, management) = (opt_in.context("no types")?, management.context("no types")?);
    assert_eq!((opt_in.len(), management.len()), (17, 2));
    assert!(opt_in.values().chain(management.values()).all(|on| *on));
    assert!(opt_in.contains_key("DynamoDB") && management.contains_key("DynamoDB"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_type_that_is_not_named_keeps_its_setting() -> Result<()> {
    let stack = Stack::start().await?;
    turn_off(&stack).await?;
    let settings = stack.backup.describe_region_settings().send().await?;
    let types = settings.resource_type_management_preference().context("no types")?;
    assert_eq!((types["DynamoDB"], types["EFS"]), (false, true));
    assert!(settings.resource_type_opt_in_preference().context("no types")?.values().all(|on| *on));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_type_that_there_is_not_is_refused_and_nothing_changes() -> Result<()> {
    let stack = Stack::start().await?;
    let update = stack.backup.update_region_settings().resource_type_opt_in_preference("DynamoDB", false);
    let refused = refusal(update.resource_type_management_preference("EBS", true).send().await);
    assert!(refused.starts_with("400 InvalidParameterValueException"), "{refused}");
    let settings = stack.backup.describe_region_settings().send().await?;
    assert!(settings.resource_type_opt_in_preference().context("no types")?["DynamoDB"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn region_settings_without_either_preference_are_a_missingparametervalueexception() -> Result<()> {
    let stack = Stack::start().await?;
    let refused = refusal(stack.backup.update_region_settings().send().await);
    assert!(refused.starts_with("400 MissingParameterValueException"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_advanced_features_the_point_is_known_when_the_job_completes() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    turn_off(&stack).await?;
    let started = stack.start_backup(&table).send().await?;
    assert_eq!(started.recovery_point_arn(), None);
    let job = started.backup_job_id().context("id")?;
    let describe = || stack.backup.describe_backup_job().backup_job_id(job).send();
    stack.pass(30).await;
    assert_eq!(describe().await?.recovery_point_arn(), None);
    stack.pass(60).await;
    let done = describe().await?;
    let point = done.recovery_point_arn().context("arn")?;
    assert_eq!(stack.describe_point(point).send().await?.recovery_point_arn(), Some(point));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_advanced_features_a_point_has_no_tags() -> Result<()> {
    let (stack, table, _, point) = plain_backup().await?;
    assert!(point.starts_with(&format!("{table}/backup/")), "{point}");
    let tags = stack.backup.list_tags().resource_arn(&point).send().await;
    assert!(refusal(tags).starts_with("400 InvalidParameterValueException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_advanced_features_a_point_has_the_key_of_its_table_and_not_of_its_vault() -> Result<()> {
    let (stack, _, job, point) = plain_backup().await?;
    let described = stack.describe_point(&point).send().await?;
    let table = stack.dynamodb.describe_table().table_name("orders").send().await?;
    let key = table.table.and_then(|table| table.sse_description).and_then(|sse| sse.kms_master_key_arn);
    assert_eq!((described.encryption_key_arn(), described.encryption_key_type()), (key.as_deref(), None));
    let job = stack.backup.describe_backup_job().backup_job_id(job).send().await?;
    assert_eq!(job.encryption_key_arn(), key.as_deref());
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_ne!(vault.encryption_key_arn(), key.as_deref());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_does_not_turn_advanced_features_on() -> Result<()> {
    let (stack, ..) = plain_backup().await?;
    let settings = stack.backup.describe_region_settings().send().await?;
    assert!(!settings.resource_type_management_preference().context("no types")?["DynamoDB"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn points_made_with_advanced_features_stay_usable_without_them() -> Result<()> {
    let stack = Stack::start().await?;
    let (_, point) = stack.backed_up(&stack.table("orders", 1, &[("team", "shop")]).await?).await?;
    turn_off(&stack).await?;
    assert_eq!(stack.describe_point(&point).send().await?.recovery_point_arn(), Some(point.as_str()));
    stack.backup.tag_resource().resource_arn(&point).tags("late", "x").send().await?;
    assert_eq!(stack.backup.list_tags().resource_arn(&point).send().await?.tags.context("tags")?.len(), 2);
    Ok(())
}
