//! Removal by hand: planned first, done when it is confirmed, and manual backups by a function of their own.

use aws_sdk_backup::error::ProvideErrorMetadata as _;
use dynachain::metadata::{Core, Kind};
use local_stack::VAULT;
use serde_json::{Value, json};

use crate::support::seeds::{daily_core, failures, verdict};
use crate::support::{World, arn, chains, list};

impl World {
    async fn manual_removal(&self, request: &Value) -> Value {
        self.ask("manual-removal", request).await
    }

    /// Manual backups of so many days ago.
    async fn seed_manual(&self, table: &str, days: &[i64]) {
        let seeder = self.seeder().await;
        let manual = |days: &i64| {
            let core = daily_core(&seeder, *days, 1);
            let core = Core { kind: Kind::Manual, policy: None, session: None, keep_last: 0, ..core };
            seeder.seed(&arn(table), &core).expect("a manual backup")
        };
        seeder.make(&days.iter().map(manual).collect::<Vec<_>>()).await.expect("manual backups");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_is_removed_by_hand_once_its_plan_is_confirmed() {
    let world = World::start().await;
    let points = world.seed_days("a-1", [3, 2, 1], 30).await;
    world.seed_days("a-2", [1], 30).await;
    let remove = json!({"table": "a-1", "what": "backups"});
    let refusal = world.refused("retention-prune", &json!({"remove": remove})).await;
    assert_eq!(refusal.error_type, "LastPoint", "{}", refusal.error_message);

    let plan = world.prune(&json!({"remove": remove, "include_last": true})).await;
    assert_eq!((&plan["dry_run"], &plan["deleted"], &plan["kept"]), (&json!(true), &json!(3), &json!(0)));
    assert_eq!(plan["confirm"], plan["digest"]);
    assert_eq!(verdict(&plan, &points[0]), ("delete", vec!["flag_D"]));
    assert_eq!(world.deletes().await, 0, "only planned");

    let confirm = plan["confirm"].clone();
    let tried = json!({"remove": remove, "include_last": true, "confirm": confirm, "dry_run": true});
    assert_eq!(world.prune(&tried).await["deleted"], 3);
    assert_eq!(world.deletes().await, 0, "a dry run, whatever else it says");
    // Another point comes: it is not what was confirmed.
    world.seed_days("a-1", [4], 30).await;
    let confirmed = json!({"remove": remove, "include_last": true, "confirm": confirm});
    let refusal = world.refused("retention-prune", &confirmed).await;
    assert_eq!((refusal.error_type.as_str(), world.deletes().await), ("PlanChanged", 0));

    let plan = world.prune(&json!({"remove": remove, "include_last": true})).await;
    let confirmed = json!({"remove": remove, "include_last": true, "confirm": plan["confirm"]});
    let done = world.prune(&confirmed).await;
    assert_eq!((&done["deleted"], &done["kept"], failures(&done)), (&json!(4), &json!(0), vec![]));
    assert_eq!((world.days_left("a-1").await.len(), world.days_left("a-2").await.len()), (0, 1));
    world.jump("2027-01-04T05:59:50Z").await;
    let refusal = world.refused("retention-prune", &confirmed).await;
    assert_eq!(refusal.error_type, "TableNotFound");
    assert_eq!(chains(&world.verified(&[]).await), [("a-2", "regular", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_point_is_removed_by_hand_but_not_the_last_usable_one() {
    let world = World::start().await;
    let points = world.seed_days("a-1", [2, 1], 30).await;
    let plan = world.prune(&json!({"remove": {"recovery_point": points[0]}})).await;
    let confirmed = json!({"remove": {"recovery_point": points[0]}, "confirm": plan["confirm"]});
    assert_eq!(world.prune(&confirmed).await["deleted"], 1);
    assert_eq!(world.days_left("a-1").await, [1]);
    let last = json!({"remove": {"recovery_point": points[1]}});
    let refusal = world.refused("retention-prune", &last).await;
    assert_eq!(refusal.error_type, "LastPoint", "{}", refusal.error_message);
    assert!(refusal.error_message.contains("include_last"), "{}", refusal.error_message);

    let foreign =
        "arn:aws:backup:eu-central-1:111122223333:recovery-point:11111111-2222-4333-8444-555555555555";
    let refusal = world.refused("retention-prune", &json!({"remove": {"recovery_point": foreign}})).await;
    assert_eq!(refusal.error_type, "PointNotFound");

    let last = json!({"remove": {"recovery_point": points[1]}, "include_last": true});
    let plan = world.prune(&last).await;
    let mut last = last;
    last["confirm"] = plan["confirm"].clone();
    assert_eq!(world.prune(&last).await["deleted"], 1);
    assert_eq!(world.days_left("a-1").await.len(), 0);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_backups_are_removed_by_their_own_function_and_no_other() {
    let world = World::start().await;
    world.seed_manual("a-1", &[5, 4]).await;
    world.seed_days("a-1", [1], 30).await;
    let ages = world.ages("a-1").await;
    let (manual, chain) = (ages[0].1.as_str(), ages[2].1.as_str());
    for (function, request) in [
        ("retention-prune", json!({"remove": {"recovery_point": manual}})),
        ("retention-prune", json!({"remove": {"table": "a-1", "what": "manual"}})),
        ("manual-removal", json!({"remove": {"recovery_point": chain}})),
        ("manual-removal", json!({"remove": {"table": "a-1", "what": "backups"}})),
        ("manual-removal", json!({})),
    ] {
        let refusal = world.refused(function, &request).await;
        assert_eq!(refusal.error_type, "InvalidRequest", "{function} {request}: {}", refusal.error_message);
    }
    let event = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    assert_eq!(world.manual_removal(&event).await, json!({"ignored": true}));

    let remove = json!({"table": "a-1", "what": "manual"});
    let plan = world.manual_removal(&json!({"remove": remove})).await;
    assert_eq!((&plan["deleted"], list(&plan["points"]).len()), (&json!(2), 2));
    let done = world.manual_removal(&json!({"remove": remove, "confirm": plan["confirm"]})).await;
    assert_eq!((&done["deleted"], failures(&done)), (&json!(2), vec![]), "{done:#}");
    assert_eq!(world.days_left("a-1").await, [1]);
    let report = world.verified(&[]).await;
    assert!(chains(&report).contains(&("a-1", "regular", 1)), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_is_refused_the_points_of_the_other_kind() {
    let world = World::start().await;
    world.seed_manual("a-1", &[5]).await;
    world.seed_days("a-1", [1], 30).await;
    let ages = world.ages("a-1").await;
    let (manual, chain) = (ages[0].1.as_str(), ages[1].1.as_str());
    // The very roles, whatever a bug in the functions may ask for.
    for (role, forbidden, allowed) in
        [("RetentionPruneRole", manual, chain), ("ManualRemovalRole", chain, manual)]
    {
        let client = world.as_role(role).await;
        let delete = |point: &str| {
            client.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point).send()
        };
        let refused = delete(forbidden).await.expect_err("it may not");
        assert_eq!(refused.code(), Some("AccessDeniedException"), "{role}: {refused:?}");
        delete(allowed).await.expect("it may");
        assert_eq!(world.status(allowed).await.as_deref(), Some("DELETING"), "and may have AWS Backup do it");
    }
    for role in ["ChainReportRole", "BackupSessionRole", "PolicyRole"] {
        let client = world.as_role(role).await;
        let delete = client.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn(chain);
        let refused = delete.send().await.expect_err("nobody else may");
        assert_eq!(refused.code(), Some("AccessDeniedException"), "{role}");
    }
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_legal_hold_keeps_stays_whatever_a_hand_says() {
    let world = World::start().await;
    let points = world.seed_days("a-1", [3, 2, 1], 30).await;
    world.hold("a-1").await;
    world.moment().await;
    let remove = json!({"table": "a-1", "what": "backups"});
    let plan = world.prune(&json!({"remove": remove, "include_last": true})).await;
    assert_eq!((&plan["deleted"], &plan["kept"]), (&json!(0), &json!(3)));
    assert_eq!(failures(&plan).iter().filter(|(_, reason)| *reason == "legal_hold").count(), 3, "{plan:#}");
    assert_eq!(verdict(&plan, &points[0]), ("protected", vec!["flag_D", "legal_hold"]));
    let confirmed = json!({"remove": remove, "include_last": true, "confirm": plan["confirm"]});
    assert_eq!(world.prune(&confirmed).await["deleted"], 0);
    assert_eq!((world.deletes().await, world.days_left("a-1").await.len()), (0, 3));
    world.verified(&[]).await;
}
