//! A copy job's life: CREATED, RUNNING, COMPLETED or FAILED. It is carried out where the source is, its copy appears where
//! the destination is.

mod permission;

use jiff::{SignedDuration, Timestamp};

use super::announce;
use crate::agenda::Task;
use crate::aws::Scope;
use crate::event::Event;
use crate::faults::{End, Ending};
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
    let task = Task::StartCopy { scope: scope.clone(), job: id.to_owned() };
    if !destination_is_on(service, &task) {
        return;
    }
    let now = crate::time::milliseconds(service.timeline.now());
    match service.world.with(scope, |state| attempt(state, id, now)) {
        Attempt::Over => {}
        Attempt::Later(when) => service.agenda.add(when, task),
        Attempt::Refused(failure) => end(service, scope, id, State::Failed, Some(failure)),
        Attempt::Go(job, source) => match permission::check(service, scope, &job, &source).await {
            Ok(()) => run(service, scope, id),
            // One of the two Regions has gone off meanwhile: tried again when it is back.
            Err(_) if is_off(service, scope, &job) => wait(service, now, task),
            Err(failure) => end(service, scope, id, State::Failed, Some(failure)),
        },
    }
}

/// A copy needs both Regions. Its own one is on when a task is done; while the destination's is off, the task is put off.
fn destination_is_on(service: &Service, task: &Task) -> bool {
    let (Task::StartCopy { scope, job } | Task::FinishCopy { scope, job }) = task else { return true };
    let region = service
        .world
        .with(scope, |state| state.copy_jobs.get(job).map(|job| job.destination.scope.region.clone()));
    region.is_none_or(|region| service.agenda.put_off(&region, task.clone()).is_err())
}

fn is_off(service: &Service, scope: &Scope, job: &CopyJob) -> bool {
    service.agenda.holds(&scope.region) || service.agenda.holds(&job.destination.scope.region)
}

/// An attempt to start that came to nothing is made again.
fn wait(service: &Service, now: Timestamp, task: Task) {
    if let Task::StartCopy { scope, job } = &task {
        service.world.with(scope, |state| {
            if let Some(job) = state.copy_jobs.get_mut(job) {
                job.starting = false;
            }
        });
    }
    service.agenda.add(now, task);
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
    // It may have been locked, or filled up, since the job was allowed to start.
    let points = there.points.count_in(&vault.name);
    if let Err(failure) = vault.admit("Copy", copy.lifecycle.as_ref(), points) {
        return Some(Err(failure));
    }
    there.points.insert(copy.clone());
    let job = regions.at(scope).copy_jobs.get_mut(id)?;
    (job.state, job.starting) = (State::Running, false);
    (job.lifecycle, job.key_arn) = (copy.lifecycle.clone(), copy.key_arn.as_ref().map(ToString::to_string));
    Some(Ok((job.clone(), copy)))
}

/// The job has run its time: its copy is complete, unless the source has gone meanwhile, or a fault has the job end otherwise.
pub(super) fn finish(service: &Service, scope: &Scope, id: &str) {
    let task = Task::FinishCopy { scope: scope.clone(), job: id.to_owned() };
    if !destination_is_on(service, &task) {
        return;
    }
    let now = crate::time::milliseconds(service.timeline.now());
    match service.world.with_all(|regions| complete(regions, scope, id, now)) {
        None => {}
        Some(Err(failure)) => end(service, scope, id, State::Failed, Some(failure)),
        Some(Ok(Made { copy, there, how, failure })) => {
            announce(service, Event::recovery_point(&there, now, &copy));
            end(service, scope, id, how, failure);
        }
    }
}

/// What a job has made when it has run its time.
#[derive(Debug)]
struct Made {
    copy: RecoveryPoint,
    there: Scope,
    how: State,
    failure: Option<Failure>,
}

fn complete(regions: &mut Regions, scope: &Scope, id: &str, now: Timestamp) -> Option<Result<Made, Failure>> {
    let state = regions.at(scope);
    let job = state.copy_jobs.get(id).filter(|job| job.state == State::Running)?.clone();
    if complete_source(state, &job).is_none() {
        return Some(Err(no_source(&job)));
    }
    let (how, status, failure) = match job.ending.clone() {
        None => (State::Completed, Status::Completed, None),
        Some(Ending { end: End::Partial, failure }) => (State::Partial, Status::Partial, Some(failure)),
        Some(Ending { failure, .. }) => return Some(Err(failure)),
    };
    let there = job.destination.scope.clone();
    let points = &mut regions.at(&there).points;
    let Some(copy) = points.get_mut(&job.recovery_point) else {
        return Some(Err(no_vault(&job)));
    };
    (copy.status, copy.completed) = (status, Some(now));
    let copy = copy.clone();
    points.plan(&copy.arn, now);
    Some(Ok(Made { copy, there, how, failure }))
}

/// The job ends; what it had made of a copy goes, unless it completed at least in part.
pub(super) fn end(service: &Service, scope: &Scope, id: &str, how: State, failure: Option<Failure>) {
    let now = crate::time::milliseconds(service.timeline.now());
    let ended = service.world.with_all(|regions| {
        let job = regions.at(scope).copy_jobs.get_mut(id).filter(|job| !job.state.is_final())?;
        job.starting = false;
        (job.state, job.completed, job.failure) = (how, Some(now), failure);
        let job = job.clone();
        let there = regions.at(&job.destination.scope);
        there.arrivals.remove(id);
        if !matches!(how, State::Completed | State::Partial) {
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
