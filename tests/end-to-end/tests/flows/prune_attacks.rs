//! What somebody may try, so that a point goes that must stay: with the rights to tag points, to write the catalog, to set a
//! clock. None of it deletes anything.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use dynachain::chain::Flag;
use dynachain::error::ErrorType;
use dynachain::evolving::Evolving;
use dynachain::metadata::{Core, Kind};
use dynachain::retention::Keep;
use end_to_end::own_function::OwnFunction;
use end_to_end::retention::Clock;
use end_to_end::seeding::{Seed, Seeder};
use local_stack::SOURCE_REGION;
use serde_json::{Value, json};

use crate::support::seeds::{daily, daily_core, days_ago, failures, verdict};
use crate::support::{CATALOG, World, arn};

type Tags = BTreeMap<String, String>;

/// Two points of a table that are due, and two that are not, oldest first: all four intact.
async fn world() -> (World, Vec<String>) {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let points = world.seed_days("a-1", [50, 40, 2, 1], 30).await;
    (world, points)
}

/// A run deletes the two that are due and nothing else; the victim is judged so.
async fn stays(world: &World, victim: &str, reasons: &[&str]) {
    let planned = world.prune(&json!({"dry_run": true})).await;
    assert_eq!(verdict(&planned, victim), ("protected", reasons.to_vec()));
    for _ in 0..2 {
        let pruned = world.prune(&json!({})).await;
        assert_eq!(verdict(&pruned, victim), ("protected", reasons.to_vec()), "{pruned:#}");
        assert_eq!(world.status(victim).await.as_deref(), Some("COMPLETED"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_copied_from_an_old_point_do_not_make_a_new_one_old() {
    let (world, points) = world().await;
    let old = world.tags(&points[0]).await;
    world.set_tags(&points[3], old).await;
    stays(&world, &points[3], &["no_active_flag", "suspect"]).await;
    assert_eq!(world.days_left("a-1").await, [2, 1]);
    world.verified(&[("a-1", "suspect")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_core_of_another_table_does_not_open() {
    let (world, points) = world().await;
    let seeder = world.seeder().await;
    // Sealed for a-2, of the same moment as the victim, and long over.
    let tags = seeder.tags(&arn("a-2"), &daily_core(&seeder, 1, 1)).expect("tags");
    world.set_tags(&points[3], tags).await;
    stays(&world, &points[3], &["no_active_flag", "suspect"]).await;
    world.verified(&[("a-1", "suspect")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_is_seen() {
    let (world, points) = world().await;
    let tags = world.tags(&points[1]).await;
    let piece = &tags["dynachain:core:1"];
    let other = if piece.as_bytes()[40] == b'A' { "B" } else { "A" };
    let flipped = format!("{}{other}{}", &piece[..40], &piece[41..]);
    world.set_tags(&points[1], [("dynachain:core:1".to_owned(), flipped)]).await;
    stays(&world, &points[1], &["no_active_flag", "suspect"]).await;
    assert_eq!(world.days_left("a-1").await, [40, 2, 1]);
    world.verified(&[("a-1", "suspect")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_with_a_missing_piece_cannot_be_read_and_stays() {
    let (world, points) = world().await;
    let tags = world.tags(&points[1]).await;
    let last = tags.keys().rfind(|tag| tag.starts_with("dynachain:core:")).expect("pieces").clone();
    world.remove_tags(&points[1], &[&last]).await;
    stays(&world, &points[1], &["no_active_flag", "unreadable"]).await;
    world.verified(&[("a-1", "unreadable")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn extra_pieces_change_nothing() {
    let (world, points) = world().await;
    let short = world.tags(&points[0]).await;
    let piece = short["dynachain:core:1"].clone();
    let extra = [
        ("dynachain:core:9", piece.clone()),
        ("dynachain:core:07", piece),
        ("dynachain:other", "x".to_owned()),
    ];
    let extra = extra.map(|(tag, value)| (tag.to_owned(), value));
    world.set_tags(&points[3], extra.clone()).await;
    world.set_tags(&points[1], extra).await;
    // Neither is kept nor deleted for them.
    let pruned = world.prune(&json!({})).await;
    assert_eq!(verdict(&pruned, &points[3]), ("keep", vec!["flag_D", "keep_last"]));
    assert_eq!((&pruned["deleted"], world.days_left("a-1").await), (&json!(2), vec![2, 1]));
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[("a-1", "ignored_tags")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_plain_tag_does_not_make_a_manual_backup_part_of_a_chain() {
    let (world, _) = world().await;
    let seeder = world.seeder().await;
    let core = Core { kind: Kind::Manual, policy: None, session: None, ..daily_core(&seeder, 45, 1) };
    seeder.make(&[seeder.seed(&arn("a-1"), &core).expect("a seed")]).await.expect("a manual backup");
    let ages = world.ages("a-1").await;
    let manual = &ages[1].1;
    world.set_tags(manual, [("dynachain:managed".to_owned(), "chain".to_owned())]).await;
    // Now the role may delete it; the function does not.
    stays(&world, manual, &["no_active_flag", "manual"]).await;
    assert_eq!(world.days_left("a-1").await, [45, 2, 1]);
    let refusal = world.refused("retention-prune", &json!({"remove": {"recovery_point": manual}})).await;
    assert_eq!(refusal.error_type, "InvalidRequest");
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_by_hand_in_a_third_vault_is_none_of_its_chain() {
    let world = World::start().await;
    let seeder = world.seeder().await;
    // What a copy has: its source's tags, which name another vault.
    let elsewhere =
        Seeder::new(&world.stack, SOURCE_REGION, &arn("a-1")).await.expect("a seeder").into_vault("third");
    let core = daily_core(&elsewhere, 40, 30);
    seeder
        .make(&[seeder.seed(&arn("a-1"), &core).expect("a seed"), daily(&seeder, "a-1", 1, 30)])
        .await
        .expect("points");
    let ages = world.ages("a-1").await;
    stays(&world, &ages[0].1, &["no_active_flag", "suspect"]).await;
    assert_eq!(world.deletes().await, 0);
    world.verified(&[("a-1", "suspect")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_key_disabled_nothing_goes_though_the_catalog_remembers_all() {
    let (world, points) = world().await;
    assert_eq!(world.report(&json!({})).await["findings"], json!([]));
    let seeded = world.prune(&json!({"dry_run": true})).await;
    assert_eq!(seeded["deleted"], 2);
    // The catalog gets to know the points; they are due a second time later.
    let remembered = world.remember("a-1").await;
    assert_eq!(remembered, 4);
    let key = world.stack.deployments()[0].output("KeyArn").expect("a key").to_owned();
    world.kms().await.disable_key().key_id(&key).send().await.expect("a disabled key");
    // A process that has not opened anything yet.
    let pruned = afresh(&world).await;
    assert_eq!(pruned["deleted"], 0, "{pruned:#}");
    assert_eq!(failures(&pruned), [(points[0].as_str(), "changed"), (points[1].as_str(), "changed")]);
    assert_eq!((world.deletes().await, world.days_left("a-1").await), (0, vec![50, 40, 2, 1]));
    world.kms().await.enable_key().key_id(&key).send().await.expect("an enabled key");
    assert_eq!(afresh(&world).await["deleted"], 2);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_is_missing_or_lies_deletes_nothing_that_must_stay() {
    let (world, points) = world().await;
    // It says that the newest point is long over, that the oldest is to be kept, and knows nothing of the others.
    let seeder = world.seeder().await;
    world.lie(&points[3], &daily_core(&seeder, 1, 1)).await;
    world.lie(&points[2], &Core { keep_last: 0, ..daily_core(&seeder, 2, 1) }).await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!(
        verdict(&pruned, &points[2]),
        ("delete", vec!["no_active_flag"]),
        "it believes the row at first"
    );
    assert_eq!(failures(&pruned), [(points[2].as_str(), "changed")], "and its tags in the end");
    assert_eq!((&pruned["deleted"], world.days_left("a-1").await), (&json!(2), vec![2, 1]));
    let again = world.prune(&json!({})).await;
    assert_eq!(verdict(&again, &points[2]), ("keep", vec!["flag_D"]), "the row says now what the tags say");
    world.drop_from_catalog("POINT#").await;
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
    assert_eq!(world.days_left("a-1").await, [2, 1]);
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_invents_a_newer_point_does_not_take_the_last_one() {
    let world = World::start().await;
    let seeder = world.seeder().await;
    // The newest point is nobody's, and the catalog says that it is the newest of the chain.
    let foreign = Seed { tags: Tags::new(), ..daily(&seeder, "a-1", 1, 1) };
    seeder.make(&[daily(&seeder, "a-1", 40, 30), foreign]).await.expect("points");
    let ages = world.ages("a-1").await;
    world.lie(&ages[1].1, &daily_core(&seeder, 1, 30)).await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!(
        verdict(&pruned, &ages[0].1),
        ("delete", vec!["no_active_flag"]),
        "it believes the row at first"
    );
    assert_eq!(
        failures(&pruned),
        [(ages[0].1.as_str(), "changed")],
        "and looks at the one that it went for, too"
    );
    assert_eq!(world.deletes().await, 0);
    let again = world.prune(&json!({})).await;
    assert_eq!(verdict(&again, &ages[0].1), ("protected", vec!["no_active_flag", "keep_last"]));
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_a_year_ahead_deletes_nothing() {
    let (world, _) = world().await;
    let ahead = Clock::standing_at("2028-01-04T06:00:00Z".parse().expect("a time")).await.expect("a clock");
    let function = OwnFunction::retention(&world.stack, &[ahead.variable()]).await.expect("the function");
    for request in [json!({}), json!({"dry_run": true})] {
        let refusal = function.invoke(request).await.expect_err("a clock that is wrong");
        assert_eq!(refusal.error_type(), ErrorType::ClockSkew, "{refusal}");
    }
    assert_eq!(world.days_left("a-1").await, [50, 40, 2, 1]);
    let right = Clock::standing_at(world.stack.now()).await.expect("a clock");
    let function = OwnFunction::retention(&world.stack, &[right.variable()]).await.expect("the function");
    let pruned = function.invoke(json!({})).await.expect("a clock that is right");
    assert_eq!((&pruned["deleted"], world.days_left("a-1").await), (&json!(2), vec![2, 1]));
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_dated_ahead_is_left_alone() {
    let (world, _) = world().await;
    let seeder = world.seeder().await;
    // Sealed as of tomorrow: its creation does not fit, so it is somebody else's record.
    let tomorrow = seeder.core(days_ago(-1), &[(Flag::D, Keep::Hours(1))]).expect("a core");
    let seed = Seed { created_at: days_ago(3), ..seeder.seed(&arn("a-1"), &tomorrow).expect("a seed") };
    seeder.make(&[seed]).await.expect("a point");
    let ages = world.ages("a-1").await;
    stays(&world, &ages[2].1, &["no_active_flag", "suspect"]).await;
    world.verified(&[("a-1", "suspect")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_edited_while_the_run_goes_on_are_seen() {
    let (world, points) = world().await;
    world.remember("a-1").await;
    let seeder = world.seeder().await;
    let longer = seeder.tags(&arn("a-1"), &daily_core(&seeder, 40, 300)).expect("tags");
    let pruned = pruned_while(&world, async || world.set_tags(&points[1], longer).await).await;
    assert_eq!(verdict(&pruned, &points[1]).0, "delete", "{pruned:#}");
    assert!(failures(&pruned).contains(&(points[1].as_str(), "changed")), "{pruned:#}");
    assert!(world.days_left("a-1").await.contains(&40));
    let again = world.prune(&json!({})).await;
    assert_eq!(verdict(&again, &points[1]), ("keep", vec!["flag_D"]));
    world.jump("2027-01-04T05:59:50Z").await;
    world.verified(&[]).await;
}

/// What a run makes of something that happens once it has planned, while it looks at its points again: that takes a while here.
async fn pruned_while(world: &World, happens: impl AsyncFnOnce()) -> Value {
    let slow = json!([{"operation": "DescribeRecoveryPoint", "count": 3, "effect": "delay", "seconds": 2}]);
    world.control("PUT", "/faults", Some(&slow)).await;
    let meanwhile = async {
        world.struck().await;
        happens().await;
    };
    let request = json!({});
    let (pruned, ()) = tokio::join!(world.prune(&request), meanwhile);
    world.control("PUT", "/faults", Some(&json!([]))).await;
    pruned
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legal_hold_that_comes_while_the_run_goes_on_is_seen() {
    let (world, points) = world().await;
    // While it is being created, AWS itself would delete the points all the same.
    let pruned = pruned_while(&world, async || drop(world.hold("a-1").await)).await;
    assert_eq!(verdict(&pruned, &points[0]).0, "delete", "{pruned:#}");
    assert_eq!(failures(&pruned), [(points[0].as_str(), "changed"), (points[1].as_str(), "changed")]);
    assert_eq!((&pruned["deleted"], world.deletes().await), (&json!(0), 0));
    let again = world.prune(&json!({})).await;
    assert_eq!(verdict(&again, &points[1]), ("protected", vec!["no_active_flag", "legal_hold"]));
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_when_nobody_can_tell_any_more_what_is_held() {
    let (world, points) = world().await;
    let denied = json!([{"operation": "ListLegalHolds", "effect": "access_denied"}]);
    let pruned =
        pruned_while(&world, async || drop(world.control("PUT", "/faults", Some(&denied)).await)).await;
    let expected = [(points[0].as_str(), "not_looked_at"), (points[1].as_str(), "not_looked_at")];
    assert_eq!((failures(&pruned), world.deletes().await), (expected.to_vec(), 0), "{pruned:#}");
    assert_eq!(world.prune(&json!({})).await["deleted"], 2, "the next run tries again");
}

async fn afresh(world: &World) -> Value {
    let function = OwnFunction::retention(&world.stack, &[]).await.expect("the function");
    function.invoke(json!({})).await.expect("an answer")
}

impl World {
    /// Has the catalog remember all points of a table, as the report's rebuild does; how many there are.
    async fn remember(&self, table: &str) -> usize {
        self.report(&json!({"rebuild": true})).await;
        let known = self.catalog().await.into_keys().filter(|(pk, _)| pk.starts_with("POINT#")).count();
        assert_eq!(known, self.ages(table).await.len());
        known
    }

    /// Writes a core into the catalog that is not the point's own.
    async fn lie(&self, point: &str, core: &Core) {
        let core = Evolving::new(core.clone()).encode().expect("a core");
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = self.dynamodb().await.put_item().table_name(CATALOG);
        let put = put.item("pk", text(&format!("POINT#{point}"))).item("sk", text("POINT"));
        let put = put.item("recovery_point", text(point)).item("core", AttributeValue::B(Blob::new(core)));
        put.send().await.expect("a lie");
    }
}
