//! Points of before their policy had a target, and configurations that have no room in tags.

use dynachain::evolving::Evolving;
use dynachain::metadata::{Digest, PartName, PointTags, Sealer};
use dynachain::table_config::TableConfig;
use local_stack::{SOURCE_REGION, TARGET_REGION};
use rstest::rstest;
use serde_json::{Value, json};

use crate::copies::idle;
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
    world.tables(&["a-1"]).await;
    // Tags that no compression makes small.
    let value = |n: u32| {
        (0..4).map(|part| Digest::of(format!("{n} {part}").as_bytes()).to_string()).collect::<String>()
    };
    world.tag_table("a-1", (0..40).map(|n| (format!("tag-{n:02}"), value(n)))).await;
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
    let sealed = catalog.points().copied_config(&table, &opened.core).await.expect("the catalog there");
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
