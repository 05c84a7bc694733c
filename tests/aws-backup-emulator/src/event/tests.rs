use super::*;
use crate::state::backup_job::{BackupJob, State};
use crate::state::failure::Failure;
use crate::state::recovery_point::RecoveryPoint;
use crate::state::samples::{self, POINT, at, backup_job as job, days, scope};

fn body(job: &BackupJob) -> Value {
    let mut body = Event::backup_job(&scope(), at("2026-01-31T02:11:17.5Z"), job).body;
    assert!(body["id"].is_string());
    body["id"] = "b1".into();
    body
}

#[test]
fn the_event_of_a_completed_backup_job_is_as_the_documented_sample() {
    assert_eq!(
        body(&job(State::Completed)),
        json!({ "version": "0", "id": "b1", "detail-type": "Backup Job State Change", "source": "aws.backup",
            "account": "111122223333", "time": "2026-01-31T02:11:17Z", "region": "eu-west-1", "resources": [POINT],
            "detail": { "backupJobId": "a827233a-d405-4a86-a440-759fa94f34dd", "backupSizeInBytes": "36048",
                "backupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:ddb", "backupVaultName": "ddb",
                "bytesTransferred": "36048", "creationDate": "2026-01-31T02:10:31.207Z",
                "iamRoleArn": "arn:aws:iam::111122223333:role/ddb-backup",
                "resourceArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders", "resourceType": "DynamoDB",
                "state": "COMPLETED", "completionDate": "2026-01-31T02:11:05.921Z",
                "startBy": "2026-01-31T10:10:31.207Z", "percentDone": 100, "retryCount": 3 } })
    );
}

#[test]
fn the_event_of_a_created_backup_job_says_next_to_nothing() {
    let body = body(&job(State::Created));
    assert_eq!(body["resources"], json!([]));
    assert_eq!(
        body["detail"],
        json!({ "backupJobId": "a827233a-d405-4a86-a440-759fa94f34dd", "state": "CREATED",
            "creationDate": "2026-01-31T02:10:31.207Z" })
    );
}

#[test]
fn the_event_of_a_failed_backup_job_quotes_its_message_and_has_no_size() {
    let mut failed = job(State::Failed);
    failed.failure = Some(Failure::new("RESOURCE_NOT_FOUND", "Table not found."));
    let failed = body(&failed);
    assert_eq!(failed["detail"]["statusMessage"], "\"Table not found.\"");
    assert_eq!((&failed["resources"], &failed["detail"]["backupSizeInBytes"]), (&json!([]), &json!("0")));
}

#[test]
fn the_event_of_a_running_backup_job_expects_its_completion() {
    let running = body(&job(State::Running));
    assert_eq!(running["detail"]["expectedCompletionDate"], "Jan 31, 2026 2:11:05 AM");
    assert_eq!(running["detail"].get("completionDate"), None);
}

#[test]
fn the_event_of_a_recovery_point_is_as_the_documented_sample() {
    let point = RecoveryPoint { lifecycle: days(None, Some(100)), ..samples::point() };
    let body = Event::recovery_point(&scope(), at("2026-01-31T02:11:07Z"), &point).body;
    assert_eq!(body["detail-type"], "Recovery Point State Change");
    assert_eq!(body["resources"], json!([POINT]));
    assert_eq!(
        body["detail"],
        json!({ "backupVaultName": "ddb", "backupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:ddb",
            "creationDate": "2026-01-31T02:10:31.152Z", "iamRoleArn": "arn:aws:iam::111122223333:role/ddb-backup",
            "resourceType": "DynamoDB", "resourceArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
            "status": "COMPLETED", "isEncrypted": "true", "storageClass": "WARM",
            "completionDate": "2026-01-31T02:11:05.689Z", "lifecycle": { "deleteAfterDays": 100 },
            "calculatedLifeCycle": { "deleteAt": "2026-05-11T02:10:31.152Z" } })
    );
}

#[test]
fn ids_of_backup_jobs_in_events_are_in_lower_case() {
    for state in [State::Created, State::Running, State::Completed, State::Failed] {
        assert_eq!(body(&job(state))["detail"]["backupJobId"], "a827233a-d405-4a86-a440-759fa94f34dd");
    }
}

#[test]
fn only_the_event_of_a_completed_backup_job_has_its_point_among_the_resources() {
    for state in [State::Created, State::Running, State::Aborted, State::Failed, State::Expired] {
        assert_eq!(body(&job(state))["resources"], json!([]), "{state:?}");
    }
    assert_eq!(body(&job(State::Completed))["resources"], json!([POINT]));
}
