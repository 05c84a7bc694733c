use anyhow::{Context as _, Result};

use super::*;

const KEY_ERROR: &str = "KMS key is either disabled or pending deletion or access to KMS key is denied";

/// The job failed with these words, and neither it nor the local AWS has a table to show.
async fn assert_failed(stack: &Stack, job: &DescribeRestoreJobOutput, says: &str) {
    let (status, message) = outcome(job);
    assert_eq!(status, "FAILED", "{message}");
    assert!(message.contains(says), "{message}");
    assert_eq!((job.created_resource_arn(), job.percent_done()), (None, Some("0.00%")));
    assert!(job.completion_date().is_some());
    assert!(described(stack, "restored").await.is_none(), "a table is left over");
}

#[tokio::test(flavor = "multi_thread")]
async fn copysourcetagstorestoredresource_fails_a_restore() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let tags = restore(&stack, &point).copy_source_tags_to_restored_resource(true);
    assert_failed(&stack, &run(&stack, tags).await?, "tags cannot be copied").await;
    let without = restore(&stack, &point).copy_source_tags_to_restored_resource(false);
    assert_eq!(outcome(&run(&stack, without).await?).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_fails_when_its_role_may_not_do_what_a_restore_does() -> Result<()> {
    let (stack, point) = backed_up().await?;
    for action in ["RestoreTableFromAwsBackup", "BatchWriteItem", "DescribeTable"] {
        stack.allow("restore", &RESTORE_POLICY.replace(action, "ListTables")).await?;
        let job = run(&stack, restore(&stack, &point)).await?;
        let says =
            format!("is not authorized to perform: dynamodb:{action} on resource: {}", arn("restored"));
        assert_failed(&stack, &job, &says).await;
    }
    stack.allow("restore", RESTORE_POLICY).await?;
    for role in ["missing", "untrusting"] {
        if role == "untrusting" {
            stack.role(role, r#"{"Service":"lambda.amazonaws.com"}"#, RESTORE_POLICY).await?;
        }
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        let job = run(&stack, restore(&stack, &point).iam_role_arn(&role)).await?;
        assert_failed(&stack, &job, &format!("IAM Role {role} cannot be assumed by AWS Backup")).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_into_a_table_that_exists_fails_and_leaves_it_alone() -> Result<()> {
    let (stack, point) = backed_up().await?;
    stack.table("restored", 1, &[]).await?;
    let before = described(&stack, "restored").await;
    let failed = run(&stack, restore(&stack, &point)).await?;
    assert_eq!(outcome(&failed), ("FAILED", "Table already exists: restored"));
    assert_eq!(described(&stack, "restored").await, before);
    let twice = [
        start(restore(&stack, &point).metadata("targetTableName", "new")).await?,
        start(restore(&stack, &point).metadata("targetTableName", "new")).await?,
    ];
    stack.pass(100).await;
    let [first, second] = [job(&stack, &twice[0]).await?, job(&stack, &twice[1]).await?];
    let mut statuses = [outcome(&first).0, outcome(&second).0];
    statuses.sort_unstable();
    assert_eq!(statuses, ["COMPLETED", "FAILED"]);
    Ok(())
}

/// Deletes the table that is being restored, which takes more than the right to do it.
async fn delete_while_creating(stack: &Stack) -> Result<()> {
    let refused = stack.dynamodb.delete_table().table_name("restored").send().await;
    assert!(refused.is_err_and(|e| e.into_service_error().is_resource_in_use_exception()));
    stack.table_status("ACTIVE", &arn("restored")).await?;
    stack.dynamodb.delete_table().table_name("restored").send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_deleted_during_its_restore_fails_the_job() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let id = start(restore(&stack, &point)).await?;
    stack.pass(30).await;
    delete_while_creating(&stack).await?;
    stack.pass(60).await;
    assert_failed(&stack, &job(&stack, &id).await?, "Table not found.").await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_another_made_during_a_restore_fails_the_job_and_stays() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let id = start(restore(&stack, &point)).await?;
    stack.pass(30).await;
    delete_while_creating(&stack).await?;
    stack.table("restored", 1, &[]).await?;
    let theirs = described(&stack, "restored").await;
    stack.pass(60).await;
    let failed = job(&stack, &id).await?;
    assert_eq!(outcome(&failed).0, "FAILED");
    assert!(outcome(&failed).1.contains("not the one that the restore job has created"));
    assert_eq!(failed.created_resource_arn(), None);
    assert_eq!(described(&stack, "restored").await, theirs);
    assert_eq!(stack.dynamodb.scan().table_name("restored").send().await?.count(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_with_a_missing_or_disabled_key_fails() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let key = encryption::key(&stack).await?;
    stack.kms.disable_key().key_id(&key).send().await?;
    let missing = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000");
    for key in [&key, &missing] {
        let keyed =
            restore(&stack, &point).metadata("encryptionType", "KMS").metadata("kmsMasterKeyArn", key);
        assert_failed(&stack, &run(&stack, keyed).await?, KEY_ERROR).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_fails_when_the_originals_key_is_disabled() -> Result<()> {
    let stack = stack().await?;
    let key = encryption::key(&stack).await?;
    encryption::keyed_table(&stack, "orders", Some(&key)).await?;
    let point = point(&stack, "orders").await?;
    stack.kms.disable_key().key_id(&key).send().await?;
    assert_failed(&stack, &run(&stack, restore(&stack, &point)).await?, KEY_ERROR).await;
    let owned = restore(&stack, &point).metadata("encryptionType", "Default");
    assert_eq!(outcome(&run(&stack, owned).await?).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_disabled_during_a_restore_fails_it_and_no_table_stays() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let key = encryption::key(&stack).await?;
    let keyed = restore(&stack, &point).metadata("encryptionType", "KMS").metadata("kmsMasterKeyArn", &key);
    let id = start(keyed).await?;
    stack.pass(30).await;
    described(&stack, "restored").await.context("no table")?;
    stack.kms.disable_key().key_id(&key).send().await?;
    stack.pass(60).await;
    assert_failed(&stack, &job(&stack, &id).await?, KEY_ERROR).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_in_a_vault_whose_key_is_disabled_cannot_be_restored() -> Result<()> {
    let stack = stack().await?;
    stack.table("orders", 1, &[]).await?;
    let key = encryption::key(&stack).await?;
    let vault = stack.backup.create_backup_vault().backup_vault_name("keyed").encryption_key_arn(&key);
    vault.send().await?;
    let point = point_in(&stack, "orders", "keyed").await?;
    stack.kms.disable_key().key_id(&key).send().await?;
    assert_failed(&stack, &run(&stack, restore(&stack, &point)).await?, KEY_ERROR).await;
    stack.kms.enable_key().key_id(&key).send().await?;
    assert_eq!(outcome(&run(&stack, restore(&stack, &point)).await?).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_fails_when_its_role_may_not_use_the_key() -> Result<()> {
    let (stack, point) = backed_up().await?;
    let key = encryption::key(&stack).await?;
    for action in ["kms:DescribeKey", "kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext"] {
        stack.allow("restore", &RESTORE_POLICY.replace(action, "kms:ListKeys")).await?;
        let keyed =
            restore(&stack, &point).metadata("encryptionType", "KMS").metadata("kmsMasterKeyArn", &key);
        let says = format!("is not authorized to perform: {action} on resource: {key}");
        assert_failed(&stack, &run(&stack, keyed).await?, &says).await;
    }
    Ok(())
}
