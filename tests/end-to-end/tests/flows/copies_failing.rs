//! Copies that do not come about at once, or not at all.

use aws_sdk_backup::types::Lifecycle;
use local_stack::{SOURCE_REGION, TARGET_REGION, VAULT};
use serde_json::{Value, json};

use crate::copies::idle;
use crate::support::{SEVEN, World, arn, chains, example_with_copies, list, only_point, points, vault};

const GIVEN_UP: &str = "Copy Given Up";

impl World {
    async fn faults(&self, faults: Value) {
        self.stack.control().set_faults(&faults).await.expect("faults");
    }

    /// Nothing happens by itself any more but what is running.
    pub(crate) async fn silence(&self) {
        self.policy(&json!({"disable": "a"})).await;
        for region in [SOURCE_REGION, TARGET_REGION] {
            let events = aws_sdk_eventbridge::Client::new(&self.stack.sdk_config(region).await);
            for rule in events.list_rules().send().await.expect("the rules").rules() {
                let name = rule.name().expect("a name");
                events.disable_rule().name(name).send().await.expect("a silent rule");
            }
        }
    }
}

/// What an answer says is owed: table, attempts and reason.
fn owed(answer: &Value) -> Vec<(&str, u64, &str)> {
    list(&answer["owed"])
        .iter()
        .map(|owed| {
            let table = owed["table"].as_str().and_then(|table| table.rsplit('/').next());
            let attempts = owed["attempts"].as_u64().unwrap_or_default();
            (table.unwrap_or_default(), attempts, owed["reason"].as_str().unwrap_or_default())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_attempts_are_used_up_is_owed_until_a_later_one_comes_about() {
    let world = World::start_with_target().await;
    world.tables(&["a-1", "a-2"]).await;
    let mut policy = example_with_copies("a", &json!({"tables": ["a-*"]}));
    policy["copies"][0]["keep"]["daily"] = json!({"days": 7});
    policy["retries"] = json!(1);
    world.apply(&policy).await;
    world.subscribe().await;
    // Of four attempts at two tables the first, the second and one more fail; the other table's second one succeeds.
    world
        .faults(
            json!([{"operation": "StartCopyJob", "effect": "job_failed", "count": 3, "message": "no luck"}]),
        )
        .await;
    world.back_up().await;
    world.pass(3).await;
    assert_eq!(world.copy_jobs_in("FAILED").await, 2);
    let waiting = world.copies_in_catalog().await;
    let failed = ("queued".to_owned(), 1, "copy_failed".to_owned());
    assert_eq!(waiting, [failed.clone(), failed], "each waits for its second attempt");
    assert_eq!(world.reconcile_copies().await, idle(), "not before its time");

    world.jump("2027-01-04T06:50:00Z").await;
    assert_eq!((world.copy_jobs_in("FAILED").await, world.copy_jobs_in("COMPLETED").await), (3, 1));
    let given_up = world.events(GIVEN_UP, 1).await;
    assert_eq!(
        (given_up.len(), &given_up[0]["attempts"], &given_up[0]["reason"]),
        (1, &json!(2), &json!("copy_failed"))
    );
    assert!(given_up[0]["message"].as_str().is_some_and(|said| said.contains("no luck")), "{given_up:?}");
    let table = given_up[0]["table"].as_str().expect("a table").to_owned();
    let name = table.rsplit('/').next().expect("a name");
    let answer = world.reconcile_copies().await;
    assert_eq!(owed(&answer), [(name, 2, "copy_failed")], "{answer:#}");
    assert_eq!(answer["owed"][0]["target"], vault(TARGET_REGION));
    assert_eq!(chains(&world.verified_there().await).len(), 1);

    // The point of eleven o'clock is copied, and makes up for it.
    world.jump("2027-01-04T10:05:00Z").await;
    assert_eq!(world.reconcile_copies().await, idle());
    assert_eq!(world.events(GIVEN_UP, 1).await.len(), 1, "told once");
    let there = world.verified_there().await;
    let counts: Vec<_> = ["a-1", "a-2"].iter().map(|table| points(&there, table).len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 3, "{there:#}");
    assert!(world.holds_no_slots().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_has_no_room_for_waits_and_is_no_failure() {
    let world = World::with(&[("CopyConcurrency", "10"), ("StartRate", "50")], true).await;
    let tables: Vec<String> = (1..=8).map(|n| format!("a-{n}")).collect();
    world.tables(&tables.iter().map(String::as_str).collect::<Vec<_>>()).await;
    world.apply(&example_with_copies("a", &json!({"tables": ["a-*"]}))).await;
    world.control("PUT", "/quotas", Some(&json!({"concurrent_copies": 5}))).await;
    world.back_up().await;
    world.pass(30).await;
    let refused = world.calls().await;
    let refused = refused
        .iter()
        .filter(|(operation, outcome)| operation == "StartCopyJob" && outcome.contains("LimitExceeded"));
    assert_ne!(refused.count(), 0, "there were more than the quota allows");
    let usable = ("usable".to_owned(), 1, String::new());
    assert_eq!(world.copies_in_catalog().await, vec![usable; 8], "none of it counts as an attempt");
    assert_eq!((world.copy_jobs().await.len(), world.copy_jobs_in("COMPLETED").await), (8, 8));
    assert_eq!(chains(&world.verified_there().await).len(), 8);
    assert_eq!(world.reconcile_copies().await, idle());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_in_cold_storage_or_gone_cannot_be_copied_and_is_not_tried_for_ever() {
    let world = World::with_copies(&["a-1", "a-2", "a-3"], 3).await;
    world.faults(json!([{"operation": "StartCopyJob", "effect": "job_failed"}])).await;
    world.back_up().await;
    world.pass(1).await;
    world.silence().await;
    let report = world.verified(&[]).await;
    let backup = world.backup().await;
    let cold = Lifecycle::builder().move_to_cold_storage_after_days(1).build();
    let update = backup.update_recovery_point_lifecycle().backup_vault_name(VAULT);
    let update = update.recovery_point_arn(only_point(&report, "a-1")).lifecycle(cold);
    update.send().await.expect("it will be cold");
    let delete = backup.delete_recovery_point().backup_vault_name(VAULT);
    delete.recovery_point_arn(only_point(&report, "a-2")).send().await.expect("it goes");
    world.jump("2027-01-05T07:00:00Z").await;
    world.faults(json!([])).await;
    let answer = world.reconcile_copies().await;
    assert_eq!(owed(&answer), [("a-1", 2, "cold_storage"), ("a-2", 2, "source_gone")], "{answer:#}");
    assert_eq!(
        (&answer["settled"], &answer["started"], &answer["running"]),
        (&json!(2), &json!(1), &json!(1))
    );
    world.pass(10).await;
    let after = world.reconcile_copies().await;
    assert_eq!(
        (owed(&after).len(), &after["started"], &after["settled"]),
        (2, &json!(0), &json!(1)),
        "{after:#}"
    );
    assert_eq!(chains(&world.verified_there().await), [("a-3", "copy", 1)]);
    let jobs = world.copy_jobs().await.len();
    assert_eq!(world.reconcile_copies().await["settled"], 0);
    assert_eq!((world.copy_jobs().await.len(), jobs), (4, 4), "three that failed, and one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_gone_takes_no_copy_and_nobody_asks_for_one() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.backup_there().await.delete_backup_vault().backup_vault_name(VAULT).send().await.expect("it goes");
    world.back_up().await;
    world.pass(3).await;
    assert_eq!(world.copy_jobs().await.len(), 0);
    let answer = world.reconcile_copies().await;
    assert_eq!(owed(&answer), [("a-1", 1, "vault_gone")], "{answer:#}");
    assert!(world.holds_no_slots().await);
    world.verified(&[("a-1", "copy_impossible")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_a_copy_lacks_are_added_there_before_it_counts() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.jump(SEVEN).await;
    world.pass(1).await;
    // Nobody hears that the copy is made before somebody has taken tags from it.
    world.stack.control().set_events(&json!({"lose": 1})).await.expect("events that get lost");
    world.pass(2).await;
    let there = world.backup_there().await;
    let listed = there.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await;
    let copy =
        listed.expect("the vault").recovery_points()[0].recovery_point_arn().expect("an ARN").to_owned();
    let whole = end_to_end::points::tags(&world.stack, TARGET_REGION, &copy).await.expect("its tags");
    let some = ["dynachain:core:1", "dynachain:managed", "dynachain:config:1"].map(str::to_owned).to_vec();
    let untag = there.untag_resource().resource_arn(&copy).set_tag_key_list(Some(some));
    untag.send().await.expect("tags gone");
    world.pass(16).await;
    let after = end_to_end::points::tags(&world.stack, TARGET_REGION, &copy).await.expect("its tags");
    assert_eq!(after, whole);
    assert_eq!(world.copies_in_catalog().await, [("usable".to_owned(), 1, String::new())]);
    assert_eq!(chains(&world.verified_there().await), [("a-1", "copy", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_counts_only_when_the_replica_key_there_opens_it() {
    let world = World::with_copies(&["a-1"], 3).await;
    let [_, target] = world.stack.deployments() else { unreachable!("two stacks") };
    let key = target.output("KeyArn").expect("a key").to_owned();
    let kms = aws_sdk_kms::Client::new(&world.stack.sdk_config(TARGET_REGION).await);
    // The copy is under way, so that the vault's own use of the key is over.
    world.jump(SEVEN).await;
    world.pass(1).await;
    world.jump("2027-01-04T06:01:30Z").await;
    kms.disable_key().key_id(&key).send().await.expect("a disabled key");
    world.pass(3).await;
    assert_eq!(world.copies_in_catalog().await, [("arrived".to_owned(), 1, "not_readable".to_owned())]);
    assert_eq!(world.reconcile_copies().await, idle(), "there is nothing to do but to wait");
    kms.enable_key().key_id(&key).send().await.expect("an enabled key");
    world.pass(16).await;
    assert_eq!(world.copies_in_catalog().await, [("usable".to_owned(), 1, String::new())]);
    assert_eq!((world.copy_jobs().await.len(), chains(&world.verified_there().await).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_is_lost_makes_no_second_copy_and_remembers_what_is_too_old() {
    let world = World::with_copies(&["a-1", "a-2"], 3).await;
    world.back_up().await;
    world.pass(5).await;
    let there = world.verified_there().await;
    assert_eq!(chains(&there).len(), 2);
    for prefix in ["COPY#", "COPIED#", "COPY_", "POINT#", "SESSION#"] {
        world.drop_from_catalog(prefix).await;
    }
    let answer = world.reconcile_copies().await;
    assert_eq!((&answer["queued"], &answer["settled"]), (&json!(2), &json!(2)), "{answer:#}");
    assert_eq!((&answer["started"], world.copy_jobs().await.len()), (&json!(0), 2), "{answer:#}");
    assert_eq!(world.reconcile_copies().await, idle());

    // Much later: one of the copies is gone.
    world.silence().await;
    world.jump("2027-01-30T06:30:00Z").await;
    let gone = only_point(&there, "a-2");
    let delete = world.backup_there().await.delete_recovery_point().backup_vault_name(VAULT);
    delete.recovery_point_arn(gone).send().await.expect("it goes");
    world.pass(5).await;
    for prefix in ["COPY#", "COPIED#", "COPY_"] {
        world.drop_from_catalog(prefix).await;
    }
    let answer = world.reconcile_copies().await;
    assert_eq!((&answer["queued"], &answer["settled"]), (&json!(0), &json!(2)), "{answer:#}");
    assert_eq!(owed(&answer), [("a-2", 0, "too_old")]);
    assert_eq!(owed(&world.reconcile_copies().await), [("a-2", 0, "too_old")], "and so it stays");
    assert_eq!(world.copy_jobs().await.len(), 2);
    let points = world.verified(&[("a-2", "copy_given_up")]).await;
    assert_eq!(only_point(&points, "a-1").split(':').nth(3), Some(SOURCE_REGION));
    assert_eq!(chains(&world.verified_there().await).len(), 1);
    assert_eq!(arn("a-1").region(), SOURCE_REGION);
}
