//! The source Region is off; the target Region's stack restores tables from their copies alone.

use std::collections::BTreeMap;

use aws_sdk_backup::types::CopyJobState;
use local_stack::{SOURCE_REGION, TARGET_REGION, VAULT};
use serde_json::{Value, json};

use super::everything::{self, Billing, described, items_of};
use crate::guides;
use crate::support::{SEVEN, World, arn, example_with_copies, list, points, vault};

impl World {
    /// Sees to it that the target Region has a copy of the table's newest point.
    async fn copied(&self, report: &Value, table: &str) {
        let there = self.backup_there().await.list_recovery_points_by_backup_vault().backup_vault_name(VAULT);
        let there = there.by_resource_arn(arn(table).as_str()).send().await.expect("its points");
        if !there.recovery_points().is_empty() {
            return;
        }
        let roles = crate::permissions::roles(self).await;
        let role = roles.iter().find(|role| role.short() == "BackupRole").expect("a role").arn();
        let point = points(report, table)
            .last()
            .and_then(|point| point["recovery_point"].as_str().map(str::to_owned));
        let copy = self.backup().await.start_copy_job().source_backup_vault_name(VAULT).iam_role_arn(role);
        let copy = copy
            .recovery_point_arn(point.expect("a point"))
            .destination_backup_vault_arn(vault(TARGET_REGION));
        copy.send().await.expect("a copy job");
    }
}

/// What the table is to look like there: as it was, with this Region in every ARN, and without what was chosen anew.
fn moved(before: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let moved = before.iter().map(|(call, said)| {
        let said = said.to_string().replace(SOURCE_REGION, TARGET_REGION);
        (call.clone(), serde_json::from_str(&said).expect("JSON"))
    });
    without_choices(moved.collect())
}

fn without_choices(mut described: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    described.remove("describe-kinesis-streaming-destination");
    let alarms = described.iter_mut().filter(|(call, _)| call.starts_with("describe-alarms"));
    for alarm in alarms.flat_map(|(_, said)| said["MetricAlarms"].as_array_mut().expect("alarms")) {
        for actions in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
            alarm.as_object_mut().expect("an alarm").remove(actions);
        }
    }
    if let Some(Value::Object(table)) =
        described.get_mut("describe-table").and_then(|answer| answer.get_mut("Table"))
    {
        table.remove("SSEDescription");
    }
    described
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runbook_restores_tables_with_their_region_switched_off() {
    let world = World::start_with_target().await;
    world.tables(&["users"]).await;
    everything::create(&world.stack, SOURCE_REGION, "orders", Billing::Provisioned).await;
    let before = described(&world.stack, SOURCE_REGION, "orders").await;
    let items = items_of(&world.stack, SOURCE_REGION, "orders").await;
    world.apply(&example_with_copies("all", &json!({"tables": ["orders", "users"]}))).await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    for table in ["orders", "users"] {
        world.copied(&report, table).await;
    }
    world.finish_jobs().await;
    let jobs = world.backup().await.list_copy_jobs().send().await.expect("the copy jobs");
    for job in jobs.copy_jobs() {
        assert_eq!(job.state().map(CopyJobState::as_str), Some("COMPLETED"), "{:?}", job.status_message());
    }
    world.stack.control().set_region(SOURCE_REGION, false).await.expect("the Region is lost");

    // The key is of the lost Region, and nobody guesses which one to use.
    let request = json!({"restore": {"table": "orders"}});
    let refused = world.stack.invoke(TARGET_REGION, "table-restore", &request).await.expect_err("a refusal");
    let refused = refused.refusal().expect("a refusal");
    assert_eq!(refused.error_type, "KeyUnavailable");
    assert!(
        refused.error_message.starts_with("$.overrides.encryption: the table was encrypted with "),
        "{refused}"
    );

    // Time passes, and a person would look every half minute.
    world.stack.timeline().set_speed(60.0).await.expect("a clock that goes");
    let directory = tempfile::tempdir().expect("a directory");
    let commands = format!("sleep() {{ command sleep 1; }}\n{}", guides::blocks("disaster.md", "sh"));
    guides::run(&world, TARGET_REGION, directory.path(), &commands).await;
    world.stack.timeline().set_speed(0.0).await.expect("a clock that stands still");

    let answer = |name: &str| -> Value {
        let text = std::fs::read(directory.path().join(name)).expect("an answer");
        serde_json::from_slice(&text).expect("JSON")
    };
    let chains: Vec<_> =
        list(&answer("report.json")["chains"]).iter().map(|chain| chain["chain"].clone()).collect();
    assert_eq!(chains, ["copy", "copy"]);
    assert_eq!(answer("plan.json")["state"], "planned");
    let status = answer("status.json");
    assert_eq!(status["state"], "done", "{status:#}");
    assert_eq!(status["restores"][0]["reason"], "eu-central-1 is lost");
    for (name, alarm) in super::alarms::of_table(&world.stack, TARGET_REGION, "orders").await {
        let actions = [alarm.alarm_actions(), alarm.ok_actions(), alarm.insufficient_data_actions()].concat();
        assert!(actions.is_empty(), "{name}: {actions:?}");
        let left_out = format!(
            "the alarm {name} comes back without actions of another Region (arn:aws:sns:{SOURCE_REGION}:"
        );
        let mut notes = list(&status["restores"][0]["notes"]).iter().filter_map(Value::as_str);
        assert!(notes.any(|note| note.starts_with(&left_out)), "{name}: {status:#}");
    }
    let after = without_choices(described(&world.stack, TARGET_REGION, "orders").await);
    for (call, said) in &moved(&before) {
        assert_eq!(&after[call], said, "{call}");
    }
    assert_eq!(items_of(&world.stack, TARGET_REGION, "orders").await, items);
    assert_eq!(items_of(&world.stack, TARGET_REGION, "users").await.len(), 3);
}
