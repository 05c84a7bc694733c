mod jobs;

use anyhow::{Context as _, Result, ensure};
use aws_backup_emulator::Emulator;

use crate::stack::{NOWHERE, REGION, Stack, http, refusal, settings};

const ELSEWHERE: &str = "eu-west-1";

async fn switch(stack: &Stack, available: bool) -> Result<()> {
    let set = stack
        .control("PUT", &format!("/regions/{REGION}"), &format!(r#"{{"available": {available}}}"#))
        .await?;
    let off = if available { serde_json::json!([]) } else { serde_json::json!([REGION]) };
    ensure!(set["off"] == off, "{set}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_is_off_answers_503_and_nothing_else() -> Result<()> {
    let stack = Stack::start().await?;
    switch(&stack, false).await?;
    let refused = refusal(stack.backup.list_backup_vaults().send().await);
    assert_eq!(refused.trim(), "503");
    stack.backup_in(ELSEWHERE).list_backup_vaults().send().await?;
    let calls = stack.calls().await?;
    assert!(calls.contains(&"ListBackupVaults 503 Region off".to_owned()), "{calls:?}");
    switch(&stack, true).await?;
    stack.backup.list_backup_vaults().send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_services_of_a_region_that_is_off_are_off_too() -> Result<()> {
    let stack = Stack::start().await?;
    stack.table("orders", 1, &[]).await?;
    switch(&stack, false).await?;
    let (here, elsewhere) = (stack.aws_in(REGION), stack.aws_in(ELSEWHERE));
    let status =
        |raw: Option<&aws_sdk_backup::config::http::HttpResponse>| raw.map(|raw| raw.status().as_u16());
    let tables = aws_sdk_dynamodb::Client::new(&here).list_tables().send().await.unwrap_err();
    assert_eq!(status(tables.raw_response()), Some(503));
    let keys = aws_sdk_kms::Client::new(&here).list_keys().send().await.unwrap_err();
    assert_eq!(status(keys.raw_response()), Some(503));
    let functions = aws_sdk_lambda::Client::new(&here).list_functions().send().await.unwrap_err();
    assert_eq!(status(functions.raw_response()), Some(503));
    let rules = aws_sdk_eventbridge::Client::new(&here).list_rules().send().await.unwrap_err();
    assert_eq!(status(rules.raw_response()), Some(503));
    aws_sdk_dynamodb::Client::new(&elsewhere).list_tables().send().await?;
    switch(&stack, true).await?;
    let tables = aws_sdk_dynamodb::Client::new(&here).list_tables().send().await?;
    assert_eq!(tables.table_names(), ["orders"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn iam_belongs_to_no_region_and_stays() -> Result<()> {
    let stack = Stack::start().await?;
    switch(&stack, false).await?;
    let roles = aws_sdk_iam::Client::new(&stack.aws_in(REGION)).list_roles().send().await?;
    assert!(roles.roles().iter().any(|role| role.role_name() == "backup"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_in_a_region_that_is_off_has_as_much_time_left_when_it_is_back() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let job = stack.start_backup(&table).send().await?.backup_job_id.context("id")?;
    stack.pass(40).await;
    switch(&stack, false).await?;
    stack.pass(3600).await;
    switch(&stack, true).await?;
    stack.pass(19).await;
    assert_eq!(stack.job(&job).await?.0, "RUNNING");
    stack.pass(1).await;
    assert_eq!(stack.job(&job).await?.0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_window_ends_while_its_region_is_off_expires() -> Result<()> {
    let stack = Stack::start().await?;
    let (orders, users) = (stack.table("orders", 1, &[]).await?, stack.table("users", 1, &[]).await?);
    let running = stack.start_backup(&orders).complete_window_minutes(10).send().await?;
    stack.pass(20).await;
    let waiting = stack.start_backup(&users).start_window_minutes(60).send().await?;
    switch(&stack, false).await?;
    stack.pass(3600).await;
    switch(&stack, true).await?;
    stack.pass(60).await;
    let expired = ("EXPIRED".to_owned(), "Backup job expired before completion.".to_owned());
    for started in [running.backup_job_id, waiting.backup_job_id] {
        assert_eq!(stack.job(&started.context("id")?).await?, expired);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_region_that_is_off_come_when_it_is_back() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let queue = crate::targets::queue(&stack, "events").await?;
    stack.control("PUT", "/events", r#"{"delay": 60}"#).await?;
    stack.start_backup(&table).send().await?;
    switch(&stack, false).await?;
    stack.pass(3600).await;
    switch(&stack, true).await?;
    stack.pass(59).await;
    assert_eq!(queue.messages().await?, Vec::<String>::new());
    stack.pass(1).await;
    let messages = queue.messages().await?;
    assert!(messages.len() == 1 && messages[0].contains(r#""state":"CREATED""#), "{messages:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_is_not_switched_when_the_local_aws_does_not_do_it() -> Result<()> {
    let emulator = Emulator::start(settings(NOWHERE)?).await?;
    let ask = |method, path, body| http(emulator.control_endpoint(), method, path, body);
    let refused = ask("PUT", "/regions/eu-central-1", r#"{"available": false}"#).await?;
    assert!(refused.starts_with("HTTP/1.0 400") && refused.contains("does not answer"), "{refused}");
    assert!(ask("GET", "/regions", "").await?.ends_with(r#"{"off":[]}"#));
    let unknown = ask("PUT", "/regions/somewhere", r#"{"available": false}"#).await?;
    assert!(unknown.contains("is no Region's name, such as eu-central-1"), "{unknown}");
    Ok(())
}
