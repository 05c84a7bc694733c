use anyhow::{Context as _, Result};
use aws_backup_emulator::Emulator;

use crate::stack::{NOWHERE, Stack, VAULT, http_as_root, refusal, settings};

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let mut found = head.lines().filter_map(|line| line.split_once(": ").filter(|(key, _)| *key == name));
    let first = found.next();
    assert!(found.next().is_none(), "{name} twice: {answer}");
    first.map(|(_, value)| value)
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// Status and error of an answer.
fn outcome(answer: &str) -> String {
    format!("{} {}", status(answer), header(answer, "x-amzn-errortype").unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_not_emulated_answers_501_and_never_an_empty_success() -> Result<()> {
    let stack = Stack::start().await?;
    for (method, path) in [("GET", "/backup/plans/"), ("POST", "/nothing"), ("PATCH", "/backup-vaults/")] {
        let answer = stack.raw(method, path, "").await?;
        assert_eq!(outcome(&answer), "501 NotImplementedException", "{method} {path}: {answer}");
        assert!(answer.contains("does not have this operation"), "{answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_a_json_object_is_a_serializationexception() -> Result<()> {
    let stack = Stack::start().await?;
    for body in ["[1]", "nonsense", "\"a\"", "{\"ResourceArn\":", "null"] {
        let answer = stack.raw("PUT", "/backup-jobs", body).await?;
        assert_eq!(outcome(&answer), "400 SerializationException", "{body}: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_another_json_type_is_a_serializationexception() -> Result<()> {
    let stack = Stack::start().await?;
    let vault = "/tags/arn%3Aaws%3Abackup%3Aeu-central-1%3A111122223333%3Abackup-vault%3Adynachain";
    for (method, path, body) in [
        ("PUT", "/backup-jobs", r#"{"StartWindowMinutes": "60"}"#),
        ("PUT", "/backup-jobs", r#"{"Lifecycle": {"DeleteAfterDays": 1.5}}"#),
        ("PUT", "/backup-vaults/other", r#"{"BackupVaultTags": {"a": 1}}"#),
        ("PUT", "/account-settings", r#"{"ResourceTypeOptInPreference": {"DynamoDB": "yes"}}"#),
        ("POST", vault, r#"{"Tags": ["a"]}"#),
        ("POST", &vault.replace("/tags/", "/untag/"), r#"{"TagKeyList": "a"}"#),
    ] {
        let answer = stack.raw(method, path, body).await?;
        assert_eq!(outcome(&answer), "400 SerializationException", "{method} {path} {body}: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_the_model_does_not_have_is_passed_over() -> Result<()> {
    let stack = Stack::start().await?;
    let body = r#"{"ResourceTypeOptInPreference": {"EFS": false}, "Strange": 1}"#;
    assert_eq!(status(&stack.raw("PUT", "/account-settings", body).await?), "200");
    let settings = stack.backup.describe_region_settings().send().await?;
    assert!(!settings.resource_type_opt_in_preference().context("no types")?["EFS"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_member_of_a_query_counts_as_not_given() -> Result<()> {
    let stack = Stack::start().await?;
    let answer = stack.raw("GET", "/backup-jobs/?state=&maxResults=&nextToken=", "").await?;
    assert_eq!(status(&answer), "200", "{answer}");
    let wrong = stack.raw("GET", "/backup-jobs/?state=DONE", "").await?;
    assert_eq!(outcome(&wrong), "400 InvalidParameterValueException");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_a_request_id_of_its_own() -> Result<()> {
    let stack = Stack::start().await?;
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/backup-vaults", "/backup-vaults", "/backup-vaults/missing", "/nothing"] {
        let answer = stack.raw("GET", path, "").await?;
        ids.insert(header(&answer, "x-amzn-requestid").context("no request id")?.to_owned());
    }
    assert_eq!(ids.len(), 4, "{ids:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_date_header_of_an_answer_is_the_emulated_time() -> Result<()> {
    let stack = Stack::start().await?;
    stack.pass(3600).await;
    for path in ["/backup-vaults", "/nothing"] {
        let answer = stack.raw("GET", path, "").await?;
        assert_eq!(header(&answer, "date"), Some("Mon, 06 Jan 2025 07:00:00 GMT"), "{answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_named_in_a_header_and_not_in_the_body() -> Result<()> {
    let stack = Stack::start().await?;
    let answer = stack.raw("DELETE", "/backup-jobs/x", "").await?;
    assert_eq!(outcome(&answer), "501 NotImplementedException");
    let answer = stack.raw("GET", "/backup-jobs/x", "").await?;
    assert_eq!(outcome(&answer), "400 ResourceNotFoundException");
    assert_eq!(answer.matches("ResourceNotFoundException").count(), 1, "{answer}");
    assert!(answer.contains(r#""Code":"ERROR_"#), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_point_that_does_not_exist_is_a_400_and_not_a_404() -> Result<()> {
    let stack = Stack::start().await?;
    let missing = "arn:aws:backup:eu-central-1:111122223333:recovery-point:missing";
    let described = refusal(stack.describe_point(missing).send().await);
    assert!(described.starts_with("400 ResourceNotFoundException"), "{described}");
    let metadata = stack.backup.get_recovery_point_restore_metadata().backup_vault_name(VAULT);
    let metadata = refusal(metadata.recovery_point_arn(missing).send().await);
    assert!(metadata.starts_with("400 ResourceNotFoundException"), "{metadata}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_job_that_does_not_exist_is_a_resourcenotfoundexception() -> Result<()> {
    let stack = Stack::start().await?;
    let described = refusal(stack.backup.describe_backup_job().backup_job_id("none").send().await);
    assert!(described.starts_with("400 ResourceNotFoundException"), "{described}");
    let stopped = refusal(stack.backup.stop_backup_job().backup_job_id("none").send().await);
    assert!(stopped.starts_with("400 ResourceNotFoundException"), "{stopped}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_does_not_exist_is_an_accessdeniedexception() -> Result<()> {
    let stack = Stack::start().await?;
    let point = "recovery-points/arn%3Aaws%3Abackup%3Aeu-central-1%3A111122223333%3Arecovery-point%3Aa";
    for (method, path) in [
        ("GET", "/backup-vaults/missing"),
        ("DELETE", "/backup-vaults/missing"),
        ("GET", "/backup-vaults/missing/recovery-points/"),
        ("GET", &format!("/backup-vaults/missing/{point}")),
        ("GET", &format!("/backup-vaults/missing/{point}/restore-metadata")),
    ] {
        let answer = stack.raw(method, path, "").await?;
        assert_eq!(outcome(&answer), "403 AccessDeniedException", "{method} {path}: {answer}");
        assert!(answer.contains("Insufficient privileges to perform this action."), "{answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_aws_that_does_not_answer_is_a_500_serviceunavailableexception() -> Result<()> {
    let emulator = Emulator::start(settings(NOWHERE)?).await?;
    let answer = http_as_root(emulator.backup_endpoint(), "GET", "/backup-vaults", "").await?;
    assert_eq!(outcome(&answer), "500 ServiceUnavailableException", "{answer}");
    assert!(answer.contains(r#""Type":"Server""#), "{answer}");
    Ok(())
}
