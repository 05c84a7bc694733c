//! How recovery points end, and how their lifecycles lead there.

use anyhow::{Context as _, Result, bail};
use aws_sdk_backup::operation::delete_backup_vault::DeleteBackupVaultError;
use aws_sdk_backup::operation::describe_recovery_point::DescribeRecoveryPointOutput;
use aws_sdk_backup::operation::update_recovery_point_lifecycle::builders::UpdateRecoveryPointLifecycleFluentBuilder as Update;
use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::{Lifecycle, RecoveryPointStatus, StorageClass};

use crate::stack::{BACKUP_POLICY, Stack, VAULT, refusal};

pub(crate) const DAY: i64 = 24 * 60 * 60;
const HOUR: i64 = 60 * 60;
const DELETE: &str = r#"{"Effect":"Allow","Action":"backup:DeleteRecoveryPoint","Resource":"*"}"#;
const LINKED: &str = r#"{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole",
    "Resource":"arn:aws:iam::111122223333:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup",
    "Condition":{"StringEquals":{"iam:AWSServiceName":"backup.amazonaws.com"}}}"#;

/// A lifecycle of so many days; 0 for none given.
pub(crate) fn lifecycle(cold: i64, delete: i64) -> Lifecycle {
    let given = |days: i64| Some(days).filter(|days| *days != 0);
    Lifecycle::builder()
        .set_move_to_cold_storage_after_days(given(cold))
        .set_delete_after_days(given(delete))
        .build()
}

/// A stack with one completed recovery point, which is kept so.
pub(crate) async fn with_point(lifecycle: Option<Lifecycle>) -> Result<(Stack, String)> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let started = stack.start_backup(&table).set_lifecycle(lifecycle).send().await?;
    stack.pass(100).await;
    let point = started.recovery_point_arn.context("arn")?;
    Ok((stack, point))
}

pub(crate) async fn delete(stack: &Stack, point: &str) -> String {
    delete_as(&stack.backup, point).await
}

async fn delete_as(backup: &aws_sdk_backup::Client, point: &str) -> String {
    refusal(backup.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point).send().await)
}

pub(crate) fn update(stack: &Stack, point: &str) -> Update {
    let update = stack.backup.update_recovery_point_lifecycle();
    update.backup_vault_name(VAULT).recovery_point_arn(point)
}

async fn describe(stack: &Stack, point: &str) -> Result<DescribeRecoveryPointOutput> {
    let describe = stack.backup.describe_recovery_point();
    Ok(describe.backup_vault_name(VAULT).recovery_point_arn(point).send().await?)
}

/// Its status in the description and in both lists, which must say the same; `None` when it is in none of them.
pub(crate) async fn status(stack: &Stack, point: &str) -> Result<Option<RecoveryPointStatus>> {
    let in_vault = stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT);
    let in_vault = in_vault.send().await?.recovery_points.unwrap_or_default();
    let in_vault = in_vault.into_iter().find(|p| p.recovery_point_arn() == Some(point));
    let described = describe(stack, point).await;
    let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";
    let of_table = stack.backup.list_recovery_points_by_resource().resource_arn(table);
    let of_table = of_table.send().await?.recovery_points.unwrap_or_default();
    let of_table = of_table.into_iter().find(|p| p.recovery_point_arn() == Some(point));
    let status = in_vault.and_then(|point| point.status);
    assert_eq!(of_table.and_then(|point| point.status), status);
    assert_eq!(described.ok().and_then(|point| point.status), status);
    Ok(status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_point_is_deleting_for_a_while_and_then_gone() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    assert_eq!(delete(&stack, &point).await, "no refusal at all");
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Deleting));
    stack.pass(HOUR).await;
    assert_eq!(status(&stack, &point).await?, None);
    let gone = delete(&stack, &point).await;
    assert!(gone.starts_with("400 ResourceNotFoundException"), "{gone}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_with_a_point_that_is_being_deleted_cannot_be_deleted() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    delete(&stack, &point).await;
    let vault = || stack.backup.delete_backup_vault().backup_vault_name(VAULT).send();
    let full = vault().await.unwrap_err().into_service_error();
    let DeleteBackupVaultError::InvalidRequestException(full) = full else { bail!("{full:?}") };
    let message = "Backup vault cannot be deleted because it contains recovery points.";
    assert_eq!((full.code(), full.message()), (Some("ERROR_9101"), Some(message)));
    stack.pass(HOUR).await;
    vault().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_is_being_created_or_deleted_cannot_be_deleted() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    delete(&stack, &point).await;
    let twice = delete(&stack, &point).await;
    assert!(twice.starts_with("400 InvalidResourceStateException"), "{twice}");
    let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";
    let started = stack.start_backup(table).send().await?;
    stack.pass(30).await;
    let creating = delete(&stack, started.recovery_point_arn().context("arn")?).await;
    assert!(creating.starts_with("400 InvalidResourceStateException"), "{creating}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_of_a_missing_vault_is_access_denied_and_one_elsewhere_not_found() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    stack.backup.create_backup_vault().backup_vault_name("other").send().await?;
    for (vault, code) in
        [("missing", "403 AccessDeniedException Insufficient"), ("other", "400 ResourceNotFoundException")]
    {
        let delete = stack.backup.delete_recovery_point().backup_vault_name(vault).recovery_point_arn(&point);
        let refused = refusal(delete.send().await);
        assert!(refused.starts_with(code), "{refused}");
        let refused = refusal(update(&stack, &point).backup_vault_name(vault).send().await);
        assert!(refused.starts_with(code), "{refused}");
    }
    let delete = stack.backup.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn("point");
    assert!(refusal(delete.send().await).starts_with("400 InvalidParameterValueException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_by_a_role_that_may_not_create_the_linked_role_leaves_expired() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    stack.caller("pruner", DELETE).await?;
    let pruner = stack.backup_with("pruner").await?;
    assert_eq!(delete_as(&pruner, &point).await, "no refusal at all");
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Expired));
    assert!(describe(&stack, &point).await?.status_message().is_some_and(|m| m.contains("iam:Create")));
    stack.pass(10 * DAY).await;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Expired));
    stack.allow("pruner", &format!(r#"{{"Statement":[{DELETE},{LINKED}]}}"#)).await?;
    assert_eq!(delete_as(&pruner, &point).await, "no refusal at all");
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Deleting));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_ends_expired_when_the_role_that_made_the_point_is_gone() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    stack.iam.delete_role_policy().role_name("backup").policy_name("inline").send().await?;
    stack.iam.delete_role().role_name("backup").send().await?;
    stack.emulator.forget_callers();
    assert_eq!(delete(&stack, &point).await, "no refusal at all");
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Deleting));
    stack.pass(HOUR).await;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Expired));
    let message = describe(&stack, &point).await?.status_message.context("no message")?;
    assert!(message.contains("cannot be assumed by AWS Backup"), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_point_can_be_deleted_again() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 1))).await?;
    stack.allow("backup", &BACKUP_POLICY.replace("\"dynamodb:DeleteBackup\",", "")).await?;
    stack.pass(2 * DAY).await;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Expired));
    let message = describe(&stack, &point).await?.status_message.context("no message")?;
    assert!(message.contains("dynamodb:DeleteBackup on resource: arn:aws:dynamodb:"), "{message}");
    stack.allow("backup", BACKUP_POLICY).await?;
    stack.pass(10 * DAY).await;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Expired));
    assert_eq!(delete(&stack, &point).await, "no refusal at all");
    stack.pass(HOUR).await;
    assert_eq!(status(&stack, &point).await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_points_status_is_an_event() -> Result<()> {
    let stack = Stack::start().await?;
    let record = stack.directory().join("events");
    let pattern = r#"{"source":["aws.backup"],"detail-type":["Recovery Point State Change"]}"#;
    crate::events::record(&stack, pattern, record.to_str().context("path")?).await?;
    let table = stack.table("orders", 1, &[]).await?;
    let started = stack.start_backup(&table).lifecycle(lifecycle(0, 1)).send().await?;
    let point = started.recovery_point_arn().context("arn")?;
    stack.allow("backup", &BACKUP_POLICY.replace("\"dynamodb:DeleteBackup\",", "")).await?;
    stack.pass(2 * DAY).await;
    stack.allow("backup", BACKUP_POLICY).await?;
    delete(&stack, point).await;
    stack.pass(HOUR).await;
    let events = std::fs::read_to_string(record)?;
    let events = events.lines().map(serde_json::from_str).collect::<Result<Vec<serde_json::Value>, _>>()?;
    assert!(events.iter().all(|event| event["resources"][0] == point));
    let statuses: Vec<_> = events.iter().filter_map(|event| event["detail"]["status"].as_str()).collect();
    assert_eq!(statuses, ["CREATING", "COMPLETED", "DELETING", "EXPIRED", "DELETING"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_replaces_the_whole_lifecycle_and_counts_from_creation() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(30, 200))).await?;
    let created = describe(&stack, &point).await?.creation_date.context("date")?;
    stack.pass(10 * DAY).await;
    let updated = update(&stack, &point).lifecycle(lifecycle(0, 35)).send().await?;
    assert_eq!(updated.recovery_point_arn(), Some(point.as_str()));
    assert!(updated.backup_vault_arn().is_some_and(|arn| arn.ends_with(":backup-vault:dynachain")));
    let described = describe(&stack, &point).await?;
    for (given, calculated) in [
        (updated.lifecycle(), updated.calculated_lifecycle()),
        (described.lifecycle(), described.calculated_lifecycle()),
    ] {
        assert_eq!(given, Some(&lifecycle(0, 35)));
        let calculated = calculated.context("no dates")?;
        assert_eq!(calculated.move_to_cold_storage_at(), None);
        let end = DateTime::from_millis(created.to_millis()? + 35 * DAY * 1000);
        assert_eq!(calculated.delete_at(), Some(&end));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_without_a_lifecycle_keeps_the_point_for_ever() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 1))).await?;
    let updated = update(&stack, &point).send().await?;
    assert_eq!(updated.lifecycle().and_then(Lifecycle::delete_after_days), None);
    stack.pass(1000 * DAY).await;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Completed));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifecycle_of_minus_1_keeps_the_point_for_ever() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 1))).await?;
    update(&stack, &point).lifecycle(lifecycle(-1, -1)).send().await?;
    stack.pass(1000 * DAY).await;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Completed));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifecycle_that_breaks_a_rule_is_refused() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 35))).await?;
    for (cold, end) in [(30, 119), (-2, 35), (1, 1)] {
        let refused = refusal(update(&stack, &point).lifecycle(lifecycle(cold, end)).send().await);
        assert!(refused.starts_with("400 InvalidParameterValueException Invalid lifecycle"), "{refused}");
    }
    update(&stack, &point).lifecycle(lifecycle(30, 120)).send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_of_cold_storage_cannot_change_once_a_point_is_cold() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(30, 120))).await?;
    assert_eq!(describe(&stack, &point).await?.storage_class(), Some(&StorageClass::Warm));
    stack.pass(30 * DAY).await;
    assert_eq!(describe(&stack, &point).await?.storage_class(), Some(&StorageClass::Cold));
    for (cold, end) in [(31, 200), (0, 200), (0, 0)] {
        let refused = refusal(update(&stack, &point).lifecycle(lifecycle(cold, end)).send().await);
        assert!(refused.starts_with("400 InvalidParameterValueException"), "{refused}");
    }
    update(&stack, &point).lifecycle(lifecycle(30, 200)).send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_is_not_complete_cannot_have_another_lifecycle() -> Result<()> {
    let (stack, point) = with_point(None).await?;
    let refused = async |point: &str, status: &str| {
        let refused = refusal(update(&stack, point).lifecycle(lifecycle(0, 35)).send().await);
        let expected = format!("400 InvalidRequestException Recovery point {point} is {status} ");
        assert!(refused.starts_with(&expected), "{refused}");
    };
    stack.caller("pruner", DELETE).await?;
    delete_as(&stack.backup_with("pruner").await?, &point).await;
    refused(&point, "EXPIRED").await;
    delete(&stack, &point).await;
    refused(&point, "DELETING").await;
    let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";
    let started = stack.start_backup(table).send().await?;
    stack.pass(30).await;
    refused(started.recovery_point_arn().context("arn")?, "CREATING").await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_made_without_advanced_features_has_no_cold_storage() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let off = stack.backup.update_region_settings().resource_type_management_preference("DynamoDB", false);
    off.send().await?;
    let started = stack.start_backup(&table).send().await?;
    stack.pass(100).await;
    let job = stack.backup.describe_backup_job().backup_job_id(started.backup_job_id().context("id")?);
    let point = job.send().await?.recovery_point_arn.context("arn")?;
    let updated = update(&stack, &point).lifecycle(lifecycle(30, 120)).send().await?;
    assert_eq!(updated.lifecycle(), Some(&lifecycle(0, 120)));
    stack.pass(121 * DAY).await;
    assert_eq!(status(&stack, &point).await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_expires_after_its_end_and_not_before() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 35))).await?;
    stack.pass(35 * DAY - 200).await;
    assert_eq!(status(&stack, &point).await?, Some(RecoveryPointStatus::Completed));
    stack.pass(9 * HOUR).await;
    assert_eq!(status(&stack, &point).await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lifecycle_that_was_replaced_does_nothing_any_more() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(5, 100))).await?;
    update(&stack, &point).lifecycle(lifecycle(0, 200)).send().await?;
    stack.pass(150 * DAY).await;
    let kept = describe(&stack, &point).await?;
    assert_eq!(kept.storage_class(), Some(&StorageClass::Warm));
    assert_eq!(kept.status(), Some(&RecoveryPointStatus::Completed));
    update(&stack, &point).lifecycle(lifecycle(0, 20)).send().await?;
    stack.pass(9 * HOUR).await;
    assert_eq!(status(&stack, &point).await?, None);
    Ok(())
}
