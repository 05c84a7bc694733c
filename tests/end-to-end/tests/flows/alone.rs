//! Functions started alone, with an environment that is half local.

use std::collections::BTreeMap;

use local_stack::{FUNCTIONS, Outcome, function_binaries, run_function_once};
use rstest::rstest;
use serde_json::json;

const CLOCK: (&str, &str) = ("DYNACHAIN_TEST_CLOCK", "http://127.0.0.1:9");
const ELSEWHERE: &str = "https://backup.eu-central-1.amazonaws.com";

/// All that the functions are configured with, as the template gives it.
fn settings() -> BTreeMap<String, String> {
    let key = "arn:aws:kms:eu-central-1:111122223333:key/mrk-00000000000000000000000000000000";
    [
        ("VAULT_NAME", "dynachain"),
        ("CATALOG_NAME", "dynachain"),
        ("ACCOUNT_ID", "111122223333"),
        ("KEY_ARN", key),
        ("SCHEDULE_GROUP", "dynachain"),
        ("SCHEDULER_ROLE_ARN", "arn:aws:iam::111122223333:role/scheduler"),
        (
            "SESSION_FUNCTION_ARN",
            "arn:aws:lambda:eu-central-1:111122223333:function:dynachain-backup-session",
        ),
        ("SCHEDULE_DLQ_ARN", "arn:aws:sqs:eu-central-1:111122223333:schedules"),
        ("INVOCATION_DLQ_ARN", "arn:aws:sqs:eu-central-1:111122223333:invocations"),
        ("POLICY_ROLE_ARN", "arn:aws:iam::111122223333:role/policy"),
        ("BACKUP_COPY_ROLE_ARN", "arn:aws:iam::111122223333:role/backup-copy"),
        ("BACKUP_SESSION_ROLE_ARN", "arn:aws:iam::111122223333:role/backup-session"),
        ("CHAIN_EDIT_ROLE_ARN", "arn:aws:iam::111122223333:role/chain-edit"),
        ("CHAIN_REPORT_ROLE_ARN", "arn:aws:iam::111122223333:role/chain-report"),
        ("RETENTION_PRUNE_ROLE_ARN", "arn:aws:iam::111122223333:role/retention-prune"),
        ("MANUAL_REMOVAL_ROLE_ARN", "arn:aws:iam::111122223333:role/manual-removal"),
        ("BACKUP_ROLE_ARN", "arn:aws:iam::111122223333:role/backup"),
        ("COPY_CONCURRENCY", "5"),
        ("TABLE_RESTORE_ROLE_ARN", "arn:aws:iam::111122223333:role/table-restore"),
        ("RESTORE_ROLE_ARN", "arn:aws:iam::111122223333:role/restore"),
        ("COPY_DEADLINE_DAYS", "7"),
        ("START_WINDOW_MINUTES", "120"),
        ("START_RATE", "5"),
        ("SESSION_CONCURRENCY", "16"),
        ("LIST_RATE", "20"),
        ("DESCRIBE_RATE", "15"),
        ("TABLE_READ_RATE", "10"),
        ("DELETE_RATE", "10"),
        ("MAX_DELETES", "10000"),
        ("REMOVES", "chain"),
        ("MANAGE_BACKUP_SETTINGS", "true"),
        ("TARGET_KEY_ARNS", ""),
        ("AWS_ACCESS_KEY_ID", "none"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// What becomes of a function that is asked for nothing (`[]`, which each refuses without asking AWS).
async fn run(function: &str, variables: &[(&str, &str)]) -> Outcome {
    let binary = function_binaries().expect("the functions' binaries").join(function);
    let mut environment = settings();
    environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    run_function_once(&binary, &environment, &json!([])).await.expect("the function runs")
}

#[rstest]
#[case::no_endpoint(&[CLOCK], "AWS_ENDPOINT_URL_BACKUP must be a loopback address, it is not set")]
#[case::an_endpoint_of_aws(
    &[CLOCK, ("AWS_ENDPOINT_URL_BACKUP", ELSEWHERE)],
    "AWS_ENDPOINT_URL_BACKUP must be a loopback address, it is \"https://backup"
)]
#[case::only_other_endpoints(
    &[CLOCK, ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")],
    "AWS_ENDPOINT_URL_BACKUP must be a loopback address, it is not set"
)]
#[case::an_ignored_endpoint(
    &[
        CLOCK,
        ("AWS_ENDPOINT_URL_BACKUP", "http://127.0.0.1:9"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
    ],
    "unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
)]
#[case::a_clock_elsewhere(
    &[
        ("DYNACHAIN_TEST_CLOCK", "http://192.0.2.1:80"),
        ("AWS_ENDPOINT_URL_BACKUP", "http://127.0.0.1:9"),
    ],
    "DYNACHAIN_TEST_CLOCK must be a loopback address"
)]
#[tokio::test(flavor = "multi_thread")]
async fn no_function_starts_with_an_emulated_clock_that_is_not_all_local(
    #[case] variables: &[(&str, &str)],
    #[case] why: &str,
) {
    for function in FUNCTIONS {
        // Twice: it does not get used to it.
        for _ in 0..2 {
            let outcome = run(function, variables).await;
            let Outcome::Ended { code, output } = &outcome else { unreachable!("{function}: {outcome:?}") };
            assert_eq!(*code, Some(1), "{function}: {output}");
            // Quotes are escaped, as the error is printed in quotes itself.
            assert!(output.replace('\\', "").contains(why), "{function}: {output}");
        }
    }
}

#[rstest]
#[case::on_aws(&[])]
#[case::all_local(&[CLOCK, ("AWS_ENDPOINT_URL_BACKUP", "http://localhost:9")])]
#[tokio::test(flavor = "multi_thread")]
async fn every_function_starts_with_the_real_clock_or_where_all_is_local(#[case] variables: &[(&str, &str)]) {
    for function in FUNCTIONS {
        let outcome = run(function, variables).await;
        let Outcome::Refused(error) = &outcome else { unreachable!("{function}: {outcome:?}") };
        assert_eq!(error.error_type, "InvalidRequest", "{function}: {}", error.error_message);
    }
}
