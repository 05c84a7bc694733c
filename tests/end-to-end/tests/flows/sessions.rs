//! Sessions that a policy's schedule starts.

use end_to_end::shop;
use local_stack::SOURCE_REGION;
use local_stack::waker::WakeUp;
use serde_json::{Value, json};

use crate::support::{FINISHED, SEVEN, World, chains, details, example, list, points};

const TABLES: [&str; 3] = ["shop-customers", "shop-events", "shop-orders"];

impl World {
    /// What the schedules of a policy woke so far.
    pub(crate) fn woken(&self, policy: &str) -> Vec<WakeUp> {
        let schedule = format!(":schedule/dynachain/{policy}-");
        self.stack.wake_ups().into_iter().filter(|wake_up| wake_up.by.contains(&schedule)).collect()
    }
}

fn point_of<'a>(report: &'a Value, table: &str, scheduled_at: &str) -> &'a Value {
    let points = points(report, table);
    let found = points.iter().find(|point| point["scheduled_at"] == scheduled_at);
    found.unwrap_or_else(|| unreachable!("no point of {table} for {scheduled_at}: {report:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policys_schedule_starts_one_session_that_backs_up_every_table() {
    let world = World::start().await;
    shop::create(&world.stack, SOURCE_REGION).await.expect("the shop's tables");
    world.subscribe().await;
    let applied = world.apply(&example("shop", &json!({"tables": ["shop-*"]}))).await;
    assert_eq!(applied["schedules"]["created"], json!(["shop-0700", "shop-1100"]));

    world.jump("2027-01-04T05:59:59Z").await;
    assert_eq!((world.woken("shop").len(), world.starts().await), (0, 0), "nothing happens before its time");
    world.jump(SEVEN).await;
    let woken = world.woken("shop");
    assert_eq!(woken.len(), 1);
    let answer = woken[0].outcome.as_ref().expect("an answer");
    let event: Value = serde_json::from_str(&woken[0].input).expect("JSON");
    assert_eq!(event, json!({"policy": "shop", "scheduled_at": SEVEN}));
    assert_eq!(answer["session"], format!("shop@{SEVEN}"));
    assert_eq!(answer["flags"], json!(["D", "W", "M", "Y"]));
    assert_eq!(answer["tables"], json!({"covered": 3, "started": 3, "skipped": 0, "failed": 0}));
    assert_eq!((&answer["duplicate"], &answer["finished"]), (&json!(false), &json!(false)));
    assert_eq!(details(answer), TABLES.map(|table| (table, "started", "")));

    the_same_event_again_changes_nothing(&world, &event).await;

    world.finish_jobs().await;
    let finished = world.events(FINISHED, 1).await;
    assert_eq!(finished.len(), 1, "{finished:?}");
    assert_eq!(finished[0]["session"], format!("shop@{SEVEN}"));
    assert_eq!(finished[0]["tables"], json!({"covered": 3, "started": 3, "skipped": 0, "failed": 0}));
    assert_eq!((&finished[0]["finished"], &finished[0]["failures"]), (&json!(true), &json!([])));
    assert_eq!(finished[0].get("details"), None);
    let again = world.session(&event).await;
    assert_eq!((&again["duplicate"], &again["finished"]), (&json!(true), &json!(true)));

    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), TABLES.map(|table| (table, "regular", 1)));
    for (table, detail) in TABLES.iter().zip(list(&answer["details"])) {
        let point = point_of(&report, table, SEVEN);
        assert_eq!(point["recovery_point"], detail["recovery_point"]);
        assert_eq!(point["flags"], json!(["D", "W", "M", "Y"]));
        assert_eq!(point["active_flags"], point["flags"]);
        assert_eq!(point["expires_at"], "2029-01-04T06:00:00Z", "the yearly flag is the last to end");
        assert_eq!((&point["status"], &point["policy"]), (&json!("COMPLETED"), &json!("shop")));
        assert_eq!(point["session"], format!("shop@{SEVEN}"));
        // Every item has more than a few bytes, so a point without its items could not be this large.
        let bytes = point["size_bytes"].as_u64().expect("a size");
        assert!(bytes > u64::from(shop::ITEMS) * 20, "{table}: {bytes} bytes");
    }
    assert_eq!(world.events(FINISHED, 1).await.len(), 1, "announced once");
}

/// Once, twice at the same time, and under the schedule's own name.
async fn the_same_event_again_changes_nothing(world: &World, event: &Value) {
    let (starts, catalog) = (world.starts().await, world.catalog().await);
    assert_eq!(starts, 3);
    let again = world.session(event).await;
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["tables"]["started"], 3);
    let (one, other) = futures::join!(world.session(event), world.session(event));
    assert_eq!((&one, &other), (&again, &again));
    assert_eq!(world.starts().await, starts, "no job was started again");
    assert_eq!(world.catalog().await, catalog);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_events_at_once_for_a_new_moment_are_one_session() {
    let world = World::start().await;
    world.tables(&["a-1", "a-2"]).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    // Wake-ups may come a little before their moment.
    let event = json!({"policy": "a", "scheduled_at": SEVEN});
    let (one, other) = futures::join!(world.session(&event), world.session(&event));
    let duplicates = [&one, &other].into_iter().filter(|answer| answer["duplicate"] == true).count();
    assert_eq!(duplicates, 1, "{one:#} {other:#}");
    assert_eq!(one["session"], other["session"]);
    world.jump(SEVEN).await;
    let woken = world.woken("a");
    assert_eq!(
        woken[0].outcome.as_ref().expect("an answer")["duplicate"],
        true,
        "and the schedule comes third"
    );
    assert_eq!(world.starts().await, 2);
    world.finish_jobs().await;
    assert_eq!(world.jobs().await.len(), 2);
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_moment_has_the_flags_that_are_due_and_ends_with_the_longest() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world.jump("2027-01-05T06:05:00Z").await;
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 3)]);
    let due: Vec<_> = points(&report, "a-1")
        .into_iter()
        .map(|point| json!([point["scheduled_at"], point["flags"], point["expires_at"]]))
        .collect();
    assert_eq!(
        due,
        [
            json!([SEVEN, ["D", "W", "M", "Y"], "2029-01-04T06:00:00Z"]),
            json!(["2027-01-04T10:00:00Z", ["D"], "2027-01-07T10:00:00Z"]),
            json!(["2027-01-05T06:00:00Z", ["D"], "2027-01-08T06:00:00Z"]),
        ]
    );
    let newest = points(&report, "a-1")[2];
    assert_eq!(report["chains"][0]["newest_usable"], newest["recovery_point"]);
    assert_eq!(world.woken("a").len(), 3);
    assert_eq!(world.jobs().await.len(), 3);

    // Three days later the first point is still kept, by its other flags.
    world.policy(&json!({"disable": "a"})).await;
    world.jump("2027-01-07T06:00:00Z").await;
    let report = world.verified(&[]).await;
    assert_eq!(points(&report, "a-1")[0]["active_flags"], json!(["W", "M", "Y"]));
    assert_eq!(points(&report, "a-1")[1]["active_flags"], json!(["D"]));
    assert_eq!(world.jobs().await.len(), 3, "a disabled policy takes no more backups");
}
