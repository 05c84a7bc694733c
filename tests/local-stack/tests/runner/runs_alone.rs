//! A function's binary alone, as tests of its start-up use it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use local_stack::{FunctionError, Outcome, run_function_once};
use rstest::rstest;
use serde_json::{Value, json};

use crate::probes;

async fn outcome_of(binary: &Path, event: &Value) -> Outcome {
    let path = std::env::var("PATH").expect("PATH");
    let variables = BTreeMap::from([("PATH".to_owned(), path), ("SETTING".to_owned(), "value".to_owned())]);
    run_function_once(binary, &variables, event).await.expect("runs")
}

#[tokio::test]
async fn it_answers_in_the_given_environment_only() {
    let directory = tempfile::tempdir().expect("a directory");
    probes::write(directory.path());
    let outcome = outcome_of(&directory.path().join("policy"), &json!({"a": 1})).await;
    let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!((&answer["event"], &answer["environment"]["SETTING"]), (&json!({"a": 1}), &json!("value")));
    assert_eq!(answer["environment"]["CARGO_MANIFEST_DIR"], Value::Null);
}

#[tokio::test]
async fn it_refuses() {
    let directory = tempfile::tempdir().expect("a directory");
    probes::write(directory.path());
    let outcome = outcome_of(&directory.path().join("policy"), &json!({"fail": "Internal"})).await;
    let refusal =
        FunctionError { error_type: "Internal".to_owned(), error_message: "$: as asked".to_owned() };
    assert_eq!(outcome, Outcome::Refused(refusal));
}

#[rstest]
#[case::with_a_reason("echo no clock >&2; exit 3", Some(3), "no clock\n")]
#[case::quietly("exit 0", Some(0), "")]
#[case::killed("kill -KILL $$", None, "")]
#[tokio::test]
async fn it_ends_without_taking_the_event(
    #[case] script: &str,
    #[case] code: Option<i32>,
    #[case] output: &str,
) {
    let directory = tempfile::tempdir().expect("a directory");
    let binary = directory.path().join("ends");
    std::fs::write(&binary, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).expect("executable");
    assert_eq!(outcome_of(&binary, &json!({})).await, Outcome::Ended { code, output: output.to_owned() });
}
