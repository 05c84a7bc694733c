//! Runs that would delete suspiciously much, and what confirms them.

use serde_json::{Value, json};

use crate::support::seeds::{failures, verdict};
use crate::support::{World, arn, list};

/// The detail-type of the event that tells of a blocked run.
const BLOCKED: &str = "Prune Blocked";

fn blocked(answer: &Value) -> Vec<(&str, &str, u64)> {
    list(&answer["blocked"])
        .iter()
        .map(|entry| {
            let table = entry["table"].as_str().and_then(|table| table.rsplit('/').next());
            let reason = entry["reason"].as_str().unwrap_or_default();
            (table.unwrap_or_default(), reason, entry["would_delete"].as_u64().unwrap_or_default())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_would_lose_more_than_half_waits_to_be_confirmed_and_the_others_go_on() {
    let world = World::start().await;
    world.subscribe().await;
    // 7 of 12 are due, and 3 of 6 of a chain too short to be worth it.
    let points = world.seed_days("a-1", (25..37).rev(), 30).await;
    world.seed_days("a-2", (28..34).rev(), 30).await;
    let planned = world.prune(&json!({"dry_run": true})).await;
    assert_eq!(blocked(&planned), [("a-1", "more_than_half", 6)][..0], "six of twelve are just half");

    world.seed_days("a-1", [37], 30).await;
    let catalog = world.catalog().await;
    let planned = world.prune(&json!({"dry_run": true})).await;
    assert_eq!(blocked(&planned), [("a-1", "more_than_half", 7)]);
    assert_eq!(verdict(&planned, &points[0]), ("delete", vec!["no_active_flag"]));
    assert_eq!(world.catalog().await, catalog, "a dry run stores no plan");
    let digest = planned["digest"].clone();
    let refusal = world.refused("retention-prune", &json!({"confirm": digest})).await;
    assert_eq!(refusal.error_type, "PlanChanged", "a plan that was not stored: {}", refusal.error_message);

    let pruned = world.prune(&json!({})).await;
    assert_eq!((&pruned["digest"], blocked(&pruned)), (&digest, vec![("a-1", "more_than_half", 7)]));
    assert_eq!(pruned["deleted"], 3, "the other chain's");
    assert_eq!((world.days_left("a-1").await.len(), world.days_left("a-2").await), (13, vec![30, 29, 28]));
    let event = &world.events(BLOCKED, 1).await[0];
    assert_eq!((&event["digest"], &event["would_delete"]), (&digest, &json!(7)), "{event:#}");
    assert_eq!(event["tables"], json!([arn("a-1").as_str()]));

    // Another point comes of age meanwhile: it was not in the plan.
    world.seed_days("a-1", [38], 30).await;
    let tried = world.prune(&json!({"confirm": digest, "dry_run": true})).await;
    assert_eq!(
        (&tried["deleted"], list(&tried["points"]).len()),
        (&json!(7), 10),
        "the plan alone: {tried:#}"
    );
    assert_eq!(world.days_left("a-1").await.len(), 14);
    let done = world.prune(&json!({"confirm": digest})).await;
    assert_eq!((&done["deleted"], failures(&done), blocked(&done)), (&json!(7), vec![], vec![]));
    assert_eq!(world.days_left("a-1").await, [&[38][..], &(25..=30).rev().collect::<Vec<_>>()].concat());

    let again = world.prune(&json!({"confirm": digest})).await;
    assert_eq!(again["deleted"], 0, "what is gone is gone");
    assert_eq!(world.prune(&json!({})).await["deleted"], 1, "and the next run is no longer blocked");
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_and_is_no_longer_due_stays() {
    let world = World::start().await;
    let points = world.seed_days("a-1", (25..38).rev(), 30).await;
    let digest = world.prune(&json!({})).await["digest"].clone();
    // Somebody seals one of them anew, to live longer.
    let seeder = world.seeder().await;
    let core = crate::support::seeds::daily_core(&seeder, 37, 300);
    world.set_tags(&points[0], seeder.tags(&arn("a-1"), &core).expect("tags")).await;
    let done = world.prune(&json!({"confirm": digest})).await;
    assert_eq!(done["deleted"], 6, "{done:#}");
    assert_eq!(failures(&done), [(points[0].as_str(), "changed")]);
    assert_eq!(world.days_left("a-1").await, [37, 30, 29, 28, 27, 26, 25]);
    let again = world.prune(&json!({"confirm": digest})).await;
    assert_eq!((&again["deleted"], failures(&again)), (&json!(0), vec![]), "the catalog has learned it");
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_max_deletes_stops_a_run_before_the_first() {
    let world = World::with(&[("MaxDeletes", "5")], false).await;
    world.subscribe().await;
    world.seed_days("a-1", (25..34).rev(), 30).await;
    world.seed_days("a-2", (25..34).rev(), 30).await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!((blocked(&pruned), &pruned["deleted"]), (vec![("", "max_deletes", 6)], &json!(0)));
    assert_eq!(world.deletes().await, 0);
    let event = &world.events(BLOCKED, 1).await[0];
    assert_eq!((&event["digest"], &event["would_delete"]), (&pruned["digest"], &json!(6)));
    assert_eq!(list(&event["tables"]).len(), 2, "{event:#}");
    // One table alone is few enough.
    assert_eq!(world.prune(&json!({"table": "a-1"})).await["deleted"], 3);
    assert_eq!(world.prune(&json!({"confirm": pruned["digest"]})).await["deleted"], 3);
    assert_eq!((world.days_left("a-1").await.len(), world.days_left("a-2").await.len()), (6, 6));
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_waits_for_72_hours() {
    let world = World::start().await;
    world.seed_days("a-1", (25..38).rev(), 30).await;
    let digest = world.prune(&json!({})).await["digest"].clone();
    world.fall_silent().await;
    world.jump("2027-01-07T05:50:00Z").await;
    assert_eq!(world.prune(&json!({"confirm": digest, "dry_run": true})).await["deleted"], 7);
    world.jump("2027-01-07T06:10:00Z").await;
    let refusal = world.refused("retention-prune", &json!({"confirm": digest})).await;
    assert_eq!(refusal.error_type, "PlanChanged", "{}", refusal.error_message);
    assert_eq!(world.deletes().await, 0);
    world.verified(&[]).await;
}
