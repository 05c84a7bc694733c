//! What retention deletes, and what it leaves, through the deployed function and its own role.

use dynachain::chain::Flag;
use dynachain::id::TableArn;
use dynachain::metadata::{Core, Kind};
use dynachain::retention::{Keep, plan_digest};
use end_to_end::retention::starts_by_itself;
use end_to_end::seeding::Seed;
use local_stack::TARGET_REGION;
use serde_json::{Value, json};

use crate::support::seeds::{daily, daily_core, days_ago, failures, verdict};
use crate::support::{FINISHED, SEVEN, World, arn, chains, example, list};

#[tokio::test(flavor = "multi_thread")]
async fn what_has_outlived_its_flags_goes_and_nothing_else() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let points = world.seed_days("a-1", (1..=40).rev(), 30).await;
    world.seed_days("a-2", [50, 49], 30).await;

    let planned = world.prune(&json!({"dry_run": true})).await;
    assert_eq!((&planned["deleted"], &planned["kept"]), (&json!(11), &json!(31)), "{planned:#}");
    assert_eq!(verdict(&planned, &points[0]), ("delete", vec!["no_active_flag"]));
    assert_eq!(verdict(&planned, &points[10]), ("keep", vec!["flag_D"]));
    assert_eq!(list(&planned["points"]).len(), 42);
    let due: Vec<_> = list(&planned["points"])
        .iter()
        .filter(|point| point["decision"] == "delete")
        .map(|point| point["recovery_point"].as_str().expect("an ARN").parse().expect("an ARN"))
        .collect();
    assert_eq!(planned["digest"], plan_digest(&due).to_string());
    assert_eq!((world.deletes().await, world.days_left("a-1").await.len()), (0, 40));

    let pruned = world.prune(&json!({})).await;
    for member in ["digest", "deleted", "kept", "points", "blocked", "failures", "findings"] {
        assert_eq!(pruned[member], planned[member], "{member}: the plan and the run");
    }
    assert_eq!((&pruned["dry_run"], &pruned["finished"]), (&json!(false), &json!(true)));
    assert_eq!(world.days_left("a-1").await, (1..=30).rev().collect::<Vec<_>>());
    // The last point of a table stays, though nothing keeps it.
    assert_eq!(world.days_left("a-2").await, [49]);

    let again = world.prune(&json!({})).await;
    assert_eq!((&again["deleted"], &again["kept"], world.deletes().await), (&json!(0), &json!(42), 11));
    // AWS Backup is done with deleting, and it is not 07:00 yet.
    world.jump("2027-01-04T05:59:50Z").await;
    let again = world.prune(&json!({})).await;
    assert_eq!((&again["deleted"], &again["kept"], world.deletes().await), (&json!(0), &json!(31), 11));
    assert_eq!(list(&again["points"]).len(), 31);
    let known: Vec<_> =
        world.catalog().await.into_keys().filter(|(pk, _)| pk.starts_with("POINT#")).collect();
    assert_eq!(known.len(), 31, "points that are gone are forgotten: {known:?}");
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 30), ("a-2", "regular", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_starts_retention_and_so_does_the_day() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    world.seed_days("a-1", [4, 40], 30).await;
    world.subscribe().await;
    let mut policy = example("a", &json!({"tables": ["a-1"]}));
    policy["copies"] = json!([]);
    world.apply(&policy).await;
    starts_by_itself(&world.stack, true).await.expect("retention that starts by itself");
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    world.events(FINISHED, 1).await;
    world.gone("a-1", 40).await;
    assert_eq!(world.days_left("a-1").await, [4, 0]);

    // Nobody but the day starts another.
    world.policy(&json!({"disable": "a"})).await;
    world.seed_days("a-1", [39], 30).await;
    world.jump("2027-01-05T06:00:00Z").await;
    world.gone("a-1", 39).await;
    assert_eq!(world.days_left("a-1").await, [4, 0]);
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_about_one_table_leaves_the_others_alone() {
    let world = World::start().await;
    world.seed_days("a-1", [1, 40], 30).await;
    world.seed_days("a-2", [1, 40], 30).await;
    let pruned = world.prune(&json!({"table": "a-2"})).await;
    assert_eq!((&pruned["deleted"], &pruned["kept"]), (&json!(1), &json!(1)));
    let by_arn = world.prune(&json!({"table": arn("a-2").as_str()})).await;
    assert_eq!(by_arn["deleted"], 0);
    assert_eq!((world.days_left("a-1").await, world.days_left("a-2").await), (vec![40, 1], vec![1]));
    let refusal = world.refused("retention-prune", &json!({"table": "a-3"})).await;
    assert_eq!(refusal.error_type, "TableNotFound", "{}", refusal.error_message);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_kept_by_the_flags_of_their_target_and_sources_until_they_are_copied() {
    let world = World::start_with_target().await;
    let here = world.seeder().await;
    let target = end_to_end::seeding::Seeder::new(&world.stack, TARGET_REGION, &arn("a-1")).await;
    let there = target.expect("a seeder there");
    let with_copy = |days, keep_there: u32| {
        let mut core = daily_core(&here, days, 3);
        let mut keep = dynachain::chain::PerFlag::default();
        keep.set(Flag::D, Keep::Days(keep_there));
        core.copies.insert(there.vault_arn().expect("a vault"), dynachain::metadata::CopyPlan { keep });
        core
    };
    // Kept for 3 days here and 20 there.
    let cores = [with_copy(1, 20), with_copy(10, 20), with_copy(30, 20)];
    let seeds = |seeder: &end_to_end::seeding::Seeder<'_>| -> Vec<Seed> {
        cores.iter().map(|core| seeder.seed(&arn("a-1"), core).expect("a seed")).collect()
    };
    here.make(&seeds(&here)).await.expect("points here");
    there.make(&seeds(&there)).await.expect("copies there");

    let points = world.ages("a-1").await;
    let planned = world.prune(&json!({"dry_run": true})).await;
    assert_eq!(verdict(&planned, &points[1].1), ("protected", vec!["no_active_flag", "copy_pending"]));
    assert_eq!(world.prune(&json!({})).await["deleted"], 1, "the one whose copy nobody wants any more");
    assert_eq!(world.days_left("a-1").await, [10, 1]);
    let answer = world.stack.invoke(TARGET_REGION, "retention-prune", &json!({})).await.expect("a run there");
    assert_eq!((&answer["deleted"], &answer["kept"]), (&json!(1), &json!(2)), "{answer:#}");
    let chains: Vec<_> = list(&answer["points"]).iter().map(|point| point["chain"].clone()).collect();
    assert_eq!(chains, ["copy"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_expired_or_orphaned_goes_by_the_same_rules_and_is_reported() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let seeder = world.seeder().await;
    let expired = Seed { status: "EXPIRED", ..daily(&seeder, "a-1", 40, 30) };
    let kept_expired = Seed { status: "EXPIRED", ..daily(&seeder, "a-1", 2, 30) };
    seeder.make(&[expired, kept_expired, daily(&seeder, "a-1", 1, 30)]).await.expect("points");
    // The table is gone, and the policy as well.
    seeder.make(&[daily(&seeder, "a-9", 50, 30), daily(&seeder, "a-9", 49, 30)]).await.expect("points");
    let pruned = world.prune(&json!({})).await;
    assert_eq!(pruned["deleted"], 2, "{pruned:#}");
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let found: Vec<_> = list(&pruned["findings"])
        .iter()
        .map(|finding| {
            let table: TableArn = word(finding, "table").parse().expect("a table");
            (table.name().to_owned(), word(finding, "reason"), finding["points"].as_u64().unwrap_or_default())
        })
        .collect();
    let expected = [
        ("a-1", "expired", 1),
        ("a-1", "expired", 1),
        ("a-1", "policy_gone", 3),
        ("a-9", "policy_gone", 2),
        ("a-9", "table_gone", 2),
    ];
    assert_eq!(found, expected.map(|(table, reason, points)| (table.to_owned(), reason.to_owned(), points)));
    assert!(list(&pruned["findings"]).iter().all(|finding| finding["age_seconds"].as_i64() > Some(86_000)));
    assert!(list(&pruned["findings"])[3]["size_bytes"].as_u64().is_some());
    assert_eq!(world.days_left("a-1").await, [2, 1]);
    assert_eq!(world.days_left("a-9").await, [49], "the last one stays");
    assert_eq!(failures(&pruned), []);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_backups_and_what_is_not_ours_is_never_touched() {
    let world = World::start().await;
    world.tables(&["a-1"]).await;
    let seeder = world.seeder().await;
    let manual = Core { kind: Kind::Manual, policy: None, session: None, ..daily_core(&seeder, 400, 1) };
    let foreign =
        Seed { tags: [("owner".to_owned(), "somebody".to_owned())].into(), ..daily(&seeder, "a-1", 500, 1) };
    let manual = seeder.seed(&arn("a-1"), &manual).expect("a manual backup");
    seeder
        .make(&[foreign, manual, daily(&seeder, "a-1", 40, 30), daily(&seeder, "a-1", 1, 30)])
        .await
        .expect("points");
    let ages = world.ages("a-1").await;
    let pruned = world.prune(&json!({})).await;
    assert_eq!(pruned["deleted"], 1);
    assert_eq!(verdict(&pruned, &ages[0].1), ("protected", vec!["no_active_flag", "foreign"]));
    assert_eq!(verdict(&pruned, &ages[1].1), ("protected", vec!["no_active_flag", "manual"]));
    assert_eq!(world.days_left("a-1").await, [500, 400, 1]);
    assert_eq!(world.prune(&json!({})).await["deleted"], 0);
    let report = world.verified(&[]).await;
    let found = chains(&report);
    assert_eq!(
        found,
        [("a-1", "regular", 2), ("a-1", "manual", 1), ("a-1", "foreign", 1)],
        "{:?}",
        days_ago(0)
    );
}
