//! Trouble with one table, one manual backup or one policy: it is named, and keeps nothing from the others.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::types::AttributeValue;
use backup_session::{Deps, Invocation, handle};
use local_stack::SOURCE_REGION;
use serde_json::{Value, json};

use crate::metadata::large_tags;
use crate::recovery::two_tables_with;
use crate::support::{CATALOG, FINISHED, SEVEN, World, arn, chains, details, example, list, points};

impl World {
    /// From now on nobody hears that a backup job has ended.
    async fn hear_of_no_job(&self) {
        let rule = self.job_rule().await;
        self.event_bridge().await.disable_rule().name(rule).send().await.expect("no more events");
    }

    /// From now on AWS Backup throttles whoever changes a point's tags; or not any more.
    async fn throttle_tagging(&self, throttled: bool) {
        let fault = json!([{"operation": "TagResource", "effect": "throttle"}]);
        let faults = if throttled { fault } else { json!([]) };
        self.control("PUT", "/faults", Some(&faults)).await;
    }

    async fn reconciled(&self) -> Value {
        self.session(&json!({"reconcile": true})).await
    }
}

/// The policy `a` over two tables of which `a-1` has a configuration that no point has room for at its start.
async fn one_large_table() -> World {
    let world = two_tables_with(3).await;
    world.tag_table("a-1", large_tags(12)).await;
    world.hear_of_no_job().await;
    world
}

fn seven() -> Value {
    json!({"policy": "a", "scheduled_at": SEVEN})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_is_deleted_before_it_is_whole_is_made_anew_and_holds_up_no_other_table() {
    let world = one_large_table().await;
    world.jump(SEVEN).await;
    world.fall_silent().await;
    world.finish_jobs().await;
    let answer = world.session(&seven()).await;
    let point = answer["details"][0]["recovery_point"].as_str().expect("the point of a-1");
    world.delete_point(point).await;

    let done = world.reconciled().await;
    assert_eq!(
        (&done["settled"], &done["retried"], &done["failures"]),
        (&json!(2), &json!(1), &json!([])),
        "{done:#}"
    );
    world.finish_jobs().await;
    assert_eq!(world.reconciled().await["settled"], 1, "the second attempt");
    let finished = world.events(FINISHED, 1).await;
    let counts = json!({"covered": 2, "started": 2, "skipped": 0, "failed": 0});
    assert_eq!((&finished[0]["tables"], &finished[0]["failures"]), (&counts, &json!([])));
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
    assert_eq!(points(&report, "a-1")[0]["flags"], json!(["D", "W", "M", "Y"]));
    let catalog = world.catalog().await;
    assert_eq!(world.reconciled().await["open"], json!([]), "once");
    assert_eq!((world.catalog().await, world.starts().await), (catalog, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cannot_be_settled_for_now_holds_up_neither_others_nor_their_further_attempts() {
    let world = one_large_table().await;
    world.break_backups_of("a-2").await;
    world.jump(SEVEN).await;
    world.fall_silent().await;
    world.finish_jobs().await;
    world.throttle_tagging(true).await;
    world.mend_backups().await;

    let done = world.reconciled().await;
    assert_eq!((&done["settled"], &done["retried"]), (&json!(1), &json!(1)), "a-2 alone: {done:#}");
    let [said] = list(&done["failures"]) else { unreachable!("{done:#}") };
    let said = said.as_str().unwrap_or_default();
    let begins = format!("a@{SEVEN}: {}: $: TagResource was refused: ThrottlingException", arn("a-1"));
    assert!(said.starts_with(&begins), "{said}");

    world.throttle_tagging(false).await;
    world.finish_jobs().await;
    let done = world.reconciled().await;
    assert_eq!((&done["settled"], &done["failures"]), (&json!(2), &json!([])), "{done:#}");
    let told = world.session(&seven()).await;
    assert_eq!(details(&told), [("a-1", "started", ""), ("a-2", "started", "")]);
    assert_eq!((&told["finished"], world.starts().await), (&json!(true), 3));
    let catalog = world.catalog().await;
    assert_eq!(world.reconciled().await["settled"], 0, "once");
    assert_eq!(world.catalog().await, catalog);
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
}

/// How the manual backups of the catalog stand: table, state and reason.
async fn manual(world: &World) -> Vec<(String, String, String)> {
    let catalog = world.catalog().await;
    let items = catalog.iter().filter(|((pk, _), _)| pk.starts_with("MANUAL#"));
    let mut all: Vec<_> = items
        .map(|(_, item)| {
            let backup = item["table_backup"].as_m().expect("a map");
            let text = |name: &str| backup.get(name).and_then(|value| value.as_s().ok()).cloned();
            let table = text("table").unwrap_or_default();
            let table = table.rsplit('/').next().unwrap_or_default().to_owned();
            (table, text("state").unwrap_or_default(), text("reason").unwrap_or_default())
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_backup_that_cannot_be_settled_holds_up_no_other_and_no_missed_session() {
    let world = one_large_table().await;
    world.fall_silent().await;
    let answer = world.session(&json!({"backup_now": {"table": "a-1"}})).await;
    let point = answer["details"][0]["recovery_point"].as_str().expect("its point").to_owned();
    world.session(&json!({"backup_now": {"table": "a-2"}})).await;
    world.jump("2027-01-04T06:10:00Z").await;
    world.throttle_tagging(true).await;

    world.control("DELETE", "/calls", None).await;
    let done = world.reconciled().await;
    assert_eq!(done["settled"], 1, "{done:#}");
    assert_eq!(done["caught_up"]["late"], json!([format!("a@{SEVEN}")]), "{done:#}");
    let [said] = list(&done["failures"]) else { unreachable!("{done:#}") };
    let said = said.as_str().unwrap_or_default();
    assert!(said.contains(arn("a-1").as_str()) && said.contains("ThrottlingException"), "{said}");
    let listed = world.calls().await.iter().filter(|(operation, _)| operation == "ListBackupJobs").count();
    assert_eq!(listed, 1, "the jobs of a vault are listed once");

    // Its point goes: nothing can come of that backup any more.
    world.delete_point(&point).await;
    world.throttle_tagging(false).await;
    let done = world.reconciled().await;
    assert_eq!(done["failures"], json!([]), "{done:#}");
    let word = |word: &str| word.to_owned();
    let expected =
        [(word("a-1"), word("failed"), word("point_gone")), (word("a-2"), word("completed"), String::new())];
    assert_eq!(manual(&world).await, expected);
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 1), ("a-2", "manual", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_looked_after_holds_up_no_missed_session_of_the_others() {
    let world = World::start().await;
    world.tables(&["a-1", "b-1"]).await;
    let id = world.apply(&example("a", &json!({"tables": ["a-*"]}))).await["id"].clone();
    world.apply(&example("b", &json!({"tables": ["b-*"]}))).await;
    world.fall_silent().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let key = format!("CAUGHT_UP#{}", id.as_str().expect("an id"));
    let put = world.dynamodb().await.put_item().table_name(CATALOG);
    let put = put.item("pk", text(&key)).item("sk", text("CAUGHT_UP")).item("caught_up_until", text("x"));
    put.send().await.expect("an item that nobody can read");
    world.jump("2027-01-04T06:10:00Z").await;

    let caught_up = world.reconciled().await["caught_up"].clone();
    assert_eq!(caught_up["late"], json!([format!("b@{SEVEN}")]), "{caught_up:#}");
    let [said] = list(&caught_up["failures"]) else { unreachable!("{caught_up:#}") };
    assert!(said.as_str().is_some_and(|said| said.starts_with("a: ") && said.contains(&key)), "{said}");

    assert_eq!(world.drop_from_catalog(&key).await, 1);
    let late = json!([format!("a@{SEVEN}")]);
    assert_eq!(world.reconciled().await["caught_up"]["late"], late, "once it can be read");
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("b-1", "regular", 1)]);
}

/// `backup-session` in this process with these settings, invoked with so much time until its deadline.
async fn invoke_for(world: &World, time: Duration, settings: &[(&str, &str)], input: Value) -> Value {
    let variables = world.stack.function_variables(SOURCE_REGION, "backup-session").await;
    let mut variables = variables.expect("its settings");
    variables.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let config = world.stack.in_process_config(SOURCE_REGION).await;
    let deps = Deps::of(&config, |name| variables.get(name).cloned()).expect("usable settings");
    let end = (SystemTime::now() + time).duration_since(SystemTime::UNIX_EPOCH).expect("a time");
    let mut context = lambda_runtime::Context::default();
    context.request_id = "00000000-0000-4000-8000-000000000000".to_owned();
    context.deadline = u64::try_from(end.as_millis()).expect("a deadline");
    // On the heap: without optimization it is too large for the stack of a test.
    Box::pin(handle(&deps, &Invocation::of(&context), input)).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_that_take_longer_than_there_is_time_are_left_to_the_next_invocation() {
    let world = two_tables_with(3).await;
    world.tables(&["a-3"]).await;
    let rule = world.rule("SessionContinuedRule").await;
    world.fall_silent().await;
    world.jump(SEVEN).await;
    world.event_bridge().await.disable_rule().name(rule).send().await.expect("nobody goes on by itself");
    // Of three captures at one a second the last has to wait for two seconds, and time is up a minute before the deadline.
    let minute_and_one = Duration::from_secs(61);
    let answer = invoke_for(&world, minute_and_one, &[("TABLE_READ_RATE", "1")], seven()).await;
    assert_eq!((&answer["tables"]["covered"], &answer["finished"]), (&json!(3), &json!(false)), "{answer:#}");
    assert!(list(&answer["details"]).len() < 3, "{answer:#}");

    // It has given the session back: nobody waits for its lease.
    assert_eq!(world.reconciled().await["resumed"], 1);
    world.finish_jobs().await;
    let counts = json!({"covered": 3, "started": 3, "skipped": 0, "failed": 0});
    assert_eq!(world.events(FINISHED, 1).await[0]["tables"], counts);
    let report = world.verified(&[]).await;
    let each = [("a-1", "regular", 1), ("a-2", "regular", 1), ("a-3", "regular", 1)];
    assert_eq!((chains(&report).as_slice(), world.jobs().await.len()), (each.as_slice(), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_there_is_no_time_to_settle_are_left_to_the_next_reconciliation() {
    let world = one_large_table().await;
    world.tables(&["a-3"]).await;
    for table in ["a-2", "a-3"] {
        world.tag_table(table, large_tags(12)).await;
    }
    world.jump(SEVEN).await;
    world.fall_silent().await;
    world.finish_jobs().await;
    // Tags are added at one call a second, and time is up a minute before the deadline.
    let minute_and_one = Duration::from_secs(61);
    let done = invoke_for(&world, minute_and_one, &[("START_RATE", "1")], json!({"reconcile": true})).await;
    let settled = done["settled"].as_u64().expect("a number");
    assert!(settled < 3 && done["failures"] == json!([]), "{done:#}");
    assert_eq!(world.reconciled().await["settled"], 3 - settled);
    assert_eq!(world.session(&seven()).await["finished"], true);
    let report = world.verified(&[]).await;
    let each = [("a-1", "regular", 1), ("a-2", "regular", 1), ("a-3", "regular", 1)];
    assert_eq!(chains(&report), each);
}
