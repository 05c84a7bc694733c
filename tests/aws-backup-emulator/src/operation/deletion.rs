//! `DeleteRecoveryPoint`: what it refuses, and the success that deletes nothing.

use axum::http::StatusCode;
use serde_json::Value;

use super::recovery_points::{find, named};
use crate::event::Event;
use crate::http::{ApiError, Call};
use crate::iam::Context;
use crate::jobs::announce;
use crate::state::RegionState;
use crate::state::recovery_point::{RecoveryPoint, Status};

const SERVICE: &str = "backup.amazonaws.com";

pub(super) async fn delete(call: &Call) -> Result<Value, ApiError> {
    let named = named(call)?;
    let linked = may_create_linked_role(call).await?;
    let now = call.now();
    let changed = call.state(|state| {
        check(state, named)?;
        let changed = end(state, named.1, stays_behind(call, linked));
        state.points.plan(named.1, now);
        Ok(changed)
    })?;
    if let Some(point) = changed {
        announce(&call.service, Event::recovery_point(&call.scope, now, &point));
    }
    Ok(Value::Null)
}

/// Refuses what a lock, a hold or AWS Backup's own work protects.
fn check(state: &RegionState, (name, arn): (&str, &str)) -> Result<(), ApiError> {
    let (vault, point) = find(state, (name, arn))?;
    if vault.lock.is_some() {
        let message =
            format!("Recovery point {arn} cannot be deleted because the backup vault {name} is locked.");
        return Err(ApiError::invalid_request(message));
    }
    if state.held(point) {
        let message = "The recovery point cannot be deleted because it has active legal hold(s)";
        return Err(ApiError::invalid_request(message));
    }
    match state.work_on(point) {
        Some(work) => {
            let message = format!("Recovery point {arn} is being {work}. Try again later.");
            Err(ApiError::invalid_resource_state(message))
        }
        None => Ok(()),
    }
}

/// Why the point is EXPIRED instead of going: the caller's role does not suffice, or a fault has it so.
fn stays_behind(call: &Call, linked: bool) -> Option<&'static str> {
    if !linked {
        Some("The recovery point could not be deleted: the IAM role lacks iam:CreateServiceLinkedRole.")
    } else if call.service.faults.leaves_expired(&call.caller) {
        Some("The recovery point could not be deleted.")
    } else {
        None
    }
}

/// It is on its way out, or EXPIRED for a reason; `None` when it was that already.
fn end(state: &mut RegionState, arn: &str, stays_behind: Option<&str>) -> Option<RecoveryPoint> {
    let point = state.points.get_mut(arn)?;
    let before = point.status;
    (point.status, point.status_message) = match stays_behind {
        None => (Status::Deleting, None),
        Some(why) => (Status::Expired, Some(why.to_owned())),
    };
    (point.status != before).then(|| point.clone())
}

/// AWS Backup deletes as its service-linked role, which the caller must be able to create (AWS Backup Developer Guide,
/// "Backup deletion").
async fn may_create_linked_role(call: &Call) -> Result<bool, ApiError> {
    let context = Context::default().with("iam:AWSServiceName", SERVICE);
    let arn =
        call.scope.global_arn("iam", &format!("role/aws-service-role/{SERVICE}/AWSServiceRoleForBackup"));
    match call.authorize("iam:CreateServiceLinkedRole", &arn, context).await {
        Ok(()) => Ok(true),
        Err(denied) if denied.status == StatusCode::FORBIDDEN => Ok(false),
        Err(error) => Err(error),
    }
}
