//! The AWS CLI and its models, which are stricter about an answer's shape than the Rust SDK.

use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::restores;
use crate::stack::{BACKUP_ROLE, REGION, Stack, VAULT, root};

fn run(stack: &Stack, program: &str, arguments: &[&str]) -> Result<Output> {
    let output = Command::new(root().join(".venv/bin").join(program))
        .args(arguments)
        .env("AWS_ENDPOINT_URL_BACKUP", stack.emulator.backup_endpoint())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("HOME", stack.directory())
        .output()?;
    Ok(output)
}

pub(crate) fn cli(stack: &Stack, arguments: &[&str]) -> Result<Value> {
    let output = run(stack, "aws", &[&["--output", "json", "backup"], arguments].concat())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "aws backup {}: {said}", arguments.join(" "));
    if output.stdout.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&output.stdout)?) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_cli_works_the_emulator() -> Result<()> {
    let stack = restores::stack().await?;
    let table = stack.table("orders", 1, &[("team", "shop")]).await?;
    let vault = ["--backup-vault-name", VAULT];
    let start = ["--resource-arn", &table, "--iam-role-arn", BACKUP_ROLE, "--recovery-point-tags", "a=b"];
    let started = cli(&stack, &[&["start-backup-job"], &vault[..], &start[..]].concat())?;
    let (job, point) = (&started["BackupJobId"], &started["RecoveryPointArn"]);
    let (job, point) = (job.as_str().context("id")?, point.as_str().context("arn")?);
    stack.pass(100).await;
    assert_eq!(cli(&stack, &["describe-backup-job", "--backup-job-id", job])?["State"], "COMPLETED");
    assert_eq!(
        cli(&stack, &["list-backup-jobs", "--by-state", "COMPLETED"])?["BackupJobs"][0]["BackupJobId"],
        job
    );
    let points = cli(&stack, &[&["list-recovery-points-by-backup-vault"], &vault[..]].concat())?;
    assert_eq!(points["RecoveryPoints"][0]["RecoveryPointArn"], point);
    let by_table = cli(&stack, &["list-recovery-points-by-resource", "--resource-arn", &table])?;
    assert_eq!(by_table["RecoveryPoints"][0]["RecoveryPointArn"], point);
    let of_point = [&vault[..], &["--recovery-point-arn", point]].concat();
    assert_eq!(cli(&stack, &[&["describe-recovery-point"], &of_point[..]].concat())?["Status"], "COMPLETED");
    cli(&stack, &[&["get-recovery-point-restore-metadata"], &of_point[..]].concat())?;
    let restore = ["--recovery-point-arn", point, "--iam-role-arn", restores::RESTORE_ROLE];
    let metadata = ["--metadata", "targetTableName=restored,encryptionType=Default"];
    let restore = cli(&stack, &[&["start-restore-job"], &restore[..], &metadata[..]].concat())?;
    let restore = ["--restore-job-id", restore["RestoreJobId"].as_str().context("id")?];
    stack.pass(100).await;
    let restored = cli(&stack, &[&["describe-restore-job"], &restore[..]].concat())?;
    assert_eq!((&restored["Status"], &restored["PercentDone"]), (&"COMPLETED".into(), &"100.00%".into()));
    assert_eq!(cli(&stack, &["list-restore-jobs"])?["RestoreJobs"][0], restored);
    let metadata = cli(&stack, &[&["get-restore-job-metadata"], &restore[..]].concat())?;
    assert_eq!(metadata["Metadata"]["targetTableName"], "restored");
    cli(&stack, &["tag-resource", "--resource-arn", point, "--tags", "c=d"])?;
    cli(&stack, &["untag-resource", "--resource-arn", point, "--tag-key-list", "a"])?;
    let tags = cli(&stack, &["list-tags", "--resource-arn", point])?;
    assert_eq!(tags["Tags"], serde_json::json!({ "c": "d", "team": "shop" }));
    assert_eq!(cli(&stack, &["list-backup-vaults"])?["BackupVaultList"][0]["BackupVaultName"], VAULT);
    assert_eq!(cli(&stack, &[&["describe-backup-vault"], &vault[..]].concat())?["NumberOfRecoveryPoints"], 1);
    let on = ["--resource-type-opt-in-preference", "DynamoDB=true"];
    cli(&stack, &[&["update-region-settings"], &on[..]].concat())?;
    assert_eq!(
        cli(&stack, &["describe-region-settings"])?["ResourceTypeManagementPreference"]["DynamoDB"],
        true
    );
    let refused =
        cli(&stack, &["delete-backup-vault", "--backup-vault-name", VAULT]).unwrap_err().to_string();
    let words = "(InvalidRequestException) when calling the DeleteBackupVault operation: Backup vault cannot be deleted because";
    assert!(refused.contains(words), "{refused}");
    let missing =
        cli(&stack, &["describe-backup-vault", "--backup-vault-name", "missing"]).unwrap_err().to_string();
    let words =
        "(AccessDeniedException) when calling the DescribeBackupVault operation: Insufficient privileges";
    assert!(missing.contains(words), "{missing}");
    let west = "arn:aws:backup:eu-central-1:111122223333:backup-vault:copies";
    cli(&stack, &["create-backup-vault", "--backup-vault-name", "copies"])?;
    let copy = ["start-copy-job", "--recovery-point-arn", point, "--source-backup-vault-name", VAULT];
    let to = ["--destination-backup-vault-arn", west, "--iam-role-arn", BACKUP_ROLE];
    let copy = cli(&stack, &[&copy[..], &to[..]].concat())?;
    let copy = copy["CopyJobId"].as_str().context("id")?;
    assert_eq!(cli(&stack, &["describe-copy-job", "--copy-job-id", copy])?["CopyJob"]["State"], "CREATED");
    let copies = cli(&stack, &["list-copy-jobs", "--by-destination-vault-arn", west])?;
    assert_eq!(copies["CopyJobs"][0]["CopyJobId"], copy);
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"backup:StartBackupJob","Resource":"*"}]}"#;
    cli(&stack, &[&["put-backup-vault-access-policy", "--policy", deny], &vault[..]].concat())?;
    assert_eq!(cli(&stack, &[&["get-backup-vault-access-policy"], &vault[..]].concat())?["Policy"], deny);
    cli(&stack, &[&["delete-backup-vault-access-policy"], &vault[..]].concat())?;
    let unknown = cli(&stack, &["list-backup-plans"]).unwrap_err();
    assert!(unknown.to_string().contains("NotImplementedException"), "{unknown}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_nothing_wrong_with_the_answers() -> Result<()> {
    let stack = restores::stack().await?;
    let script = root().join("tests/aws-backup-emulator/tests/integration/validate.py");
    let table = stack.table("orders", 1, &[("team", "shop")]).await?;
    for lifecycle in [None, Some(35)] {
        let lifecycle =
            lifecycle.map(|days| aws_sdk_backup::types::Lifecycle::builder().delete_after_days(days).build());
        let started = stack.start_backup(&table).set_lifecycle(lifecycle).send().await?;
        stack.pass(100).await;
        let point = started.recovery_point_arn().context("arn")?;
        // The second one finds its table there.
        restores::run(&stack, restores::restore(&stack, point)).await?;
    }
    stack.start_backup(&table).send().await?;
    let output = run(&stack, "python", &[script.to_str().context("path")?, VAULT, &table])?;
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("answers checked"), "{said}");
    Ok(())
}
