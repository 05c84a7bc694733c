//! The days on which clocks change: the schedules as EventBridge Scheduler has them wake the sessions, and reconciliation
//! runs what a skipped local time never woke.

use serde_json::{Value, json};

use crate::support::{World, list, points};

fn policy(times: &[&str]) -> Value {
    json!({
        "name": "a", "timezone": "Europe/Berlin", "scope": {"tables": ["a-1"]},
        "schedules": {
            "daily": {"at": times, "on": "every day", "keep": {"days": 9}},
            "weekly": {"at": "02:30", "on": ["sunday"], "keep": {"weeks": 4}},
        },
    })
}

impl World {
    async fn before_a_change(moment: &str, times: &[&str]) -> Self {
        let world = Self::start_at(moment).await;
        world.tables(&["a-1"]).await;
        world.apply(&policy(times)).await;
        world
    }

    /// The moments for which the policy's schedules woke a session, and those of the points, with their flags.
    async fn woken_and_made(&self) -> (Vec<String>, Vec<(String, String)>) {
        let moment = |value: &Value| value["scheduled_at"].as_str().unwrap_or_default().to_owned();
        let woken = self.woken("a").into_iter().map(|woken| {
            assert!(woken.outcome.is_ok(), "{woken:?}");
            moment(&serde_json::from_str(&woken.input).expect("JSON"))
        });
        let woken = woken.collect();
        self.finish_jobs().await;
        let report = self.verified(&[]).await;
        let flags = |point: &Value| list(&point["flags"]).iter().filter_map(Value::as_str).collect();
        let made = points(&report, "a-1").into_iter().map(|point| (moment(point), flags(point))).collect();
        (woken, made)
    }
}

fn owned(moments: &[(&str, &str)]) -> Vec<(String, String)> {
    moments.iter().map(|(at, flags)| ((*at).to_owned(), (*flags).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_time_that_is_skipped_wakes_nobody_and_is_run_late_for_the_end_of_the_gap() {
    let world = World::before_a_change("2027-03-27T23:30:00Z", &["01:30", "02:30", "03:30"]).await;
    // At 02:00 on Sunday it is 03:00, which is 01:00 UTC.
    world.jump("2027-03-28T01:45:00Z").await;
    let (woken, made) = world.woken_and_made().await;
    assert_eq!(woken, ["2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"]);
    let sunday =
        [("2027-03-28T00:30:00Z", "D"), ("2027-03-28T01:00:00Z", "DW"), ("2027-03-28T01:30:00Z", "D")];
    assert_eq!(made, owned(&sunday));

    world.jump("2027-03-29T01:45:00Z").await;
    let (woken, made) = world.woken_and_made().await;
    let monday =
        [("2027-03-28T23:30:00Z", "D"), ("2027-03-29T00:30:00Z", "D"), ("2027-03-29T01:30:00Z", "D")];
    assert_eq!(woken[2..], monday.map(|(at, _)| at.to_owned()), "an hour earlier than in winter");
    assert_eq!(made, owned(&[sunday, monday].concat()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_time_that_comes_twice_is_one_session_at_its_first() {
    let world = World::before_a_change("2027-10-30T23:30:00Z", &["02:30", "03:00"]).await;
    // At 03:00 on Sunday, 01:00 UTC, it is 02:00 once more.
    world.jump("2027-10-31T02:15:00Z").await;
    let (woken, made) = world.woken_and_made().await;
    assert_eq!(woken, ["2027-10-31T00:30:00Z", "2027-10-31T02:00:00Z"]);
    let sunday = [("2027-10-31T00:30:00Z", "DW"), ("2027-10-31T02:00:00Z", "D")];
    assert_eq!(made, owned(&sunday));

    world.jump("2027-11-01T02:15:00Z").await;
    let (woken, made) = world.woken_and_made().await;
    let monday = [("2027-11-01T01:30:00Z", "D"), ("2027-11-01T02:00:00Z", "D")];
    assert_eq!(woken[2..], monday.map(|(at, _)| at.to_owned()), "an hour later than in summer");
    assert_eq!(made, owned(&[sunday, monday].concat()));
}
