//! The runner as a whole: functions answer, schedules and rules wake them by the emulated clock, roles are enforced.

use jiff::Timestamp;
use local_stack::{InvokeError, LocalStack, Options, SOURCE_REGION, TARGET_REGION};
use serde_json::{Value, json};

use crate::probes;

const GROUP: &str = "dynachain";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// One stack for all: starting takes longer than all of the checks.
#[tokio::test(flavor = "multi_thread")]
async fn the_local_aws_behaves_as_the_template_says() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { now: Some(at("2025-03-29T12:07:00Z")), ..Options::default() };
    let stack = probes::start_with_probes(directory.path(), options).await;
    functions_answer_and_refuse(&stack).await;
    functions_have_their_settings_and_the_clock(&stack).await;
    roles_are_enforced(&stack).await;
    schedules_wake_by_the_emulated_clock(&stack).await;
    a_region_that_is_off_is_off_as_a_whole(&stack).await;
    the_controls_are_at_hand(&stack).await;
    stack.stop().await;
}

async fn functions_answer_and_refuse(stack: &LocalStack) {
    for region in [SOURCE_REGION, TARGET_REGION] {
        let answer = stack.invoke(region, "policy", &json!({"hello": region})).await.expect("answers");
        assert_eq!(answer["event"], json!({"hello": region}));
        assert_eq!(answer["environment"]["AWS_REGION"], region);
    }
    let refused = stack
        .invoke(SOURCE_REGION, "policy", &json!({"fail": "InvalidPolicy"}))
        .await
        .expect_err("no answer");
    let refusal = refused.refusal().expect("a refusal");
    assert_eq!(
        (refusal.error_type.as_str(), refusal.error_message.as_str()),
        ("InvalidPolicy", "$: as asked")
    );
    let missing = stack.invoke(SOURCE_REGION, "none-such", &json!({})).await.expect_err("no answer");
    assert!(matches!(missing, InvokeError::Call(_)), "{missing}");
}

async fn functions_have_their_settings_and_the_clock(stack: &LocalStack) {
    let answer = stack.invoke(SOURCE_REGION, "backup-session", &json!({})).await.expect("answers");
    let environment = &answer["environment"];
    for (name, value) in [
        ("VAULT_NAME", "dynachain"),
        ("CATALOG_NAME", "dynachain"),
        ("ACCOUNT_ID", "111122223333"),
        ("START_WINDOW_MINUTES", "120"),
        ("START_RATE", "5"),
        ("SESSION_CONCURRENCY", "16"),
        ("MANAGE_BACKUP_SETTINGS", "true"),
        ("AWS_ENDPOINT_URL_BACKUP", stack.backup_endpoint()),
        ("DYNACHAIN_TEST_CLOCK", stack.control_endpoint()),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    let key =
        |deployment: usize| stack.deployments()[deployment].output("KeyArn").expect("KeyArn").to_owned();
    assert_eq!(environment["KEY_ARN"], key(0).as_str());
    assert_eq!(
        key(1),
        key(0).replace(SOURCE_REGION, TARGET_REGION),
        "the target's key is the source's replica"
    );
}

fn call(service: &str, operation: &str, parameters: &Value) -> Value {
    json!({"service": service, "operation": operation, "parameters": parameters})
}

/// The template's policies, seen from the functions: an empty code is success.
async fn roles_are_enforced(stack: &LocalStack) {
    let key = stack.deployments()[0].output("KeyArn").expect("KeyArn");
    let data_key = |context: &Value| {
        call(
            "kms",
            "generate_data_key",
            &json!({"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context}),
        )
    };
    let ours = data_key(&json!({"dynachain:format": "1", "dynachain:source": "arn:aws:dynamodb:::table/t"}));
    let foreign = data_key(&json!({"dynachain:format": "1", "other": "x"}));
    let event = |source: &str| {
        let entry = json!({"Source": source, "DetailType": "Test", "Detail": "{}"});
        call("events", "put_events", &json!({"Entries": [entry]}))
    };
    let scan = call("dynamodb", "scan", &json!({"TableName": "dynachain"}));
    let get = call(
        "dynamodb",
        "get_item",
        &json!({"TableName": "dynachain", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}),
    );
    let denied = ["AccessDeniedException", "AccessDenied"];
    for (function, call, allowed) in [
        ("backup-session", &ours, true),
        ("backup-session", &foreign, false),
        ("backup-session", &data_key(&json!({})), false),
        ("chain-report", &ours, false),
        ("policy", &ours, false),
        ("backup-session", &event("dynachain"), true),
        ("backup-session", &event("other"), false),
        ("chain-report", &event("dynachain"), false),
        ("policy", &get, true),
        ("policy", &scan, false),
        ("policy", &schedule(stack, GROUP, "0 7 * * ? *"), true),
        ("policy", &schedule(stack, "default", "0 7 * * ? *"), false),
        ("backup-session", &schedule(stack, GROUP, "0 8 * * ? *"), false),
    ] {
        let answer = stack.invoke(SOURCE_REGION, function, &json!({"calls": [call]})).await.expect("answers");
        let code = answer[0].as_str().expect("a code");
        let as_expected = if allowed { code.is_empty() } else { denied.contains(&code) };
        assert!(as_expected, "{function}, {call}: {code:?}");
    }
}

fn schedule(stack: &LocalStack, group: &str, cron: &str) -> Value {
    let target = stack.deployments()[0].output("BackupSessionFunctionArn").expect("the function");
    call(
        "scheduler",
        "create_schedule",
        &json!({
            "Name": "orders", "GroupName": group, "ScheduleExpression": format!("cron({cron})"),
            "ScheduleExpressionTimezone": "Europe/Berlin", "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": target, "RoleArn": "arn:aws:iam::111122223333:role/scheduler",
                "Input": r#"{"policy": "orders", "scheduled_at": "<aws.scheduler.scheduled-time>"}"#,
            },
        }),
    )
}

/// The schedule was made above, at 07:00 in Berlin; the clock is at noon of the day before the change to summer time.
async fn schedules_wake_by_the_emulated_clock(stack: &LocalStack) {
    stack.jump_to(at("2025-03-31T04:59:59Z")).await;
    let wake_ups = stack.wake_ups();
    let sessions =
        || stack.wake_ups().into_iter().filter(|wake_up| wake_up.by.contains(":schedule/dynachain/orders"));
    let moments: Vec<String> = sessions().map(|wake_up| wake_up.at.to_string()).collect();
    assert_eq!(moments, ["2025-03-30T05:00:00Z"]);
    stack.jump_to(at("2025-03-31T05:00:00Z")).await;
    let last = sessions().next_back().expect("woken");
    let event = json!({"policy": "orders", "scheduled_at": "2025-03-31T05:00:00Z"});
    assert_eq!(last.outcome.expect("answers")["event"], event);
    let reconciles: Vec<_> = wake_ups
        .iter()
        .filter(|wake_up| {
            wake_up.by.starts_with("arn:aws:events:eu-central-1:") && wake_up.by.contains("-ReconcileRule-")
        })
        .collect();
    // Every quarter of an hour, for 40 hours and 52 minutes and 59 seconds.
    assert_eq!(reconciles.len(), 163, "{:?}", reconciles.first());
    assert!(wake_ups.is_sorted_by_key(|wake_up| wake_up.at));
    assert!(wake_ups.iter().all(|wake_up| wake_up.outcome.is_ok()));
}

async fn a_region_that_is_off_is_off_as_a_whole(stack: &LocalStack) {
    stack.control().set_region(SOURCE_REGION, false).await.expect("off");
    let gone = stack.invoke(SOURCE_REGION, "policy", &json!({})).await.expect_err("nobody there");
    assert!(matches!(gone, InvokeError::Call(_)), "{gone}");
    let scaling = |region: &'static str| async move {
        let arguments =
            ["application-autoscaling", "describe-scalable-targets", "--service-namespace", "dynamodb"];
        let mut command = stack.aws_cli(region);
        command.args(arguments).env("AWS_MAX_ATTEMPTS", "1").output().await.expect("the AWS CLI")
    };
    let refused = scaling(SOURCE_REGION).await;
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("(503)"),
        "{refused:?}"
    );
    assert!(scaling(TARGET_REGION).await.status.success());
    stack.invoke(TARGET_REGION, "policy", &json!({})).await.expect("the other Region is there");
    let before = stack.wake_ups().len();
    stack.jump_to(at("2025-03-31T06:00:00Z")).await;
    let woken: Vec<String> =
        stack.wake_ups().split_off(before).into_iter().map(|wake_up| wake_up.by).collect();
    assert!(woken.iter().all(|by| by.contains(TARGET_REGION)), "{woken:?}");
    stack.control().set_region(SOURCE_REGION, true).await.expect("on");
    stack.invoke(SOURCE_REGION, "policy", &json!({})).await.expect("it is back");
}

async fn the_controls_are_at_hand(stack: &LocalStack) {
    let control = stack.control();
    control.set_faults(&json!([{"operation": "ListBackupVaults", "effect": "throttle"}])).await.expect("set");
    control.set_limits(&json!({"preset": "aws"})).await.expect("set");
    control.set_events(&json!({"lose": 0.5})).await.expect("set");
    let backup = ["backup", "list-backup-vaults"];
    let mut command = stack.aws_cli(SOURCE_REGION);
    let refused = command.args(backup).env("AWS_MAX_ATTEMPTS", "1").output().await.expect("the AWS CLI");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("ThrottlingException"), "{refused:?}");
    assert_eq!(control.strikes().await.expect("struck"), [1]);
    let calls = control.calls("?operation=ListBackupVaults&principal=*:root").await.expect("calls");
    assert_eq!(calls.last().expect("a call")["outcome"], "400 ThrottlingException");
    let unknown = control.set_faults(&json!([{"operation": "ListVaults", "effect": "throttle"}])).await;
    assert!(unknown.expect_err("refused").to_string().contains("ListVaults is no operation"));
    control.reset().await.expect("reset");
    assert_eq!(control.strikes().await.expect("struck"), Vec::<u64>::new());
}
