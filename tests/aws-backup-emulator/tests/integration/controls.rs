use anyhow::{Context as _, Result};
use aws_sdk_backup::types::RecoveryPointStatus;
use serde_json::json;

use crate::stack::{ACCOUNT, BACKUP_ROLE, REGION, START, Stack, VAULT, refusal};

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

#[tokio::test(flavor = "multi_thread")]
async fn points_are_made_without_a_backup_many_at_once_and_listed_as_any_others() -> Result<()> {
    let stack = Stack::start().await?;
    let table = |name: &str| format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}");
    let body = json!([
        {
            "region": REGION, "vault": VAULT, "table": table("orders"), "role": BACKUP_ROLE,
            "created": { "from": "2024-12-01T07:00:00Z", "every_seconds": 3600, "count": 300 },
            "tags": { "flag": "hourly" }, "lifecycle": { "delete_after_days": 35 },
        },
        {
            "region": REGION, "vault": VAULT, "table": table("users"), "role": BACKUP_ROLE,
            "created": ["2024-01-01T00:00:00Z", "2025-01-06T06:00:00Z"], "status": "PARTIAL",
        },
    ]);
    assert_eq!(stack.control("POST", "/points", &body.to_string()).await?, json!({ "points": 302 }));
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!(vault.number_of_recovery_points(), 302);
    let list = || stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT);
    let (mut pages, mut points) = (list().into_paginator().items().send(), Vec::new());
    while let Some(point) = pages.next().await {
        points.push(point?);
    }
    assert_eq!(points.len(), 302);
    assert!(points.is_sorted_by_key(|point| std::cmp::Reverse(point.creation_date.map(|date| date.secs()))));
    assert_eq!(points[0].status().map(RecoveryPointStatus::as_str), Some("PARTIAL"));
    let newest = points[1].recovery_point_arn().context("arn")?;
    let described = stack.describe_point(newest).send().await?;
    assert_eq!(described.resource_arn(), Some(table("orders").as_str()));
    assert_eq!(described.lifecycle().and_then(|lifecycle| lifecycle.delete_after_days), Some(35));
    let tags = stack.backup.list_tags().resource_arn(newest).send().await?;
    assert_eq!(tags.tags().and_then(|tags| tags.get("flag")).map(String::as_str), Some("hourly"));
    let protected = stack.backup.list_protected_resources().send().await?;
    assert_eq!(protected.results().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_was_made_without_a_backup_may_be_of_a_table_elsewhere() -> Result<()> {
    let stack = Stack::start().await?;
    let table = "arn:aws:dynamodb:us-east-1:444455556666:table/orders";
    let body = json!({ "region": REGION, "vault": VAULT, "table": table, "created": [START] });
    assert_eq!(stack.control("POST", "/points", &body.to_string()).await?, json!({ "points": 1 }));
    let list = stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT);
    let listed = list.by_resource_arn(table).send().await?;
    let [point] = listed.recovery_points() else { anyhow::bail!("{listed:?}") };
    assert_eq!(point.resource_arn(), Some(table));
    assert!(point.recovery_point_arn().is_some_and(|arn| arn.contains(REGION)), "it lies here: {point:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_was_made_without_a_backup_lives_by_its_lifecycle() -> Result<()> {
    let stack = Stack::start().await?;
    let made = json!({
        "region": REGION, "vault": VAULT, "table": format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders"),
        "role": BACKUP_ROLE, "created": ["2025-01-05T00:00:00Z", "2025-01-06T05:00:00Z"],
        "lifecycle": { "delete_after_days": 1 },
    });
    stack.control("POST", "/points", &made.to_string()).await?;
    let count = async || {
        let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
        anyhow::Ok(vault.number_of_recovery_points())
    };
    stack.pass(9 * 3600).await;
    assert_eq!(count().await?, 1);
    stack.pass(24 * 3600).await;
    assert_eq!(count().await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_was_made_without_a_backup_cannot_be_restored() -> Result<()> {
    let stack = Stack::start().await?;
    let table = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders");
    let body = json!({ "region": REGION, "vault": VAULT, "table": table, "created": [START] });
    assert_eq!(stack.control("POST", "/points", &body.to_string()).await?, json!({ "points": 1 }));
    let listed = stack.backup.list_recovery_points_by_resource().resource_arn(&table).send().await?;
    let point = listed.recovery_points()[0].recovery_point_arn().context("arn")?;
    let start = stack.backup.start_restore_job().recovery_point_arn(point).iam_role_arn(BACKUP_ROLE);
    let refused = refusal(start.metadata("targetTableName", "restored").send().await);
    assert!(refused.starts_with("400 InvalidRequestException"), "{refused}");
    assert!(refused.contains("holds no table to restore"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_make_no_sense_are_refused_all_at_once_and_none_is_made() -> Result<()> {
    let stack = Stack::start().await?;
    let table = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders");
    let good = json!({ "region": REGION, "vault": VAULT, "table": table, "created": [START] });
    let with = |member: &str, value: serde_json::Value| {
        let mut batch = good.clone();
        batch[member] = value;
        batch
    };
    for (wrong, why) in [
        (with("table", json!("orders")), "is no ARN of a table"),
        (
            with("table", json!("arn:aws:dynamodb:Frankfurt:111122223333:table/orders")),
            "is no ARN of a table",
        ),
        (with("account", json!("1")), "12 digits"),
        (with("region", json!("Frankfurt")), "is no Region"),
        (with("vault", json!("missing")), "there is no vault missing"),
        (with("role", json!("backup")), "is no ARN of a role"),
        (with("created", json!([])), "has no time"),
        (with("created", json!(["2025-01-06T06:00:01Z"])), "not be after the emulated time"),
        (with("created", json!({ "from": START, "every_seconds": 0, "count": 1_000_001 })), "are the most"),
        (
            with("created", json!({ "from": START, "every_seconds": 1, "count": 2 })),
            "as 2025-01-06T06:00:01Z is",
        ),
        (
            with("created", json!({ "from": START, "every_seconds": 4_000_000_000_u32, "count": 4_000 })),
            "calendar",
        ),
        (with("tags", json!({ "aws:x": "" })), "reserved"),
        (with("lifecycle", json!({ "delete_after_days": 0 })), "at least 1"),
        (with("lifecycle", json!({ "cold_after_days": 1, "delete_after_days": 90 })), "90 more"),
        (with("status", json!("DELETING")), "must be COMPLETED, PARTIAL or EXPIRED"),
        (with("colour", json!("red")), "expected"),
    ] {
        let refused = stack.refused("POST", "/points", &json!([good, wrong]).to_string()).await?;
        assert!(refused.contains(why), "{why}: {refused}");
    }
    let two = json!([with("account", json!("1")), with("status", json!("GONE"))]);
    let refused = stack.refused("POST", "/points", &two.to_string()).await?;
    assert!(refused.contains("[0]: an account") && refused.contains("[1]: status"), "{refused}");
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!(vault.number_of_recovery_points(), 0);
    Ok(())
}
