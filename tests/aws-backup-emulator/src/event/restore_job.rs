//! `Restore Job State Change`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Event;
use crate::aws::Scope;
use crate::state::restore_job::{RestoreJob, State};
use crate::time::iso;

const DETAIL_TYPE: &str = "Restore Job State Change";

impl Event {
    /// A restore job has been accepted: a state that the API does not have, and the only one that is called `state`.
    pub(crate) fn restore_job_created(scope: &Scope, at: Timestamp, job: &RestoreJob) -> Self {
        let detail = json!({
            "restoreJobId": job.id,
            "state": "CREATED",
            "creationDate": iso(job.created),
        });
        Self::new(scope, at, DETAIL_TYPE, &[&job.recovery_point], detail)
    }

    /// A restore job has another status.
    pub(crate) fn restore_job(scope: &Scope, at: Timestamp, job: &RestoreJob) -> Self {
        Self::new(scope, at, DETAIL_TYPE, &[&job.recovery_point], detail(job))
    }
}

/// The percentage stays at 0, as in the documented samples; only a completed job says what it has restored.
fn detail(job: &RestoreJob) -> Value {
    let done = (job.state == State::Completed).then_some(job);
    json!({
        "restoreJobId": job.id,
        "backupVaultArn": done.map(|job| &job.vault_arn),
        "recoveryPointArn": done.map(|job| &job.recovery_point),
        "sourceResourceArn": done.map(|job| &job.resource_arn),
        "backupSizeInBytes": done.map_or(0, |job| job.size).to_string(),
        "creationDate": iso(job.created),
        "iamRoleArn": job.role_arn,
        "percentDone": 0,
        "resourceType": "DynamoDB",
        "status": job.state.as_str(),
        "statusMessage": job.failure.as_ref().map(|failure| format!("\"{}\"", failure.message)),
        "createdResourceArn": done.and_then(|job| job.created_resource.as_ref()),
        "completionDate": done.and_then(|job| job.completed).map(iso),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::failure::Failure;
    use crate::state::samples::restore_job;

    const POINT: &str =
        "arn:aws:backup:eu-west-1:111122223333:recovery-point:f1d966fe-a3bd-410b-b292-99f442d13b56";

    fn scope() -> Scope {
        Scope { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() }
    }

    fn body(job: &RestoreJob) -> Value {
        let mut body = Event::restore_job(&scope(), "2026-01-31T05:14:58Z".parse().unwrap(), job).body;
        assert!(body["id"].is_string());
        body["id"] = "s1".into();
        body
    }

    #[test]
    fn a_completed_restore_event_is_as_in_the_documented_sample() {
        let mut job = restore_job(State::Completed);
        job.size = 0;
        assert_eq!(
            body(&job),
            json!({ "version": "0", "id": "s1", "detail-type": "Restore Job State Change", "source": "aws.backup",
                "account": "111122223333", "time": "2026-01-31T05:14:58Z", "region": "eu-west-1", "resources": [POINT],
                "detail": { "restoreJobId": "AB123456-78C9-0123-456D-789012E34567",
                    "backupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:ddb",
                    "recoveryPointArn": POINT,
                    "sourceResourceArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
                    "backupSizeInBytes": "0", "creationDate": "2026-01-31T05:10:01.742Z",
                    "iamRoleArn": "arn:aws:iam::111122223333:role/ddb-restore", "percentDone": 0,
                    "resourceType": "DynamoDB", "status": "COMPLETED",
                    "createdResourceArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders-restored",
                    "completionDate": "2026-01-31T05:14:53.128Z" } })
        );
    }

    #[test]
    fn the_size_in_a_restore_event_is_text_and_known_at_the_end() {
        assert_eq!(body(&restore_job(State::Completed))["detail"]["backupSizeInBytes"], "36048");
        assert_eq!(body(&restore_job(State::Running))["detail"]["backupSizeInBytes"], "0");
    }

    #[test]
    fn only_the_created_event_of_a_restore_says_state() {
        let at = "2026-01-31T05:10:02Z".parse().unwrap();
        let created = Event::restore_job_created(&scope(), at, &restore_job(State::Pending)).body;
        assert_eq!(
            created["detail"],
            json!({ "restoreJobId": "AB123456-78C9-0123-456D-789012E34567", "state": "CREATED",
                "creationDate": "2026-01-31T05:10:01.742Z" })
        );
        for state in [State::Pending, State::Running, State::Completed, State::Failed, State::Aborted] {
            let detail = &body(&restore_job(state))["detail"];
            assert_eq!((&detail["status"], detail.get("state")), (&json!(state.as_str()), None));
        }
    }

    #[test]
    fn a_restore_event_names_neither_source_nor_table_unless_it_completed() {
        let mut job = restore_job(State::Failed);
        job.failure = Some(Failure::new("RESOURCE_NOT_FOUND", "Table not found."));
        let failed = body(&job);
        assert_eq!(failed["resources"], json!([POINT]));
        assert_eq!(
            failed["detail"],
            json!({ "restoreJobId": "AB123456-78C9-0123-456D-789012E34567", "backupSizeInBytes": "0",
                "creationDate": "2026-01-31T05:10:01.742Z", "iamRoleArn": "arn:aws:iam::111122223333:role/ddb-restore",
                "percentDone": 0, "resourceType": "DynamoDB", "status": "FAILED",
                "statusMessage": "\"Table not found.\"" })
        );
    }
}
