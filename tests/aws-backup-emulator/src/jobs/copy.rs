//! A copy job's life: CREATED, RUNNING, COMPLETED or FAILED. It is carried out where the source is, its copy appears where
//! the destination is.

mod permission;

use jiff::{SignedDuration, Timestamp};

use super::announce;
use crate::agenda::Task;
use crate::aws::Scope;
use crate::event::Event;
use crate::service::Service;
use crate::state::copy_job::{CopyJob, State};
use crate::state::failure::Failure;
use crate::state::recovery_point::{RecoveryPoint, Status, Storage};
use crate::state::{RegionState, Regions};

/// How long a copy job that cannot start stays CREATED (AWS Backup Developer Guide, "Backup and tag copy").
const TRIED: SignedDuration = SignedDuration::from_hours(2);
/// How often it is tried again meanwhile; no document tells, so as for backup jobs.
const TRY_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// What may become of an attempt to start.
#[derive(Debug)]
enum Attempt {
    /// The job is not waiting any more.
    Over,
    Later(Timestamp),
    Refused(Failure),
    /// Nothing stands in its way where the source is: start it.
    Go(Box<CopyJob>, Box<RecoveryPoint>),
}

pub(super) async fn start(service: &Service, scope: &Scope, id: &str) {
    let now = crate::time::milliseconds(service.timeline.now());
    match service.world.with(scope, |state| attempt(state, id, now)) {
        Attempt::Over => {}
        Attempt::Later(when) => {
            service.agenda.add(when, Task::StartCopy { scope: scope.clone(), job: id.to_owned() });
        }
        Attempt::Refused(failure) => end(service, scope, id, State::Failed, Some(failure)),
        Attempt::Go(job, source) => match permission::check(service, scope, &job, &source).await {
            Ok(()) => run(service, scope, id),
            Err(failure) => end(service, scope, id, State::Failed, Some(failure)),
        },
    }
}

/// One job per resource: while another one runs, a backup or a copy, a copy job waits.
fn attempt(state: &mut RegionState, id: &str, now: Timestamp) -> Attempt {
    let waiting = |job: &&CopyJob| job.state == State::Created && !job.starting;
    let Some(job) = state.copy_jobs.get(id).filter(waiting).cloned() else { return Attempt::Over };
    let source = match source(state, &job) {
        Ok(source) => source.clone(),
        Err(failure) => return Attempt::Refused(failure),
    };
    if state.is_busy(&job.resource_arn, id) {
        let last = job.created + TRIED;
        if now < last {
            return Attempt::Later((now + TRY_AGAIN).min(last));
        }
        let message = "There are too many copy jobs running for resource.";
        return Attempt::Refused(Failure::new("CONCURRENT_JOB", message));
    }
    if let Some(job) = state.copy_jobs.get_mut(id) {
        job.starting = true;
    }
    Attempt::Go(Box::new(job), Box::new(source))
}

/// The point that is to be copied, as long as it is there, complete and not in cold storage.
fn source<'a>(state: &'a RegionState, job: &CopyJob) -> Result<&'a RecoveryPoint, Failure> {
    let point = complete_source(state, job).filter(|point| point.storage == Storage::Warm);
    point.ok_or_else(|| no_source(job))
}

fn complete_source<'a>(state: &'a RegionState, job: &CopyJob) -> Option<&'a RecoveryPoint> {
    state.points.get(&job.source.arn).filter(|point| point.status == Status::Completed)
}

fn no_source(job: &CopyJob) -> Failure {
    let message = format!("Copy job failed. Cannot find recovery point {} to copy.", job.source.arn);
    Failure::new("RESOURCE_NOT_FOUND", message)
}

fn no_vault(job: &CopyJob) -> Failure {
    let message =
        format!("Copy job failed because backup vault {} does not exist.", job.destination.vault_arn);
    Failure::new("RESOURCE_NOT_FOUND", message)
}

/// The job runs, and its copy is there, being created.
fn run(service: &Service, scope: &Scope, id: &str) {
    let now = crate::time::milliseconds(service.timeline.now());
    let (job, copy) = match service.world.with_all(|regions| begin(regions, scope, id)) {
        None => return,
        Some(Err(failure)) => return end(service, scope, id, State::Failed, Some(failure)),
        Some(Ok(begun)) => begun,
    };
    announce(service, Event::copy_job(scope, now, &job));
    announce(service, Event::recovery_point(&job.destination.scope, now, &copy));
    let whole = SignedDuration::from_secs(i64::from(service.job_times().copy_seconds));
    let task = Task::FinishCopy { scope: scope.clone(), job: job.id };
    service.agenda.add(now + (whole - whole / 5), task);
}

/// Puts the copy into its vault; `None` when the job has ended meanwhile. The source's tags are those of this moment.
fn begin(
    regions: &mut Regions,
    scope: &Scope,
    id: &str,
) -> Option<Result<(CopyJob, RecoveryPoint), Failure>> {
    let state = regions.at(scope);
    let job = state.copy_jobs.get(id).filter(|job| job.state == State::Created)?.clone();
    let source = match source(state, &job) {
        Ok(source) => source.clone(),
        Err(failure) => return Some(Err(failure)),
    };
    let there = regions.at(&job.destination.scope);
    let Some(vault) = there.vaults.get(&job.destination.vault) else { return Some(Err(no_vault(&job))) };
    let copy = job.copy_of(&source, &vault.key);
    there.points.insert(copy.clone());
    let job = regions.at(scope).copy_jobs.get_mut(id)?;
    (job.state, job.starting) = (State::Running, false);
    (job.lifecycle, job.key_arn) = (copy.lifecycle.clone(), copy.key_arn.as_ref().map(ToString::to_string));
    Some(Ok((job.clone(), copy)))
}

/// The job has run its time: its copy is complete, unless the source has gone meanwhile.
pub(super) fn finish(service: &Service, scope: &Scope, id: &str) {
    let now = crate::time::milliseconds(service.timeline.now());
    match service.world.with_all(|regions| complete(regions, scope, id, now)) {
        None => {}
        Some(Err(failure)) => end(service, scope, id, State::Failed, Some(failure)),
        Some(Ok((there, copy))) => {
            announce(service, Event::recovery_point(&there, now, &copy));
            end(service, scope, id, State::Completed, None);
        }
    }
}

fn complete(
    regions: &mut Regions,
    scope: &Scope,
    id: &str,
    now: Timestamp,
) -> Option<Result<(Scope, RecoveryPoint), Failure>> {
    let state = regions.at(scope);
    let job = state.copy_jobs.get(id).filter(|job| job.state == State::Running)?.clone();
    if complete_source(state, &job).is_none() {
        return Some(Err(no_source(&job)));
    }
    let there = job.destination.scope.clone();
    let Some(copy) = regions.at(&there).points.get_mut(&job.recovery_point) else {
        return Some(Err(no_vault(&job)));
    };
    (copy.status, copy.completed) = (Status::Completed, Some(now));
    let copy = copy.clone();
    regions.at(&there).points.plan(&copy.arn, now);
    Some(Ok((there, copy)))
}

/// The job ends; what it had made of a copy goes, unless it completed.
pub(super) fn end(service: &Service, scope: &Scope, id: &str, how: State, failure: Option<Failure>) {
    let now = crate::time::milliseconds(service.timeline.now());
    let ended = service.world.with_all(|regions| {
        let job = regions.at(scope).copy_jobs.get_mut(id).filter(|job| !job.state.is_final())?;
        job.starting = false;
        (job.state, job.completed, job.failure) = (how, Some(now), failure);
        let job = job.clone();
        let there = regions.at(&job.destination.scope);
        there.arrivals.remove(id);
        if how != State::Completed {
            there.points.remove(&job.recovery_point);
        }
        Some(job)
    });
    if let Some(job) = ended {
        let message = job.failure.as_ref().map_or("", |failure| &failure.message);
        tracing::info!(job = %job.id, state = how.as_str(), message, "a copy job has ended");
        announce(service, Event::copy_job(scope, now, &job));
    }
}

#[cfg(test)]
mod tests;
