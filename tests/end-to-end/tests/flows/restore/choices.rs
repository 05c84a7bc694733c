//! Which point is restored, what is wanted otherwise, and several at once.

use aws_sdk_dynamodb::types::{SseType, StreamViewType};
use local_stack::{SOURCE_REGION, VAULT};
use serde_json::{Value, json};

use super::steps;
use crate::support::{SEVEN, World, arn, example, list, points};

/// Two tables with a point of 07:00 and one of 11:00 each.
async fn world() -> World {
    let world = World::start().await;
    world.tables(&["orders", "users"]).await;
    world.tag_table("orders", [("team".to_owned(), "checkout".to_owned())]).await;
    world.apply(&example("all", &json!({"tables": ["orders", "users"]}))).await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    world.jump("2027-01-04T10:00:00Z").await;
    world.finish_jobs().await;
    world
}

fn named<'a>(report: &'a Value, table: &str, n: usize) -> &'a Value {
    &points(report, table)[n]["recovery_point"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_means_the_newest_usable_point_that_is_not_newer() {
    let world = world().await;
    let report = world.verified(&[]).await;
    assert_eq!(points(&report, "orders").len(), 2);
    for (at, n) in [(None, 1), (Some("2027-01-04T09:00:00Z"), 0), (Some("2027-02-01T00:00:00Z"), 1)] {
        let request =
            json!({"restore": {"table": "orders", "at": at}, "target": {"table": "copy"}, "dry_run": true});
        let planned = world.restore(&request).await;
        assert_eq!(&planned["recovery_point"], named(&report, "orders", n), "{at:?}");
        assert_eq!(
            (&planned["table"], &planned["source_table"]),
            (&json!(arn("copy")), &json!(arn("orders")))
        );
    }
    // A point without metadata that can be read is passed over.
    let newest = named(&report, "orders", 1).as_str().expect("an ARN");
    world.remove_tags(newest, &["dynachain:core:1"]).await;
    let request = json!({"restore": {"table": arn("orders")}, "target": {"table": "copy"}, "dry_run": true});
    assert_eq!(&world.restore(&request).await["recovery_point"], named(&report, "orders", 0));
    // Plans change nothing.
    assert!(!world.catalog().await.keys().any(|(pk, _)| pk.starts_with("RESTORE#")));
    let jobs = world.backup().await.list_restore_jobs().send().await.expect("the jobs");
    assert_eq!(jobs.restore_jobs().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_tables_are_one_plan_and_one_status() {
    let world = world().await;
    let restores = json!([
        {"table": "orders", "target": {"table": "orders-2"}},
        {"table": "users", "target": {"table": "users-2"}, "overrides": {"deletion_protection": true}},
    ]);
    let planned = world.restore(&json!({"restores": restores, "dry_run": true})).await;
    assert_eq!((&planned["state"], list(&planned["restores"]).len()), (&json!("planned"), 2));
    let asked = world.restore(&json!({"restores": restores})).await;
    assert_eq!(asked["state"], "restoring");
    // The same names are taken while the restores go on.
    let refused = world
        .refused("table-restore", &json!({"restore": {"table": "orders"}, "target": {"table": "orders-2"}}))
        .await;
    assert!(["Busy", "TargetExists"].contains(&refused.error_type.as_str()), "{refused}");
    world.finish_jobs().await;
    let status = json!({"status": asked["restore_id"]});
    let done = world.restore(&status).await;
    assert_eq!((&done["state"], &done["restore_id"]), (&json!("done"), &asked["restore_id"]));
    assert_eq!(world.restore(&status).await, done, "asked twice");
    let client = world.dynamodb().await;
    for (table, protected) in [("orders-2", false), ("users-2", true)] {
        let described = client.describe_table().table_name(table).send().await.expect("the table");
        let described = described.table().expect("the table");
        assert_eq!(described.deletion_protection_enabled(), Some(protected), "{table}");
    }
    let (_, action, state) = steps(&done["restores"][1]).into_iter().last().expect("steps");
    assert_eq!((action, state), ("override", "done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_restored_otherwise_than_it_was() {
    let world = world().await;
    let overrides = json!({
        "billing_mode": "PROVISIONED", "provisioned": {"read": 3, "write": 4}, "table_class": "STANDARD_INFREQUENT_ACCESS",
        "encryption": "aws/dynamodb", "stream": "NEW_IMAGE", "ttl": {"attribute": "expires"}, "pitr": {"days": 3},
        "tags": {"team": "drill"}, "deletion_protection": true,
    });
    let request =
        json!({"restore": {"table": "orders"}, "target": {"table": "orders-2"}, "overrides": overrides});
    let asked = world.restore(&request).await;
    world.finish_jobs().await;
    let done = world.restore(&json!({"status": asked["restore_id"]})).await;
    assert_eq!(done["state"], "done", "{done:#}");
    let client = world.dynamodb().await;
    let table =
        client.describe_table().table_name("orders-2").send().await.expect("the table").table.expect("it");
    let units = table.provisioned_throughput().expect("units");
    assert_eq!((units.read_capacity_units(), units.write_capacity_units()), (Some(3), Some(4)));
    let class = table.table_class_summary().and_then(|summary| summary.table_class()).expect("a class");
    assert_eq!(class.as_str(), "STANDARD_INFREQUENT_ACCESS");
    let sse = table.sse_description().expect("encrypted");
    assert_eq!(sse.sse_type().map(SseType::as_str), Some("KMS"));
    let stream = table.stream_specification().and_then(|stream| stream.stream_view_type());
    assert_eq!(stream.map(StreamViewType::as_str), Some("NEW_IMAGE"));
    let tags =
        client.list_tags_of_resource().resource_arn(arn("orders-2").as_str()).send().await.expect("tags");
    let tags: Vec<_> = tags.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, [("team", "drill")]);
    // The override in place of what was recorded; what was recorded is shown.
    let tags = list(&done["steps"]).iter().find(|step| step["property"] == "tags").expect("a step");
    assert_eq!((&tags["action"], &tags["recorded"]), (&json!("override"), &json!({"team": "checkout"})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_is_not_ours_brings_the_data_back_and_says_what_is_unknown() {
    let world = World::start().await;
    world.tables(&["orders"]).await;
    let role = crate::permissions::roles(&world).await;
    let role = role.iter().find(|role| role.short() == "BackupRole").expect("a role").arn().to_owned();
    let start = world.backup().await.start_backup_job().backup_vault_name(VAULT).iam_role_arn(role);
    let job = start.resource_arn(arn("orders").as_str()).send().await.expect("a job");
    world.finish_jobs().await;
    let point = job.recovery_point_arn().expect("a point");
    world.delete_table("orders").await;

    // A table without a usable point is not guessed at.
    let refused = world.refused("table-restore", &json!({"restore": {"table": "orders"}})).await;
    assert_eq!(refused.error_type, "PointNotFound");
    assert!(refused.error_message.contains("restore one by its \"recovery_point\""), "{refused}");
    let asked = world.restore(&json!({"restore": {"recovery_point": point}})).await;
    world.finish_jobs().await;
    let done = world.restore(&json!({"status": asked["restore_id"]})).await;
    assert_eq!(done["state"], "done_with_problems", "{done:#}");
    let unknown: Vec<_> =
        list(&done["steps"]).iter().filter(|step| step["action"] == "not possible").collect();
    assert_eq!(unknown.len(), 13);
    let said = "the point carries no metadata of dynachain";
    assert!(unknown.iter().all(|step| step["error"] == said), "{unknown:#?}");
    assert!(
        list(&done["notes"])
            .iter()
            .any(|note| note.as_str().is_some_and(|note| note.contains("one that AWS owns")))
    );
    let items = super::everything::items_of(&world.stack, SOURCE_REGION, "orders").await;
    assert_eq!(items.len(), 3);
}
