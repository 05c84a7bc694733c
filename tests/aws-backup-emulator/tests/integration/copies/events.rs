//! Where the events of a copy go.

use std::path::PathBuf;
use std::process::Command;

use anyhow::ensure;
use aws_sdk_eventbridge::types::Target;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use serde_json::Value;

use super::*;
use crate::stack::root;

/// Has every event of AWS Backup's in a Region written down, in this file.
async fn recorded_in(scene: &Scene, region: &'static str) -> Result<PathBuf> {
    let config = scene.stack.config_of(ACCOUNT, region);
    let (lambda, events) = (aws_sdk_lambda::Client::new(&config), aws_sdk_eventbridge::Client::new(&config));
    let zip = scene.stack.directory().join("recorder.zip");
    let source = root().join("tests/aws-backup-emulator/tests/integration/recorder.py");
    let python = root().join(".venv/bin/python");
    let zipped = Command::new(python).args(["-m", "zipfile", "-c"]).args([&zip, &source]).status()?;
    ensure!(zipped.success(), "the function cannot be packed");
    let record = scene.stack.directory().join(region);
    let path = record.to_str().context("path")?;
    let function = lambda.create_function().function_name("recorder").runtime(Runtime::from("python3.11"));
    function
        .role(BACKUP_ROLE)
        .handler("recorder.handler")
        .environment(Environment::builder().variables("RECORD", path).build())
        .code(FunctionCode::builder().zip_file(Blob::new(std::fs::read(zip)?)).build())
        .send()
        .await?;
    let put = events.put_rule().name("all").event_pattern(r#"{"source":["aws.backup"]}"#).send().await?;
    let function = format!("arn:aws:lambda:{region}:{ACCOUNT}:function:recorder");
    let target = Target::builder().id("t").arn(function).build()?;
    events.put_targets().rule("all").targets(target).send().await?;
    let permission = lambda.add_permission().function_name("recorder").statement_id("events");
    let permission = permission.action("lambda:InvokeFunction").principal("events.amazonaws.com");
    permission.source_arn(put.rule_arn.context("a rule without an ARN")?).send().await?;
    Ok(record)
}

/// What kind of event told of which state, in order.
fn told(record: &PathBuf) -> Result<Vec<String>> {
    let events = std::fs::read_to_string(record)?;
    let events = events.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    let text = |event: &Value| {
        let detail = &event["detail"];
        let state = detail["state"].as_str().or(detail["status"].as_str()).unwrap_or_default();
        format!("{} {state}", event["detail-type"].as_str().unwrap_or_default())
    };
    Ok(events.iter().map(text).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_a_copy_job_are_sent_in_the_region_of_its_source() -> Result<()> {
    let scene = Scene::start().await?;
    let home = recorded_in(&scene, "eu-central-1").await?;
    scene.copy_arn().await?;
    let jobs = ["CREATED", "RUNNING", "COMPLETED"].map(|state| format!("Copy Job State Change {state}"));
    assert_eq!(told(&home)?, jobs);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_a_copy_itself_are_sent_in_its_own_region() -> Result<()> {
    let scene = Scene::start().await?;
    let west = recorded_in(&scene, "eu-west-1").await?;
    scene.copy_arn().await?;
    let points = ["CREATING", "COMPLETED"].map(|status| format!("Recovery Point State Change {status}"));
    assert_eq!(told(&west)?, points);
    Ok(())
}
