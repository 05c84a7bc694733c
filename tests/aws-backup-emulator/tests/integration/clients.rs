//! boto3 and the AWS CLI, whose service model is stricter about an answer's shape than the Rust SDK.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::copies;
use crate::restores;
use crate::stack::{BACKUP_ROLE, REGION, Stack, root};

/// What a script beside this file says, which must end well.
pub(crate) fn script(stack: &Stack, name: &str, arguments: &[&str]) -> Result<String> {
    let scripts = root().join("tests/aws-backup-emulator/tests/integration");
    let output = Command::new(root().join(".venv/bin/python"))
        .arg(scripts.join(name))
        .args(arguments)
        .env("AWS_ENDPOINT_URL", stack.local_aws())
        .env("AWS_ENDPOINT_URL_BACKUP", stack.emulator.backup_endpoint())
        .env("DYNACHAIN_CONTROL", stack.emulator.control_endpoint())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_PAGER", "")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", stack.directory())
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let failed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} {}:\n{said}{failed}", arguments.join(" "));
    Ok(said)
}

async fn life(client: &str) -> Result<()> {
    let stack = restores::stack().await?;
    stack.allow("backup", &copies::with_backups(copies::COPY)).await?;
    let table = stack.table("orders", 3, &[("team", "shop")]).await?;
    let said = script(&stack, "life.py", &[client, &table, BACKUP_ROLE, restores::RESTORE_ROLE])?;
    said.contains("refusals checked").then_some(()).context(said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_point_lives_its_whole_life_with_boto3() -> Result<()> {
    life("boto3").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_point_lives_its_whole_life_with_the_aws_cli() -> Result<()> {
    life("cli").await
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_break_the_model_are_found_out() -> Result<()> {
    let stack = Stack::start().await?;
    script(&stack, "test_validate.py", &[]).map(|_| ())
}
