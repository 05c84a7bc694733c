//! The copy chain: every wanted point, once, in the target Region.

use aws_sdk_backup::types::CopyJob;
use jiff::SignedDuration;
use local_stack::{SOURCE_REGION, TARGET_REGION};
use serde_json::{Value, json};

use crate::support::{SEVEN, World, arn, chains, example_with_copies, list, only_point, vault};

/// What a request is answered when there is nothing to do and nothing is owed.
pub(crate) fn idle() -> Value {
    json!({"queued": 0, "started": 0, "running": 0, "settled": 0, "owed": []})
}

impl World {
    /// The source and the target Region, these tables, and the example policy `a` over `a-*` with copies and so many retries.
    pub(crate) async fn with_copies(tables: &[&str], retries: u32) -> Self {
        let world = Self::start_with_target().await;
        world.tables(tables).await;
        let mut policy = example_with_copies("a", &json!({"tables": ["a-*"]}));
        policy["retries"] = json!(retries);
        world.apply(&policy).await;
        world
    }

    pub(crate) async fn copying(&self, request: &Value) -> Value {
        self.ask("backup-copy", request).await
    }

    pub(crate) async fn reconcile_copies(&self) -> Value {
        self.copying(&json!({"reconcile": true})).await
    }

    /// Lets so many minutes pass.
    pub(crate) async fn pass(&self, minutes: i64) {
        self.stack.jump_to(self.stack.now() + SignedDuration::from_mins(minutes)).await;
    }

    /// The session of seven o'clock, with its backups completed.
    pub(crate) async fn back_up(&self) {
        self.jump(SEVEN).await;
        self.finish_jobs().await;
    }

    /// All copy jobs of the source Region.
    pub(crate) async fn copy_jobs(&self) -> Vec<CopyJob> {
        let pages = self.backup().await.list_copy_jobs().into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.expect("the copy jobs")
    }

    /// Copy jobs by state.
    pub(crate) async fn copy_jobs_in(&self, state: &str) -> usize {
        self.copy_jobs().await.iter().filter(|job| job.state().is_some_and(|is| is.as_str() == state)).count()
    }

    /// What the target Region's own stack reports, the same from its catalog and from its vault alone.
    pub(crate) async fn verified_there(&self) -> Value {
        let ask = async |request: Value| {
            self.stack.invoke(TARGET_REGION, "chain-report", &request).await.expect("a report")
        };
        let report = ask(json!({})).await;
        assert_eq!(ask(json!({"rebuild": true})).await, report, "the catalog there tells another story");
        assert_eq!(ask(json!({})).await, report, "a rebuilt catalog there tells another story");
        assert_eq!(report["findings"], json!([]), "{report:#}");
        report
    }

    /// The catalog's records of copies, in the order of their keys, by state, attempts and reason.
    pub(crate) async fn copies_in_catalog(&self) -> Vec<(String, u32, String)> {
        let catalog = self.catalog().await;
        let copies = catalog.iter().filter(|((pk, _), _)| pk.starts_with("COPY#"));
        copies
            .map(|(_, item)| {
                let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
                let attempts = item["attempts"].as_n().expect("a number").parse().expect("a count");
                (text("state").expect("a state"), attempts, text("reason").unwrap_or_default())
            })
            .collect()
    }

    /// Nothing is taken or left over in the catalog when no copy runs.
    pub(crate) async fn holds_no_slots(&self) -> bool {
        !self.catalog().await.keys().any(|(pk, _)| pk == "COPY_SLOTS")
    }
}

/// Events about a point that was copied long ago: doubled, late, and a continuation that nobody needs.
fn late_events(point: &str) -> [Value; 6] {
    let of_backup = |kind: &str, detail: Value| {
        json!({
            "version": "0", "id": "5f8ba5b8-1d0d-4f3b-9c0a-0c8f5d8a7a10", "source": "aws.backup", "detail-type": kind,
            "account": "111122223333", "region": SOURCE_REGION, "time": SEVEN, "resources": [point], "detail": detail,
        })
    };
    let copy = |state: &str| {
        of_backup(
            "Copy Job State Change",
            json!({
                "copyJobId": "0175DE71-5784-589F-D8AC-541ACCB4CAC8", "state": state, "resourceType": "DynamoDB",
                "resourceArn": arn("a-1").as_str(), "sourceBackupVaultArn": vault(SOURCE_REGION),
                "destinationBackupVaultArn": vault(TARGET_REGION),
                "destinationRecoveryPointArn": if state == "COMPLETED" {
                    json!("arn:aws:backup:eu-west-1:111122223333:recovery-point:0c7c1e7a-0000-4000-8000-000000000002")
                } else {
                    json!({})
                },
            }),
        )
    };
    let own =
        |kind: &str, detail: Value| json!({"source": "dynachain", "detail-type": kind, "detail": detail});
    [
        of_backup(
            "Backup Job State Change",
            json!({
                "backupJobId": "7e8845b5-ca30-415f-a842-e0152bf4d0ca", "state": "COMPLETED", "resourceType": "DynamoDB",
                "resourceArn": arn("a-1").as_str(), "backupVaultName": "dynachain",
            }),
        ),
        copy("COMPLETED"),
        copy("FAILED"),
        own(
            "Restore Point Completed",
            json!({
                "session": format!("a@{SEVEN}"), "table": arn("a-1").as_str(), "recovery_point": point,
            }),
        ),
        own("Backup Copy Continued", json!({"page": null})),
        own("Backup Copy Continued", json!({"page": 7})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_completed_point_is_copied_once_and_readable_in_the_target_region() {
    let world = World::with_copies(&["a-1", "a-2", "b-1"], 3).await;
    world.back_up().await;
    world.pass(10).await;
    assert_eq!((world.copy_jobs().await.len(), world.copy_jobs_in("COMPLETED").await), (2, 2));
    let there = world.verified_there().await;
    assert_eq!(chains(&there), [("a-1", "copy", 1), ("a-2", "copy", 1)]);
    let copy = &list(&list(&there["chains"])[0]["points"])[0];
    assert_eq!((&copy["flags"], &copy["scheduled_at"]), (&json!(["W", "Y"]), &json!(SEVEN)));
    assert_eq!(copy["expires_at"], "2034-01-04T06:00:00Z", "counted from the source's moment");
    assert_eq!(list(&there["chains"])[0]["newest_usable"], copy["recovery_point"]);

    // The copy has a lifecycle of its own, which ends nothing and moves nothing.
    let backup = aws_sdk_backup::Client::new(&world.stack.backup_config(TARGET_REGION).await);
    let described = backup
        .describe_recovery_point()
        .backup_vault_name("dynachain")
        .recovery_point_arn(copy["recovery_point"].as_str().expect("an ARN"))
        .send()
        .await
        .expect("the copy");
    assert!(described.calculated_lifecycle().is_none_or(|moments| {
        moments.delete_at().is_none() && moments.move_to_cold_storage_at().is_none()
    }));

    // Nothing more is to be done, however often it is asked for, and nothing is written.
    let catalog = world.catalog().await;
    assert_eq!(world.reconcile_copies().await, idle());
    assert_eq!(world.copying(&json!({"reconcile": true, "dry_run": true})).await, idle());
    let report = world.report(&json!({})).await;
    for event in late_events(&only_point(&report, "a-1")) {
        assert_eq!(world.copying(&event).await, idle(), "{event}");
    }
    assert_eq!(world.catalog().await, catalog);
    assert_eq!(world.copy_jobs().await.len(), 2);
    assert!(world.holds_no_slots().await);
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_heard_and_not_answered_is_no_second_copy() {
    let world = World::with_copies(&["a-1"], 3).await;
    let lost = json!([{"operation": "StartCopyJob", "effect": "drop_after"}]);
    world.stack.control().set_faults(&lost).await.expect("answers that get lost");
    // The backup completes at this very moment, and its copy is started.
    world.jump(SEVEN).await;
    world.pass(1).await;
    world.stack.control().set_events(&json!({"lose": 1})).await.expect("events that get lost");
    assert_eq!(world.copy_jobs().await.len(), 1);
    assert_eq!(world.copies_in_catalog().await, [("running".to_owned(), 1, String::new())]);
    world.stack.control().set_faults(&json!([])).await.expect("no faults");
    world.pass(16).await;
    assert_eq!(world.copy_jobs().await.len(), 1, "the start that was heard is not made again");
    assert_eq!(world.copies_in_catalog().await, [("usable".to_owned(), 1, String::new())]);
    assert_eq!(chains(&world.verified_there().await), [("a-1", "copy", 1)]);
    assert!(world.holds_no_slots().await);
    let point = only_point(&world.verified(&[]).await, "a-1");
    let job = &world.copy_jobs().await[0];
    assert_eq!(job.source_recovery_point_arn(), Some(point.as_str()));
    assert_eq!(job.destination_backup_vault_arn(), Some(vault(TARGET_REGION).as_str()));
    assert_eq!(job.source_backup_vault_arn(), Some(vault(SOURCE_REGION).as_str()));
    assert_eq!(job.resource_arn(), Some(arn("a-1").as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_not_heard_is_made_up_for() {
    let world = World::with_copies(&["a-1"], 3).await;
    let lost = json!([{"operation": "StartCopyJob", "effect": "drop_before"}]);
    world.stack.control().set_faults(&lost).await.expect("calls that get lost");
    world.back_up().await;
    assert_eq!(world.copy_jobs().await.len(), 0);
    world.stack.control().set_faults(&json!([])).await.expect("no faults");
    world.pass(30).await;
    assert_eq!(world.copy_jobs().await.len(), 1);
    assert_eq!(world.copies_in_catalog().await, [("usable".to_owned(), 1 + 1, String::new())]);
    assert_eq!(chains(&world.verified_there().await), [("a-1", "copy", 1)]);
    assert_eq!(world.reconcile_copies().await, idle());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_copy_begins_shortly_before_its_tables_next_session() {
    let world = World::with_copies(&["a-1", "b-1"], 3).await;
    // Another policy has a session at a quarter past seven, and only b-1.
    let mut soon = example_with_copies("b", &json!({"tables": ["b-*"]}));
    soon["schedules"]["daily"]["at"] = json!(["07:00", "07:15"]);
    world.apply(&soon).await;
    world.jump(SEVEN).await;
    world.pass(1).await;
    let copied = |jobs: &[CopyJob]| {
        jobs.iter().map(|job| job.resource_arn().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(copied(&world.copy_jobs().await), [arn("a-1").as_str()]);
    world.jump("2027-01-04T06:14:59Z").await;
    assert_eq!(world.copy_jobs().await.len(), 1, "nothing of b-1 until its session has had its turn");
    world.jump("2027-01-04T06:40:00Z").await;
    assert_eq!(world.copy_jobs().await.len(), 2);
    assert_eq!(chains(&world.verified_there().await), [("a-1", "copy", 1), ("b-1", "copy", 1)]);
}
