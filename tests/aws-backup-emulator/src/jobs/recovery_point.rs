//! What happens to recovery points by themselves: they move to cold storage, reach their end, and go.

use jiff::Timestamp;

use super::{announce, role};
use crate::aws::Scope;
use crate::event::Event;
use crate::service::Service;
use crate::state::RegionState;
use crate::state::failure::Failure;
use crate::state::recovery_point::fate::{self, Step};
use crate::state::recovery_point::{RecoveryPoint, Status, Storage};

pub(super) async fn step(service: &Service, scope: &Scope, arn: &str, step: Step) {
    match step {
        Step::MoveToCold => move_to_cold(service, scope, arn),
        Step::Expire => expire(service, scope, arn),
        Step::Vanish => vanish(service, scope, arn).await,
    }
}

fn move_to_cold(service: &Service, scope: &Scope, arn: &str) {
    let now = crate::time::milliseconds(service.timeline.now());
    service.world.with(scope, |state| {
        if let Some(point) = free(state, arn, Step::MoveToCold, now) {
            point.storage = Storage::Cold;
            state.points.plan(arn, now);
        }
    });
}

/// Its retention has ended, and AWS Backup deletes it, whatever locks its vault.
fn expire(service: &Service, scope: &Scope, arn: &str) {
    let now = crate::time::milliseconds(service.timeline.now());
    let expired = service.world.with(scope, |state| {
        let point = free(state, arn, Step::Expire, now)?;
        point.status = Status::Deleting;
        let point = point.clone();
        state.points.plan(arn, now);
        Some(point)
    });
    if let Some(point) = expired {
        announce(service, Event::recovery_point(scope, now, &point));
    }
}

/// The point, if the step is still to be done and nothing stands in its way; else the step is tried again later.
fn free<'a>(
    state: &'a mut RegionState,
    arn: &str,
    step: Step,
    now: Timestamp,
) -> Option<&'a mut RecoveryPoint> {
    let point = state.points.get(arn).filter(|point| point.is_due(step, now))?;
    if let Some(later) = fate::put_off(state.held(point), state.work_on(point).is_some(), now) {
        state.points.put_off(arn, step, later);
        return None;
    }
    state.points.get_mut(arn)
}

/// A deletion ends. It fails when the role that made the point is gone or lacks what it needs (AWS Backup Developer Guide,
/// "Backup deletion"): the point is EXPIRED then, there and paid for until it is deleted again.
async fn vanish(service: &Service, scope: &Scope, arn: &str) {
    let deleting = service
        .world
        .with(scope, |state| state.points.get(arn).filter(|point| point.status == Status::Deleting).cloned());
    let Some(point) = deleting else { return };
    let Err(failure) = may_delete(service, scope, &point).await else {
        service.world.with(scope, |state| state.points.remove(arn));
        return;
    };
    let now = crate::time::milliseconds(service.timeline.now());
    let expired = service.world.with(scope, |state| {
        let point = state.points.get_mut(arn)?;
        (point.status, point.status_message) = (Status::Expired, Some(failure.message));
        Some(point.clone())
    });
    if let Some(point) = expired {
        announce(service, Event::recovery_point(scope, now, &point));
    }
}

/// The role that made it must still be there and allow its deletion. A copy that came from another account was made by AWS
/// Backup's own service-linked role, which is always there.
async fn may_delete(service: &Service, scope: &Scope, point: &RecoveryPoint) -> Result<(), Failure> {
    if point.role_arn.split(':').nth(4) != Some(scope.account.as_str()) {
        return Ok(());
    }
    let id = point.arn.rsplit([':', '/']).next().unwrap_or_default();
    let backup = format!("{}/backup/{id}", point.resource_arn);
    let needed = [("dynamodb:DeleteBackup", backup.as_str())];
    role::check(service, scope, &point.role_arn, &point.job_id, &needed).await
}
