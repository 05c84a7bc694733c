use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use serde_json::Value;

use crate::stack::{ACCOUNT, REGION, Stack, VAULT, root};

/// A function that records, or fails; its ARN.
pub(crate) async fn function(stack: &Stack, name: &str, variable: (&str, &str)) -> Result<String> {
    let zip = stack.directory().join("recorder.zip");
    let source = root().join("tests/aws-backup-emulator/tests/integration/recorder.py");
    let zipped = Command::new(root().join(".venv/bin/python"))
        .args(["-m", "zipfile", "-c"])
        .args([&zip, &source])
        .status()?;
    ensure!(zipped.success(), "the function cannot be packed");
    let code = FunctionCode::builder().zip_file(Blob::new(std::fs::read(zip)?)).build();
    stack
        .lambda
        .create_function()
        .function_name(name)
        .runtime(Runtime::from("python3.11"))
        .role(format!("arn:aws:iam::{ACCOUNT}:role/backup"))
        .handler("recorder.handler")
        .environment(Environment::builder().variables(variable.0, variable.1).build())
        .code(code)
        .send()
        .await?;
    Ok(format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"))
}

/// A rule with one target; its ARN.
pub(crate) async fn rule(stack: &Stack, name: &str, pattern: &str, function: &str) -> Result<String> {
    let put = stack.events.put_rule().name(name).event_pattern(pattern).send().await?;
    let target = Target::builder().id("t").arn(function).build()?;
    stack.events.put_targets().rule(name).targets(target).send().await?;
    put.rule_arn.context("a rule without an ARN")
}

pub(crate) async fn permit(stack: &Stack, function: &str, rule: &str) -> Result<()> {
    let permission = stack.lambda.add_permission().function_name(function).statement_id("events");
    permission
        .action("lambda:InvokeFunction")
        .principal("events.amazonaws.com")
        .source_arn(rule)
        .send()
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_reach_the_functions_that_rules_name() -> Result<()> {
    let stack = Stack::start().await?;
    let record = stack.directory().join("events");
    let record = record.to_str().context("path")?;
    let recorder = function(&stack, "recorder", ("RECORD", record)).await?;
    let failing = function(&stack, "failing", ("FAIL", "1")).await?;
    let states = r#"{"source":["aws.backup"],"detail-type":["Backup Job State Change","Recovery Point State Change"]}"#;
    let completed =
        r#"{"source":["aws.backup"],"detail":{"state":["COMPLETED"],"backupVaultName":["dynachain"]}}"#;
    let all = rule(&stack, "all", states, &recorder).await?;
    permit(&stack, "recorder", &all).await?;
    let one = rule(&stack, "one", completed, &failing).await?;
    permit(&stack, "failing", &one).await?;
    rule(&stack, "unpermitted", completed, &recorder).await?;
    rule(&stack, "elsewhere", &completed.replace("dynachain", "another"), &failing).await?;
    let table = stack.table("orders", 2, &[]).await?;
    stack.control("DELETE", "/calls", "").await?;
    let started = stack.start_backup(&table).send().await?;
    stack.pass(100).await;

    let events: Vec<Value> =
        std::fs::read_to_string(record)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let of = |kind: &str, member: &str| {
        let events = events.iter().filter(|event| event["detail-type"] == kind);
        events
            .map(|event| event["detail"][member].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("Backup Job State Change", "state"), ["CREATED", "RUNNING", "COMPLETED"]);
    assert_eq!(of("Recovery Point State Change", "status"), ["CREATING", "COMPLETED"]);
    let last =
        events.iter().rfind(|event| event["detail"]["state"] == "COMPLETED").context("no COMPLETED")?;
    assert_eq!(last["time"], "2025-01-06T06:01:00Z");
    assert_eq!((&last["region"], &last["account"]), (&REGION.into(), &ACCOUNT.into()));
    assert_eq!(last["resources"][0].as_str(), started.recovery_point_arn());
    assert_eq!(last["detail"]["backupVaultName"], VAULT);
    let id = started.backup_job_id().context("id")?;
    assert_eq!(last["detail"]["backupJobId"], id.to_lowercase());

    let calls = stack.calls().await?;
    let delivered = calls.iter().filter(|call| *call == "DeliverEvent delivered").count();
    assert_eq!(delivered, 5, "{calls:?}");
    let failed: Vec<&String> = calls.iter().filter(|call| call.contains("function error")).collect();
    assert_eq!(failed.len(), 1, "{calls:?}");
    let refused = calls.iter().filter(|call| call.contains("the function's policy does not let")).count();
    assert_eq!(refused, 1, "{calls:?}");
    Ok(())
}
