use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::events::{function, permit, rule};
use crate::stack::Stack;

const ALL: &str = r#"{"source":["aws.backup"]}"#;

/// A function that all events go to, and the file where it writes them down.
async fn recorder(stack: &Stack) -> Result<std::path::PathBuf> {
    let record = stack.directory().join("events");
    let recorder = function(stack, "recorder", ("RECORD", record.to_str().context("path")?)).await?;
    let rule = rule(stack, "all", ALL, &recorder).await?;
    permit(stack, "recorder", &rule).await?;
    Ok(record)
}

/// `detail-type's first word, state` of each event so far, in the order of their arrival.
fn recorded(record: &std::path::Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(record).unwrap_or_default();
    let words = |event: &Value| {
        let kind = event["detail-type"].as_str().unwrap_or_default().split(' ').next().unwrap_or_default();
        let state = event["detail"]["state"].as_str().or(event["detail"]["status"].as_str());
        format!("{kind} {}", state.unwrap_or_default())
    };
    text.lines().map(|line| Ok(words(&serde_json::from_str(line)?))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_meet_events_as_they_have_travelled() -> Result<()> {
    let stack = Stack::start().await?;
    let record = recorder(&stack).await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.control("PUT", "/events", r#"{"reorder": 1}"#).await?;
    stack.start_backup(&table).send().await?;
    stack.pass(60).await;
    let swapped = ["Backup RUNNING", "Backup CREATED", "Recovery COMPLETED", "Recovery CREATING"];
    assert_eq!(recorded(&record)?, swapped);
    stack.pass(300).await;
    assert_eq!(recorded(&record)?[4..], ["Backup COMPLETED"]);

    std::fs::remove_file(&record)?;
    stack.control("PUT", "/events", r#"{"double": 1}"#).await?;
    stack.start_backup(&table).send().await?;
    stack.pass(0).await;
    assert_eq!(recorded(&record)?, ["Backup CREATED", "Backup CREATED"]);
    stack.control("PUT", "/events", r#"{"lose": 1}"#).await?;
    stack.pass(60).await;
    assert_eq!(recorded(&record)?.len(), 2);
    let counts = &stack.control("GET", "/events", "").await?["counts"];
    assert_eq!(*counts, json!({"sent": 4, "lost": 4, "doubled": 0, "reordered": 0, "delayed": 0}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn late_events_come_when_the_emulated_clock_gets_there() -> Result<()> {
    let stack = Stack::start().await?;
    let record = recorder(&stack).await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.control("PUT", "/events", r#"{"delay": 3600}"#).await?;
    stack.start_backup(&table).send().await?;
    stack.pass(3599).await;
    assert_eq!(recorded(&record)?, Vec::<String>::new());
    stack.pass(1).await;
    assert_eq!(recorded(&record)?, ["Backup CREATED"]);
    stack.pass(60).await;
    assert_eq!(recorded(&record)?.len(), 5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_happen_to_events_is_refused_all_at_once() -> Result<()> {
    let stack = Stack::start().await?;
    let body = r#"{"lose": 1.1, "double": -1, "reorder": 0.5, "delay": 86401, "spread": 301}"#;
    let refused = stack.refused("PUT", "/events", body).await?;
    let expected = "lose must be a probability from 0 to 1, not 1.1; double must be a probability from 0 to 1, not -1; \
                    delay must be 0 to 86400 seconds, not 86401; spread must be 0 to 300 seconds, not 301";
    assert_eq!(refused, expected);
    assert!(stack.refused("PUT", "/events", r#"{"loose": 1}"#).await?.contains("unknown field"));
    Ok(())
}
