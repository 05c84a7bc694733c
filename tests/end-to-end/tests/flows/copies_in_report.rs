//! The source's report tells how its copies stand: on their way, given up, made up for.

use local_stack::TARGET_REGION;
use serde_json::{Value, json};

use crate::support::{SEVEN, World, arn, chains, example_with_copies, list, points, vault};

/// The one entry of a report about copies.
fn standing(report: &Value) -> &Value {
    let [standing] = list(&report["copies"]) else { unreachable!("one table, one target: {report:#}") };
    assert_eq!((&standing["table"], &standing["target"]), (&json!(arn("a-1")), &json!(vault(TARGET_REGION))));
    standing
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_missing_with_its_reason_until_it_comes_or_a_later_one_makes_up_for_it() {
    let world = World::start_with_target().await;
    world.tables(&["a-1"]).await;
    let mut policy = example_with_copies("a", &json!({"tables": ["a-*"]}));
    policy["copies"][0]["keep"]["daily"] = json!({"days": 7});
    policy["retries"] = json!(0);
    world.apply(&policy).await;
    let fault =
        json!([{"operation": "StartCopyJob", "effect": "job_failed", "count": 1, "message": "no luck"}]);
    world.stack.control().set_faults(&fault).await.expect("a fault");
    world.jump("2027-01-04T06:20:00Z").await;
    let report = world.verified(&[("a-1", "copy_given_up")]).await;
    let given_up = standing(&report);
    let first = points(&report, "a-1")[0]["recovery_point"].clone();
    assert_eq!(
        [&given_up["newest_copied"], &given_up["copy"], &given_up["lag_seconds"], &given_up["rpo_seconds"]],
        [&Value::Null; 4]
    );
    assert_eq!((&given_up["usable"], &given_up["missing_count"]), (&json!(0), &json!(1)));
    let missing = &given_up["missing"][0];
    assert_eq!((&missing["recovery_point"], &missing["scheduled_at"]), (&first, &json!(SEVEN)));
    assert_eq!(
        (&missing["state"], &missing["attempts"], &missing["reason"]),
        (&json!("given_up"), &json!(1), &json!("copy_failed"))
    );
    for said in [&missing["message"], &report["findings"][0]["message"]] {
        assert!(said.as_str().is_some_and(|said| said.contains("no luck")), "{report:#}");
    }
    assert_eq!(report["findings"][0]["recovery_point"], first);
    let one = world.report(&json!({"table": "a-1"})).await;
    assert_eq!((&one["copies"], &one["findings"]), (&report["copies"], &report["findings"]));

    // The point of eleven o'clock is copied, and nobody need look at the other one any more.
    world.jump("2027-01-04T10:20:00Z").await;
    let report = world.verified(&[]).await;
    let copied = standing(&report);
    let there = world.verified_there().await;
    assert_eq!(chains(&there), [("a-1", "copy", 1)]);
    let (second, copy) = (points(&report, "a-1")[1], points(&there, "a-1")[0]);
    assert_eq!(
        (&copied["newest_copied"], &copied["copy"]),
        (&second["recovery_point"], &copy["recovery_point"])
    );
    assert_eq!((&copied["usable"], &copied["missing"]), (&json!(1), &json!([])));
    assert_eq!(copied["rpo_seconds"], there["chains"][0]["rpo_seconds"]);
    let lag = copied["lag_seconds"].as_i64().expect("a lag");
    assert!((1..=20 * 60).contains(&lag), "{lag} seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_the_catalog_has_lost_sight_of_is_missing_until_it_is_found_again() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.back_up().await;
    world.pass(10).await;
    let report = world.verified(&[]).await;
    assert_eq!(standing(&report)["usable"], 1, "{report:#}");
    for prefix in ["COPY#", "COPIED#", "COPY_"] {
        world.drop_from_catalog(prefix).await;
    }
    let lost = world.verified(&[]).await;
    let missing = &standing(&lost)["missing"][0];
    assert_eq!((&missing["state"], &missing["reason"]), (&Value::Null, &json!("not_queued")), "{lost:#}");
    world.reconcile_copies().await;
    let found = world.verified(&[]).await;
    let copy = |report: &Value| (standing(report)["copy"].clone(), standing(report)["missing_count"].clone());
    assert_eq!(copy(&found), copy(&report));
}
