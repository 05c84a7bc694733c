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

/// Has the events of a pattern recorded in a file, one to a line.
pub(crate) async fn record(stack: &Stack, pattern: &str, file: &str) -> Result<()> {
    let recorder = function(stack, "recorder", ("RECORD", file)).await?;
    permit(stack, "recorder", &rule(stack, "recorded", pattern, &recorder).await?).await
}

/// Both kinds of events of AWS Backup.
const ALL: &str =
    r#"{"source":["aws.backup"],"detail-type":["Backup Job State Change","Recovery Point State Change"]}"#;
const COMPLETED: &str =
    r#"{"source":["aws.backup"],"detail":{"state":["COMPLETED"],"backupVaultName":["dynachain"]}}"#;

/// A backup with the rules that a test has made; all that the log of calls says of deliveries.
async fn deliveries(stack: &Stack) -> Result<Vec<String>> {
    let table = stack.table("orders", 2, &[]).await?;
    stack.control("DELETE", "/calls", "").await?;
    stack.backed_up(&table).await?;
    let calls = stack.calls().await?;
    Ok(calls.iter().filter_map(|call| call.strip_prefix("DeliverEvent ")).map(str::to_owned).collect())
}

/// A function of this name that writes down what it is given, and where.
async fn recorder(stack: &Stack, name: &str) -> Result<(String, std::path::PathBuf)> {
    let record = stack.directory().join(name);
    let function = function(stack, name, ("RECORD", record.to_str().context("path")?)).await?;
    Ok((function, record))
}

fn recorded(record: &std::path::Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(record)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_job_or_a_point_is_an_event() -> Result<()> {
    let stack = Stack::start().await?;
    let (function, record) = recorder(&stack, "recorder").await?;
    let rule = rule(&stack, "all", ALL, &function).await?;
    permit(&stack, "recorder", &rule).await?;
    deliveries(&stack).await?;
    let events = recorded(&record)?;
    let of = |kind: &str, member: &str| {
        let events = events.iter().filter(|event| event["detail-type"] == kind);
        events
            .map(|event| event["detail"][member].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("Backup Job State Change", "state"), ["CREATED", "RUNNING", "COMPLETED"]);
    assert_eq!(of("Recovery Point State Change", "status"), ["CREATING", "COMPLETED"]);
    for event in &events {
        assert_eq!((&event["region"], &event["account"]), (&REGION.into(), &ACCOUNT.into()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_delivered_at_once() -> Result<()> {
    let stack = Stack::start().await?;
    let (function, record) = recorder(&stack, "recorder").await?;
    let rule = rule(&stack, "all", COMPLETED, &function).await?;
    permit(&stack, "recorder", &rule).await?;
    stack.start_backup(&stack.table("orders", 1, &[]).await?).send().await?;
    stack.pass(59).await;
    assert!(!record.exists());
    stack.pass(1).await;
    let events = recorded(&record)?;
    assert_eq!((events.len(), &events[0]["time"]), (1, &"2025-01-06T06:01:00Z".into()));
    assert_eq!(events[0]["detail"]["backupVaultName"], VAULT);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_to_the_enabled_rules_whose_pattern_matches() -> Result<()> {
    let stack = Stack::start().await?;
    let (wanted, record) = recorder(&stack, "wanted").await?;
    let (other, unwanted) = recorder(&stack, "other").await?;
    for (name, pattern, function) in [
        ("one", COMPLETED.to_owned(), &wanted),
        ("elsewhere", COMPLETED.replace("dynachain", "another"), &other),
        ("prefix", COMPLETED.replace("[\"dynachain\"]", r#"[{"prefix":"x"}]"#), &other),
        ("disabled", COMPLETED.to_owned(), &other),
    ] {
        let rule = rule(&stack, name, &pattern, function).await?;
        let permission = format!("{name}-rule");
        let function = function.rsplit(':').next().context("name")?;
        let permit = stack.lambda.add_permission().function_name(function).statement_id(permission);
        let permit =
            permit.action("lambda:InvokeFunction").principal("events.amazonaws.com").source_arn(rule);
        permit.send().await?;
    }
    stack.events.disable_rule().name("disabled").send().await?;
    assert_eq!(deliveries(&stack).await?, ["delivered"]);
    assert_eq!((recorded(&record)?.len(), unwanted.exists()), (1, false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_must_let_the_rule_invoke_it() -> Result<()> {
    let stack = Stack::start().await?;
    let (function, record) = recorder(&stack, "recorder").await?;
    let permitted = rule(&stack, "permitted", COMPLETED, &function).await?;
    permit(&stack, "recorder", &permitted).await?;
    rule(&stack, "unpermitted", COMPLETED, &function).await?;
    let mut outcomes = deliveries(&stack).await?;
    outcomes.sort();
    assert_eq!((outcomes.len(), outcomes[0].as_str()), (2, "delivered"));
    assert!(outcomes[1].starts_with("not delivered: the function's policy does not let"), "{outcomes:?}");
    assert_eq!(recorded(&record)?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_fails_is_noted_and_not_repeated() -> Result<()> {
    let stack = Stack::start().await?;
    let function = function(&stack, "failing", ("FAIL", "1")).await?;
    let rule = rule(&stack, "one", COMPLETED, &function).await?;
    permit(&stack, "failing", &rule).await?;
    let outcomes = deliveries(&stack).await?;
    assert!(outcomes.len() == 1 && outcomes[0].starts_with("function error"), "{outcomes:?}");
    stack.pass(24 * 3600).await;
    let calls = stack.calls().await?;
    assert_eq!(calls.iter().filter(|call| call.starts_with("DeliverEvent")).count(), 1, "{calls:?}");
    Ok(())
}
