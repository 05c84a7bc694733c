//! A restore whose function is killed at each of its writes in turn, and gone on with.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    ContributorInsightsAction, PointInTimeRecoverySpecification, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};
use dynachain::aws::table_reader::TableReader;
use dynachain::table_config::TableConfig;
use end_to_end::processes::{kill, of_function};
use jiff::SignedDuration;
use local_stack::{InvokeError, SOURCE_REGION};
use serde_json::{Value, json};

use super::alarms;
use super::everything::items_of;
use crate::support::{World, arn, list};

const FUNCTION: &str = "table-restore";
const POLL: Duration = Duration::from_millis(20);
/// Longer than a killed invocation holds a restore, and than the interval of reconciliation.
const LATER: SignedDuration = SignedDuration::from_mins(20);
/// More writes than a restore of this table takes.
const MOST: usize = 60;

impl World {
    /// Lets so many writes of the function pass and holds the next one; `None` lets go.
    async fn hold_writes(&self, after: Option<usize>) {
        let body = json!({"function": FUNCTION, "after": after});
        self.local("PUT", "/_local/hold", Some(&body)).await;
    }

    async fn is_held(&self) -> bool {
        self.local("GET", "/_local/hold", None).await["held"] == true
    }

    async fn config_of(&self, table: &str) -> TableConfig {
        let reader = TableReader::new(&self.stack.in_process_config(SOURCE_REGION).await, 1000);
        reader.capture(&arn(table)).await.expect("the table").config
    }
}

/// A table with something for several calls.
async fn table(world: &World) {
    world.tables(&["orders"]).await;
    let client = world.dynamodb().await;
    let ttl =
        TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build().expect("TTL");
    client
        .update_time_to_live()
        .table_name("orders")
        .time_to_live_specification(ttl)
        .send()
        .await
        .expect("TTL");
    let pitr = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
    let set = client.update_continuous_backups().table_name("orders");
    set.point_in_time_recovery_specification(pitr.expect("PITR")).send().await.expect("PITR");
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::KeysOnly);
    let set =
        client.update_table().table_name("orders").stream_specification(stream.build().expect("a stream"));
    set.send().await.expect("a stream");
    let insights = client.update_contributor_insights().table_name("orders");
    insights.contributor_insights_action(ContributorInsightsAction::Enable).send().await.expect("insights");
    world.tag_table("orders", [("team".to_owned(), "checkout".to_owned())]).await;
    alarms::watch(&world.stack, SOURCE_REGION, "orders").await;
    client
        .update_table()
        .table_name("orders")
        .deletion_protection_enabled(true)
        .send()
        .await
        .expect("protection");
}

fn request(point: &str) -> Value {
    json!({"restore": {"recovery_point": point}, "overrides": {"alarms": "recorded"}})
}

/// Restores, and kills the function when it is held; whether it was.
async fn restore_and_kill(world: &World, point: &str, after: usize) -> bool {
    world.hold_writes(Some(after)).await;
    let request = request(point);
    let restore = async {
        let asked: Result<Value, InvokeError> = world.stack.invoke(SOURCE_REGION, FUNCTION, &request).await;
        world.finish_jobs().await;
        asked
    };
    futures::pin_mut!(restore);
    let mut killed = false;
    loop {
        if tokio::time::timeout(POLL, &mut restore).await.is_ok() {
            break;
        }
        if !killed && world.is_held().await {
            of_function(&world.stack, FUNCTION)
                .expect("processes")
                .into_iter()
                .for_each(|it| kill(it).expect("killed"));
            killed = true;
            world.hold_writes(None).await;
        }
    }
    world.hold_writes(None).await;
    killed
}

/// The restores of the catalog: how each stands.
async fn states(world: &World) -> Vec<String> {
    let catalog = world.catalog().await;
    let restores = catalog.iter().filter(|((pk, _), _)| pk.starts_with("RESTORE#"));
    restores.map(|(_, item)| item["state"].as_s().expect("a text").clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_at_any_of_its_writes_comes_to_the_same_end() {
    let world = World::start().await;
    table(&world).await;
    let (config, items) =
        (world.config_of("orders").await, items_of(&world.stack, SOURCE_REGION, "orders").await);
    let point = world.backed_up("orders").await;
    let mut writes = 0;
    loop {
        world.delete_table("orders").await;
        let killed = restore_and_kill(&world, &point, writes).await;
        // What was killed is gone on with when its time is up; what was not even written down is asked for again.
        for _ in 0..3 {
            world.stack.jump_to(world.stack.now() + LATER).await;
        }
        if states(&world).await.is_empty() {
            assert_eq!(writes, 0, "only before the first write nothing is known");
            world.restore(&request(&point)).await;
            world.finish_jobs().await;
        }
        assert!(
            states(&world).await.iter().all(|state| state == "done"),
            "{writes}: {:?}",
            states(&world).await
        );
        assert_eq!(world.config_of("orders").await, config, "killed at write {writes}");
        assert_eq!(items_of(&world.stack, SOURCE_REGION, "orders").await, items, "killed at write {writes}");
        let jobs = world.backup().await.list_restore_jobs().into_paginator().items().send();
        let jobs = jobs.collect::<Result<Vec<_>, _>>().await.expect("the jobs");
        assert_eq!(jobs.len(), writes + 1, "one job for each restore, killed at write {writes}");
        if !killed {
            break;
        }
        writes += 1;
        assert!(writes < MOST, "it comes to an end");
    }
    assert!(writes > 15, "{writes} writes");
    let report = world.report(&json!({})).await;
    assert!(list(&report["findings"]).is_empty());
}
