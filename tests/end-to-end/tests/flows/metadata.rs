//! What a recovery point's tags hold, and that they open to the whole truth about it.

use std::collections::{BTreeMap, BTreeSet};

use dynachain::aws::KeyOpener;
use dynachain::aws::table_reader::TableReader;
use dynachain::evolving::Evolving;
use dynachain::metadata::{Core, Digest, Kind, PartName, PointTags, Sealer, key_tag};
use dynachain::retention::Keep;
use dynachain::table_config::TableConfig;
use end_to_end::{points, shop};
use local_stack::{SOURCE_REGION, TARGET_REGION};
use serde_json::{Value, json};

use crate::support::{SEVEN, World, arn, at, details, example, example_with_copies, list, vault};

type Tags = BTreeMap<String, String>;

fn ours(tags: &Tags) -> BTreeSet<&str> {
    tags.keys().map(String::as_str).filter(|tag| tag.starts_with("dynachain:")).collect()
}

/// Whether these are the pieces 1, 2, 3 … of a part.
fn pieces(tags: &Tags, part: &str) -> usize {
    let n = tags.keys().filter(|tag| tag.starts_with(&format!("dynachain:{part}:"))).count();
    for i in 1..=n {
        let piece = tags
            .get(&format!("dynachain:{part}:{i}"))
            .unwrap_or_else(|| unreachable!("no piece {i} of {part}"));
        assert!(
            !piece.is_empty() && piece.len() <= 256,
            "piece {i} of {part} has {} characters",
            piece.len()
        );
    }
    n
}

/// Starts the session of 07:00 and gives its points by table, none of them complete.
async fn start(world: &World) -> BTreeMap<String, String> {
    world.jump(SEVEN).await;
    let answer = world.session(&json!({"policy": "shop", "scheduled_at": SEVEN})).await;
    assert_eq!(answer["duplicate"], true, "the schedule has started it");
    let point = |detail: &Value| {
        let text = |name: &str| detail[name].as_str().expect("a text").to_owned();
        (text("table").rsplit('/').next().expect("a name").to_owned(), text("recovery_point"))
    };
    list(&answer["details"]).iter().map(point).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_points_tags_hold_the_sealed_truth_about_it_and_nothing_else() {
    let world = World::start_with_target().await;
    shop::create(&world.stack, SOURCE_REGION).await.expect("the shop's tables");
    let mut document = example_with_copies("shop", &json!({"tables": ["shop-*"]}));
    document["tags"] = json!({"cost-center": "42", "stage": "test"});
    let applied = world.apply(&document).await;
    let started = start(&world).await;
    // The jobs run, and each point has what its job was started with.
    world.jump("2027-01-04T06:00:30Z").await;
    for (table, point) in &started {
        let tags = world.tags(point).await;
        let inherited = table_tags(&world, table).await;
        let at_start: Tags = tags
            .clone()
            .into_iter()
            .filter(|(tag, _)| !inherited.contains_key(tag) || tag == "cost-center")
            .collect();
        assert!(at_start.len() <= 10, "{table}: {:?}", at_start.keys());
        let known = ["dynachain:managed", "dynachain:key:1", "cost-center", "stage"];
        let strange: Vec<_> = at_start
            .keys()
            .filter(|tag| {
                !known.contains(&tag.as_str())
                    && !tag.starts_with("dynachain:core:")
                    && !tag.starts_with("dynachain:config:")
            })
            .collect();
        assert!(strange.is_empty(), "{strange:?}");
        assert_eq!(tags["dynachain:managed"], "chain");
        assert_eq!(
            (tags["cost-center"].as_str(), tags["stage"].as_str()),
            ("42", "test"),
            "the policy's tags win"
        );
        assert!(pieces(&tags, "core") >= 1);
        let opened = points::open(&world.stack, SOURCE_REGION, &tags, &arn(table)).await.expect("it opens");
        assert_eq!(opened.core.session.expect("a session").to_string(), format!("shop@{SEVEN}"));
    }
    world.finish_jobs().await;
    let mut keys = BTreeSet::new();
    for (table, point) in &started {
        let tags = world.tags(point).await;
        keys.insert(tags[&key_tag(1)].clone());
        opens_to_the_truth(&world, &applied, table, &tags).await;
        let inherited = table_tags(&world, table).await;
        for (tag, value) in inherited.iter().filter(|(tag, _)| *tag != "cost-center") {
            assert_eq!(tags.get(tag), Some(value), "the table's own tags are there too");
        }
    }
    assert_eq!(keys.len(), 1, "one data key for all tables of a session");
    let report = world.verified(&[]).await;
    assert_eq!(list(&report["chains"]).len(), 3);
}

async fn table_tags(world: &World, table: &str) -> Tags {
    let client = world.dynamodb().await;
    let answer =
        client.list_tags_of_resource().resource_arn(arn(table).to_string()).send().await.expect("tags");
    answer.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

async fn opens_to_the_truth(world: &World, applied: &Value, table: &str, tags: &Tags) {
    let count = 2 + pieces(tags, "core") + pieces(tags, "config");
    assert_eq!(ours(tags).len(), count, "{:?}", ours(tags));
    let opened = points::open(&world.stack, SOURCE_REGION, tags, &arn(table)).await.expect("it opens");
    let captured = TableReader::new(&world.stack.sdk_config(SOURCE_REGION).await, 100)
        .capture(&arn(table))
        .await
        .expect("the table");
    let config = opened.config.expect("the whole configuration");
    assert_eq!(opened.core.config_digest, Digest::of(&Evolving::new(&config).encode().expect("its bytes")));
    // Application Auto Scaling has an endpoint of its own here, which this reader does not know.
    let expected = TableConfig { auto_scaling: config.auto_scaling.clone(), ..captured.config };
    assert_eq!(config, expected);
    assert_eq!(config.unknown(), [], "{table}");
    if table == "shop-customers" {
        let scaling = config.auto_scaling.on().expect("auto scaling");
        let target = scaling.table.values().next().expect("a target");
        assert_eq!((scaling.table.len(), target.min, target.max), (1, 5, 200));
    } else {
        assert!(config.auto_scaling.is_off());
    }
    let Core { kind, policy, scheduled_at, started_at, table_id, home_vault, .. } = &opened.core;
    let policy = policy.as_ref().expect("a policy");
    assert_eq!(json!(policy.id), applied["id"]);
    assert_eq!(
        (policy.name.as_str(), policy.version, policy.timezone.as_str()),
        ("shop", 1, "Europe/Berlin")
    );
    assert_eq!((*kind, *scheduled_at, *started_at), (Kind::Chain, at(SEVEN), at(SEVEN)));
    assert_eq!((table_id, home_vault.as_str()), (&captured.table_id, vault(SOURCE_REGION).as_str()));
    let keeps: Vec<_> = opened.core.keep.iter().map(|(flag, keep)| format!("{flag:?} {keep:?}")).collect();
    assert_eq!(keeps, ["D Days(3)", "W Days(14)", "M Months(6)", "Y Years(2)"]);
    let copy = opened.core.copies.iter().next().expect("a copy target");
    assert_eq!((opened.core.copies.len(), copy.0.as_str()), (1, vault(TARGET_REGION).as_str()));
    let kept: Vec<_> = copy.1.keep.iter().map(|(_, keep)| *keep).collect();
    assert_eq!(kept, [Keep::Days(30), Keep::Years(7)]);
    assert_eq!((opened.core.item_count, opened.core.own_keep), (Some(u64::from(shop::ITEMS)), None));
    assert_eq!((opened.core.keep_last, opened.core.cold_after_days), (1, None));
    assert_eq!(opened.core.product_version, env!("CARGO_PKG_VERSION"));
}

/// Tags that no compression makes small.
pub(crate) fn large_tags(count: u32) -> Tags {
    let value = |i: u32| -> String {
        (0..4).map(|part| Digest::of(format!("{i} {part}").as_bytes()).to_string()).collect()
    };
    (0..count).map(|i| (format!("tag-{i:02}"), value(i))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_whose_room_somebody_else_took_meanwhile_goes_to_the_catalog() {
    let world = World::start().await;
    world.tables(&["shop-tagged"]).await;
    world.tag_table("shop-tagged", large_tags(12)).await;
    world.apply(&example_with_copies("shop", &json!({"tables": ["shop-*"]}))).await;
    // Nobody hears that the job has ended before the point's tags are used up.
    let rule = world.job_rule().await;
    world.event_bridge().await.disable_rule().name(&rule).send().await.expect("no more events");
    let point = &start(&world).await["shop-tagged"];
    world.finish_jobs().await;
    let there = world.tags(point).await.len();
    assert!(pieces(&world.tags(point).await, "config") >= 1, "some of it was there from the start");
    world.set_tags(point, (there..48).map(|i| (format!("theirs-{i}"), "x".to_owned()))).await;

    assert_eq!(world.session(&json!({"reconcile": true})).await["settled"], 1);
    let tags = world.tags(point).await;
    assert_eq!(tags.len(), 48, "nothing of theirs is touched, and none of ours added");
    let config = config_in_catalog(&world, point, &tags).await;
    let opened = PointTags::read(&tags);
    let core =
        points::open(&world.stack, SOURCE_REGION, &tags, &arn("shop-tagged")).await.expect("it opens").core;
    assert_eq!(core.config_digest, Digest::of(&Evolving::new(&config).encode().expect("its bytes")));
    assert!(matches!(opened.config, dynachain::metadata::Part::Missing { .. }), "{:?}", opened.config);
    let calls = world.calls().await;
    let refused = calls.iter().filter(|(operation, outcome)| {
        operation == "TagResource" && outcome.contains("LimitExceededException")
    });
    assert_eq!(refused.count(), 1, "a quota is not asked again and again: {calls:?}");
    let report = world.verified(&[]).await;
    assert_eq!(list(&report["chains"]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_without_room_in_the_tags_goes_to_the_catalog_sealed() {
    let world = World::start_with_target().await;
    world.tables(&["shop-tagged", "shop-plain"]).await;
    world.tag_table("shop-tagged", large_tags(40)).await;
    world.apply(&example_with_copies("shop", &json!({"tables": ["shop-*"]}))).await;
    let started = start(&world).await;
    world.finish_jobs().await;
    let point = &started["shop-tagged"];
    let tags = world.tags(point).await;
    assert_eq!((pieces(&tags, "config"), tags.len() <= 50), (0, true), "{:?}", tags.keys());
    let opened =
        points::open(&world.stack, SOURCE_REGION, &tags, &arn("shop-tagged")).await.expect("it opens");
    assert!(opened.config.is_none());

    let config = config_in_catalog(&world, point, &tags).await;
    let reader = TableReader::new(&world.stack.sdk_config(SOURCE_REGION).await, 100);
    let captured = reader.capture(&arn("shop-tagged")).await.expect("the table").config;
    assert_eq!(config, TableConfig { auto_scaling: config.auto_scaling.clone(), ..captured });
    assert_eq!(opened.core.config_digest, Digest::of(&Evolving::new(&config).encode().expect("its bytes")));
    let catalog = world.catalog().await;
    let in_catalog = |point: &str| catalog.contains_key(&(format!("POINT#{point}"), "CONFIG".to_owned()));
    assert!(!in_catalog(&started["shop-plain"]), "what fits into tags is not in the catalog too");

    let report = world.verified(&[]).await;
    assert_eq!(list(&report["chains"]).len(), 2);
    assert_eq!(
        config_in_catalog(&world, point, &tags).await,
        config,
        "a rebuild keeps what only the catalog has"
    );
    assert_eq!(details(&world.session(&json!({"policy": "shop", "scheduled_at": SEVEN})).await).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_forgets_nothing_of_a_point_that_is_made_meanwhile() {
    let world = World::start_with_target().await;
    world.tables(&["shop-tagged"]).await;
    world.tag_table("shop-tagged", large_tags(40)).await;
    world.apply(&example_with_copies("shop", &json!({"tables": ["shop-*"]}))).await;
    world.session(&json!({"backup_now": {"table": "shop-tagged"}})).await;
    world.finish_jobs().await;
    // The rebuild has its list, and takes long to read what is on it.
    let slow = json!([{"operation": "ListTags", "principal": "*chain-report*", "count": 1, "effect": "delay", "seconds": 10}]);
    world.control("PUT", "/faults", Some(&slow)).await;
    let made = async {
        world.struck().await;
        let started = start(&world).await;
        world.finish_jobs().await;
        let point = started["shop-tagged"].clone();
        let meanwhile = config_in_catalog(&world, &point, &world.tags(&point).await).await;
        (point, meanwhile)
    };
    let request = json!({"rebuild": true});
    let (_, (point, meanwhile)) = tokio::join!(world.report(&request), made);
    let tags = world.tags(&point).await;
    assert_eq!(config_in_catalog(&world, &point, &tags).await, meanwhile);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_nobody_may_add_to_the_points_tags_goes_to_the_catalog() {
    let world = World::start().await;
    world.tables(&["shop-tagged"]).await;
    world.tag_table("shop-tagged", large_tags(12)).await;
    world.apply(&example("shop", &json!({"tables": ["shop-*"]}))).await;
    let fault = json!([{"operation": "TagResource", "effect": "access_denied"}]);
    world.control("PUT", "/faults", Some(&fault)).await;
    let point = &start(&world).await["shop-tagged"];
    world.finish_jobs().await;
    let told = world.session(&json!({"policy": "shop", "scheduled_at": SEVEN})).await;
    assert_eq!((&told["finished"], &told["tables"]["started"]), (&json!(true), &json!(1)), "{told:#}");
    let tags = world.tags(point).await;
    let config = config_in_catalog(&world, point, &tags).await;
    assert_eq!(config.user_tags().count(), 12);
    assert!(matches!(PointTags::read(&tags).config, dynachain::metadata::Part::Missing { .. }));
    let catalog = world.catalog().await;
    assert_eq!(world.session(&json!({"reconcile": true})).await["open"], json!([]));
    assert_eq!(world.catalog().await, catalog, "once");
    assert_eq!(list(&world.verified(&[]).await["chains"]).len(), 1);
}

/// The part of a point's metadata that only the catalog has, opened with the key in the point's tags.
async fn config_in_catalog(world: &World, point: &str, tags: &Tags) -> TableConfig {
    let catalog = world.catalog().await;
    let item = &catalog[&(format!("POINT#{point}"), "CONFIG".to_owned())];
    assert!(!item.contains_key("expires_at"), "it stays as long as its point");
    let sealed = item["config"].as_b().expect("bytes");
    let table = arn("shop-tagged");
    let key = world.stack.deployments()[0].output("KeyArn").expect("a key").parse().expect("an ARN");
    let opener = KeyOpener::new(&world.stack.sdk_config(SOURCE_REGION).await, key);
    let key = opener.open(&PointTags::read(tags).keys, &table).await.expect("the data key");
    let encoded = Sealer::new(&key, &table).open(PartName::Config, sealed.as_ref()).expect("it opens");
    Evolving::decode(&encoded).expect("a configuration").value
}
