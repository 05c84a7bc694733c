//! The report tells sound points from all others, and needs nothing but the vault for it.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::tables::s;
use local_stack::VAULT;
use serde_json::{Value, json};

use crate::support::{CATALOG, SEVEN, World, arn, chains, example, only_point, points};

type Tags = BTreeMap<String, String>;

const TABLES: [&str; 5] = ["a-1", "a-2", "a-3", "a-4", "a-5"];

/// All tables backed up at 07:00; their points by table.
async fn backed_up(tables: &[&'static str]) -> (World, BTreeMap<&'static str, String>) {
    let world = World::start().await;
    world.tables(tables).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world.jump(SEVEN).await;
    let answer = world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    let of = |table: &&'static str| {
        let details = answer["details"].as_array().expect("details");
        let detail = details.iter().find(|detail| detail["table"] == arn(table).as_str()).expect("a detail");
        (*table, detail["recovery_point"].as_str().expect("an ARN").to_owned())
    };
    let points = tables.iter().map(of).collect();
    world.finish_jobs().await;
    (world, points)
}

impl World {
    async fn our_tags(&self, point: &str) -> Tags {
        let tags = self.tags(point).await;
        tags.into_iter().filter(|(tag, _)| tag.starts_with("dynachain:")).collect()
    }

    /// The points that the catalog remembers.
    async fn catalog_points(&self) -> BTreeSet<String> {
        let keys = self.catalog().await.into_keys();
        keys.filter_map(|(pk, _)| pk.strip_prefix("POINT#").map(str::to_owned)).collect()
    }

    /// Gives a point the metadata of another.
    async fn transplant(&self, from: &Tags, to: &str) {
        let own = self.our_tags(to).await;
        self.remove_tags(to, &own.keys().map(String::as_str).collect::<Vec<_>>()).await;
        self.set_tags(to, from.clone()).await;
    }
}

fn regular(tables: &[&'static str]) -> Vec<(&'static str, &'static str, usize)> {
    tables.iter().map(|table| (*table, "regular", 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn points_whose_metadata_is_not_their_own_are_told_apart() {
    let (world, made) = backed_up(&TABLES).await;
    world.tables(&["b-1"]).await;
    world.jump("2027-01-04T09:00:00Z").await;
    let later = world.session(&json!({"policy": "a", "tables": ["a-5"]})).await;
    let later = later["details"][0]["recovery_point"].as_str().expect("an ARN").to_owned();
    let role = world.jobs().await[0].iam_role_arn().expect("a role").to_owned();
    let start = world.backup().await.start_backup_job().backup_vault_name(VAULT).iam_role_arn(role);
    start.resource_arn(arn("b-1").to_string()).send().await.expect("a backup by somebody else");
    world.finish_jobs().await;
    let sound = world.verified(&[]).await;
    assert_eq!(chains(&sound).last(), Some(&("b-1", "foreign", 1)));
    assert_eq!(points(&sound, "a-5").len(), 2);

    let before: BTreeMap<_, _> = {
        let mut before = BTreeMap::new();
        for point in made.values().chain([&later]) {
            before.insert(point.clone(), world.our_tags(point).await);
        }
        before
    };
    let mut core = before[&made["a-2"]]["dynachain:core:1"].clone();
    let other = if core.as_bytes()[100] == b'A' { "B" } else { "A" };
    core.replace_range(100..101, other);
    world.set_tags(&made["a-2"], [("dynachain:core:1".to_owned(), core)]).await;
    world.transplant(&before[&made["a-1"]], &made["a-3"]).await;
    world.remove_tags(&made["a-4"], &["dynachain:core:1"]).await;
    world.transplant(&before[&made["a-5"]], &later).await;
    // The catalog still remembers them as they were. A rebuild reads every point, and forgets what proves unsound.
    world.report(&json!({"rebuild": true})).await;

    let odd = [("a-2", "suspect"), ("a-3", "suspect"), ("a-4", "unreadable"), ("a-5", "suspect")];
    let report = world.verified(&odd).await;
    assert_eq!(
        chains(&report),
        [
            ("a-1", "regular", 1),
            ("a-2", "suspect", 1),
            ("a-3", "suspect", 1),
            ("a-4", "unreadable", 1),
            ("a-5", "regular", 1),
            ("a-5", "suspect", 1),
            ("b-1", "foreign", 1),
        ]
    );
    for table in ["a-2", "a-3", "a-4", "b-1"] {
        let point = points(&report, table)[0];
        for unknown in ["policy", "session", "flags", "expires_at"] {
            assert_eq!(point[unknown], Value::Null, "{table} {unknown}");
        }
    }

    for (point, tags) in &before {
        world.transplant(tags, point).await;
    }
    let restored = world.verified(&[]).await;
    assert_eq!(restored["chains"], sound["chains"], "with their own metadata they are what they were");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_alone_tells_the_same_chains_and_points_that_are_gone_are_forgotten() {
    let (world, made) = backed_up(&["a-1", "a-2"]).await;
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), regular(&["a-1", "a-2"]));
    assert_eq!(world.drop_from_catalog("POINT#").await, 2);
    assert_eq!(world.verified(&[]).await, report);

    let by_name = world.report(&json!({"table": "a-1"})).await;
    assert_eq!(only_point(&by_name, "a-1"), made["a-1"]);
    assert_eq!(chains(&by_name), regular(&["a-1"]));
    assert_eq!(world.report(&json!({"table": arn("a-1").as_str()})).await, by_name);
    for unknown in ["a-9".to_owned(), arn("a-9").to_string()] {
        let refusal = world.refused("chain-report", &json!({"table": unknown})).await;
        assert_eq!(refusal.error_type, "TableNotFound");
        assert!(refusal.error_message.starts_with("$.table: "), "{}", refusal.error_message);
    }

    // A row that outlived its point: the local AWS Backup deletes no points, so the row is made up from another's.
    let gone = format!("{}0", made["a-1"]);
    let row = world.catalog().await[&(format!("POINT#{}", made["a-1"]), "POINT".to_owned())].clone();
    let put = world.dynamodb().await.put_item().table_name(CATALOG).set_item(Some(row));
    let put =
        put.item("pk", s(format!("POINT#{gone}"))).item("recovery_point", s(&gone)).item("gsi1sk", s(&gone));
    put.send().await.expect("a row");
    assert_eq!(
        world.catalog_points().await,
        BTreeSet::from([&made["a-1"], &made["a-2"], &gone].map(Clone::clone))
    );
    assert_eq!(world.verified(&[]).await, report);
    assert_eq!(world.catalog_points().await, made.into_values().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_unreadable_while_the_key_is_disabled() {
    let (world, _) = backed_up(&["a-1"]).await;
    let (kms, key) = (world.kms().await, world.stack.deployments()[0].output("KeyArn").expect("a key"));
    kms.disable_key().key_id(key).send().await.expect("disabled");
    world.drop_from_catalog("POINT#").await;
    let report = world.verified(&[("a-1", "unreadable")]).await;
    assert!(report["findings"][0]["message"].as_str().is_some_and(|said| said.contains("is disabled")));
    assert_eq!(chains(&report), [("a-1", "unreadable", 1)]);
    kms.enable_key().key_id(key).send().await.expect("enabled");
    assert_eq!(chains(&world.verified(&[]).await), regular(&["a-1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_a_table_that_look_like_ours_are_ignored_and_reported() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let tags = ["dynachain:core:99", "dynachain:other"];
    world.tag_table("a-1", tags.map(|tag| (tag.to_owned(), "x".to_owned()))).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    let report = world.verified(&[("a-1", "ignored_tags")]).await;
    assert_eq!(chains(&report), regular(&["a-1"]));
    let message = report["findings"][0]["message"].as_str().expect("a message");
    assert!(tags.iter().all(|tag| message.contains(tag)), "{message}");
}
