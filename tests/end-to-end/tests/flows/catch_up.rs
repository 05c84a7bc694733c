//! Wake-ups that never came: sessions of the last hours are run late, of older ones the flags are owed.

use serde_json::{Value, json};

use crate::support::{SEVEN, World, chains, example, points};

impl World {
    /// From now on nothing wakes the functions by itself: neither schedules nor the rule for reconciliation.
    pub(crate) async fn fall_silent(&self) {
        let config = self.stack.sdk_config(local_stack::SOURCE_REGION).await;
        let scheduler = aws_sdk_scheduler::Client::new(&config);
        for name in self.schedules().await.into_keys() {
            scheduler.delete_schedule().name(&name).group_name("dynachain").send().await.expect("silence");
        }
        let events = self.event_bridge().await;
        for rule in events.list_rules().send().await.expect("the rules").rules() {
            if let Some(name) = rule.name().filter(|_| rule.schedule_expression().is_some()) {
                events.disable_rule().name(name).send().await.expect("silence");
            }
        }
    }

    async fn reconcile(&self) -> Value {
        let done = self.session(&json!({"reconcile": true})).await;
        assert_eq!(done["failures"], json!([]), "{done:#}");
        self.finish_jobs().await;
        done["caught_up"].clone()
    }
}

fn moments<'a>(report: &'a Value, table: &str) -> Vec<(&'a str, &'a Value)> {
    points(report, table)
        .iter()
        .map(|point| (point["scheduled_at"].as_str().unwrap_or_default(), &point["flags"]))
        .collect()
}

async fn silent() -> World {
    let world = World::start().await;
    world.tables(&["a-1", "a-2"]).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world.fall_silent().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_were_missed_a_few_hours_ago_are_run_late_under_their_own_moment() {
    let world = silent().await;
    world.jump("2027-01-04T06:04:00Z").await;
    assert_eq!(world.reconcile().await, json!({"late": [], "owed": [], "failures": []}), "it may still come");
    world.jump("2027-01-04T11:30:00Z").await;
    let planned = world.session(&json!({"reconcile": true, "dry_run": true})).await;
    let sessions = json!(["a@2027-01-04T06:00:00Z", "a@2027-01-04T10:00:00Z"]);
    assert_eq!(planned["caught_up"]["late"], sessions);
    assert_eq!(world.starts().await, 0, "a dry run starts nothing");

    assert_eq!(world.reconcile().await["late"], sessions);
    world.jump("2027-01-04T11:50:00Z").await;
    assert_eq!(world.reconcile().await["late"], json!([]), "once");
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 2), ("a-2", "regular", 2)]);
    let (all, daily) = (json!(["D", "W", "M", "Y"]), json!(["D"]));
    assert_eq!(moments(&report, "a-1"), [(SEVEN, &all), ("2027-01-04T10:00:00Z", &daily)]);
    let late = world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    assert_eq!((&late["duplicate"], world.starts().await), (&json!(true), 4), "the wake-up comes after all");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sessions_that_were_missed_days_ago_the_flags_above_daily_are_owed_once() {
    let world = silent().await;
    // Nine days: Monday the 4th with all flags, Monday the 11th with W.
    world.jump("2027-01-13T08:00:00Z").await;
    let caught_up = world.reconcile().await;
    assert_eq!(caught_up["late"], json!(["a@2027-01-13T06:00:00Z"]));
    assert_eq!(caught_up["owed"], json!(["a@2027-01-04T06:00:00Z", "a@2027-01-11T06:00:00Z"]));
    assert_eq!(world.reconcile().await["owed"], json!([]), "once");

    // The session that is run late is the next of the chain; the one after it owes nothing any more.
    world.jump("2027-01-13T10:06:00Z").await;
    assert_eq!(world.reconcile().await["late"], json!(["a@2027-01-13T10:00:00Z"]));
    let report = world.verified(&[]).await;
    let (all, daily) = (json!(["D", "W", "M", "Y"]), json!(["D"]));
    for table in ["a-1", "a-2"] {
        let expected = [("2027-01-13T06:00:00Z", &all), ("2027-01-13T10:00:00Z", &daily)];
        assert_eq!(moments(&report, table), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_applied_or_enabled_in_the_afternoon_owes_nothing_for_the_morning() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let mut policy = example("a", &json!({"tables": ["a-*"]}));
    policy["enabled"] = json!(false);
    world.apply(&policy).await;
    world.fall_silent().await;
    world.jump("2027-01-04T08:00:00Z").await;
    assert_eq!(world.reconcile().await, json!({"late": [], "owed": [], "failures": []}), "disabled");
    world.policy(&json!({"enable": "a"})).await;
    world.fall_silent().await;
    world.jump("2027-01-04T08:30:00Z").await;
    assert_eq!(world.reconcile().await["late"], json!([]), "enabled after seven");
    world.jump("2027-01-04T10:30:00Z").await;
    assert_eq!(world.reconcile().await["late"], json!(["a@2027-01-04T10:00:00Z"]));
    policy["enabled"] = json!(true);
    policy["description"] = json!("Changed");
    world.jump("2027-01-05T08:00:00Z").await;
    world.apply(&policy).await;
    world.fall_silent().await;
    world.jump("2027-01-05T08:30:00Z").await;
    assert_eq!(
        world.reconcile().await,
        json!({"late": [], "owed": [], "failures": []}),
        "applied after seven"
    );
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1)]);
}
