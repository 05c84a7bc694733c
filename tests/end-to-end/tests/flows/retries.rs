//! Jobs that fail are tried again, and a flag whose point was lost is carried by the next point of the chain.

use local_stack::{SOURCE_REGION, VAULT};
use serde_json::{Value, json};

use crate::recovery::two_tables_with;
use crate::support::{FINISHED, SEVEN, World, arn, chains, details, list, points};

/// 11:00 in Berlin on the same Monday.
const ELEVEN: &str = "2027-01-04T10:00:00Z";

impl World {
    /// How many backup jobs there were of a table.
    async fn jobs_of(&self, table: &str) -> usize {
        let jobs = self.jobs().await;
        jobs.iter().filter(|job| job.resource_arn() == Some(arn(table).as_str())).count()
    }

    /// Reconciles at this moment and lets the jobs end that it started; its answer.
    async fn reconcile_at(&self, moment: &str) -> Value {
        self.jump(moment).await;
        let done = self.session(&json!({"reconcile": true})).await;
        self.finish_jobs().await;
        done
    }
}

/// The flags of a table's points, oldest first.
fn flags(report: &Value, table: &str) -> Vec<Value> {
    points(report, table).iter().map(|point| point["flags"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_tried_again_until_it_succeeds_and_the_session_waits_for_it() {
    let world = two_tables_with(3).await;
    world.break_backups_of("a-1").await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    let event = json!({"policy": "a", "scheduled_at": SEVEN});
    let waiting = world.session(&event).await;
    assert_eq!(details(&waiting), [("a-1", "started", "backup_failed"), ("a-2", "started", "")]);
    assert_eq!(waiting["finished"], false, "one table is still to be tried again");

    // A second attempt fails as well; the third finds things put right.
    world.jump("2027-01-04T06:20:00Z").await;
    world.finish_jobs().await;
    assert_eq!(world.session(&event).await["finished"], false);
    assert_eq!(world.jobs_of("a-1").await, 2);
    world.mend_backups().await;
    world.jump("2027-01-04T06:40:00Z").await;
    world.finish_jobs().await;

    let finished = world.events(FINISHED, 1).await;
    let counts = json!({"covered": 2, "started": 2, "skipped": 0, "failed": 0});
    assert_eq!((&finished[0]["tables"], &finished[0]["failures"]), (&counts, &json!([])));
    assert_eq!((world.jobs_of("a-1").await, world.jobs_of("a-2").await), (3, 1));
    let again = world.reconcile_at("2027-01-04T07:00:00Z").await;
    assert_eq!((&again["open"], &again["retried"]), (&json!([]), &json!(0)));
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
    assert_eq!(flags(&report, "a-1"), [json!(["D", "W", "M", "Y"])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_of_a_lost_point_are_carried_by_the_next_point_of_the_chain_once() {
    let world = two_tables_with(1).await;
    world.break_backups_of("a-1").await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    world.jump("2027-01-04T06:35:00Z").await;
    world.finish_jobs().await;
    let finished = world.events(FINISHED, 1).await;
    let [failure] = list(&finished[0]["failures"]) else { unreachable!("{finished:#?}") };
    assert_eq!(
        (&failure["table"], &failure["reason"]),
        (&json!(arn("a-1").as_str()), &json!("backup_failed"))
    );
    assert_eq!(world.jobs_of("a-1").await, 2, "the first attempt and one retry");
    assert_eq!(flags(&world.verified(&[]).await, "a-1"), [] as [Value; 0]);

    world.mend_backups().await;
    world.jump(ELEVEN).await;
    world.finish_jobs().await;
    world.jump("2027-01-05T06:00:00Z").await;
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    let (all, daily) = (json!(["D", "W", "M", "Y"]), json!(["D"]));
    assert_eq!(
        flags(&report, "a-1"),
        [all.clone(), daily.clone()],
        "the point of 11:00 carries what was lost"
    );
    assert_eq!(flags(&report, "a-2"), [all, daily.clone(), daily]);
    let carried = points(&report, "a-1")[0];
    assert_eq!(carried["scheduled_at"], ELEVEN, "its retention counts from its own moment");
    assert_eq!(carried["expires_at"], "2029-01-04T10:00:00Z");

    // Events that come again change nothing.
    let catalog = world.catalog().await;
    world.session(&json!({"policy": "a", "scheduled_at": ELEVEN})).await;
    assert_eq!(world.catalog().await, catalog);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_was_to_carry_owed_flags_and_fails_leaves_them_owed() {
    let world = two_tables_with(0).await;
    world.break_backups_of("a-1").await;
    for moment in [SEVEN, ELEVEN] {
        world.jump(moment).await;
        world.finish_jobs().await;
    }
    world.mend_backups().await;
    // A session that is kept without any flag is outside: it neither carries nor settles.
    world.session(&json!({"policy": "a", "tables": ["a-1"], "keep": {"days": 2}})).await;
    world.finish_jobs().await;
    world.jump("2027-01-05T06:00:00Z").await;
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    assert_eq!(flags(&report, "a-1"), [json!([]), json!(["D", "W", "M", "Y"])]);
    let again = world.reconcile_at("2027-01-05T06:10:00Z").await;
    assert_eq!((&again["settled"], &again["retried"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owed_flag_that_a_further_attempt_can_carry_no_more_falls_to_the_next_point() {
    let world = two_tables_with(1).await;
    world.break_backups_of("a-1").await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    world.jump("2027-01-04T06:35:00Z").await;
    world.finish_jobs().await;
    // The first attempt of 11:00 is to carry all that is owed, and fails.
    world.jump(ELEVEN).await;
    world.finish_jobs().await;
    world.mend_backups().await;
    world.lock(SOURCE_REGION, 1, 30).await;
    world.jump("2027-01-04T10:15:00Z").await;
    world.finish_jobs().await;
    let unlock = world.backup().await.delete_backup_vault_lock_configuration().backup_vault_name(VAULT);
    unlock.send().await.expect("no lock");
    world.jump("2027-01-05T06:00:00Z").await;
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    assert_eq!(
        flags(&report, "a-1"),
        [json!(["D", "W"]), json!(["D", "M", "Y"])],
        "what the lock did not let live is carried by the next point"
    );
    let catalog = world.catalog().await;
    world.session(&json!({"reconcile": true})).await;
    assert_eq!(world.catalog().await, catalog);
}
