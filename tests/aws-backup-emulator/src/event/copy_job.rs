//! `Copy Job State Change`, sent where the source is.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Event;
use crate::aws::Scope;
use crate::state::copy_job::{CopyJob, State};
use crate::time::iso;

impl Event {
    /// A copy job is in another state.
    pub(crate) fn copy_job(scope: &Scope, at: Timestamp, job: &CopyJob) -> Self {
        let detail = if job.state == State::Created { sparse(job) } else { detail(job) };
        Self::new(scope, at, "Copy Job State Change", &[&job.source.arn], detail)
    }
}

/// Not even the job's id.
fn sparse(job: &CopyJob) -> Value {
    json!({
        "creationDate": iso(job.created),
        "state": job.state.as_str(),
        "sourceBackupVaultArn": job.source.vault_arn,
        "destinationBackupVaultArn": job.destination.vault_arn,
    })
}

fn detail(job: &CopyJob) -> Value {
    json!({
        "copyJobId": job.id,
        "backupSizeInBytes": job.size,
        "creationDate": iso(job.created),
        "iamRoleArn": job.role_arn,
        "resourceArn": job.resource_arn,
        "resourceType": "DynamoDB",
        "sourceBackupVaultArn": job.source.vault_arn,
        "state": job.state.as_str(),
        "statusMessage": job.failure.as_ref().map(|failure| &failure.message),
        "completionDate": job.completed.map(iso),
        "destinationBackupVaultArn": job.destination.vault_arn,
        "destinationRecoveryPointArn": job.known_recovery_point().map_or_else(|| json!({}), Value::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::failure::Failure;
    use crate::state::samples::{COPY, POINT, at, copy_job, scope};

    fn body(state: State, failure: Option<Failure>) -> Value {
        let completed = state.is_final().then(|| at("2026-01-31T03:07:58.111Z"));
        let job = CopyJob { state, failure, completed, ..copy_job() };
        let mut body = Event::copy_job(&scope(), at("2026-01-31T03:08:04Z"), &job).body;
        assert!(body["id"].is_string());
        body["id"] = "c1".into();
        body
    }

    #[test]
    fn the_event_of_a_completed_copy_job_is_as_in_the_documented_sample() {
        assert_eq!(
            body(State::Completed, None),
            json!({ "version": "0", "id": "c1", "detail-type": "Copy Job State Change", "source": "aws.backup",
                "account": "111122223333", "time": "2026-01-31T03:08:04Z", "region": "eu-west-1",
                "resources": [POINT],
                "detail": { "copyJobId": "0175DE71-5784-589F-D8AC-541ACCB4CAC8", "backupSizeInBytes": 36048,
                    "creationDate": "2026-01-31T03:06:27.234Z",
                    "iamRoleArn": "arn:aws:iam::111122223333:role/ddb-backup",
                    "resourceArn": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
                    "resourceType": "DynamoDB",
                    "sourceBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:ddb",
                    "state": "COMPLETED", "completionDate": "2026-01-31T03:07:58.111Z",
                    "destinationBackupVaultArn": "arn:aws:backup:eu-central-1:111122223333:backup-vault:ddb-dr",
                    "destinationRecoveryPointArn": COPY } })
        );
    }

    #[test]
    fn the_event_of_a_created_copy_job_names_neither_the_job_nor_the_table() {
        let body = body(State::Created, None);
        assert_eq!(body["resources"], json!([POINT]));
        assert_eq!(
            body["detail"],
            json!({ "creationDate": "2026-01-31T03:06:27.234Z", "state": "CREATED",
                "sourceBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:ddb",
                "destinationBackupVaultArn": "arn:aws:backup:eu-central-1:111122223333:backup-vault:ddb-dr" })
        );
    }

    #[test]
    fn the_event_of_a_copy_job_has_an_empty_object_for_a_copy_that_is_not_there() {
        let running = body(State::Running, None);
        assert_eq!(running["detail"]["destinationRecoveryPointArn"], json!({}));
        assert_eq!(running["detail"].get("completionDate"), None);
        let failed = body(State::Failed, Some(Failure::new("ACCESS_DENIED", "Access denied")));
        assert_eq!(failed["detail"]["destinationRecoveryPointArn"], json!({}));
        assert_eq!(failed["detail"]["completionDate"], "2026-01-31T03:07:58.111Z");
    }

    #[test]
    fn the_event_of_a_failed_copy_job_gives_its_message_without_quotes() {
        let failed = body(State::Failed, Some(Failure::new("ACCESS_DENIED", "Access denied")));
        assert_eq!(failed["detail"]["statusMessage"], "Access denied");
    }
}
