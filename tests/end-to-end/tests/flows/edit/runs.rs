//! How runs of edits fare that take more than one invocation.

use std::time::{Duration, Instant};

use end_to_end::own_function::OwnFunction;
use end_to_end::retention::rules;
use serde_json::{Value, json};

use super::hourly;
use crate::support::{World, list, points};

/// The detail-type of the event with which a run goes on.
const CONTINUED: &str = "Chain Edit Continued";
/// An invocation keeps a minute back before its deadline: this one has no time at all.
const NO_TIME: Duration = Duration::from_secs(60);
/// This one edits the points of two tables at most, at one call a second.
const SOME_TIME: Duration = Duration::from_secs(62);
/// What goes on by itself is done much sooner.
const PATIENCE: Duration = Duration::from_secs(60);

const TABLES: [&str; 3] = ["a-1", "a-2", "a-3"];

fn event(detail: &Value) -> Value {
    json!({"source": "dynachain", "detail-type": CONTINUED, "detail": detail})
}

fn restamp() -> Value {
    json!({"restamp": {"policy": "a"}})
}

impl World {
    /// Whether the catalog has anything left of a run: its lock, or what it has yet to do.
    async fn edits_go_on(&self) -> bool {
        self.catalog().await.iter().any(|((pk, sk), item)| {
            let held = item.get("held_until").and_then(|until| until.as_n().ok()).is_some_and(|n| n != "0");
            pk == "EDITS" && (held || item.contains_key("waits_until") || sk.starts_with("RUN#"))
        })
    }

    /// Waits until a run that goes on by itself is over.
    async fn edits_end(&self) {
        let began = Instant::now();
        while self.edits_go_on().await {
            assert!(began.elapsed() < PATIENCE, "the run does not end: {:#?}", self.catalog().await);
            // Functions of other processes do the work; the deadline above ends the wait.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// When the points of each table end.
    async fn ends(&self) -> Vec<Vec<Value>> {
        let report = self.verified(&[]).await;
        let of =
            |table: &&str| points(&report, table).iter().map(|point| point["expires_at"].clone()).collect();
        TABLES.iter().map(of).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_runs_out_of_time_is_finished_without_anybody_s_doing() {
    let world = World::start().await;
    world.two_points(&TABLES, &hourly(5 * 24)).await;
    world.apply(&hourly(30 * 24)).await;
    world.subscribe().await;
    let function = OwnFunction::edits(&world.stack, &[]).await.expect("the function");
    let begun = function.invoke_for(NO_TIME, restamp()).await.expect("an answer");
    assert_eq!(
        (&begun["points_count"], &begun["edited"], &begun["finished"]),
        (&json!(6), &json!(0), &json!(false)),
        "{begun:#}"
    );
    world.edits_end().await;
    assert_eq!(
        world.ends().await,
        vec![vec![json!("2027-02-03T06:00:00Z"), json!("2027-02-03T07:00:00Z")]; 3]
    );

    // Once more there is nothing to do, and a doubled event finds nothing.
    let again = world.edit(&restamp()).await;
    assert_eq!(
        (&again["points"], &again["edited"], &again["finished"]),
        (&json!([]), &json!(0), &json!(true))
    );
    let before = world.catalog().await;
    for continued in world.events(CONTINUED, 1).await {
        assert_eq!(continued["digest"], begun["digest"]);
        assert_eq!(world.edit(&event(&continued)).await, json!({"duplicate": true}));
    }
    assert_eq!(world.catalog().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_holds_the_vault_from_one_invocation_to_the_next_until_it_is_done() {
    let world = World::start().await;
    world.two_points(&TABLES, &hourly(5 * 24)).await;
    rules(&world.stack, "EditContinued", false).await.expect("no event gets through");
    world.subscribe().await;

    // Shorter: the first point of each table becomes deletable, which takes a confirmation.
    world.apply(&hourly(1)).await;
    let planned = world.edit(&restamp()).await;
    assert_eq!((&planned["confirm_needed"], &planned["deletable"]), (&json!(true), &json!(3)));
    assert!(!world.edits_go_on().await, "nothing waits for want of a confirmation");
    let mut confirmed = restamp();
    confirmed["confirm"] = planned["digest"].clone();
    let slow =
        OwnFunction::edits(&world.stack, &[("START_RATE", "1".to_owned())]).await.expect("the function");
    let begun = slow.invoke_for(SOME_TIME, confirmed).await.expect("an answer");
    let first = begun["edited"].as_u64().expect("a number");
    assert!(begun["finished"] == false && first < 6, "{begun:#}");

    // Others wait, looking disturbs nobody.
    let refusal = world.refused("chain-edit", &restamp()).await;
    assert_eq!(refusal.error_type, "Busy", "{}", refusal.error_message);
    assert_eq!(world.edit(&dry(&restamp())).await["points_count"], 6 - first);
    // The policy is edited meanwhile, and a session makes a point by its new version: that one stays.
    world.apply(&hourly(48)).await;
    world.session(&json!({"policy": "a", "tables": ["a-3"]})).await;
    world.finish_jobs().await;

    let continued = event(&world.events(CONTINUED, 1).await[0]);
    let refusal = slow.invoke_for(NO_TIME, continued.clone()).await.expect_err("nothing done");
    assert!(refusal.to_string().contains("none of the edits that are left"), "{refusal}");
    // Both of a doubled event at the same time: only one of them does anything.
    let both = [slow.invoke(continued.clone()), slow.invoke(continued.clone())];
    let said = futures::future::try_join_all(both).await.expect("answers");
    let went_on: Vec<_> = said.iter().filter(|said| **said != json!({"duplicate": true})).collect();
    let [answer] = went_on[..] else { unreachable!("{said:#?}") };
    assert_eq!(
        (&answer["finished"], &answer["edited"], &answer["failures"], &answer["digest"]),
        (&json!(true), &json!(6), &json!([]), &planned["digest"]),
        "{answer:#}"
    );
    assert!(!world.edits_go_on().await);
    let ends = world.ends().await;
    assert_eq!(ends[0], [json!("2027-01-04T07:00:00Z"), json!("2027-01-04T08:00:00Z")]);
    assert_eq!(ends[2][..2], ends[0][..]);
    assert_eq!(ends[2].len(), 3);
    assert!(ends[2][2].as_str() > Some("2027-01-06"), "by the policy's new version: {ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_event_got_lost_is_gone_on_with_by_reconciliation() {
    let world = World::start().await;
    world.two_points(&TABLES, &hourly(5 * 24)).await;
    rules(&world.stack, "EditContinued", false).await.expect("no event gets through");
    world.apply(&hourly(30 * 24)).await;
    let slow =
        OwnFunction::edits(&world.stack, &[("START_RATE", "1".to_owned())]).await.expect("the function");
    let begun = slow.invoke_for(SOME_TIME, restamp()).await.expect("an answer");
    assert_eq!(begun["finished"], false, "{begun:#}");

    // As long as AWS refuses, it waits, and says why.
    let faults = json!([{ "operation": "DescribeBackupVault", "effect": "access_denied" }]);
    world.control("PUT", "/faults", Some(&faults)).await;
    let refusal = world.refused("chain-edit", &json!({"reconcile": true})).await;
    assert_eq!(refusal.error_type, "VaultUnavailable", "{}", refusal.error_message);
    world.control("PUT", "/faults", Some(&json!([]))).await;
    assert_eq!(world.edit(&json!({"reconcile": true, "dry_run": true})).await["edited"], 0);

    let done = world.edit(&json!({"reconcile": true})).await;
    assert_eq!(
        (&done["finished"], &done["edited"], list(&done["failures"]).len()),
        (&json!(true), &json!(6), 0),
        "{done:#}"
    );
    assert!(!world.edits_go_on().await);
    let again = world.edit(&json!({"reconcile": true})).await;
    assert_eq!((&again["finished"], &again["edited"]), (&json!(true), &json!(0)));
    assert_eq!(
        world.ends().await,
        vec![vec![json!("2027-02-03T06:00:00Z"), json!("2027-02-03T07:00:00Z")]; 3]
    );

    // One that nobody gets on with for a day is over: others may edit again.
    world.apply(&hourly(31 * 24)).await;
    let begun = slow.invoke_for(SOME_TIME, restamp()).await.expect("an answer");
    assert_eq!(begun["finished"], false, "{begun:#}");
    rules(&world.stack, "EditReconcile", false).await.expect("nobody gets on with it");
    world.jump("2027-01-05T08:00:00Z").await;
    let left = world.edit(&restamp()).await;
    assert_eq!((&left["finished"], &left["failures"]), (&json!(true), &json!([])), "{left:#}");
}

fn dry(request: &Value) -> Value {
    let mut dry = request.clone();
    dry["dry_run"] = json!(true);
    dry
}
