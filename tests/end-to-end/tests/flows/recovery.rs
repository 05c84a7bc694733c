//! Jobs that fail, events that are lost, and events that are about somebody else's backups.

use aws_sdk_backup::types::BackupJobState;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::{CATALOG, FINISHED, SEVEN, World, arn, chains, details, example, list, points};

impl World {
    /// From now on every backup job of this table fails: the role may not make it.
    pub(crate) async fn break_backups_of(&self, table: &str) {
        let deny = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Action": "dynamodb:StartAwsBackupJob", "Resource": arn(table).as_str(),
        }]});
        let put = self.iam().await.put_role_policy().role_name(self.backup_role().await);
        put.policy_name("broken").policy_document(deny.to_string()).send().await.expect("a broken role");
        self.stack.forget_roles();
    }

    /// Puts that right.
    pub(crate) async fn mend_backups(&self) {
        let delete = self.iam().await.delete_role_policy().role_name(self.backup_role().await);
        delete.policy_name("broken").send().await.expect("a role that is whole again");
        self.stack.forget_roles();
    }

    /// The role that is passed to AWS Backup.
    async fn backup_role(&self) -> String {
        let roles = self.iam().await.list_roles().into_paginator().items().send();
        let roles = roles.collect::<Result<Vec<_>, _>>().await.expect("the roles");
        let role = roles.iter().find(|role| role.role_name().contains("BackupRole"));
        role.expect("the backup role").role_name().to_owned()
    }

    /// The rule that tells sessions of the ends of jobs.
    pub(crate) async fn job_rule(&self) -> String {
        self.rule("BackupJobRule").await
    }

    /// The name of the rule that the template calls so.
    pub(crate) async fn rule(&self, called: &str) -> String {
        let rules = self.event_bridge().await.list_rules().send().await.expect("the rules");
        let mut names = rules.rules().iter().filter_map(|rule| rule.name());
        names.find(|name| name.contains(called)).expect("the rule").to_owned()
    }
}

async fn two_tables() -> World {
    two_tables_with(3).await
}

/// The policy `a` over `a-1` and `a-2`, with so many retries.
pub(crate) async fn two_tables_with(retries: u32) -> World {
    let world = World::start().await;
    world.tables(&["a-1", "a-2"]).await;
    world.subscribe().await;
    let mut policy = example("a", &json!({"tables": ["a-*"]}));
    policy["retries"] = json!(retries);
    world.apply(&policy).await;
    world
}

/// An event of AWS Backup about the end of a job.
fn ended(job: &str, state: &str) -> Value {
    json!({
        "version": "0", "id": "5f8ba5b8-1d0d-4f3b-9c0a-0c8f5d8a7a10", "source": "aws.backup",
        "detail-type": "Backup Job State Change", "account": "111122223333", "region": "eu-central-1",
        "time": SEVEN, "resources": [],
        "detail": {
            "backupJobId": job, "state": state, "resourceType": "DynamoDB",
            "resourceArn": arn("a-1").as_str(), "backupVaultName": "dynachain",
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_is_reported_by_its_table_and_harms_no_other() {
    let world = two_tables_with(0).await;
    world.break_backups_of("a-1").await;

    world.jump(SEVEN).await;
    assert_eq!(world.starts().await, 2);
    world.finish_jobs().await;
    let finished = world.events(FINISHED, 1).await;
    assert_eq!(finished.len(), 1, "{finished:?}");
    let counts = json!({"covered": 2, "started": 1, "skipped": 0, "failed": 1});
    assert_eq!((&finished[0]["tables"], &finished[0]["finished"]), (&counts, &json!(true)));
    let [failure] = list(&finished[0]["failures"]) else { unreachable!("{finished:#?}") };
    assert_eq!(
        (&failure["table"], &failure["reason"]),
        (&json!(arn("a-1").as_str()), &json!("backup_failed"))
    );
    let said = failure["message"].as_str().unwrap_or_default();
    assert!(
        said.contains("FAILED") && said.contains("dynamodb:StartAwsBackupJob"),
        "AWS's own words: {said}"
    );

    // The same event again tells the same, and starts nothing.
    let event = json!({"policy": "a", "scheduled_at": SEVEN});
    let catalog = world.catalog().await;
    for _ in 0..2 {
        let again = world.session(&event).await;
        assert_eq!(details(&again), [("a-1", "failed", "backup_failed"), ("a-2", "started", "")]);
        assert_eq!((&again["tables"], &again["duplicate"]), (&counts, &json!(true)));
    }
    assert_eq!((world.starts().await, world.catalog().await), (2, catalog));
    assert_eq!(chains(&world.verified(&[]).await), [("a-2", "regular", 1)]);
    assert_eq!(world.events(FINISHED, 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_whose_events_are_lost_are_settled_by_reconciliation() {
    let world = two_tables().await;
    let rule = world.job_rule().await;
    world.event_bridge().await.disable_rule().name(&rule).send().await.expect("no more events");
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    let event = json!({"policy": "a", "scheduled_at": SEVEN});
    let jobs = world.jobs().await;
    assert!(jobs.iter().all(|job| job.state() == Some(&BackupJobState::Completed)), "{jobs:?}");
    assert_eq!(world.session(&event).await["finished"], false, "nobody has told the session");

    let session = json!([format!("a@{SEVEN}")]);
    let catalog = world.catalog().await;
    let planned = world.session(&json!({"reconcile": true, "dry_run": true})).await;
    assert_eq!(planned["open"], session);
    assert_eq!(world.catalog().await, catalog, "a dry run changes nothing");

    let done = world.session(&json!({"reconcile": true})).await;
    assert_eq!((&done["open"], &done["settled"], &done["resumed"]), (&session, &json!(2), &json!(0)));
    assert_eq!(world.session(&event).await["finished"], true);
    let finished = world.events(FINISHED, 1).await;
    assert_eq!(finished[0]["tables"], json!({"covered": 2, "started": 2, "skipped": 0, "failed": 0}));

    // Once more, and then the lost events after all: there is nothing left to do.
    let catalog = world.catalog().await;
    let nothing = json!({
        "open": [], "settled": 0, "resumed": 0, "retried": 0, "failures": [],
        "caught_up": {"late": [], "owed": [], "failures": []},
    });
    assert_eq!(world.session(&json!({"reconcile": true})).await, nothing);
    for job in &jobs {
        let late = world.session(&ended(job.backup_job_id().expect("an id"), "COMPLETED")).await;
        assert_eq!(late, json!({"settled": false}));
    }
    assert_eq!((world.catalog().await, world.starts().await), (catalog, 2));
    assert_eq!(world.events(FINISHED, 1).await.len(), 1, "announced once");
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_of_a_job_that_completed_without_naming_a_point_are_owed() {
    let world = two_tables_with(0).await;
    let rule = world.job_rule().await;
    world.event_bridge().await.disable_rule().name(&rule).send().await.expect("no more events");
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    let key = (format!("SESSION#a@{SEVEN}"), format!("TABLE#{}", arn("a-1")));
    let mut record = world.catalog().await[&key].clone();
    record.remove("recovery_point").expect("its point");
    let job = record["job"].as_s().expect("a text").clone();
    let put = world.dynamodb().await.put_item().table_name(CATALOG).set_item(Some(record));
    put.send().await.expect("the table");
    assert_eq!(world.session(&ended(&job, "COMPLETED")).await, json!({"settled": true}));
    let told = world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    assert_eq!(details(&told)[0], ("a-1", "failed", "no_recovery_point"));

    world.jump("2027-01-04T10:00:00Z").await;
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    let next = points(&report, "a-1")[1];
    assert_eq!(
        (&next["scheduled_at"], &next["flags"]),
        (&json!("2027-01-04T10:00:00Z"), &json!(["D", "W", "M", "Y"]))
    );
    assert_eq!(points(&report, "a-2")[1]["flags"], json!(["D"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_about_others_are_taken_quietly_and_change_nothing() {
    let world = two_tables().await;
    world.jump(SEVEN).await;
    let catalog = world.catalog().await;
    let foreign = "00000000-0000-4000-8000-000000000000";
    let mut of_a_disk = ended(foreign, "COMPLETED");
    of_a_disk["detail"]["resourceType"] = json!("EBS");
    let mut of_another_kind = ended(foreign, "COMPLETED");
    of_another_kind["detail-type"] = json!("Backup Vault State Change");
    let mut of_another_source = ended(foreign, "COMPLETED");
    of_another_source["source"] = json!("aws.ec2");
    let ours = world.jobs().await[0].backup_job_id().expect("an id").to_owned();
    for (event, answer) in [
        (ended(foreign, "COMPLETED"), json!({"settled": false})),
        (ended(foreign, "FAILED"), json!({"settled": false})),
        (ended(&ours, "RUNNING"), json!({"settled": false})),
        (of_a_disk, json!({"ignored": true})),
        (of_another_kind, json!({"ignored": true})),
        (of_another_source, json!({"ignored": true})),
    ] {
        assert_eq!(world.session(&event).await, answer, "{event}");
        assert_eq!(world.session(&event).await, answer, "{event}");
    }
    assert_eq!(world.catalog().await, catalog);
    world.finish_jobs().await;
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 1), ("a-2", "regular", 1)]);
}

/// Makes the catalog what it is when the function dies after it has had a table's job started and before it has noted so.
async fn die_after_starting(world: &World, table: &str) {
    let client = world.dynamodb().await;
    let catalog = world.catalog().await;
    let session = format!("SESSION#a@{SEVEN}");
    let state = |state: &str| ("state".to_owned(), AttributeValue::S(state.to_owned()));
    let mut record = catalog[&(session.clone(), "SESSION".to_owned())].clone();
    record.extend([state("starting")]);
    client.put_item().table_name(CATALOG).set_item(Some(record)).send().await.expect("the session");
    let mut record = catalog[&(session, format!("TABLE#{}", arn(table)))].clone();
    let job = record.remove("job").expect("its job");
    record.remove("recovery_point").expect("its point");
    record.extend([state("claimed")]);
    client.put_item().table_name(CATALOG).set_item(Some(record)).send().await.expect("the table");
    assert_eq!(world.drop_from_catalog(&format!("JOB#{}", job.as_s().expect("a text"))).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_starter_died_is_resumed_and_no_table_is_backed_up_twice() {
    let world = two_tables().await;
    world.jump(SEVEN).await;
    die_after_starting(&world, "a-2").await;
    // A table that it had not come to.
    world.tables(&["a-3"]).await;
    world.finish_jobs().await;
    let event = json!({"policy": "a", "scheduled_at": SEVEN});
    assert_eq!(world.session(&event).await["finished"], false);
    assert_eq!(world.session(&json!({"reconcile": true})).await["resumed"], 0, "its holder may be alive");
    assert_eq!(world.starts().await, 2);

    world.jump("2027-01-04T06:20:00Z").await;
    let done = world.session(&json!({"reconcile": true})).await;
    assert_eq!(done["resumed"], 1, "the session: {done}");
    assert_eq!(
        world.session(&json!({"reconcile": true})).await["resumed"],
        1,
        "the table that was not noted"
    );
    assert_eq!(world.session(&json!({"reconcile": true})).await["resumed"], 0, "once");
    world.finish_jobs().await;
    let answer = world.session(&event).await;
    let counts = json!({"covered": 3, "started": 3, "skipped": 0, "failed": 0});
    assert_eq!((&answer["finished"], &answer["tables"]), (&json!(true), &counts));
    assert_eq!(
        (world.starts().await, world.jobs().await.len()),
        (3, 3),
        "the job that was not noted is found"
    );
    let finished = world.events(FINISHED, 1).await;
    assert_eq!((finished.len(), &finished[0]["tables"]), (1, &counts));
    let each = [("a-1", "regular", 1), ("a-2", "regular", 1), ("a-3", "regular", 1)];
    assert_eq!(chains(&world.verified(&[]).await), each);
}
