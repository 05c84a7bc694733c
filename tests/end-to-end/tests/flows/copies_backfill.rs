//! Points of before their policy had a target, and configurations that have no room in tags.

use dynachain::evolving::Evolving;
use dynachain::id::VaultArn;
use dynachain::metadata::{Digest, PartName, PointTags, Sealer};
use dynachain::table_config::TableConfig;
use local_stack::{SOURCE_REGION, TARGET_REGION};
use rstest::rstest;
use serde_json::{Value, json};

use crate::copies::idle;
use crate::support::seeds::{failures, verdict};
use crate::support::{
    CATALOG, SEVEN, World, arn, chains, example, example_with_copies, list, only_point, vault,
};

fn backfill(since: &str) -> Value {
    json!({"backfill": {"policy": "a", "target": vault(TARGET_REGION), "since": since}})
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_before_a_target_are_copied_when_somebody_asks_and_belong_to_its_chain() {
    let world = World::start_with_target().await;
    world.tables(&["a-1", "a-2"]).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world.back_up().await;
    world.apply(&example_with_copies("a", &json!({"tables": ["a-*"]}))).await;
    world.pass(20).await;
    assert_eq!(world.copy_jobs().await.len(), 0, "nothing by itself");
    assert_eq!(world.reconcile_copies().await, idle());

    let mut trial = backfill(SEVEN);
    trial["dry_run"] = json!(true);
    let catalog = world.catalog().await;
    let planned = world.copying(&trial).await;
    assert_eq!((&planned["queued"], &planned["started"]), (&json!(2), &json!(2)), "{planned:#}");
    assert_eq!(
        (world.catalog().await, world.copy_jobs().await.len()),
        (catalog, 0),
        "a trial changes nothing"
    );
    assert_eq!(world.copying(&backfill("2027-01-04T06:00:01Z")).await, idle(), "none is so young");

    let asked = world.copying(&backfill(SEVEN)).await;
    assert_eq!((&asked["queued"], &asked["started"], &asked["running"]), (&json!(2), &json!(2), &json!(2)));
    world.pass(5).await;
    let there = world.verified_there().await;
    assert_eq!(chains(&there), [("a-1", "copy", 1), ("a-2", "copy", 1)]);
    let copy = &list(&list(&there["chains"])[0]["points"])[0];
    assert_eq!((&copy["flags"], &copy["policy"]), (&json!(["W", "Y"]), &json!("a")));
    assert_eq!(copy["expires_at"], "2034-01-04T06:00:00Z");
    let report = world.verified(&[]).await;
    assert_eq!(
        chains(&report),
        [("a-1", "regular", 1), ("a-2", "regular", 1)],
        "the sources are as they were"
    );

    // Again: nothing is left to do, and nothing changes.
    let catalog = world.catalog().await;
    assert_eq!(world.copying(&backfill(SEVEN)).await, idle());
    assert_eq!((world.catalog().await, world.copy_jobs().await.len()), (catalog, 2));
    // A catalog that forgot them finds them in the vault.
    for prefix in ["COPY#", "COPIED#", "COPY_"] {
        world.drop_from_catalog(prefix).await;
    }
    let again = world.copying(&backfill(SEVEN)).await;
    assert_eq!((&again["queued"], &again["settled"], &again["started"]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!((world.copy_jobs().await.len(), world.verified_there().await == there), (2, true));
}

/// Two daily points of one table, kept for three days, whose copies somebody asked for afterwards: kept for thirty days, and
/// AWS has no room for them. Three days have passed for the older one. Both points, oldest first.
async fn queued_copies_of_old_points() -> (World, Vec<String>) {
    let world = World::start_with_target().await;
    world.tables(&["a-1"]).await;
    let mut policy = example("a", &json!({"tables": ["a-*"]}));
    let daily = policy["schedules"]["daily"].clone();
    policy["schedules"] = json!({ "daily": daily });
    world.apply(&policy).await;
    world.back_up().await;
    world.jump("2027-01-04T10:00:00Z").await;
    world.finish_jobs().await;
    policy["copies"] = json!([{"vault": vault(TARGET_REGION), "keep": {"daily": {"days": 30}}}]);
    world.apply(&policy).await;
    world.control("PUT", "/quotas", Some(&json!({"concurrent_copies": 0}))).await;
    let asked = world.copying(&backfill(SEVEN)).await;
    assert_eq!((&asked["queued"], &asked["settled"]), (&json!(2), &json!(0)), "{asked:#}");
    world.silence().await;
    world.jump("2027-01-07T06:30:00Z").await;
    let points = world.ages("a-1").await.into_iter().map(|(_, point)| point).collect();
    (world, points)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_stays_until_the_copy_that_a_backfill_asked_for_is_settled() {
    let (world, points) = queued_copies_of_old_points().await;
    let expected = ("protected", vec!["no_active_flag", "copy_pending"]);
    for request in [json!({"dry_run": true}), json!({})] {
        let pruned = world.prune(&request).await;
        assert_eq!((verdict(&pruned, &points[0]), &pruned["deleted"]), (expected.clone(), &json!(0)));
    }
    let explained = world.report(&json!({"explain": points[0]})).await;
    assert_eq!(explained["point"]["decision"], "protected", "{explained:#}");

    world.control("PUT", "/quotas", Some(&json!({"concurrent_copies": 100}))).await;
    for _ in 0..3 {
        world.reconcile_copies().await;
        world.pass(20).await;
    }
    assert_eq!(world.copy_jobs_in("COMPLETED").await, 2);
    assert_eq!(world.reconcile_copies().await, idle());
    assert_eq!(world.prune(&json!({})).await["deleted"], 1, "its copy is there");
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
    world.finish_jobs().await;
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 1)]);
    assert_eq!(chains(&world.verified_there().await), [("a-1", "copy", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_asked_for_while_a_run_goes_on_is_seen_right_before_the_deletion() {
    let (world, points) = queued_copies_of_old_points().await;
    // As when the index of the catalog lags: only whoever asks for the copies of the point itself finds them.
    let client = world.dynamodb().await;
    for ((pk, _), mut item) in world.catalog().await {
        if pk.starts_with("COPY#") {
            item.remove("gsi1pk");
            client.put_item().table_name(CATALOG).set_item(Some(item)).send().await.expect("a hidden copy");
        }
    }
    let pruned = world.prune(&json!({})).await;
    assert_eq!(verdict(&pruned, &points[0]).0, "delete", "the run does not know of it at first: {pruned:#}");
    assert_eq!(failures(&pruned), [(points[0].as_str(), "changed")]);
    assert_eq!((world.deletes().await, world.ages("a-1").await.len()), (0, 2));
}

#[rstest]
#[case::no_policy(json!({"policy": "nobody"}), "PolicyNotFound", "$.backfill.policy: there is no policy nobody")]
#[case::no_target(json!({"target": "arn:aws:backup:us-east-1:111122223333:backup-vault:x1"}), "InvalidRequest", "$.backfill.target: the policy a does not copy to")]
#[case::another_account(json!({"target": "arn:aws:backup:us-east-1:444455556666:backup-vault:x1"}), "InvalidRequest", "$.backfill.target: arn:aws:backup:us-east-1:444455556666:backup-vault:x1 lies in another account")]
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_cannot_be_is_refused(#[case] change: Value, #[case] kind: &str, #[case] said: &str) {
    let world = World::start().await;
    world.apply(&example_with_copies("a", &json!({"tables": ["a-*"]}))).await;
    let mut request = backfill(SEVEN);
    for (name, value) in change.as_object().expect("members") {
        request["backfill"][name] = value.clone();
    }
    let refusal = world.refused("backup-copy", &request).await;
    assert_eq!(refusal.error_type, kind);
    assert!(refusal.error_message.starts_with(said), "{}", refusal.error_message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_without_room_in_tags_is_in_the_targets_catalog_before_the_copy() {
    let world = World::start_with_target().await;
    world.table_with_many_tags("a-1").await;
    world.apply(&example_with_copies("a", &json!({"tables": ["a-*"]}))).await;
    world.back_up().await;
    world.pass(30).await;
    let there = world.verified_there().await;
    let copy = only_point(&there, "a-1");
    let tags = end_to_end::points::tags(&world.stack, TARGET_REGION, &copy).await.expect("its tags");
    let table = arn("a-1");
    let opened =
        end_to_end::points::open(&world.stack, TARGET_REGION, &tags, &table).await.expect("it opens");
    assert!(opened.config.is_none());

    // All that is needed is in the target Region: the copy's tags, the replica of the key, the catalog there.
    let config = world.stack.sdk_config(TARGET_REGION).await;
    let catalog = dynachain::catalog::Catalog::new(&config, CATALOG);
    let there: VaultArn = vault(TARGET_REGION).parse().expect("a vault");
    let sealed = catalog.points().copied_config(&table, &opened.core, &there).await;
    let sealed = sealed.expect("the catalog there");
    let [_, target] = world.stack.deployments() else { unreachable!("two stacks") };
    let key = target.output("KeyArn").expect("a key").parse().expect("an ARN");
    let keys = dynachain::aws::KeyOpener::new(&config, key);
    let key = keys.open(&PointTags::read(&tags).keys, &table).await.expect("the data key");
    let encoded = Sealer::new(&key, &table).open(PartName::Config, &sealed.expect("it is there"));
    let encoded = encoded.expect("it opens");
    assert_eq!(Digest::of(&encoded), opened.core.config_digest);
    let config: Evolving<TableConfig> = Evolving::decode(&encoded).expect("a configuration");
    assert_eq!(config.value.user_tags().count(), 40);
    let items = aws_sdk_dynamodb::Client::new(&world.stack.sdk_config(TARGET_REGION).await);
    let items = items.scan().table_name(CATALOG).send().await.expect("the catalog there");
    let kept =
        items.items().iter().filter(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with("CONFIG#")));
    assert!(kept.clone().count() == 1 && kept.clone().all(|item| !item.contains_key("expires_at")));
    let mine = world.catalog().await;
    assert!(
        !mine.keys().any(|(pk, _)| pk.starts_with("CONFIG#")),
        "{SOURCE_REGION} keeps it by the point's ARN"
    );
}

impl World {
    /// A table whose configuration has no room in tags: forty tags that no compression makes small.
    async fn table_with_many_tags(&self, name: &str) {
        self.tables(&[name]).await;
        let value = |n: u32| {
            (0..4).map(|part| Digest::of(format!("{n} {part}").as_bytes()).to_string()).collect::<String>()
        };
        self.tag_table(name, (0..40).map(|n| (format!("tag-{n:02}"), value(n)))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_goes_takes_no_other_copys_configuration_with_it() {
    let world = World::start_with_target().await;
    world.table_with_many_tags("a-1").await;
    world
        .backup_there()
        .await
        .create_backup_vault()
        .backup_vault_name("archive")
        .send()
        .await
        .expect("a vault");
    let archive = vault(TARGET_REGION).replace("backup-vault:dynachain", "backup-vault:archive");
    let mut policy = example_with_copies("a", &json!({"tables": ["a-*"]}));
    policy["copies"] = json!([
        {"vault": vault(TARGET_REGION), "keep": {"weekly": {"days": 7}}},
        {"vault": archive, "keep": {"weekly": {"years": 7}}},
    ]);
    policy["keep_last"] = json!(0);
    world.apply(&policy).await;
    world.back_up().await;
    world.silence().await;
    for _ in 0..3 {
        world.reconcile_copies().await;
        world.pass(20).await;
    }
    assert_eq!(world.copy_jobs_in("COMPLETED").await, 2);

    world.jump("2027-01-12T06:00:00Z").await;
    let there = async |function: &str, request: Value| {
        world.stack.invoke(TARGET_REGION, function, &request).await.expect("an answer")
    };
    assert_eq!(there("retention-prune", json!({})).await["deleted"], 1);
    world.dynamodb().await.delete_table().table_name("a-1").send().await.expect("the table goes");
    let left = world.backup_there().await.list_recovery_points_by_backup_vault().backup_vault_name("archive");
    let left = left.send().await.expect("the archive");
    let copy = left.recovery_points()[0].recovery_point_arn().expect("an ARN");
    let asked = json!({"restore": {"recovery_point": copy, "vault": "archive"}});
    let asked = there("table-restore", asked).await;
    world.finish_jobs().await;
    // Events about it go nowhere.
    there("table-restore", json!({"reconcile": true})).await;
    let done = there("table-restore", json!({"status": asked["restore_id"]})).await;
    let tags = list(&done["steps"]).iter().find(|step| step["property"] == "tags").expect("a step").clone();
    assert_eq!((&done["state"], &tags["state"]), (&json!("done"), &json!("done")), "{done:#}");
}
