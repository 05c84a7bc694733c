use rstest::rstest;
use serde_json::{Value, json};

use super::*;

/// The text of a fixture: an event as AWS documents it, with the oddities of its kind.
macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!(
            "../../../tests/fixtures/events/",
            $name,
            ".json"
        )))
        .unwrap()
    };
}

const POINT: &str =
    "arn:aws:backup:eu-west-1:111122223333:recovery-point:f1d966fe-a3bd-410b-b292-99f442d13b56";
const COPY: &str =
    "arn:aws:backup:eu-central-1:111122223333:recovery-point:0c7c1e7a-0000-4000-8000-000000000002";
const VAULT: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:ddb";
const TABLE: &str = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders";
const JOB: &str = "a827233a-d405-4a86-a440-759fa94f34dd";
const COPY_JOB: &str = "0175de71-5784-589f-d8ac-541accb4cac8";

fn backup_of(event: &Value) -> BackupJob {
    match parse(event).unwrap() {
        Event::BackupJob(job) => *job,
        other => panic!("not a backup job: {other:?}"),
    }
}

fn copy_of(event: &Value) -> CopyJob {
    match parse(event).unwrap() {
        Event::CopyJob(job) => *job,
        other => panic!("not a copy job: {other:?}"),
    }
}

fn restore_of(event: &Value) -> RestoreJob {
    match parse(event).unwrap() {
        Event::RestoreJob(job) => *job,
        other => panic!("not a restore job: {other:?}"),
    }
}

fn point_of(event: &Value) -> RecoveryPointChange {
    match parse(event).unwrap() {
        Event::RecoveryPoint(change) => *change,
        other => panic!("not a recovery point: {other:?}"),
    }
}

fn at(text: &str) -> Option<Moment> {
    Some(Moment::At(text.parse().unwrap()))
}

fn problems_of(event: &Value) -> Vec<String> {
    let refusal = parse(event).unwrap_err();
    assert_eq!(refusal.error_type(), ErrorType::InvalidRequest);
    refusal.problems().iter().map(|problem| problem.path.clone()).collect()
}

#[test]
fn a_completed_backup_names_its_recovery_point_among_the_resources() {
    let job = backup_of(&fixture!("backup-completed"));
    let expected = BackupJob {
        origin: Origin {
            event_id: Some("b1".to_owned()),
            account: Some("111122223333".to_owned()),
            region: Some("eu-west-1".to_owned()),
        },
        job: JOB.into(),
        state: JobState::Completed,
        message: None,
        table: Some(TABLE.parse().unwrap()),
        vault: Some(VAULT.parse().unwrap()),
        recovery_point: Some(POINT.parse().unwrap()),
        role: Some("arn:aws:iam::111122223333:role/ddb-backup".to_owned()),
        backup_plan: None,
        size_bytes: Some(36_048),
        transferred_bytes: Some(36_048),
        percent_done: Some(100.0),
        created_at: at("2026-01-31T02:10:31.207Z"),
        completed_at: at("2026-01-31T02:11:05.921Z"),
        start_by: at("2026-01-31T10:10:31.207Z"),
        expected_completion: None,
    };
    assert_eq!(job, expected);
}

#[rstest]
#[case::failed(
    fixture!("backup-failed"),
    JobState::Failed,
    "Resource arn:aws:dynamodb:eu-west-1:111122223333:table/orders not found."
)]
#[case::expired(
    fixture!("backup-expired"),
    JobState::Expired,
    "Backup job failed because there was a running job for the same resource."
)]
#[case::aborted(fixture!("backup-aborted"), JobState::Aborted, "Backup job was stopped by user.")]
fn a_backup_without_success_has_a_message_and_no_point(
    #[case] event: Value,
    #[case] state: JobState,
    #[case] message: &str,
) {
    let job = backup_of(&event);
    assert!(job.state.is_final());
    assert_eq!((job.job, job.state, job.message.as_deref()), (JOB.into(), state, Some(message)));
    assert_eq!((job.recovery_point, job.size_bytes), (None, Some(0)));
}

#[test]
fn a_backup_on_its_way_is_not_final() {
    let created = backup_of(&fixture!("backup-created"));
    assert_eq!(
        (created.job.as_str(), &created.state),
        ("7e8845b5-ca30-415f-a842-e0152bf4d0ca", &JobState::Created)
    );
    assert_eq!((created.table, created.vault, created.recovery_point), (None, None, None));

    let pending = backup_of(&fixture!("backup-pending"));
    assert_eq!(pending.state, JobState::Pending);
    assert!(pending.backup_plan.unwrap().ends_with(":backup-plan:39ea5a4e-3a1f-4f0b-8d2e-4f3c5a6b7c8d"));

    let running = backup_of(&fixture!("backup-running"));
    assert_eq!(running.expected_completion, Some(Moment::Text("Jan 31, 2026 2:39:07 AM".to_owned())));
    assert_eq!(running.expected_completion.and_then(|moment| moment.instant()), None);
    for state in [created.state, pending.state, running.state] {
        assert!(!state.is_final(), "{state}");
    }
}

#[test]
fn a_copy_names_its_target_only_when_it_is_completed() {
    let created = copy_of(&fixture!("copy-created"));
    assert_eq!((created.job, created.state, created.table), (None, JobState::Created, None));
    assert_eq!(created.source_point.unwrap().as_str(), POINT);

    let running = copy_of(&fixture!("copy-running"));
    assert_eq!(
        (running.job, running.state, running.target_point),
        (Some(COPY_JOB.into()), JobState::Running, None)
    );

    let failed = copy_of(&fixture!("copy-failed"));
    assert_eq!((failed.state, failed.target_point), (JobState::Failed, None));
    assert_eq!(failed.message.unwrap(), "Access denied exception while trying to list tags");

    let completed = copy_of(&fixture!("copy-completed"));
    assert_eq!(completed.state, JobState::Completed);
    assert_eq!(completed.target_point.unwrap().as_str(), COPY);
    assert_eq!(completed.target_vault.unwrap().region(), "eu-central-1");
    assert_eq!(completed.source_vault.unwrap().as_str(), VAULT);
    assert_eq!((completed.size_bytes, completed.table.unwrap().name()), (Some(36_048), "orders"));
}

#[rstest]
#[case::created(fixture!("restore-created"), JobState::Created)]
#[case::pending(fixture!("restore-pending"), JobState::Pending)]
#[case::running(fixture!("restore-running"), JobState::Running)]
#[case::completed(fixture!("restore-completed"), JobState::Completed)]
#[case::failed(fixture!("restore-failed"), JobState::Failed)]
fn a_restore_tells_its_state_under_either_name(#[case] event: Value, #[case] state: JobState) {
    let job = restore_of(&event);
    assert_eq!((job.job.as_str(), job.state), ("ab123456-78c9-0123-456d-789012e34567", state));
    assert_eq!(job.recovery_point.unwrap().as_str(), POINT);
}

#[test]
fn a_completed_restore_names_the_table_it_made() {
    let done = restore_of(&fixture!("restore-completed"));
    assert_eq!(done.table.unwrap().name(), "orders-restored");
    assert_eq!(done.source_table.unwrap().as_str(), TABLE);
    assert_eq!(done.completed_at, at("2026-01-31T05:14:53.128Z"));
    let failed = restore_of(&fixture!("restore-failed"));
    assert_eq!(failed.message.unwrap(), "Table already exists: orders-restored");
    assert!(failed.testing_plan.is_some());
}

#[rstest]
#[case::creating(fixture!("recovery-point-creating"), PointState::Creating)]
#[case::completed(fixture!("recovery-point-completed"), PointState::Completed)]
#[case::available(fixture!("recovery-point-available"), PointState::Available)]
#[case::partial(fixture!("recovery-point-partial"), PointState::Partial)]
#[case::deleting(fixture!("recovery-point-deleting"), PointState::Deleting)]
#[case::expired(fixture!("recovery-point-expired"), PointState::Expired)]
#[case::stopped(fixture!("recovery-point-stopped"), PointState::Stopped)]
fn a_recovery_point_tells_its_status(#[case] event: Value, #[case] status: PointState) {
    let whole = status != PointState::Creating;
    let change = point_of(&event);
    assert_eq!((change.status, change.recovery_point.as_str()), (status, POINT));
    assert_eq!(change.encrypted, Some(whole));
    assert_eq!(change.delete_at, if whole { at("2026-05-11T02:10:31.152Z") } else { None });
    assert_eq!((change.table.unwrap().name(), change.vault.unwrap().name()), ("orders", "ddb"));
}

#[test]
fn a_recovery_point_event_is_known_under_its_older_name_too() {
    let mut event = fixture!("recovery-point-completed");
    event["detail-type"] = json!("Recovery Point Change");
    assert_eq!(point_of(&event).status, PointState::Completed);
}

#[test]
fn our_own_events_are_read_and_written_alike() {
    let event = fixture!("session-continued");
    let Event::SessionContinued(continued) = parse(&event).unwrap() else { panic!("not a continuation") };
    assert_eq!(continued.session.as_str(), "orders@2026-01-31T06:00:00Z");
    assert_eq!(continued.cursor["generation"], 2);
    assert_eq!(serde_json::to_value(&continued).unwrap(), event["detail"]);

    let event = fixture!("session-finished");
    let Event::SessionFinished(finished) = parse(&event).unwrap() else { panic!("not an end") };
    assert_eq!((finished.tables.covered, finished.failures.len()), (3, 1));
    assert_eq!(serde_json::to_value(&finished).unwrap(), event["detail"]);

    let event = json!({ "source": "dynachain", "detail-type": "Restore Point Completed", "detail": {
        "session": "orders@2026-01-31T06:00:00Z", "table": TABLE, "recovery_point": POINT,
    } });
    let Event::PointCompleted(completed) = parse(&event).unwrap() else { panic!("not a point") };
    assert_eq!(serde_json::to_value(&completed).unwrap(), event["detail"]);

    let event =
        json!({ "source": "dynachain", "detail-type": "Backup Copy Continued", "detail": {"page": "x"} });
    let Event::CopiesContinued(continued) = parse(&event).unwrap() else { panic!("not a continuation") };
    assert_eq!(serde_json::to_value(&continued).unwrap(), event["detail"]);

    let vault = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
    let event = json!({ "source": "dynachain", "detail-type": "Chain Edit Continued",
                        "detail": { "vault": vault, "digest": "a" } });
    let Event::EditContinued(continued) = parse(&event).unwrap() else { panic!("not a continuation") };
    assert_eq!(serde_json::to_value(&continued).unwrap(), event["detail"]);
}

#[rstest]
#[case::a_rate_rule(fixture!("scheduled-event"), None)]
#[case::another_kind(json!({ "source": "aws.backup", "detail-type": "Backup Vault State Change", "detail": {} }), None)]
#[case::another_event_of_ours(json!({ "source": "dynachain", "detail-type": "Prune Blocked", "detail": {} }), None)]
#[case::a_forged_source(
    json!({ "source": "my.backup", "detail-type": "Backup Job State Change", "detail": { "state": "COMPLETED" } }),
    None
)]
#[case::another_service(
    json!({ "source": "aws.backup", "detail-type": "Backup Job State Change", "resources": ["arn:aws:ec2:eu-west-1::image/ami-1"],
            "detail": { "backupJobId": "x", "state": "COMPLETED", "resourceType": "EC2" } }),
    Some("EC2")
)]
fn what_is_not_ours_is_no_error(#[case] event: Value, #[case] resource_type: Option<&str>) {
    let Event::NotOurs(not_ours) = parse(&event).unwrap() else { panic!("taken for ours") };
    assert_eq!(
        (not_ours.source.as_str(), not_ours.resource_type.as_deref()),
        (event["source"].as_str().unwrap(), resource_type)
    );
}

#[test]
fn a_sparse_copy_event_of_another_service_is_read_without_its_point() {
    let mut event = fixture!("copy-created");
    event["resources"] = json!(["arn:aws:ec2:eu-west-1::image/ami-1"]);
    assert_eq!(copy_of(&event).source_point, None);
}

#[test]
fn an_unknown_state_is_kept_and_is_not_final() {
    let mut event = fixture!("backup-running");
    event["detail"]["state"] = json!("HIBERNATING");
    let job = backup_of(&event);
    assert_eq!(job.state, JobState::Other("HIBERNATING".to_owned()));
    assert!(!job.state.is_final());
}

#[test]
fn what_only_informs_never_spoils_an_event() {
    let mut event = fixture!("backup-completed");
    for (name, odd) in [
        ("backupSizeInBytes", json!("many")),
        ("percentDone", json!(["100"])),
        ("bytesTransferred", json!(-1)),
        ("creationDate", json!(1_769_825_431)),
        ("completionDate", json!("yesterday")),
        ("statusMessage", json!({})),
        ("createdBy", json!("me")),
        ("brandNew", json!({ "deep": [1, 2] })),
    ] {
        event["detail"][name] = odd;
    }
    let job = backup_of(&event);
    assert_eq!(
        (job.state, job.size_bytes, job.percent_done, job.transferred_bytes),
        (JobState::Completed, None, None, None)
    );
    assert_eq!((job.created_at, job.completed_at), (None, Some(Moment::Text("yesterday".to_owned()))));
    assert_eq!((job.message, job.backup_plan), (None, None));
}

#[rstest]
#[case::not_an_object(json!(["backup"]), &["$"])]
#[case::a_request(json!({ "reconcile": true }), &["$.source"])]
#[case::no_detail(json!({ "source": "aws.backup", "detail-type": "Backup Job State Change" }), &["$.detail"])]
#[case::source_is_no_text(json!({ "source": 1, "detail-type": "Backup Job State Change" }), &["$.source"])]
#[case::all_missing(
    json!({ "source": "aws.backup", "detail-type": "Backup Job State Change", "detail": {} }),
    &["$.detail.backupJobId", "$.detail.state"]
)]
#[case::malformed_arns(
    json!({ "source": "aws.backup", "detail-type": "Backup Job State Change", "resources": ["nonsense"],
            "detail": { "backupJobId": "", "state": "COMPLETED", "resourceType": "DynamoDB", "resourceArn": "orders", "backupVaultArn": 7 } }),
    &["$.detail.backupJobId", "$.detail.resourceArn", "$.detail.backupVaultArn", "$.resources[0]"]
)]
#[case::a_copy_past_created_without_id(
    json!({ "source": "aws.backup", "detail-type": "Copy Job State Change", "detail": { "state": "RUNNING" } }),
    &["$.detail.copyJobId"]
)]
#[case::a_restore_without_state(
    json!({ "source": "aws.backup", "detail-type": "Restore Job State Change", "detail": { "restoreJobId": "r" } }),
    &["$.detail.state"]
)]
#[case::a_recovery_point_without_arn(
    json!({ "source": "aws.backup", "detail-type": "Recovery Point State Change", "detail": { "status": "COMPLETED" } }),
    &["$.detail.recoveryPointArn"]
)]
#[case::a_session_without_id(
    json!({ "source": "dynachain", "detail-type": "Backup Session Continued", "detail": { "session": "orders" } }),
    &["$.detail.session"]
)]
#[case::an_end_without_counts(
    json!({ "source": "dynachain", "detail-type": "Backup Session Finished", "detail": { "session": "orders@x" } }),
    &["$.detail"]
)]
fn a_malformed_event_is_refused_with_the_paths_of_its_problems(#[case] event: Value, #[case] paths: &[&str]) {
    assert_eq!(problems_of(&event), paths);
}

#[rstest]
#[case(r#""Backup failed""#, "Backup failed")]
#[case(r#"\"Backup failed\""#, "Backup failed")]
#[case("Table \"orders\"", "Table \"orders\"")]
#[case("\"", "\"")]
fn quotes_around_a_message_are_taken_off(#[case] message: &str, #[case] said: &str) {
    let mut event = fixture!("backup-failed");
    event["detail"]["statusMessage"] = json!(message);
    assert_eq!(backup_of(&event).message.unwrap(), said);
}

#[test]
fn job_ids_are_compared_in_lower_case() {
    assert_eq!("0175DE71-5784".parse::<JobId>().unwrap(), JobId::from("0175de71-5784"));
    assert_eq!(serde_json::from_str::<JobId>("\"AB\"").unwrap().as_str(), "ab");
    assert_eq!(serde_json::to_string(&JobId::from("AB")).unwrap(), "\"ab\"");
}
