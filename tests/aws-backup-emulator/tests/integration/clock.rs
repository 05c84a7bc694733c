use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use aws_backup_emulator::{Emulator, Settings, StartError};
use serde_json::{Value, json};

use crate::stack::{NOWHERE, Stack, http, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_clock_does_all_that_is_due_on_the_way() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let job = stack.start_backup(&table).send().await?.backup_job_id.context("id")?;
    let jumped = stack.control("PUT", "/clock", r#"{"now": "2025-01-13T06:00:00Z"}"#).await?;
    assert_eq!(jumped, json!({ "now": "2025-01-13T06:00:00Z", "speed": 0.0 }));
    assert_eq!(stack.job(&job).await?.0, "COMPLETED");
    let done = stack.backup.describe_backup_job().backup_job_id(&job).send().await?;
    assert_eq!(done.completion_date().map(ToString::to_string).as_deref(), Some("2025-01-06T06:01:00Z"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_clock_carries_the_jobs_along() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.control("PUT", "/jobs", r#"{"backup_seconds": 600}"#).await?;
    let job = stack.start_backup(&table).send().await?.backup_job_id.context("id")?;
    stack.control("PUT", "/clock", r#"{"speed": 3600}"#).await?;
    while stack.job(&job).await?.0 != "COMPLETED" {
        tokio::task::yield_now().await;
    }
    let done = stack.backup.describe_backup_job().backup_job_id(&job).send().await?;
    assert_eq!(done.completion_date().map(ToString::to_string).as_deref(), Some("2025-01-06T06:10:00Z"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_that_there_is_not_is_a_404_that_names_the_controls() -> Result<()> {
    let stack = Stack::start().await?;
    let answer = http(stack.emulator.control_endpoint(), "PUT", "/weather", "{}").await?;
    assert!(answer.starts_with("HTTP/1.0 404"), "{answer}");
    let unknown = stack.control("PUT", "/weather", "{}").await?;
    for control in
        ["GET /clock", "PUT /clock", "GET /jobs", "PUT /jobs", "GET /calls", "DELETE /calls", "DELETE /"]
    {
        assert!(unknown["controls"][control].is_string(), "{control}: {unknown}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_with_a_wrong_body_is_a_400_and_changes_nothing() -> Result<()> {
    let stack = Stack::start().await?;
    let before = (stack.control("GET", "/clock", "").await?, stack.control("GET", "/jobs", "").await?);
    for (path, body) in [
        ("/clock", "{}"),
        ("/clock", ""),
        ("/clock", r#"{"now": "soon"}"#),
        ("/clock", r#"{"speed": -1}"#),
        ("/clock", r#"{"speed": 1, "other": 1}"#),
        ("/jobs", r#"{"backup_minutes": 1}"#),
        ("/jobs", r#"{"backup_seconds": 604801}"#),
    ] {
        let answer = http(stack.emulator.control_endpoint(), "PUT", path, body).await?;
        assert!(answer.starts_with("HTTP/1.0 400"), "{path} {body}: {answer}");
        assert!(answer.contains(r#"{"error":""#), "{answer}");
    }
    let after = (stack.control("GET", "/clock", "").await?, stack.control("GET", "/jobs", "").await?);
    assert_eq!(after, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_calls_has_operation_caller_region_time_outcome_and_request_id() -> Result<()> {
    let stack = Stack::start().await?;
    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:ListBackupVaults","Resource":"*"}"#).await?;
    let caller = stack.backup_with("lister").await?;
    stack.control("DELETE", "/calls", "").await?;
    caller.list_backup_vaults().send().await?;
    assert!(caller.list_backup_jobs().send().await.is_err());
    let mut log = stack.control("GET", "/calls", "").await?;
    let calls = log["calls"].as_array_mut().context("no calls")?;
    for call in &mut *calls {
        assert!(call["request_id"].take().as_str().is_some_and(|id| id.len() == 36));
    }
    let call = |operation: &str, outcome: &str| {
        json!({ "operation": operation, "outcome": outcome, "region": "eu-central-1", "request_id": null,
            "principal": "arn:aws:sts::111122223333:assumed-role/lister/test", "time": "2025-01-06T06:00:00.000Z" })
    };
    let expected = [call("ListBackupVaults", "200"), call("ListBackupJobs", "403 AccessDeniedException")];
    assert_eq!(*calls, expected);
    assert_eq!(
        stack.control("DELETE", "/calls", "").await?,
        json!({ "calls": [], "dropped": 0, "counts": {} })
    );
    Ok(())
}

#[test]
fn the_binary_says_where_it_listens_and_ends_when_it_is_told_to() -> Result<()> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_aws-backup-emulator"))
        .args(["--aws-endpoint", "http://127.0.0.1:1", "--now", "2025-01-06T06:00:00Z"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
    let said: Value = serde_json::from_str(&line)?;
    for endpoint in ["backup", "control"] {
        assert!(said[endpoint].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")), "{line}");
    }
    Command::new("kill").args(["-TERM", &process.id().to_string()]).status()?;
    assert!(process.wait()?.success());
    Ok(())
}

#[tokio::test]
async fn an_emulator_does_not_start_with_settings_that_make_no_sense() -> Result<()> {
    let settings = settings(NOWHERE)?;
    let running = Emulator::start(settings.clone()).await?;
    let port = running.backup_endpoint().rsplit(':').next().context("port")?.parse()?;
    let taken = Emulator::start(Settings { backup_port: port, ..settings.clone() }).await;
    assert!(matches!(taken, Err(StartError::Listen { port: at, .. }) if at == port), "{taken:?}");
    let aws = "https://dynamodb.eu-central-1.amazonaws.com".to_owned();
    let real = Emulator::start(Settings { aws_endpoint: aws, ..settings.clone() }).await;
    assert!(matches!(real, Err(StartError::Setting(_))), "{real:?}");
    let now = Some("1969-12-31T23:59:59Z".parse()?);
    let past = Emulator::start(Settings { now, ..settings.clone() }).await;
    assert!(matches!(past, Err(StartError::Setting(_))), "{past:?}");
    let account = Emulator::start(Settings { account: "1".to_owned(), ..settings }).await;
    assert!(matches!(account, Err(StartError::Setting(_))), "{account:?}");
    let endpoint = running.control_endpoint().to_owned();
    running.stop().await;
    assert!(http(&endpoint, "GET", "/clock", "").await.is_err());
    Ok(())
}
