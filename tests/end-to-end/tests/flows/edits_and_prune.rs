//! Edits and retention at work on the same points: no point goes whose edit was answered as done, or has begun.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use local_stack::SOURCE_REGION;
use serde_json::{Value, json};

use crate::support::seeds::{failures, verdict};
use crate::support::{CATALOG, World};

fn extend(point: &str) -> Value {
    json!({"extend": {"recovery_point": point, "until": "forever"}})
}

impl World {
    /// Holds the lock of edits as somebody else would, until the end of that second since 1970.
    async fn hold_edits(&self, until: i64) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = self.dynamodb().await.put_item().table_name(CATALOG).item("pk", text("EDITS"));
        let put = put.item("sk", text("LOCK")).item("held_by", text("somebody"));
        put.item("held_until", AttributeValue::N(until.to_string())).send().await.expect("the lock");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_an_edit_that_has_begun_loses_no_point() {
    let world = World::start().await;
    world.tables(&["a-1", "b-1"]).await;
    let points = world.seed_days("a-1", [50, 40, 2, 1], 30).await;
    world.seed_days("b-1", [50, 1], 30).await;

    // AWS takes none of the new tags: the edit stands in the catalog, and the tags say still that the point is due.
    let denied = json!([{ "operation": "TagResource", "effect": "access_denied" }]);
    world.control("PUT", "/faults", Some(&denied)).await;
    let failed = world.ask("chain-edit", &extend(&points[0])).await;
    assert_eq!(failed["failures"][0]["reason"], "edit_refused", "{failed:#}");

    let pruned = world.prune(&json!({})).await;
    assert_eq!(verdict(&pruned, &points[0]).0, "delete", "its tags say so");
    let left = [(points[0].as_str(), "being_edited"), (points[1].as_str(), "being_edited")];
    assert_eq!(failures(&pruned), left, "{pruned:#}");
    assert_eq!(world.days_left("a-1").await, [50, 40, 2, 1]);
    assert_eq!((&pruned["deleted"], world.days_left("b-1").await), (&json!(1), vec![1]), "another table");

    // An edit that nobody can read any more protects as well.
    let stored = world.catalog().await.into_iter().find(|((pk, sk), _)| pk == "EDITS" && sk != "LOCK");
    let ((pk, sk), whole) = stored.expect("the edit");
    let garbled = world.dynamodb().await.put_item().table_name(CATALOG).item("pk", AttributeValue::S(pk));
    garbled.item("sk", AttributeValue::S(sk)).send().await.expect("a garbled edit");
    assert_eq!(failures(&world.prune(&json!({})).await), left);
    let put = world.dynamodb().await.put_item().table_name(CATALOG).set_item(Some(whole));
    put.send().await.expect("the edit as it was");

    world.control("PUT", "/faults", Some(&json!([]))).await;
    assert_eq!(world.ask("chain-edit", &json!({"reconcile": true})).await["resumed"], 1);
    let done = world.prune(&json!({})).await;
    assert_eq!((&done["deleted"], failures(&done)), (&json!(1), vec![]), "{done:#}");
    assert_eq!(verdict(&done, &points[0]), ("keep", vec!["extended"]));
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
    assert_eq!(world.days_left("a-1").await, [50, 2, 1]);
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_of_a_point_that_is_just_being_deleted_is_refused() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let points = world.seed_days("a-1", [50, 2, 1], 30).await;
    let slow = json!([{"operation": "DeleteRecoveryPoint", "count": 1, "effect": "delay", "seconds": 2}]);
    world.control("PUT", "/faults", Some(&slow)).await;
    let request = json!({});
    let extended = async {
        world.struck().await;
        world.stack.invoke(SOURCE_REGION, "chain-edit", &extend(&points[0])).await
    };
    let (pruned, extended) = tokio::join!(world.prune(&request), extended);
    assert_eq!((&pruned["deleted"], world.days_left("a-1").await), (&json!(1), vec![2, 1]), "{pruned:#}");
    let Err(error) = extended else { unreachable!("{extended:#?}") };
    let refusal = error.refusal().expect("a refusal");
    assert_eq!(refusal.error_type, "PointNotFound", "{}", refusal.error_message);
    assert_eq!(world.refused("chain-edit", &extend(&points[0])).await.error_type, "PointNotFound");
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_gets_its_turn_while_a_run_deletes_much() {
    let world = World::with(&[("DeleteRate", "5")], false).await;
    world.tables(&["a-1"]).await;
    let points = world.seed_days("a-1", (1..=90).rev(), 48).await;
    let request = json!({});
    let extended = async {
        while world.deletes().await == 0 {
            // The run is another process's; its answer ends the wait.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let extended = world.ask("chain-edit", &extend(&points[80])).await;
        (extended, world.deletes().await)
    };
    let (pruned, (extended, deletes)) = tokio::join!(world.prune(&request), extended);
    assert_eq!((&extended["edited"], &extended["failures"]), (&json!(1), &json!([])), "{extended:#}");
    assert!(deletes < 42, "it had to wait for the end of the run");
    assert_eq!((&pruned["deleted"], failures(&pruned)), (&json!(42), vec![]), "{pruned:#}");
    let again = world.prune(&json!({})).await;
    assert_eq!((&again["deleted"], verdict(&again, &points[80]).1[1]), (&json!(0), "extended"));
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_others_edit_no_point_goes_and_no_edit_begins() {
    let world = World::start().await;
    world.tables(&["a-1", "b-1"]).await;
    let points = world.seed_days("a-1", [50, 1], 30).await;
    let other = world.seed_days("b-1", [50, 1], 30).await;
    world.hold_edits(i64::from(u32::MAX)).await;
    let (whole, refused) = (json!({}), extend(&points[0]));
    let (pruned, refused) = tokio::join!(world.prune(&whole), world.refused("chain-edit", &refused));
    assert_eq!(refused.error_type, "Busy", "{}", refused.error_message);
    assert_eq!((&pruned["deleted"], &pruned["finished"]), (&json!(0), &json!(true)), "{pruned:#}");
    let left = [(points[0].as_str(), "edits_running"), (other[0].as_str(), "edits_running")];
    assert_eq!(failures(&pruned), left, "{pruned:#}");

    // A lock that lapsed is nobody's.
    world.hold_edits(0).await;
    let done = world.prune(&json!({})).await;
    assert_eq!((&done["deleted"], failures(&done)), (&json!(2), vec![]), "{done:#}");
    assert_eq!((world.days_left("a-1").await, world.days_left("b-1").await), (vec![1], vec![1]));
    let lock = world.catalog().await[&("EDITS".to_owned(), "LOCK".to_owned())]["held_until"].clone();
    assert_eq!(lock.as_n().map(String::as_str), Ok("0"), "the run has given it back");
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}
