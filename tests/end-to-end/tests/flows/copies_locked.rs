//! How long AWS itself keeps a copy: what it is told, in locked vaults and out of them.

use jiff::{SignedDuration, Timestamp};
use local_stack::{SOURCE_REGION, TARGET_REGION, VAULT};
use serde_json::{Value, json};

use crate::support::{World, at, chains, only_point};

impl World {
    /// Locks the vault of a Region, in governance mode.
    pub(crate) async fn lock(&self, region: &str, min: i64, max: i64) {
        let backup = aws_sdk_backup::Client::new(&self.stack.backup_config(region).await);
        let lock = backup.put_backup_vault_lock_configuration().backup_vault_name(VAULT);
        lock.min_retention_days(min).max_retention_days(max).send().await.expect("a lock");
    }

    /// When a point was created, and when AWS will delete it.
    async fn life(&self, region: &str, point: &str) -> (Timestamp, Option<Timestamp>) {
        let backup = aws_sdk_backup::Client::new(&self.stack.backup_config(region).await);
        let point = backup.describe_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point);
        let point = point.send().await.expect("the point");
        let moment = |time: &aws_sdk_backup::primitives::DateTime| {
            Timestamp::from_second(time.secs()).expect("a time")
        };
        let end = point.calculated_lifecycle().and_then(|moments| moments.delete_at()).map(moment);
        (moment(point.creation_date().expect("a date")), end)
    }
}

fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_a_locked_vault_ends_with_the_last_of_its_flags_counted_from_its_sources_creation() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.lock(TARGET_REGION, 7, 3650).await;
    world.back_up().await;
    world.pass(3).await;
    let there = world.verified_there().await;
    assert_eq!(chains(&there), [("a-1", "copy", 1)]);
    let (created, end) = world.life(TARGET_REGION, &only_point(&there, "a-1")).await;
    let end = end.expect("an end");
    let last_flag = at("2034-01-04T06:00:00Z");
    assert!(end >= last_flag && end < last_flag + days(1), "{end}");
    assert_eq!(end.duration_since(created).as_secs() % 86_400, 0, "whole days from the creation");
    let (source_created, source_end) =
        world.life(SOURCE_REGION, &only_point(&world.verified(&[]).await, "a-1")).await;
    assert_eq!((source_created, source_end), (created, None), "the source has none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_a_lock_does_not_allow_so_long_is_given_up_and_says_so() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.lock(TARGET_REGION, 7, 365).await;
    world.back_up().await;
    world.pass(3).await;
    let answer = world.reconcile_copies().await;
    let owed: &Value = &answer["owed"][0];
    assert_eq!((&owed["reason"], world.copy_jobs().await.len()), (&json!("vault_lock"), 0), "{answer:#}");
    let said = owed["message"].as_str().unwrap_or_default();
    assert!(said.contains("allows 365 at most"), "{said}");
    assert!(world.holds_no_slots().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_source_in_a_locked_vault_is_not_its_copys() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.lock(SOURCE_REGION, 1, 3650).await;
    world.back_up().await;
    world.pass(3).await;
    let (created, end) = world.life(SOURCE_REGION, &only_point(&world.verified(&[]).await, "a-1")).await;
    assert_eq!(end, Some(created + days(731)), "its yearly flag ends after two years");
    let there = world.verified_there().await;
    let (copy_created, copy_end) = world.life(TARGET_REGION, &only_point(&there, "a-1")).await;
    assert_eq!(copy_created, created);
    assert_eq!(copy_end, Some(created + days(36_500)), "as late as AWS Backup takes");
}
