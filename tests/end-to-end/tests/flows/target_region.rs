//! The target Region after the source Region is lost: what its stack can do alone.

use dynachain::id::TableArn;
use end_to_end::points;
use local_stack::{SOURCE_REGION, TARGET_REGION};
use serde_json::{Value, json};

use crate::support::{SEVEN, World, arn, chains, example_with_copies, list, only_point, vault};

async fn report_there(world: &World, request: &Value) -> Value {
    world.stack.invoke(TARGET_REGION, "chain-report", request).await.expect("a report")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replica_key_opens_what_the_source_region_sealed() {
    let world = World::start_with_target().await;
    world.tables(&["a-1"]).await;
    world.apply(&example_with_copies("a", &json!({"tables": ["a-*"]}))).await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    let tags = world.tags(&only_point(&report, "a-1")).await;

    let [source, target] = world.stack.deployments() else { unreachable!("two stacks") };
    assert_ne!(source.output("KeyArn").expect("a key"), target.output("KeyArn").expect("a key"));
    let there =
        points::open(&world.stack, TARGET_REGION, &tags, &arn("a-1")).await.expect("the replica opens it");
    let here =
        points::open(&world.stack, SOURCE_REGION, &tags, &arn("a-1")).await.expect("the primary opens it");
    assert_eq!((&there.core, &there.config), (&here.core, &here.config));
    assert!(there.config.is_some());
    assert_eq!(there.core.home_vault.as_str(), vault(SOURCE_REGION));
    // What was sealed for one table opens for no other, there as here.
    let other: TableArn = arn("a-2");
    points::open(&world.stack, TARGET_REGION, &tags, &other).await.expect_err("it is another table's");

    // The stack there reports the copy, each time.
    world.pass(10).await;
    for request in [json!({}), json!({"rebuild": true}), json!({})] {
        let report = report_there(&world, &request).await;
        assert_eq!(
            (chains(&report).as_slice(), list(&report["findings"])),
            (&[("a-1", "copy", 1)][..], &[][..])
        );
    }
}
