//! Tables that cannot be backed up: each is reported by name and reason, and none stops the others.

use serde_json::{Value, json};

use crate::support::{FINISHED, SEVEN, World, arn, chains, details, example, list, points};

const SOUND: [&str; 6] = ["a-1", "a-2", "a-3", "a-4", "a-5", "a-6"];
const UNREADY: &str = "a-7";
const FULL: &str = "a-8";
const STRONGER: &str = "a-9";
const MISSING: &str = "a-missing";

/// Ten tables in the scope of the policy `a`: six sound ones, one that is still being created, one whose tags
/// leave no room, one that the stronger policy `gold` covers, and one that is named and not there.
async fn ten_tables() -> World {
    let world = World::start().await;
    world.tables(&SOUND).await;
    world.tables(&[UNREADY, FULL, STRONGER]).await;
    world.table_status(UNREADY, "CREATING").await;
    world.tag_table(FULL, (1..=50).map(|i| (format!("tag-{i}"), "x".to_owned()))).await;
    let mut gold = example("gold", &json!({"tables": [STRONGER]}));
    gold["priority"] = json!(10);
    world.apply(&gold).await;
    world.apply(&example("a", &json!({"tables": ["a-*", MISSING]}))).await;
    world
}

fn message<'a>(answer: &'a Value, table: &str) -> &'a str {
    let end = format!("/{table}");
    let mut details = list(&answer["details"]).iter();
    let detail = details.find(|detail| detail["table"].as_str().is_some_and(|table| table.ends_with(&end)));
    detail.and_then(|detail| detail["message"].as_str()).unwrap_or_default()
}

/// How each table fares, the three that can be put right as `outcome` says, for these reasons.
fn outcomes(
    outcome: &'static str,
    reasons: [&'static str; 3],
) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut outcomes: Vec<_> = SOUND.iter().map(|table| (*table, "started", "")).collect();
    outcomes.push((UNREADY, outcome, reasons[0]));
    outcomes.push((FULL, outcome, reasons[1]));
    outcomes.push((STRONGER, "skipped", "other_policy"));
    outcomes.push((MISSING, outcome, reasons[2]));
    outcomes
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_be_backed_up_are_reported_and_stop_no_other() {
    let world = ten_tables().await;
    world.subscribe().await;
    world.jump(SEVEN).await;
    let event = json!({"policy": "a", "scheduled_at": SEVEN});
    let answer = world.session(&event).await;
    let counts = json!({"covered": 9, "started": 6, "skipped": 1, "failed": 3});
    assert_eq!((&answer["tables"], &answer["duplicate"]), (&counts, &json!(true)));
    let failed = outcomes("failed", ["table_not_active", "no_tag_room", "table_not_found"]);
    assert_eq!(details(&answer), failed);
    assert!(message(&answer, UNREADY).contains("is CREATING, not ACTIVE"), "{answer:#}");
    assert_eq!(message(&answer, MISSING), "the policy names the table a-missing and there is none");
    assert_eq!(message(&answer, STRONGER), "the stronger policy gold backs it up");
    assert!(message(&answer, FULL).contains("50"), "{answer:#}");
    for (table, detail) in failed.iter().zip(list(&answer["details"])) {
        assert_eq!(detail["recovery_point"].is_string(), table.1 == "started", "{detail}");
    }

    world.finish_jobs().await;
    let finished = world.events(FINISHED, 2).await;
    let ours = finished.iter().find(|event| event["policy"] == "a").expect("the session's end");
    assert_eq!(ours["tables"], counts);
    let failures: Vec<_> = list(&ours["failures"])
        .iter()
        .map(|failure| (failure["table"].as_str(), failure["reason"].as_str(), failure["message"].as_str()))
        .collect();
    let failure = |table: &str, reason: &'static str| {
        let detail = list(&answer["details"])
            .iter()
            .find(|detail| detail["table"] == arn(table).as_str())
            .expect("its detail");
        (detail["table"].as_str(), Some(reason), detail["message"].as_str())
    };
    assert_eq!(
        failures,
        [
            failure(UNREADY, "table_not_active"),
            failure(FULL, "no_tag_room"),
            failure(MISSING, "table_not_found")
        ]
    );

    let again = world.session(&event).await;
    assert_eq!((&again["tables"], &again["details"]), (&answer["tables"], &answer["details"]));
    assert_eq!(world.starts().await, 7, "six by this policy and one by the stronger");
    let report = world.verified(&[]).await;
    let mut expected: Vec<_> = SOUND.iter().map(|table| (*table, "regular", 1)).collect();
    expected.push((STRONGER, "regular", 1));
    assert_eq!(chains(&report), expected);
    assert_eq!(points(&report, STRONGER)[0]["policy"], "gold");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_by_hand_backs_up_what_has_been_put_right() {
    let world = ten_tables().await;
    world.jump("2027-01-04T06:30:00Z").await;
    let planned = world.session(&json!({"policy": "a", "dry_run": true})).await;
    assert_eq!(planned["tables"]["failed"], 3);

    world.tables(&[MISSING]).await;
    world.table_status(UNREADY, "ACTIVE").await;
    let client = world.dynamodb().await;
    let surplus = (1..=20).map(|i| format!("tag-{i}")).collect();
    let full = arn(FULL).to_string();
    client.untag_resource().resource_arn(full).set_tag_keys(Some(surplus)).send().await.expect("tags gone");
    let sound = world.session(&json!({"policy": "a"})).await;
    assert_eq!(sound["tables"], json!({"covered": 9, "started": 9, "skipped": 1, "failed": 0}));
    assert_eq!(details(&sound), outcomes("started", [""; 3]));
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    for table in SOUND {
        assert_eq!(points(&report, table).len(), 2, "{table}");
    }
    for table in [UNREADY, FULL, MISSING] {
        assert_eq!(points(&report, table).len(), 1, "{table}");
        assert_eq!(points(&report, table)[0]["session"], sound["session"], "{table}");
    }
    assert_eq!(points(&report, STRONGER).len(), 1, "by hand too, it is the stronger policy's");
}
