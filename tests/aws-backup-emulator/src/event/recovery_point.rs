//! `Recovery Point State Change`.

use jiff::Timestamp;
use serde_json::json;

use super::Event;
use crate::aws::Scope;
use crate::state::recovery_point::RecoveryPoint;
use crate::time::iso;

impl Event {
    /// A recovery point is in another status.
    pub(crate) fn recovery_point(scope: &Scope, at: Timestamp, point: &RecoveryPoint) -> Self {
        let lifecycle = point.lifecycle.as_ref();
        let calculated = lifecycle.map(|lifecycle| {
            let (cold, delete) = lifecycle.calculated(point.created);
            json!({ "moveToColdStorageAt": cold.map(iso), "deleteAt": delete.map(iso) })
        });
        let lifecycle = lifecycle.map(
            |l| json!({ "moveToColdStorageAfterDays": l.cold_after, "deleteAfterDays": l.delete_after }),
        );
        let detail = json!({
            "backupVaultName": point.vault,
            "backupVaultArn": point.vault_arn,
            "creationDate": iso(point.created),
            "iamRoleArn": point.role_arn,
            "resourceType": "DynamoDB",
            "resourceArn": point.resource_arn,
            "status": point.status.as_str(),
            "isEncrypted": point.key_arn.is_some().to_string(),
            "storageClass": point.storage.as_str(),
            "completionDate": point.completed.map(iso),
            "lifecycle": lifecycle,
            "calculatedLifeCycle": calculated,
        });
        Self::new(scope, at, "Recovery Point State Change", &[&point.arn], detail)
    }
}
