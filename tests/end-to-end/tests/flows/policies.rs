//! Policies and the schedules they have in EventBridge Scheduler.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{SEVEN, World, chains, example, list, only_point};

const NO_CHANGES: &str = r#"{"created": [], "updated": [], "removed": []}"#;

fn no_changes() -> Value {
    serde_json::from_str(NO_CHANGES).expect("JSON")
}

/// Expression, zone and state of each schedule of the group.
fn summary(schedules: &BTreeMap<String, Value>) -> Vec<(&str, &str, &str, &str)> {
    schedules
        .iter()
        .map(|(name, schedule)| {
            assert_eq!(schedule["GroupName"], "dynachain");
            let text = |member: &str| schedule[member].as_str().unwrap_or_default();
            (name.as_str(), text("ScheduleExpression"), text("ScheduleExpressionTimezone"), text("State"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policys_schedules_follow_it_from_apply_to_delete() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let document = example("a", &json!({"tables": ["a-*"]}));

    let (catalog, dry) =
        (world.catalog().await, world.policy(&json!({"apply": document, "dry_run": true})).await);
    assert_eq!(dry["schedules"]["created"], json!(["a-0700", "a-1100"]));
    assert_eq!((world.catalog().await, world.schedules().await), (catalog, BTreeMap::new()));

    let applied = world.apply(&document).await;
    assert_eq!((&applied["version"], &applied["changed"]), (&json!(1), &json!(true)));
    assert_eq!(applied["tables"]["added"], json!([crate::support::arn("a-1")]));
    let schedules = world.schedules().await;
    let berlin = "Europe/Berlin";
    assert_eq!(
        summary(&schedules),
        [
            ("a-0700", "cron(0 7 * * ? *)", berlin, "ENABLED"),
            ("a-1100", "cron(0 11 * * ? *)", berlin, "ENABLED")
        ]
    );
    let schedule = &schedules["a-0700"];
    assert_eq!(schedule["FlexibleTimeWindow"]["Mode"], "OFF");
    let function = world.stack.deployments()[0].output("BackupSessionFunctionArn").expect("the function");
    assert_eq!(schedule["Target"]["Arn"], function);
    let input: Value =
        serde_json::from_str(schedule["Target"]["Input"].as_str().expect("input")).expect("JSON");
    assert_eq!(input, json!({"policy": "a", "scheduled_at": "<aws.scheduler.scheduled-time>"}));
    assert!(schedule["Target"]["DeadLetterConfig"]["Arn"].is_string());

    let (catalog, again) = (world.catalog().await, world.apply(&document).await);
    assert_eq!((&again["changed"], &again["version"]), (&json!(false), &json!(1)));
    assert_eq!((&again["schedules"], &again["id"]), (&no_changes(), &applied["id"]));
    assert_eq!((world.catalog().await, world.schedules().await), (catalog, schedules));

    let mut other = document.clone();
    other["schedules"]["daily"]["at"] = json!(["08:30", "07:00"]);
    other["timezone"] = json!("Asia/Kathmandu");
    let changed = world.apply(&other).await;
    assert_eq!(changed["version"], 2);
    assert_eq!(
        changed["schedules"],
        json!({"created": ["a-0830"], "updated": ["a-0700"], "removed": ["a-1100"]})
    );
    let kathmandu = "Asia/Kathmandu";
    let enabled = [
        ("a-0700", "cron(0 7 * * ? *)", kathmandu, "ENABLED"),
        ("a-0830", "cron(30 8 * * ? *)", kathmandu, "ENABLED"),
    ];
    assert_eq!(summary(&world.schedules().await), enabled);

    for _ in 0..2 {
        world.policy(&json!({"disable": "a"})).await;
        let disabled = enabled.map(|(name, cron, zone, _)| (name, cron, zone, "DISABLED"));
        assert_eq!(summary(&world.schedules().await), disabled);
    }
    world.policy(&json!({"enable": "a"})).await;
    assert_eq!(summary(&world.schedules().await), enabled);

    shown_and_listed(&world, &applied).await;

    let planned = world.policy(&json!({"delete": "a", "dry_run": true})).await;
    assert_eq!(
        (&planned["schedules"]["removed"], summary(&world.schedules().await)),
        (&json!(["a-0700", "a-0830"]), enabled.to_vec())
    );
    let deleted = world.policy(&json!({"delete": "a"})).await;
    assert_eq!(deleted["schedules"]["removed"], json!(["a-0700", "a-0830"]));
    assert_eq!(world.schedules().await, BTreeMap::new());
    for request in [json!({"delete": "a"}), json!({"show": "a"}), json!({"enable": "a"})] {
        assert_eq!(world.refused("policy", &request).await.error_type, "PolicyNotFound");
    }
    let anew = world.apply(&document).await;
    assert_eq!(anew["version"], 1);
    assert_ne!(anew["id"], applied["id"], "a policy that is made anew is another one");
    assert_eq!(chains(&world.verified(&[]).await), []);
}

async fn shown_and_listed(world: &World, applied: &Value) {
    let shown = world.policy(&json!({"show": "a"})).await;
    // Changed once, disabled and enabled.
    assert_eq!(
        (&shown["id"], &shown["version"], &shown["enabled"]),
        (&applied["id"], &json!(4), &json!(true))
    );
    let names: Vec<_> = list(&shown["schedules"]).iter().map(|schedule| &schedule["name"]).collect();
    assert_eq!(names, ["a-0700", "a-0830"]);
    assert_eq!(world.apply(&shown["document"]).await["changed"], false, "what is shown can be applied again");
    let listed = world.policy(&json!({"list": {}})).await;
    let entries: Vec<_> = list(&listed["policies"]).iter().map(|entry| &entry["policy"]).collect();
    assert_eq!((entries, &listed["count"]), (vec![&json!("a")], &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_document_is_refused_with_every_problem_and_nothing_is_stored() {
    let world = World::start().await;
    let mut document = example("a b", &json!({}));
    document["schedules"]["daily"]["at"] = json!("25:00");
    document["schedules"]["weekly"]["keep"] = json!({"days": 0});
    document["copies"] = json!([{"vault": "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain", "keep": {"daily": {"days": 1}}}]);
    document["retires"] = json!(3);
    for dry_run in [false, true, false] {
        let refusal = world.refused("policy", &json!({"apply": document, "dry_run": dry_run})).await;
        assert_eq!(refusal.error_type, "InvalidPolicy");
        for path in [
            "$.name: ",
            "$.scope: ",
            "$.schedules.daily.at: ",
            "$.schedules.weekly.keep.days: ",
            "$.copies[0].vault: ",
            "$.retires: ",
        ] {
            let said = refusal.error_message.lines().filter(|line| line.starts_with(path)).count();
            assert_eq!(said, 1, "{path} in {}", refusal.error_message);
        }
        assert_eq!(refusal.error_message.lines().count(), 6, "{}", refusal.error_message);
    }
    assert!(world.catalog().await.is_empty());
    assert_eq!(world.schedules().await, BTreeMap::new());
    assert_eq!(chains(&world.verified(&[]).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_keep_and_a_deleted_policy_leave_points_as_they_are_and_say_so() {
    let world = World::start().await;
    world.tables(&["a-1", "b-1"]).await;
    let document = example("a", &json!({"tables": ["a-*"]}));
    world.apply(&document).await;
    world.apply(&example("b", &json!({"tables": ["b-*"]}))).await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    let before = world.verified(&[]).await;
    let point = only_point(&before, "a-1");

    let mut longer = document.clone();
    longer["schedules"]["yearly"]["keep"] = json!({"years": 7});
    for request in [json!({"apply": longer, "dry_run": true}), json!({"apply": longer})] {
        let answer = world.policy(&request).await;
        let change = json!({
            "recovery_point": point, "expires_at": "2029-01-04T06:00:00Z", "would_be": "2034-01-04T06:00:00Z"
        });
        assert_eq!((&answer["points"], &answer["points_count"]), (&json!([change]), &json!(1)));
    }
    assert_eq!(chains(&before), [("a-1", "regular", 1), ("b-1", "regular", 1)]);

    for request in [json!({"delete": "a", "dry_run": true}), json!({"delete": "a"})] {
        let answer = world.policy(&request).await;
        assert_eq!((&answer["points"], &answer["points_count"]), (&json!([point]), &json!(1)));
        let said = answer["message"].as_str().expect("a message");
        assert!(said.contains("restore points stay") && said.contains("retention goes on"), "{said}");
    }
    assert_eq!(world.verified(&[]).await["chains"], before["chains"], "points live as their own tags say");
    world.jump("2027-01-05T06:01:00Z").await;
    let after = world.verified(&[]).await;
    assert_eq!(
        chains(&after),
        [("a-1", "regular", 1), ("b-1", "regular", 3)],
        "nothing wakes for a any more"
    );
}
