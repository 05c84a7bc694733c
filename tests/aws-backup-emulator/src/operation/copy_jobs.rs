//! Copy jobs: accepted here, carried out in [`crate::jobs`].

mod filter;
mod request;

use jiff::SignedDuration;
use serde_json::{Value, json};

use self::filter::Filter;
use self::request::{Accepted, StartInput};
use super::job_list;
use crate::agenda::Task;
use crate::event::Event;
use crate::http::{ApiError, Call};
use crate::jobs::announce;
use crate::state::arrivals::Arrival;
use crate::state::copy_job::CopyJob;
use crate::state::{RegionState, Regions};

/// What is copied.
pub(super) fn point(call: &Call) -> Result<String, ApiError> {
    let input: StartInput = call.body()?;
    input.recovery_point_arn.ok_or_else(|| ApiError::missing_parameter("RecoveryPointArn"))
}

pub(super) async fn start(call: &Call) -> Result<Value, ApiError> {
    let input: StartInput = call.body()?;
    let accepted = input.accept(&call.scope)?;
    call.authorize_passing(&accepted.role_arn).await?;
    let most = call.service.quotas().concurrent_copies;
    let (job, new) = call.service.world.with_all(|regions| insert(regions, call, accepted, most))?;
    if new {
        let times = call.service.job_times();
        let waiting = SignedDuration::from_secs(i64::from(times.copy_seconds)) / 5;
        announce(&call.service, Event::copy_job(&call.scope, job.created, &job));
        let task = Task::StartCopy { scope: call.scope.clone(), job: job.id.clone() };
        call.service.agenda.add(job.created + waiting, task);
    }
    Ok(json!({
        "CopyJobId": job.id,
        "CreationDate": crate::time::epoch(job.created),
        "IsParent": false,
    }))
}

/// A new job, or the one that the same token made before.
fn insert(
    regions: &mut Regions,
    call: &Call,
    accepted: Accepted,
    most: usize,
) -> Result<(CopyJob, bool), ApiError> {
    let state = regions.at(&call.scope);
    let token = accepted.token.clone();
    let known = token.as_ref().and_then(|token| state.copy_tokens.get(token));
    if let Some(job) = known.and_then(|id| state.copy_jobs.get(id)) {
        return Ok((job.clone(), false));
    }
    let mut job = accepted.into_job(state, call.now())?;
    let arrival = Arrival {
        vault: job.destination.vault.clone(),
        resource_arn: job.resource_arn.clone(),
        from_another_account: job.destination.scope.account != call.scope.account,
    };
    let arrivals = &mut regions.at(&job.destination.scope).arrivals;
    arrivals.add(&job.id, arrival, most).map_err(ApiError::limit_exceeded)?;
    job.ending = call.service.faults.ending(call.operation.name, &call.caller);
    let state = regions.at(&call.scope);
    if let Some(token) = token {
        state.copy_tokens.insert(token, job.id.clone());
    }
    state.copy_jobs.insert(job.id.clone(), job.clone());
    Ok((job, true))
}

pub(super) async fn describe(call: &Call) -> Result<Value, ApiError> {
    let id = call.part("copyJobId")?;
    call.state(|state| Ok(json!({ "CopyJob": job(state, id)?.describe(&call.scope.account) })))
}

fn job<'a>(state: &'a RegionState, id: &str) -> Result<&'a CopyJob, ApiError> {
    let job = state.copy_jobs.get(&id.to_uppercase());
    job.ok_or_else(|| ApiError::not_found(format!("Copy job {id} does not exist.")))
}

pub(super) async fn list(call: &Call) -> Result<Value, ApiError> {
    let page = call.page()?;
    let filter = Filter::of(call)?;
    call.state(|state| {
        let jobs = state.copy_jobs.values().filter(|job| filter.wants(job));
        let describe = |job: &CopyJob| job.describe(&call.scope.account);
        Ok(job_list::page(&page, "CopyJobs", jobs, |job| (job.created, &job.id), describe))
    })
}
