//! Configurations that have no room in a point's tags, and points that go while they are restored.

use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveStatus};
use dynachain::aws::KeyOpener;
use dynachain::evolving::Evolving;
use dynachain::metadata::{Digest, PartName, PointTags, Sealer};
use dynachain::table_config::{Part, TableConfig, TimeToLive};
use local_stack::{SOURCE_REGION, VAULT};
use serde_json::{Value, json};

use super::everything::{self, Billing, described};
use crate::support::{World, arn, list};

/// A table with so many tags that its configuration has no room beside them, backed up and deleted; its tags.
async fn with_many_tags(world: &World) -> (String, Vec<(String, String)>) {
    world.tables(&["orders"]).await;
    // Values that nothing makes shorter.
    let value =
        |i: usize| (0..3).map(|part| Digest::of(format!("{i}/{part}").as_bytes()).to_string()).collect();
    let tags: Vec<(String, String)> = (0..40).map(|i| (format!("tag-{i:02}"), value(i))).collect();
    world.tag_table("orders", tags.clone()).await;
    let point = world.backed_up("orders").await;
    let has_config = world.tags(&point).await.keys().any(|tag| tag.starts_with("dynachain:config"));
    assert!(!has_config, "the configuration is in the catalog");
    world.delete_table("orders").await;
    (point, tags)
}

async fn restored(world: &World, point: &str) -> Value {
    let asked = world.restore(&json!({"restore": {"recovery_point": point}})).await;
    world.finish_jobs().await;
    world.restore(&json!({"status": asked["restore_id"]})).await
}

/// Changes the sealed configuration that the catalog keeps for a point.
async fn change_config(world: &World, point: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let key = (format!("POINT#{point}"), "CONFIG".to_owned());
    let mut stored = world.catalog().await.remove(&key).expect("the configuration");
    let Some(AttributeValue::B(sealed)) = stored.remove("config") else { unreachable!("bytes") };
    let mut sealed = sealed.into_inner();
    change(&mut sealed);
    stored.insert("config".to_owned(), AttributeValue::B(sealed.into()));
    let put = world.dynamodb().await.put_item().table_name(crate::support::CATALOG).set_item(Some(stored));
    put.send().await.expect("a changed one");
}

async fn tags_of(world: &World, table: &str) -> Vec<(String, String)> {
    let tags = world.dynamodb().await.list_tags_of_resource().resource_arn(arn(table).as_str());
    let tags = tags.send().await.expect("tags");
    let mut tags: Vec<_> =
        tags.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    tags.sort();
    tags
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_too_large_for_tags_comes_from_the_catalog() {
    let world = World::start().await;
    let (point, tags) = with_many_tags(&world).await;
    let done = restored(&world, &point).await;
    assert_eq!(done["state"], "done", "{done:#}");
    assert_eq!(tags_of(&world, "orders").await, tags);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_was_changed_or_is_lost_is_said_to_be_unknown() {
    let world = World::start().await;
    let (point, _) = with_many_tags(&world).await;
    change_config(&world, &point, |sealed| *sealed.last_mut().expect("a byte") ^= 1).await;
    for said in ["it is not authentic", "the catalog does not have it"] {
        let done = restored(&world, &point).await;
        assert_eq!(done["state"], "done_with_problems", "{done:#}");
        let tags = list(&done["steps"]).iter().find(|step| step["property"] == "tags").expect("a step");
        assert!(tags["error"].as_str().is_some_and(|error| error.contains(said)), "{tags}");
        assert_eq!((&tags["action"], &tags["recorded"]), (&json!("not possible"), &Value::Null));
        world.delete_table("orders").await;
        world.drop_from_catalog(&format!("POINT#{point}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_sealed_well_and_is_not_the_points_own_is_not_applied_and_the_data_comes_back()
 {
    let world = World::start().await;
    let (point, _) = with_many_tags(&world).await;
    // Somebody with the key has sealed another configuration of this very table.
    let key = world.stack.deployments()[0].output("KeyArn").expect("a key").parse().expect("an ARN");
    let opener = KeyOpener::new(&world.stack.sdk_config(SOURCE_REGION).await, key);
    let keys = PointTags::read(&world.tags(&point).await).keys;
    let key = opener.open(&keys, &arn("orders")).await.expect("the data key");
    let theirs = TableConfig {
        tags: [("team".to_owned(), "theirs".to_owned())].into(),
        ttl: Part::On(TimeToLive { attribute: "at".to_owned() }),
        deletion_protection: true,
        ..TableConfig::default()
    };
    let theirs = Evolving::new(theirs).encode().expect("its bytes");
    let theirs = Sealer::new(&key, &arn("orders")).seal(PartName::Config, &theirs).expect("sealed");
    change_config(&world, &point, |sealed| *sealed = theirs).await;

    let done = restored(&world, &point).await;
    assert_eq!(done["state"], "done_with_problems", "{done:#}");
    let said = "the configuration is not the one that was recorded with the point";
    for step in list(&done["steps"]).iter().filter(|step| step["property"] != "alarms") {
        let (action, error) = (&step["action"], &step["error"]);
        let by_aws = (&json!("by AWS"), &Value::Null);
        assert!(
            (action, error) == (&json!("not possible"), &json!(said)) || (action, error) == by_aws,
            "{step}"
        );
        assert_eq!(step["recorded"], Value::Null, "nothing of it is shown either");
    }
    let after = world.dynamodb().await.describe_table().table_name("orders").send().await.expect("the table");
    assert_eq!(
        after.table().and_then(aws_sdk_dynamodb::types::TableDescription::deletion_protection_enabled),
        Some(false)
    );
    assert_eq!(tags_of(&world, "orders").await, []);
    let ttl = world.dynamodb().await.describe_time_to_live().table_name("orders").send().await.expect("TTL");
    let ttl = ttl.time_to_live_description().and_then(|ttl| ttl.time_to_live_status());
    assert_eq!(ttl.map(TimeToLiveStatus::as_str), Some("DISABLED"));
    assert_eq!(everything::items_of(&world.stack, SOURCE_REGION, "orders").await.len(), 3);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_goes_while_its_table_is_restored_is_needed_no_more() {
    let world = World::start().await;
    everything::create(&world.stack, SOURCE_REGION, "orders", Billing::OnDemand).await;
    let before = described(&world.stack, SOURCE_REGION, "orders").await;
    let point = world.backed_up("orders").await;
    world.delete_table("orders").await;
    world.stack.control().set_events(&json!({"lose": 1.0})).await.expect("events are lost");
    let request = json!({"restore": {"recovery_point": point}, "overrides": {"alarms": "recorded"}});
    let asked = world.restore(&request).await;
    world.finish_jobs().await;
    let delete =
        world.backup().await.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn(&point);
    delete.send().await.expect("it goes");
    world.finish_jobs().await;
    world.restore(&json!({"reconcile": true})).await;
    let done = world.restore(&json!({"status": asked["restore_id"]})).await;
    assert_eq!(done["state"], "done", "{done:#}");
    let after = described(&world.stack, SOURCE_REGION, "orders").await;
    for (call, said) in &before {
        assert_eq!(&after[call], said, "{call}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auto_scaled_table_can_come_back_with_its_least_capacity() {
    let world = World::start().await;
    everything::create(&world.stack, SOURCE_REGION, "orders", Billing::Provisioned).await;
    let point = world.backed_up("orders").await;
    let request = json!({
        "restore": {"recovery_point": point}, "target": {"table": "orders-2"},
        "overrides": {"provisioned": "minimum", "resource_policy": "none", "kinesis": "none"},
    });
    let asked = world.restore(&request).await;
    world.finish_jobs().await;
    let done = world.restore(&json!({"status": asked["restore_id"]})).await;
    assert_eq!(done["state"], "done", "{done:#}");
    let table =
        world.dynamodb().await.describe_table().table_name("orders-2").send().await.expect("the table");
    let table = table.table().expect("the table");
    let units = |units: Option<&aws_sdk_dynamodb::types::ProvisionedThroughputDescription>| {
        units.map(|units| (units.read_capacity_units(), units.write_capacity_units())).expect("units")
    };
    assert_eq!(units(table.provisioned_throughput()), (Some(5), Some(6)));
    let mut indexes: Vec<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| (index.index_name().expect("a name"), units(index.provisioned_throughput())))
        .collect();
    indexes.sort_unstable();
    let expected = [("by-day", (Some(7), Some(12))), ("by-state", (Some(13), Some(14)))];
    assert_eq!(indexes, expected);
}
