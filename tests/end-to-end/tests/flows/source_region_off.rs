//! The source Region is shut off: what the target Region's report knows without it.

use local_stack::{SOURCE_REGION, TARGET_REGION};
use serde_json::{Value, json};

use crate::support::{CATALOG, SEVEN, World, chains, example_with_copies, found, list, points, vault};

async fn report_there(world: &World, request: &Value) -> Value {
    world.stack.invoke(TARGET_REGION, "chain-report", request).await.expect("a report")
}

/// 11:00 in Berlin on that Monday: D is due alone.
const ELEVEN: &str = "2027-01-04T10:00:00Z";

/// Takes everything out of the target Region's catalog; how much there was.
async fn empty_the_catalog_there(world: &World) -> usize {
    let client = aws_sdk_dynamodb::Client::new(&world.stack.sdk_config(TARGET_REGION).await);
    let items =
        client.scan().table_name(CATALOG).projection_expression("pk, sk").send().await.expect("a scan");
    for item in items.items() {
        let delete = client.delete_item().table_name(CATALOG).set_key(Some(item.clone()));
        delete.send().await.expect("the item goes");
    }
    items.items().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_source_region_shut_off_the_target_reports_its_chain_in_full_from_tags_alone() {
    let world = World::start_with_target().await;
    world.tables(&["a-1", "a-2"]).await;
    let mut document = example_with_copies("a", &json!({"tables": ["a-*"]}));
    document["copies"][0]["keep"] = json!({"daily": {"days": 7}, "yearly": {"years": 7}});
    world.apply(&document).await;
    world.jump(SEVEN).await;
    world.jump(ELEVEN).await;
    world.finish_jobs().await;
    world.pass(10).await;
    let report = world.verified(&[]).await;
    let points_here: Vec<Value> =
        ["a-1", "a-2"].iter().flat_map(|table| points(&report, table)).cloned().collect();
    assert_eq!(points_here.len(), 4, "{report:#}");
    let standing = list(&report["copies"]);
    assert_eq!(standing.len(), 2, "{report:#}");
    for (copies, newest) in standing.iter().zip([&points_here[1], &points_here[3]]) {
        assert_eq!((&copies["target"], &copies["usable"]), (&json!(vault(TARGET_REGION)), &json!(2)));
        assert_eq!((&copies["newest_copied"], &copies["missing"]), (&newest["recovery_point"], &json!([])));
    }
    let before = report_there(&world, &json!({"rebuild": true})).await;

    world.stack.control().set_region(SOURCE_REGION, false).await.expect("off");
    world.stack.invoke(SOURCE_REGION, "chain-report", &json!({})).await.expect_err("nobody answers there");
    assert_eq!(empty_the_catalog_there(&world).await, 4);
    let there = report_there(&world, &json!({})).await;
    assert_eq!(there["chains"], before["chains"]);
    assert_eq!((chains(&there), found(&there)), (vec![("a-1", "copy", 2), ("a-2", "copy", 2)], vec![]));
    assert_eq!(there["copies"], json!([]), "nothing is copied on from here");
    let shown: Vec<&Value> = ["a-1", "a-2"].iter().flat_map(|table| points(&there, table)).collect();
    for (shown, source) in shown.iter().zip(&points_here) {
        for member in ["table", "policy", "session", "scheduled_at", "created_at", "size_bytes"] {
            assert_eq!(shown[member], source[member], "{member} of {shown:#}");
        }
    }
    let lives =
        |point: &Value| (point["flags"].clone(), point["active_flags"].clone(), point["expires_at"].clone());
    assert_eq!(lives(shown[0]), (json!(["D", "Y"]), json!(["D", "Y"]), json!("2034-01-04T06:00:00Z")));
    assert_eq!(lives(shown[1]), (json!(["D"]), json!(["D"]), json!("2027-01-11T10:00:00Z")));
    for chain in list(&there["chains"]) {
        assert_eq!(
            (&chain["vault"], &chain["newest_usable"]),
            (&json!(vault(TARGET_REGION)), &chain["points"][1]["recovery_point"])
        );
        assert!(chain["rpo_seconds"].as_i64().is_some_and(|seconds| seconds > 0), "{chain:#}");
    }
    let one = report_there(&world, &json!({"table": "a-1"})).await;
    assert_eq!(one["chains"][0], there["chains"][0]);

    // It keeps on telling the same, with its catalog made anew and without the source.
    for request in [json!({"rebuild": true}), json!({"rebuild": true}), json!({})] {
        assert_eq!(report_there(&world, &request).await, there, "{request}");
    }
    world.stack.control().set_region(SOURCE_REGION, true).await.expect("on");
    assert_eq!(report_there(&world, &json!({})).await, there);
}
