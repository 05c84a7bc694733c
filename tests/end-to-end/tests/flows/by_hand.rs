//! Sessions that somebody starts by hand.

use serde_json::{Value, json};

use crate::support::{World, arn, chains, details, example_with_copies, points};

/// A policy that copies, outside the times of its schedules.
async fn between_schedules() -> World {
    let world = World::start().await;
    world.tables(&["a-1", "a-2"]).await;
    world.jump("2027-01-04T08:30:00Z").await;
    let document = example_with_copies("a", &json!({"tables": ["a-*"]}));
    world.apply(&document).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_by_hand_has_the_first_flag_only_and_may_be_of_some_tables() {
    let world = between_schedules().await;
    let answer = world.session(&json!({"policy": "a"})).await;
    assert_eq!((&answer["flags"], &answer["duplicate"]), (&json!(["D"]), &json!(false)));
    assert_eq!(answer["scheduled_at"], "2027-01-04T08:30:00Z");
    assert_eq!(details(&answer), [("a-1", "started", ""), ("a-2", "started", "")]);
    world.finish_jobs().await;

    // Every request by hand is a session of its own: by name and by ARN, the same table named twice is one.
    for tables in [json!(["a-2"]), json!([arn("a-2").as_str(), "a-2"])] {
        let some = world.session(&json!({"policy": "a", "tables": tables})).await;
        assert_eq!(some["tables"], json!({"covered": 1, "started": 1, "skipped": 0, "failed": 0}));
        assert_eq!(details(&some), [("a-2", "started", "")]);
        assert_ne!(some["session"], answer["session"]);
        world.finish_jobs().await;
    }
    assert_eq!(world.starts().await, 4);
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 3)]);
    let point = points(&report, "a-1")[0];
    assert_eq!((&point["flags"], &point["session"]), (&json!(["D"]), &answer["session"]));
    assert_eq!(point["expires_at"], "2027-01-07T08:30:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_an_end_of_its_own_has_no_flag_and_no_copy() {
    let world = between_schedules().await;
    let answer = world.session(&json!({"policy": "a", "tables": ["a-1"], "keep": {"weeks": 2}})).await;
    assert_eq!((&answer["flags"], &answer["tables"]["started"]), (&json!([]), &json!(1)));
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1)]);
    let point = points(&report, "a-1")[0];
    assert_eq!((&point["flags"], &point["active_flags"]), (&json!([]), &json!([])));
    assert_eq!(point["expires_at"], "2027-01-18T08:30:00Z");
    let tags = world.tags(point["recovery_point"].as_str().expect("an ARN")).await;
    let opened = end_to_end::points::open(&world.stack, local_stack::SOURCE_REGION, &tags, &arn("a-1")).await;
    let core = opened.expect("it opens").core;
    assert!(core.copies.is_empty(), "{:?}", core.copies);
    assert_eq!(core.own_keep, Some(dynachain::retention::Keep::Weeks(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_would_start_and_changes_nothing() {
    let world = between_schedules().await;
    let (catalog, starts, jobs) = (world.catalog().await, world.starts().await, world.jobs().await.len());
    let plans = [
        (json!({"policy": "a", "dry_run": true}), json!(["D"])),
        (json!({"policy": "a", "dry_run": true}), json!(["D"])),
        (json!({"policy": "a", "keep": {"days": 9}, "dry_run": true}), json!([])),
        (
            json!({"policy": "a", "scheduled_at": "2027-01-04T06:00:00Z", "dry_run": true}),
            json!(["D", "W", "M", "Y"]),
        ),
    ];
    for (request, flags) in plans {
        let planned: Value = world.session(&request).await;
        assert_eq!(planned["flags"], flags, "{request}");
        let would = [("a-1", "would_start", ""), ("a-2", "would_start", "")];
        assert_eq!(details(&planned), would, "{request}");
        assert_eq!(planned["tables"], json!({"covered": 2, "started": 0, "skipped": 0, "failed": 0}));
        assert_eq!((&planned["duplicate"], &planned["finished"]), (&json!(false), &json!(false)));
        assert_eq!(world.catalog().await, catalog, "{request}");
    }
    assert_eq!((world.starts().await, world.jobs().await.len()), (starts, jobs));
    assert_eq!(chains(&world.verified(&[]).await), []);
}
