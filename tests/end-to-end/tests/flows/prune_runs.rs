//! How runs fare: together, out of time, killed, refused by AWS, and what is checked after each deletion.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use end_to_end::own_function::OwnFunction;
use end_to_end::processes::{kill, of_function};
use local_stack::VAULT;
use serde_json::{Value, json};

use crate::support::seeds::{failures, verdict};
use crate::support::{CATALOG, World, chains, example, list};

/// The detail-type of the event with which a run goes on.
const CONTINUED: &str = "Prune Continued";
/// An invocation keeps a minute back before its deadline: this one has no time at all.
const NO_TIME: Duration = Duration::from_secs(60);

/// Rates that do not matter here.
const WIDE: [(&str, &str); 3] = [("ListRate", "1000"), ("DescribeRate", "1000"), ("DeleteRate", "1000")];

fn event(detail_type: &str, detail: &Value) -> Value {
    json!({"source": "dynachain", "detail-type": detail_type, "detail": detail})
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_works_on_a_vault_at_a_time_and_another_waits_for_it() {
    let world = World::start().await;
    world.subscribe().await;
    world.seed_days("a-1", [50, 40, 1], 30).await;
    // A run that has run out of time holds the vault until it is gone on with.
    let function = OwnFunction::retention(&world.stack, &[]).await.expect("the function");
    let begun = function.invoke_for(NO_TIME, json!({})).await.expect("an answer");
    assert_eq!((&begun["finished"], &begun["deleted"]), (&json!(false), &json!(0)));
    let refusal = world.refused("retention-prune", &json!({})).await;
    assert_eq!(refusal.error_type, "Busy", "{}", refusal.error_message);
    assert_eq!(world.prune(&json!({"dry_run": true})).await["deleted"], 2, "looking disturbs nobody");
    // An event does not fail: it is made up for.
    let daily = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    for _ in 0..2 {
        assert_eq!(world.prune(&daily).await, json!({"waits": true}));
    }

    let continued = world.events(CONTINUED, 1).await;
    let done = world.prune(&event(CONTINUED, &continued[0])).await;
    assert_eq!((&done["finished"], &done["deleted"]), (&json!(true), &json!(2)), "{done:#}");
    assert_eq!(world.prune(&event(CONTINUED, &continued[0])).await, json!({"duplicate": true}));
    let wanted = world.events(CONTINUED, 2).await;
    assert_eq!(wanted.len(), 2, "one more run was wanted: {wanted:?}");
    assert_eq!(world.prune(&event(CONTINUED, &wanted[1])).await["deleted"], 0);
    assert_eq!(world.prune(&json!({})).await["deleted"], 0, "nobody holds the vault any more");
    assert_eq!(world.days_left("a-1").await, [1]);
    let left: Vec<_> = world.catalog().await.into_keys().filter(|(pk, _)| pk.starts_with("PRUNE#")).collect();
    assert_eq!(left, [], "nothing is left of runs that are over");
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_runs_out_of_time_between_its_deletions_is_gone_on_with() {
    let world = World::start().await;
    world.subscribe().await;
    for table in ["a-1", "a-2", "a-3"] {
        world.seed_days(table, (24..34).rev(), 30).await;
    }
    // One deletion a second, and a few seconds: it does not get through.
    let slow =
        OwnFunction::retention(&world.stack, &[("DELETE_RATE", "1".to_owned())]).await.expect("the function");
    let begun = slow.invoke_for(NO_TIME + Duration::from_secs(3), json!({})).await.expect("an answer");
    let first = begun["deleted"].as_u64().expect("a number");
    assert!(begun["finished"] == false && first < 9, "{begun:#}");
    let continued = world.events(CONTINUED, 1).await;
    let done = world.prune(&event(CONTINUED, &continued[0])).await;
    assert_eq!((&done["finished"], &done["deleted"], &done["kept"]), (&json!(true), &json!(9), &json!(21)));
    assert_eq!(failures(&done), [], "what went already is no failure");
    assert_eq!(done["digest"], begun["digest"], "it is the same plan");
    for table in ["a-1", "a-2", "a-3"] {
        assert_eq!(world.days_left(table).await, (24..=30).rev().collect::<Vec<_>>());
    }
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_function_is_killed_is_made_up_for_when_its_lease_has_lapsed() {
    let world = World::with(&[("DeleteRate", "1")], false).await;
    world.fall_silent().await;
    world.seed_days("a-1", (20..39).rev(), 30).await;
    let request = json!({});
    let run = world.stack.invoke(local_stack::SOURCE_REGION, "retention-prune", &request);
    let killer = async {
        while world.deletes().await < 2 {
            // Deletions are another process's; the run's own end would end the wait.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for process in of_function(&world.stack, "retention-prune").expect("processes") {
            kill(process).expect("a killed function");
        }
    };
    let (outcome, ()) = tokio::join!(run, killer);
    assert!(outcome.is_err(), "{outcome:?}");
    let refusal = world.refused("retention-prune", &json!({})).await;
    assert_eq!(refusal.error_type, "Busy", "its holder may be alive: {}", refusal.error_message);
    world.jump("2027-01-04T06:16:00Z").await;
    let done = world.prune(&json!({})).await;
    assert_eq!(done["finished"], true);
    assert_eq!(world.days_left("a-1").await, (20..=29).rev().collect::<Vec<_>>());
    world.jump("2027-01-04T06:20:00Z").await;
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 10)]);
}

/// An invocation that dies when it has the vault in hand and looks at its points again.
async fn dies(world: &World, function: &OwnFunction<retention_prune::Deps>, input: Value) {
    let slow = json!([{"operation": "DescribeRecoveryPoint", "effect": "delay", "seconds": 60}]);
    world.control("PUT", "/faults", Some(&slow)).await;
    tokio::select! {
        outcome = function.invoke(input) => unreachable!("it got through: {outcome:?}"),
        () = world.struck() => {}
    }
    world.control("PUT", "/faults", Some(&json!([]))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_begins_anew_when_lambda_tries_its_event_again() {
    let world = World::start().await;
    world.seed_days("a-1", [50, 40, 1], 30).await;
    let function = OwnFunction::retention(&world.stack, &[]).await.expect("the function");
    let daily = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    dies(&world, &function, daily.clone()).await;
    assert_eq!(world.refused("retention-prune", &json!({})).await.error_type, "Busy");
    function.tries_again();
    let done = function.invoke(daily.clone()).await.expect("an answer");
    assert_eq!((&done["finished"], &done["deleted"]), (&json!(true), &json!(2)), "{done:#}");
    assert_eq!(world.prune(&json!({})).await["deleted"], 0, "nobody holds the vault any more");
    assert_eq!(world.days_left("a-1").await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuation_that_died_goes_on_when_lambda_tries_its_event_again() {
    let world = World::start().await;
    world.subscribe().await;
    world.seed_days("a-1", [50, 40, 1], 30).await;
    let function = OwnFunction::retention(&world.stack, &[]).await.expect("the function");
    let begun = function.invoke_for(NO_TIME, json!({})).await.expect("an answer");
    assert_eq!(begun["finished"], false);
    let continued = event(CONTINUED, &world.events(CONTINUED, 1).await[0]);
    dies(&world, &function, continued.clone()).await;
    assert_eq!(
        world.prune(&continued).await,
        json!({"duplicate": true}),
        "another request is a doubled event"
    );
    function.tries_again();
    let done = function.invoke(continued).await.expect("an answer");
    assert_eq!((&done["finished"], &done["deleted"]), (&json!(true), &json!(2)), "{done:#}");
    assert_eq!(world.days_left("a-1").await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_the_catalog_that_cannot_be_read_do_not_end_a_run() {
    let world = World::start().await;
    let points = world.seed_days("a-1", [50, 40, 1], 30).await;
    world.seed_days("a-2", [50, 40, 1], 30).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    // A later version wrote a policy and a copy, and was rolled back.
    let mut policy =
        world.catalog().await.remove(&("POLICY".to_owned(), "a".to_owned())).expect("the policy");
    let document = policy["document"].as_s().expect("a text").replacen('{', "{\"moon\": 1, ", 1);
    policy.insert("document".to_owned(), AttributeValue::S(document));
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let copy = [
        ("pk", text(&format!("COPY#{}", points[0]))),
        ("sk", text(&format!("arn:aws:backup:eu-west-1:111122223333:backup-vault:{VAULT}"))),
        ("state", text("sealed_again")),
    ];
    let copy = copy.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    for item in [policy, copy] {
        let put = world.dynamodb().await.put_item().table_name(CATALOG).set_item(Some(item));
        put.send().await.expect("an item");
    }
    let pruned = world.prune(&json!({})).await;
    assert_eq!((&pruned["finished"], &pruned["deleted"]), (&json!(true), &json!(4)), "{pruned:#}");
    assert_eq!(failures(&pruned), []);
    assert_eq!(pruned["findings"].as_array().map(Vec::len), Some(2), "tables are gone: {pruned:#}");
    assert!(list(&pruned["findings"]).iter().all(|finding| finding["reason"] == "table_gone"), "{pruned:#}");
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_aws_denies_to_describe_after_its_deletion_is_looked_for_in_the_list() {
    let world = World::start().await;
    world.seed_days("a-1", [50, 40, 1], 30).await;
    let slow = json!([{"operation": "DeleteRecoveryPoint", "count": 2, "effect": "delay", "seconds": 2}]);
    world.control("PUT", "/faults", Some(&slow)).await;
    let denied = json!([{"operation": "DescribeRecoveryPoint", "effect": "access_denied"}]);
    let deny = async {
        world.struck().await;
        world.control("PUT", "/faults", Some(&denied)).await
    };
    let request = json!({});
    let (pruned, _) = tokio::join!(world.prune(&request), deny);
    assert_eq!((&pruned["deleted"], failures(&pruned)), (&json!(2), vec![]), "{pruned:#}");
    world.control("PUT", "/faults", Some(&json!([]))).await;
    assert_eq!(world.days_left("a-1").await, [1]);
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_leaves_a_point_expired_is_reported_and_tried_again() {
    let world = World::start().await;
    let points = world.seed_days("a-1", [50, 40, 1], 30).await;
    let faults = json!([{"operation": "DeleteRecoveryPoint", "count": 1, "effect": "delete_expired"}]);
    world.control("PUT", "/faults", Some(&faults)).await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!((&pruned["deleted"], &pruned["kept"]), (&json!(1), &json!(2)), "{pruned:#}");
    let [(expired, "left_expired")] = failures(&pruned)[..] else { unreachable!("{pruned:#}") };
    assert!(points[..2].iter().any(|point| point == expired));
    assert_eq!(world.status(expired).await.as_deref(), Some("EXPIRED"));
    let again = world.prune(&json!({})).await;
    assert_eq!((&again["deleted"], failures(&again)), (&json!(1), vec![]));
    assert_eq!(list(&again["findings"])[0]["reason"], "expired", "{:#}", again["findings"]);
    assert_eq!(world.days_left("a-1").await, [1]);
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_linked_role_nothing_goes_and_every_point_is_named() {
    let world = World::start().await;
    world.seed_days("a-1", [50, 40, 1], 30).await;
    world.take_from_role("RetentionPruneRole", "LetBackupDelete").await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!(pruned["deleted"], 0);
    let reasons: Vec<_> = failures(&pruned).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["left_expired", "left_expired"]);
    let said = list(&pruned["failures"])[0]["message"].as_str().unwrap_or_default();
    assert!(said.contains("iam:CreateServiceLinkedRole"), "{said}");
    assert_eq!(world.days_left("a-1").await, [50, 40, 1]);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_or_get_no_answer_lose_nothing() {
    let world = World::start().await;
    world.seed_days("a-1", [50, 45, 40, 1, 2, 3], 30).await;
    let faults = json!([
        {"operation": "DeleteRecoveryPoint", "count": 1, "effect": "drop_after"},
        {"operation": "ListTags", "count": 1, "effect": "error500"},
        {"operation": "DescribeRecoveryPoint", "count": 2, "effect": "throttle"},
    ]);
    world.control("PUT", "/faults", Some(&faults)).await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!(pruned["deleted"], 3, "the one whose answer was lost went all the same: {pruned:#}");
    assert_eq!(
        (failures(&pruned), world.stack.control().strikes().await.expect("strikes")),
        (vec![], vec![1, 1, 2])
    );
    assert_eq!(world.days_left("a-1").await, [3, 2, 1]);
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_that_aws_refuses_are_reported_and_tried_again() {
    let world = World::start().await;
    let points = world.seed_days("a-1", [50, 40, 1], 30).await;
    let deny = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "backup:DeleteRecoveryPoint", "Resource": "*",
    }]});
    let backup = world.backup().await;
    let put = backup.put_backup_vault_access_policy().backup_vault_name(VAULT).policy(deny.to_string());
    put.send().await.expect("a vault policy");
    let pruned = world.prune(&json!({})).await;
    let expected = [(points[0].as_str(), "delete_refused"), (points[1].as_str(), "delete_refused")];
    assert_eq!((&pruned["deleted"], failures(&pruned)), (&json!(0), expected.to_vec()));
    let said = list(&pruned["failures"])[0]["message"].as_str().unwrap_or_default();
    assert!(said.contains("AccessDeniedException") && said.contains("request id"), "{said}");
    let delete = backup.delete_backup_vault_access_policy().backup_vault_name(VAULT);
    delete.send().await.expect("no vault policy");
    assert_eq!(world.prune(&json!({})).await["deleted"], 2);
    assert_eq!(world.days_left("a-1").await, [1]);
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_under_a_legal_hold_are_not_even_tried() {
    let world = World::start().await;
    let points = world.seed_days("a-1", [50, 40, 1], 30).await;
    let hold = world.hold("a-1").await;
    world.moment().await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!(verdict(&pruned, &points[0]), ("protected", vec!["no_active_flag", "legal_hold"]));
    assert_eq!((&pruned["deleted"], world.deletes().await, failures(&pruned)), (&json!(0), 0, vec![]));
    let backup = world.backup().await;
    let cancel = backup.cancel_legal_hold().legal_hold_id(hold).cancel_description("over");
    cancel.send().await.expect("no hold any more");
    world.moment().await;
    assert_eq!(world.prune(&json!({})).await["deleted"], 2);
    assert_eq!(world.days_left("a-1").await, [1]);
    world.jump("2027-01-04T05:59:55Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_locked_vault_nothing_is_tried() {
    let world = World::start().await;
    let points = world.seed_days("a-1", [50, 40, 1], 30).await;
    let lock = world.backup().await.put_backup_vault_lock_configuration().backup_vault_name(VAULT);
    lock.min_retention_days(1).send().await.expect("a lock");
    let pruned = world.prune(&json!({})).await;
    assert_eq!(verdict(&pruned, &points[0]), ("protected", vec!["no_active_flag", "vault_lock"]));
    assert_eq!((&pruned["deleted"], world.deletes().await), (&json!(0), 0));
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_cut_and_its_counts_and_digest_cover_the_whole() {
    let world = World::with(&WIDE, false).await;
    world.seed_days("a-1", (1..=700).rev(), 600).await;
    world.seed_days("a-2", (1..=700).rev(), 600).await;
    let first = world.prune(&json!({"dry_run": true})).await;
    assert_eq!(
        (list(&first["points"]).len(), &first["deleted"], &first["kept"]),
        (1000, &json!(200), &json!(1200))
    );
    let second = world.prune(&json!({"dry_run": true, "next": first["next"]})).await;
    assert_eq!((list(&second["points"]).len(), second.get("next")), (400, None));
    assert_eq!((&second["digest"], &second["deleted"]), (&first["digest"], &first["deleted"]));
    let name = |point: &Value| (point["table"].to_string(), point["created_at"].to_string());
    let all: Vec<_> = list(&first["points"]).iter().chain(list(&second["points"])).map(name).collect();
    assert!(all.is_sorted() && all.len() == 1400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_asks_for_tags_only_what_the_catalog_does_not_know_and_what_it_deletes() {
    let world = World::with(&WIDE, false).await;
    // However long the start took, it is past 07:00 in Berlin now: points of 40 days ago are due.
    world.jump("2027-01-04T06:05:00Z").await;
    for table in 0..20 {
        world.seed_days(&format!("a-{table:02}"), (16..=45).rev(), 40).await;
    }
    let count =
        async |operation: &str| world.calls().await.iter().filter(|(called, _)| called == operation).count();
    assert_eq!(world.prune(&json!({"table": "a-00"})).await["deleted"], 6);
    // AWS Backup is done with deleting these.
    world.finish_jobs().await;
    world.control("DELETE", "/calls", None).await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!(pruned["deleted"], 19 * 6, "6 of 30 of each of the other tables");
    // Their points are unknown; those that go, and the newest of each table, are looked at again.
    let again = 19 * (6 + 1);
    assert_eq!(count("ListRecoveryPointsByBackupVault").await, 1);
    assert_eq!(count("ListTags").await, 19 * 30 + again);
    assert_eq!(count("DeleteRecoveryPoint").await, 19 * 6);
    assert_eq!(count("DescribeRecoveryPoint").await, again + 19 * 6, "before and after");
    world.finish_jobs().await;
    world.control("DELETE", "/calls", None).await;
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
    // The everyday run: everything is known.
    assert_eq!((count("ListTags").await, count("DescribeRecoveryPoint").await), (0, 0));
}
