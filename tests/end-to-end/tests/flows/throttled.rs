//! Tables that DynamoDB throttles the reading of: that passes, so they are tried again like jobs that fail.

use serde_json::{Value, json};

use crate::recovery::two_tables_with;
use crate::support::{FINISHED, SEVEN, World, arn, chains, details, list, points};

const OPERATION: &str = "ListTagsOfResource";
const ELEVEN: &str = "2027-01-04T10:00:00Z";

impl World {
    /// Goes to a moment and lets the jobs end that it started.
    async fn live_until(&self, moment: &str) {
        self.jump(moment).await;
        self.finish_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_capture_is_throttled_is_tried_again_and_harms_no_other() {
    let world = two_tables_with(3).await;
    world.throttle(OPERATION, "a-1", true).await;
    let planned = world.session(&json!({"policy": "a", "dry_run": true})).await;
    assert_eq!(details(&planned), [("a-1", "failed", "tags_unreadable"), ("a-2", "would_start", "")]);

    world.live_until(SEVEN).await;
    let event = json!({"policy": "a", "scheduled_at": SEVEN});
    let waiting = world.session(&event).await;
    assert_eq!(details(&waiting), [("a-1", "started", "tags_unreadable"), ("a-2", "started", "")]);
    let said = waiting["details"][0]["message"].as_str().unwrap_or_default();
    assert!(said.contains("ThrottlingException"), "AWS's own words: {said}");
    assert_eq!((&waiting["finished"], world.starts().await), (&json!(false), 1), "one is still to be tried");

    world.throttle(OPERATION, "a-1", false).await;
    world.live_until("2027-01-04T06:20:00Z").await;
    let finished = world.events(FINISHED, 1).await;
    let counts = json!({"covered": 2, "started": 2, "skipped": 0, "failed": 0});
    assert_eq!((&finished[0]["tables"], &finished[0]["failures"]), (&counts, &json!([])));
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
    assert_eq!(points(&report, "a-1")[0]["flags"], json!(["D", "W", "M", "Y"]));
    let catalog = world.catalog().await;
    world.session(&json!({"reconcile": true})).await;
    assert_eq!((world.catalog().await, world.starts().await), (catalog, 2), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_throttled_at_every_attempt_has_failed_and_owes_its_flags() {
    let world = two_tables_with(1).await;
    world.throttle(OPERATION, "a-1", true).await;
    world.live_until(SEVEN).await;
    let event = json!({"policy": "a", "scheduled_at": SEVEN});
    assert_eq!(world.session(&event).await["finished"], false, "an attempt is left");
    world.live_until("2027-01-04T06:20:00Z").await;
    let finished = world.events(FINISHED, 1).await;
    let [failure] = list(&finished[0]["failures"]) else { unreachable!("{finished:#?}") };
    let table = arn("a-1");
    assert_eq!((&failure["table"], &failure["reason"]), (&json!(table.as_str()), &json!("tags_unreadable")));
    assert_eq!(world.starts().await, 1);

    world.throttle(OPERATION, "a-1", false).await;
    world.live_until(ELEVEN).await;
    let report = world.verified(&[]).await;
    let of_table: Vec<(&Value, &Value)> =
        points(&report, "a-1").iter().map(|point| (&point["scheduled_at"], &point["flags"])).collect();
    assert_eq!(of_table, [(&json!(ELEVEN), &json!(["D", "W", "M", "Y"]))]);
}
