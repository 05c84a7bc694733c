use anyhow::{Context as _, Result};
use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::{BackupJobState, RecoveryPointStatus};

use crate::stack::{ACCOUNT, BACKUP_ROLE, REGION, START, Stack, VAULT, refusal};

/// A local AWS with two tables and a job of the first that has been accepted: its id and its point.
async fn accepted() -> Result<(Stack, String, String)> {
    let stack = Stack::start().await?;
    let started = stack.start_backup(&stack.table("orders", 3, &[]).await?).send().await?;
    Ok((stack, started.backup_job_id.context("id")?, started.recovery_point_arn.context("arn")?))
}

/// So many seconds after the start of the emulated time.
fn after_start(seconds: i64) -> Option<DateTime> {
    let start = START.parse::<jiff::Timestamp>().ok()?;
    Some(DateTime::from_secs(start.as_second() + seconds))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_job_is_created_runs_and_completes() -> Result<()> {
    let (stack, job, point) = accepted().await?;
    let describe = || stack.backup.describe_backup_job().backup_job_id(&job).send();
    let created = describe().await?;
    assert_eq!((created.state(), created.completion_date()), (Some(&BackupJobState::Created), None));
    stack.pass(20).await;
    let running = describe().await?;
    assert_eq!(running.state(), Some(&BackupJobState::Running));
    assert_eq!(running.expected_completion_date(), after_start(60).as_ref());
    stack.pass(40).await;
    let done = describe().await?;
    assert_eq!((done.state(), done.message_category()), (Some(&BackupJobState::Completed), Some("SUCCESS")));
    assert_eq!(done.completion_date(), after_start(60).as_ref());
    let described = stack.describe_point(&point).send().await?;
    assert_eq!(described.status(), Some(&RecoveryPointStatus::Completed));
    assert_eq!(described.completion_date(), done.completion_date());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_waits_a_fifth_of_its_time_before_it_runs() -> Result<()> {
    let stack = Stack::start().await?;
    stack.control("PUT", "/jobs", r#"{"backup_seconds": 1000}"#).await?;
    let job = stack.start_backup(&stack.table("orders", 1, &[]).await?).send().await?;
    let job = job.backup_job_id.context("id")?;
    for (passed, state) in [(199, "CREATED"), (1, "RUNNING"), (799, "RUNNING"), (1, "COMPLETED")] {
        stack.pass(passed).await;
        assert_eq!(stack.job(&job).await?.0, state);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn percentdone_is_text_and_50_0_while_the_job_runs() -> Result<()> {
    let (stack, job, _) = accepted().await?;
    for (passed, percent) in [(0, "0.0"), (20, "50.0"), (80, "100.0")] {
        stack.pass(passed).await;
        let described = stack.backup.describe_backup_job().backup_job_id(&job).send().await?;
        assert_eq!(described.percent_done(), Some(percent));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_arn_of_the_point_is_in_the_answer_to_startbackupjob() -> Result<()> {
    let (stack, job, point) = accepted().await?;
    assert!(point.starts_with("arn:aws:backup:eu-central-1:111122223333:recovery-point:"), "{point}");
    let described = stack.backup.describe_backup_job().backup_job_id(&job).send().await?;
    assert_eq!(described.recovery_point_arn(), Some(point.as_str()));
    assert!(refusal(stack.describe_point(&point).send().await).starts_with("400 ResourceNotFoundException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_is_there_and_being_created_from_the_moment_its_job_runs() -> Result<()> {
    let (stack, _, point) = accepted().await?;
    stack.pass(13).await;
    let described = stack.describe_point(&point).send().await?;
    assert_eq!(described.status(), Some(&RecoveryPointStatus::Creating));
    assert_eq!((described.completion_date(), described.backup_size_in_bytes()), (None, None));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_creation_date_of_a_point_is_the_moment_its_job_began_to_run() -> Result<()> {
    let (stack, _, point) = accepted().await?;
    stack.pass(100).await;
    let described = stack.describe_point(&point).send().await?;
    assert_eq!(described.creation_date(), after_start(12).as_ref());
    assert_eq!(described.initiation_date(), after_start(0).as_ref());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_every_item_that_was_there_when_its_job_began_to_run() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 0, &[]).await?;
    // More than the megabyte that one page of a Scan has.
    stack.fill("orders", 0..400, 4_000).await?;
    let started = stack.start_backup(&table).send().await?;
    stack.pass(13).await;
    stack.fill("orders", 400..410, 10).await?;
    stack.pass(60).await;
    let point = started.recovery_point_arn().context("arn")?;
    let snapshot = stack.emulator.snapshot(ACCOUNT, REGION, point).context("no snapshot")?;
    assert_eq!((snapshot.items.len(), snapshot.table.table_name()), (400, Some("orders")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_job_and_its_point_have_the_size_of_the_items() -> Result<()> {
    let (stack, job, point) = accepted().await?;
    stack.pass(100).await;
    // Three items of the attributes id and text, of 6 and 100 bytes.
    let size = 3 * (2 + 6 + 4 + 100);
    let done = stack.backup.describe_backup_job().backup_job_id(&job).send().await?;
    assert_eq!((done.backup_size_in_bytes(), done.bytes_transferred()), (Some(size), Some(size)));
    assert_eq!(stack.describe_point(&point).send().await?.backup_size_in_bytes(), Some(size));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_id_is_in_upper_case_and_is_found_in_either_case() -> Result<()> {
    let (stack, job, _) = accepted().await?;
    assert_eq!(job, job.to_uppercase());
    let found = stack.backup.describe_backup_job().backup_job_id(job.to_lowercase()).send().await?;
    assert_eq!(found.backup_job_id(), Some(job.as_str()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_restore_metadata_of_a_point_is_the_id_of_its_request_alone() -> Result<()> {
    let (stack, job, point) = accepted().await?;
    stack.pass(100).await;
    let metadata = stack
        .backup
        .get_recovery_point_restore_metadata()
        .backup_vault_name(VAULT)
        .recovery_point_arn(&point);
    let metadata = metadata.send().await?;
    let expected =
        std::collections::HashMap::from([("aws:backup:request-id".to_owned(), job.to_lowercase())]);
    assert_eq!(metadata.restore_metadata(), Some(&expected));
    assert_eq!(
        (metadata.resource_type(), metadata.recovery_point_arn()),
        (Some("DynamoDB"), Some(point.as_str()))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_has_the_key_of_its_vault() -> Result<()> {
    let (stack, _, point) = accepted().await?;
    stack.pass(100).await;
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    let described = stack.describe_point(&point).send().await?;
    assert!(described.is_encrypted());
    assert_eq!(described.encryption_key_arn(), vault.encryption_key_arn());
    Ok(())
}

/// State, message and category of a job that was given these and had its time.
async fn ended(
    stack: &Stack,
    start: aws_sdk_backup::operation::start_backup_job::builders::StartBackupJobFluentBuilder,
) -> Result<[String; 3]> {
    let started = start.send().await?;
    stack.pass(100).await;
    let job = stack.backup.describe_backup_job().backup_job_id(started.backup_job_id().context("id")?);
    let job = job.send().await?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Ok([
        text(job.state().map(BackupJobState::as_str)),
        text(job.status_message()),
        text(job.message_category()),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_into_a_vault_that_does_not_exist_is_accepted_and_fails() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let vault = "arn:aws:backup:eu-central-1:111122223333:backup-vault:elsewhere";
    assert_eq!(
        ended(&stack, stack.start_backup(&table).backup_vault_name("elsewhere")).await?,
        [
            "FAILED",
            &format!("Backup job failed because backup vault {vault} does not exist."),
            "RESOURCE_NOT_FOUND"
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_table_that_does_not_exist_is_accepted_and_fails() -> Result<()> {
    let stack = Stack::start().await?;
    let missing = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/missing");
    assert_eq!(
        ended(&stack, stack.start_backup(&missing)).await?,
        ["FAILED", "Table not found.", "RESOURCE_NOT_FOUND"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_table_that_is_being_created_fails() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    crate::stack::http(stack.local_aws(), "PUT", &format!("/_local/tables/CREATING/{table}"), "").await?;
    let [state, message, _] = ended(&stack, stack.start_backup(&table)).await?;
    assert_eq!(state, "FAILED");
    assert!(message.contains("CREATING"), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_role_that_does_not_exist_is_accepted_and_fails() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let role = format!("{BACKUP_ROLE}-missing");
    assert_eq!(
        ended(&stack, stack.start_backup(&table).iam_role_arn(&role)).await?,
        ["FAILED", &format!("IAM Role {role} cannot be assumed by AWS Backup"), "ACCESS_DENIED"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_role_does_not_trust_aws_backup_fails() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.role("untrusting", r#"{"Service":"lambda.amazonaws.com"}"#, crate::stack::BACKUP_POLICY).await?;
    let role = "arn:aws:iam::111122223333:role/untrusting";
    assert_eq!(
        ended(&stack, stack.start_backup(&table).iam_role_arn(role)).await?,
        ["FAILED", &format!("IAM Role {role} cannot be assumed by AWS Backup"), "ACCESS_DENIED"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_role_lacks_a_permission_fails_and_says_which() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    for action in [
        "\"dynamodb:DescribeTable\",",
        "\"dynamodb:CreateBackup\",",
        "\"dynamodb:ListTagsOfResource\",",
        ",\"dynamodb:StartAwsBackupJob\"",
        "\"backup:DescribeBackupVault\"",
        "\"backup:TagResource\"",
    ] {
        let action_name = action.trim_matches([',', '"']);
        let without = match action_name.split_once(':') {
            Some(("backup", _)) => crate::stack::BACKUP_POLICY.replace(action_name, "backup:None"),
            _ => crate::stack::BACKUP_POLICY.replace(action_name, "dynamodb:None"),
        };
        assert_ne!(without, crate::stack::BACKUP_POLICY);
        stack.allow("backup", &without).await?;
        let [state, message, category] = ended(&stack, stack.start_backup(&table)).await?;
        assert_eq!((state.as_str(), category.as_str()), ("FAILED", "ACCESS_DENIED"), "{action}");
        assert!(message.contains(&format!("is not authorized to perform: {action_name} on ")), "{message}");
    }
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
    let start = || stack.start_backup(&table).backup_vault_name("keyed");
    assert_eq!(ended(&stack, start()).await?[0], "COMPLETED");
    stack.kms.disable_key().key_id(&key).send().await?;
    let message = "KMS key is either disabled or pending deletion or access to KMS key is denied";
    assert_eq!(ended(&stack, start()).await?, ["FAILED", message, "KMS_KEY_ERROR"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_complete_leaves_no_point() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let failing = stack.start_backup(&table).iam_role_arn(format!("{BACKUP_ROLE}-missing")).send().await?;
    stack.pass(100).await;
    let stopped = stack.start_backup(&table).send().await?;
    stack.pass(20).await;
    stack.backup.stop_backup_job().backup_job_id(stopped.backup_job_id().context("id")?).send().await?;
    stack.pass(100).await;
    for started in [failing, stopped] {
        let described = stack.describe_point(started.recovery_point_arn().context("arn")?).send().await;
        assert!(refusal(described).starts_with("400 ResourceNotFoundException"));
    }
    let points = stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await?;
    assert!(points.recovery_points().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_can_be_stopped() -> Result<()> {
    let (stack, job, point) = accepted().await?;
    stack.pass(20).await;
    stack.backup.stop_backup_job().backup_job_id(&job).send().await?;
    stack.pass(60).await;
    assert_eq!(stack.job(&job).await?, ("ABORTED".to_owned(), "Backup job was stopped by user.".to_owned()));
    assert!(stack.emulator.snapshot(ACCOUNT, REGION, &point).is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_can_be_stopped() -> Result<()> {
    let (stack, job, _) = accepted().await?;
    stack.backup.stop_backup_job().backup_job_id(&job).send().await?;
    assert_eq!(stack.job(&job).await?.0, "ABORTING");
    stack.pass(60).await;
    assert_eq!(stack.job(&job).await?.0, "ABORTED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_has_ended_or_is_being_stopped_cannot_be_stopped() -> Result<()> {
    let (stack, job, _) = accepted().await?;
    let stop = || stack.backup.stop_backup_job().backup_job_id(&job).send();
    stop().await?;
    assert!(refusal(stop().await).starts_with("400 InvalidRequestException"));
    stack.pass(100).await;
    assert!(refusal(stop().await).starts_with("400 InvalidRequestException"));
    Ok(())
}
