//! A table's stream and its resource policy, which names the stream that the table has now.

use local_stack::SOURCE_REGION;
use serde_json::{Value, json};

use super::everything::{self, Billing, described, stream_of};
use crate::support::{World, list};

const POLICY: &str = "get-resource-policy of the stream";

/// What the stream is like: its view, and its policy if it has one.
async fn stream(world: &World, table: &str) -> (Value, Option<Value>) {
    let described = described(&world.stack, SOURCE_REGION, table).await;
    let view = described["describe-table"]["Table"]["StreamSpecification"]["StreamViewType"].clone();
    (view, described.get(POLICY).cloned())
}

/// The revision of a stream's policy: another each time that one is put.
async fn revision(world: &World, table: &str) -> (String, Option<String>) {
    let client = world.dynamodb().await;
    let stream = stream_of(&client, table).await.expect("a stream");
    let policy = client.get_resource_policy().resource_arn(&stream).send().await.expect("a policy");
    (stream, policy.revision_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_a_stream_follows_the_table_to_another_name_and_is_put_once() {
    let world = World::start().await;
    everything::create(&world.stack, SOURCE_REGION, "orders", Billing::OnDemand).await;
    let before = described(&world.stack, SOURCE_REGION, "orders").await;
    let point = world.backed_up("orders").await;
    let request = json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}});
    let restoring = world.restoring(&request).await;
    let done = world.configured(&restoring).await;
    assert_eq!(done["state"], "done", "{done:#}");
    let after = described(&world.stack, SOURCE_REGION, "orders-2").await;
    let renamed = before[POLICY].to_string().replace("table/orders", "table/orders-2");
    assert_eq!(after[POLICY].to_string(), renamed);
    assert_eq!(described(&world.stack, SOURCE_REGION, "orders").await, before, "the old table is as it was");
    let step = list(&done["steps"]).iter().find(|step| step["property"] == "stream").expect("a step");
    assert_eq!(step["recorded"]["view"], "OLD_IMAGE");
    assert_eq!(step["recorded"]["policy"]["Statement"][0]["Sid"], "Follow");

    let there = revision(&world, "orders-2").await;
    let done = world.configured(&restoring).await;
    assert_eq!(done["state"], "done", "{done:#}");
    assert_eq!(revision(&world, "orders-2").await, there);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_restored_otherwise_with_or_without_the_recorded_policy() {
    let world = World::start().await;
    everything::create(&world.stack, SOURCE_REGION, "orders", Billing::OnDemand).await;
    let (_, recorded) = stream(&world, "orders").await;
    let point = world.backed_up("orders").await;
    let as_recorded = recorded.expect("a policy").to_string();
    let overrides = [
        ("off", json!("none"), Value::Null, false),
        ("view", json!("KEYS_ONLY"), json!("KEYS_ONLY"), true),
        ("bare", json!({"view": "NEW_IMAGE", "policy": "none"}), json!("NEW_IMAGE"), false),
    ];
    let restores = overrides.iter().map(|(table, stream, ..)| {
        json!({"recovery_point": point, "target": {"table": table}, "overrides": {"stream": stream}})
    });
    let asked = world.restore(&json!({"restores": restores.collect::<Vec<_>>()})).await;
    world.finish_jobs().await;
    let done = world.restore(&json!({"status": asked["restore_id"]})).await;
    assert_eq!(done["state"], "done", "{done:#}");
    for (table, _, view, has_policy) in overrides {
        let renamed = as_recorded.replace("table/orders", &format!("table/{table}"));
        let (found, policy) = stream(&world, table).await;
        let policy = policy.map(|policy| policy.to_string());
        assert_eq!((found, policy), (view, has_policy.then_some(renamed)), "{table}");
    }
    world.verified(&[]).await;
}
