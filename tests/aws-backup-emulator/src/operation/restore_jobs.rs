//! Restore jobs: accepted here, carried out in [`crate::jobs`].

mod metadata;
mod request;

use serde_json::{Value, json};

use self::request::{Accepted, StartInput};
use super::job_list::{self, Common};
use super::recovery_points::is_arn;
use super::vaults::is_account;
use crate::agenda::Task;
use crate::event::Event;
use crate::http::{ApiError, Call};
use crate::jobs::announce;
use crate::state::RegionState;
use crate::state::recovery_point::{RecoveryPoint, Status};
use crate::state::restore_job::RestoreJob;

const STATES: [&str; 5] = ["PENDING", "RUNNING", "COMPLETED", "ABORTED", "FAILED"];

/// What is restored.
pub(super) fn point(call: &Call) -> Result<String, ApiError> {
    let input: StartInput = call.body()?;
    input.recovery_point_arn.ok_or_else(|| ApiError::missing_parameter("RecoveryPointArn"))
}

pub(super) async fn start(call: &Call) -> Result<Value, ApiError> {
    let input: StartInput = call.body()?;
    let accepted = input.accept(&call.scope)?;
    call.authorize_passing(&accepted.role_arn).await?;
    let (job, new) = call.state(|state| insert(state, call, accepted))?;
    if new {
        let task = Task::StartRestore { scope: call.scope.clone(), job: job.id.clone() };
        announce(&call.service, Event::restore_job_created(&call.scope, job.created, &job));
        announce(&call.service, Event::restore_job(&call.scope, job.created, &job));
        call.service.agenda.add(job.created + job.duration.pending, task);
    }
    Ok(json!({ "RestoreJobId": job.id }))
}

/// A new job, or the one that the same token made before.
fn insert(state: &mut RegionState, call: &Call, accepted: Accepted) -> Result<(RestoreJob, bool), ApiError> {
    let token = accepted.token.clone();
    let known = token.as_ref().and_then(|token| state.restore_tokens.get(token));
    if let Some(job) = known.and_then(|id| state.restore_jobs.get(id)) {
        return Ok((job.clone(), false));
    }
    let arn = &accepted.recovery_point;
    let Some(point) = state.points.get(arn) else {
        return Err(ApiError::not_found(format!("Recovery point {arn} does not exist.")));
    };
    restorable(arn, point.status)?;
    holds_table(point)?;
    let mut job = accepted.into_job(call.now(), call.service.job_times().restore_seconds, point);
    job.ending = call.service.faults.ending(call.operation.name, &call.caller);
    if let Some(token) = token {
        state.restore_tokens.insert(token, job.id.clone());
    }
    state.restore_jobs.insert(job.id.clone(), job.clone());
    Ok((job, true))
}

/// Only what is whole, and is to stay, is restored.
fn restorable(arn: &str, status: Status) -> Result<(), ApiError> {
    if status == Status::Completed {
        return Ok(());
    }
    let message = format!("Recovery point {arn} is {} and cannot be restored.", status.as_str());
    Err(ApiError::invalid_request(message))
}

/// Nothing comes of a point that was made without a backup.
fn holds_table(point: &RecoveryPoint) -> Result<(), ApiError> {
    if !point.snapshot.is_hollow() {
        return Ok(());
    }
    let arn = &point.arn;
    let message =
        format!("Recovery point {arn} was made by the control endpoint: it holds no table to restore.");
    Err(ApiError::invalid_request(message))
}

pub(super) async fn describe(call: &Call) -> Result<Value, ApiError> {
    with_job(call, |job| job.describe(&call.scope.account))
}

/// What the job was started with.
pub(super) async fn metadata(call: &Call) -> Result<Value, ApiError> {
    with_job(call, |job| json!({ "RestoreJobId": job.id, "Metadata": job.metadata }))
}

fn with_job(call: &Call, describe: impl FnOnce(&RestoreJob) -> Value) -> Result<Value, ApiError> {
    let id = call.part("restoreJobId")?;
    call.state(|state| {
        let job = state.restore_jobs.get(&id.to_uppercase());
        job.map(describe).ok_or_else(|| ApiError::not_found(format!("Restore job {id} does not exist.")))
    })
}

pub(super) async fn list(call: &Call) -> Result<Value, ApiError> {
    let page = call.page()?;
    let filter = Filter::of(call)?;
    call.state(|state| {
        let jobs = state.restore_jobs.values().filter(|job| filter.wants(job));
        let describe = |job: &RestoreJob| job.describe(&call.scope.account);
        Ok(job_list::page(&page, "RestoreJobs", jobs, |job| (job.created, &job.id), describe))
    })
}

/// Which jobs a list is to give.
struct Filter<'a> {
    state: Option<&'a str>,
    common: Common,
    /// No job can be wanted: no testing plan has made any.
    none: bool,
}

impl<'a> Filter<'a> {
    fn of(call: &'a Call) -> Result<Self, ApiError> {
        let common = Common::of(call, is_account)?;
        let plan = call.checked("restoreTestingPlanArn", is_arn)?;
        Ok(Self {
            state: call.checked("status", |text| STATES.contains(&text))?,
            common,
            none: plan.is_some(),
        })
    }

    fn wants(&self, job: &RestoreJob) -> bool {
        !self.none
            && self.state.is_none_or(|state| job.state.as_str() == state)
            && self.common.holds(job.created, job.completed)
    }
}

#[cfg(test)]
mod tests;
