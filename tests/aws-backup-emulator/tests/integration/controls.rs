use anyhow::{Context as _, Result};
use serde_json::json;

use crate::stack::{REGION, Stack, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn the_control_endpoint_lists_its_controls() -> Result<()> {
    let stack = Stack::start().await?;
    let listed = stack.control("GET", "/", "").await?;
    let listed = listed["controls"].as_object().context("no controls")?;
    for control in ["GET /", "PUT /clock", "PUT /faults", "PUT /regions/{region}", "DELETE /"] {
        assert!(listed[control].as_str().is_some_and(|does| !does.is_empty()), "{control}: {listed:?}");
    }
    let unknown = stack.control("PUT", "/regions", "{}").await?;
    assert_eq!(unknown["controls"], serde_json::Value::Object(listed.clone()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_resets_all_controls_but_the_time_and_keeps_what_aws_backup_has() -> Result<()> {
    let stack = Stack::start().await?;
    let controls = ["/jobs", "/quotas", "/limits", "/faults", "/events", "/regions", "/calls"];
    let mut at_first = Vec::new();
    stack.control("DELETE", "/calls", "").await?;
    for control in controls {
        at_first.push(stack.control("GET", control, "").await?);
    }
    for (control, body) in [
        ("/jobs", r#"{"backup_seconds": 5}"#),
        ("/quotas", r#"{"concurrent_copies": 1}"#),
        ("/limits", r#"{"preset": "aws"}"#),
        ("/faults", r#"[{"operation": "*", "effect": "throttle"}]"#),
        ("/events", r#"{"lose": 1, "seed": 3}"#),
        ("/clock", r#"{"now": "2025-02-01T00:00:00Z"}"#),
        (&format!("/regions/{REGION}"), r#"{"available": false}"#),
    ] {
        let set = stack.control("PUT", control, body).await?;
        assert_eq!(set.get("error"), None, "{control}");
    }
    refusal(stack.backup.list_backup_vaults().send().await);
    let reset = stack.control("DELETE", "/", "").await?;
    assert_eq!(reset["speed"], json!(1.0));
    assert!(reset["now"].as_str().is_some_and(|now| now.starts_with("2025-02-01T00:")), "{reset}");
    for (control, at_first) in controls.into_iter().zip(at_first) {
        assert_eq!(stack.control("GET", control, "").await?, at_first, "{control}");
    }
    assert_eq!(stack.backup.list_backup_vaults().send().await?.backup_vault_list().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_log_can_be_asked_for_some_operations_principals_and_regions() -> Result<()> {
    let stack = Stack::start().await?;
    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:*","Resource":"*"}"#).await?;
    stack.control("DELETE", "/calls", "").await?;
    stack.backup_with("lister").await?.list_backup_vaults().send().await?;
    stack.backup_in("eu-west-1").list_backup_vaults().send().await?;
    stack.backup.describe_region_settings().send().await?;
    for (query, found) in [
        ("", 3),
        ("?operation=ListBackupVaults", 2),
        ("?operation=List*&region=eu-west-1", 1),
        ("?principal=lister", 1),
        ("?principal=arn%3Aaws%3Aiam%3A%3A111122223333%3Aroot", 2),
        ("?principal=nobody", 0),
    ] {
        let log = stack.control("GET", &format!("/calls{query}"), "").await?;
        assert_eq!(log["calls"].as_array().map(Vec::len), Some(found), "{query}: {log}");
    }
    let refused = stack.refused("GET", "/calls?colour=red", "").await?;
    assert_eq!(refused, "colour is none of operation, principal and region");
    Ok(())
}
