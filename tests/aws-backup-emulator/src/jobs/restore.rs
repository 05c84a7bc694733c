//! A restore job's life: PENDING, RUNNING, COMPLETED, or one of the other ends.

mod encryption;

use std::sync::Arc;

use self::encryption::{Original, advanced, choose};
use super::{announce, role};
use crate::agenda::Task;
use crate::aws::keys;
use crate::aws::restored_table::{self, RestoreError, TableKey};
use crate::aws::{Clients, Scope};
use crate::event::Event;
use crate::faults::{End, Ending};
use crate::service::Service;
use crate::state::RegionState;
use crate::state::failure::Failure;
use crate::state::recovery_point::{RecoveryPoint, Status};
use crate::state::restore_job::{Making, RestoreJob, State};

/// Restores that may run at once (DynamoDB Developer Guide, "Quotas in Amazon DynamoDB").
const AT_ONCE: usize = 50;

/// What may become of an attempt to start.
enum Attempt {
    /// The job is not waiting any more.
    Over,
    End(State, Failure),
    /// Nothing stands in its way: restore this point.
    Go(Box<RestoreJob>, Box<RecoveryPoint>),
}

pub(super) async fn start(service: &Service, scope: &Scope, id: &str) {
    match service.world.with(scope, |state| attempt(state, id)) {
        Attempt::Over => {}
        Attempt::End(how, failure) => end(service, scope, id, how, Some(failure)).await,
        Attempt::Go(job, point) => match make(service, scope, &job, &point).await {
            Ok(making) => run(service, scope, &job, making).await,
            // The Region has gone off meanwhile: tried again when it is back.
            Err(_) if service.agenda.holds(&scope.region) => wait(service, scope, id),
            Err(failure) => end(service, scope, id, State::Failed, Some(failure)).await,
        },
    }
}

/// An attempt to start that came to nothing is made again.
fn wait(service: &Service, scope: &Scope, id: &str) {
    service.world.with(scope, |state| {
        if let Some(job) = state.restore_jobs.get_mut(id) {
            job.starting = false;
        }
    });
    let task = Task::StartRestore { scope: scope.clone(), job: id.to_owned() };
    service.agenda.add(service.timeline.now(), task);
}

fn attempt(state: &mut RegionState, id: &str) -> Attempt {
    let active = state.restore_jobs.values().filter(|job| job.is_active()).count();
    let Some(job) = state.restore_jobs.get_mut(id).filter(|job| job.state == State::Pending && !job.starting)
    else {
        return Attempt::Over;
    };
    if active >= AT_ONCE {
        let message = format!(
            "Subscriber limit exceeded: There is a limit of {AT_ONCE} concurrent table restores per account."
        );
        return Attempt::End(State::Failed, Failure::new("LIMIT_EXCEEDED", message));
    }
    let point = state.points.get(&job.recovery_point).filter(|point| point.status == Status::Completed);
    let Some(point) = point else {
        let message = "Restore job was aborted because its recovery point is not available any more.";
        return Attempt::End(State::Aborted, Failure::new("RESOURCE_NOT_FOUND", message));
    };
    job.starting = true;
    Attempt::Go(Box::new(job.clone()), Box::new(point.clone()))
}

/// Makes the table, empty and not to be used yet. It may be there already, from an attempt that the Region's going off has cut
/// short.
async fn make(
    service: &Service,
    scope: &Scope,
    job: &RestoreJob,
    point: &RecoveryPoint,
) -> Result<Making, Failure> {
    let making = match &job.making {
        Some(making) => making.clone(),
        None => create(service, scope, job, point).await?,
    };
    let made = service.aws.set_table_status("CREATING", &target_arn(scope, job)).await;
    made.map(|()| making).map_err(|why| no_answer(&why))
}

/// From now on the job knows its table, and takes it along when it does not complete.
async fn create(
    service: &Service,
    scope: &Scope,
    job: &RestoreJob,
    point: &RecoveryPoint,
) -> Result<Making, Failure> {
    let key = permitted(service, scope, job, point).await?;
    let client = service.aws.clients(scope).dynamodb;
    let made = restored_table::create(&client, &job.target, &point.snapshot.table, &key).await;
    let table_id = made.map_err(|error| failure(error, &job.target))?;
    let key_arn = key.customer().map(str::to_owned);
    let making = Making { table_id, snapshot: Arc::clone(&point.snapshot), key_arn };
    service.world.with(scope, |state| {
        if let Some(job) = state.restore_jobs.get_mut(&job.id).filter(|job| !job.state.is_final()) {
            job.making = Some(making.clone());
        }
    });
    Ok(making)
}

/// The key that the table is to have, when the passed role may restore with it and the keys can be used.
async fn permitted(
    service: &Service,
    scope: &Scope,
    job: &RestoreJob,
    point: &RecoveryPoint,
) -> Result<TableKey, Failure> {
    if job.copy_tags {
        let message = "Restore job failed because tags cannot be copied to a restored DynamoDB table.";
        return Err(Failure::new("UNSUPPORTED_OPERATION", message));
    }
    let original = Original {
        recovery_point: &job.recovery_point,
        resource_arn: &job.resource_arn,
        table: &point.snapshot.table,
    };
    let key = choose(&job.encryption, original, scope)?;
    // A vault's own key opens what it holds.
    let vault_key = point.key_arn.as_deref().filter(|_| point.key_kind.is_some());
    let target = target_arn(scope, job);
    let needed = needed(&job.recovery_point, &target, key.customer(), vault_key);
    role::check(service, scope, &job.role_arn, &job.id, &needed).await?;
    let clients = service.aws.clients(scope);
    for arn in [key.customer(), vault_key].into_iter().flatten() {
        usable(&clients, arn).await?;
    }
    Ok(key)
}

fn target_arn(scope: &Scope, job: &RestoreJob) -> String {
    scope.arn("dynamodb", &format!("table/{}", job.target))
}

/// What a restore does to the new table (AWS Managed Policy Reference, `AWSBackupServiceRolePolicyForRestores`).
const ON_TABLE: [&str; 8] = [
    "dynamodb:Scan",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "dynamodb:PutItem",
    "dynamodb:GetItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DescribeTable",
];
/// What it does with the new table's key (DynamoDB Developer Guide, "Authorizing use of your customer managed key").
const ON_KEY: [&str; 8] = [
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];

/// What a restore does as its role, on what.
fn needed<'a>(
    recovery_point: &'a str,
    target: &'a str,
    key: Option<&'a str>,
    vault_key: Option<&'a str>,
) -> Vec<(&'static str, &'a str)> {
    let restore = if advanced(recovery_point) {
        ("dynamodb:RestoreTableFromAwsBackup", target)
    } else {
        ("dynamodb:RestoreTableFromBackup", recovery_point)
    };
    let mut needed = vec![restore];
    needed.extend(ON_TABLE.map(|action| (action, target)));
    needed.extend(key.into_iter().flat_map(|key| ON_KEY.map(|action| (action, key))));
    needed.extend(vault_key.into_iter().flat_map(|key| [("kms:DescribeKey", key), ("kms:Decrypt", key)]));
    needed
}

async fn usable(clients: &Clients, arn: &str) -> Result<(), Failure> {
    if keys::usable(&clients.kms, arn).await.map_err(|why| no_answer(&why))? {
        return Ok(());
    }
    let message = "KMS key is either disabled or pending deletion or access to KMS key is denied";
    Err(Failure::new("KMS_KEY_ERROR", message))
}

fn failure(error: RestoreError, table: &str) -> Failure {
    match error {
        RestoreError::Exists => Failure::new("MISCELLANEOUS", format!("Table already exists: {table}")),
        RestoreError::Gone => Failure::new("RESOURCE_NOT_FOUND", "Table not found."),
        RestoreError::Failed(why) => no_answer(&why),
    }
}

fn no_answer(why: &str) -> Failure {
    Failure::new("FATAL_ERROR", format!("The local AWS did not answer: {why}"))
}

/// The job runs, and its table is there, being created.
async fn run(service: &Service, scope: &Scope, job: &RestoreJob, making: Making) {
    let now = crate::time::milliseconds(service.timeline.now());
    let changed = service.world.with(scope, |state| {
        let job = state.restore_jobs.get_mut(&job.id).filter(|job| job.state == State::Pending)?;
        job.starting = false;
        job.state = State::Running;
        job.created_resource = Some(target_arn(scope, job));
        Some(job.clone())
    });
    let Some(job) = changed else {
        // It has been ended while its table was being made.
        return discard(service, scope, job, &making).await;
    };
    announce(service, Event::restore_job(scope, now, &job));
    let task = Task::FinishRestore { scope: scope.clone(), job: job.id };
    service.agenda.add(now + job.duration.running, task);
}

/// The job has run its time: its table is filled and can be used, unless a fault has the job end otherwise.
pub(super) async fn finish(service: &Service, scope: &Scope, id: &str) {
    let running = service.world.with(scope, |state| {
        let job = state.restore_jobs.get(id).filter(|job| job.state == State::Running)?;
        Some((job.clone(), job.making.clone()?))
    });
    let Some((job, making)) = running else { return };
    if let Some(Ending { end: how, failure }) = job.ending {
        return end(service, scope, id, state_of(how), Some(failure)).await;
    }
    match fill(service, scope, &job, &making).await {
        Ok(()) => end(service, scope, id, State::Completed, None).await,
        // The Region has gone off meanwhile: done again when it is back.
        Err(_) if service.agenda.holds(&scope.region) => {
            let task = Task::FinishRestore { scope: scope.clone(), job: job.id };
            service.agenda.add(service.timeline.now(), task);
        }
        Err(failure) => end(service, scope, id, State::Failed, Some(failure)).await,
    }
}

/// Restore jobs neither expire nor complete in part: no fault makes them.
fn state_of(how: End) -> State {
    match how {
        End::Aborted => State::Aborted,
        End::Failed | End::Expired | End::Partial => State::Failed,
    }
}

async fn fill(service: &Service, scope: &Scope, job: &RestoreJob, making: &Making) -> Result<(), Failure> {
    let clients = service.aws.clients(scope);
    if let Some(arn) = &making.key_arn {
        usable(&clients, arn).await?;
    }
    let failed = |error| failure(error, &job.target);
    if restored_table::id(&clients.dynamodb, &job.target).await.map_err(failed)? != making.table_id {
        let message = format!("Table {} is not the one that the restore job has created.", job.target);
        return Err(Failure::new("MISCELLANEOUS", message));
    }
    restored_table::load(&clients.dynamodb, &job.target, &making.snapshot.items).await.map_err(failed)?;
    let target = target_arn(scope, job);
    service.aws.set_table_status("ACTIVE", &target).await.map_err(|why| no_answer(&why))
}

/// The job ends, whatever it was at. What it had made of a table goes, unless it completed.
pub(super) async fn end(service: &Service, scope: &Scope, id: &str, how: State, failure: Option<Failure>) {
    let now = crate::time::milliseconds(service.timeline.now());
    let ended = service.world.with(scope, |state| {
        let job = state.restore_jobs.get_mut(id).filter(|job| !job.state.is_final())?;
        (job.state, job.completed, job.failure) = (how, Some(now), failure);
        job.starting = false;
        let making = job.making.take();
        if how == State::Completed {
            if let Some(point) = state.points.get_mut(&job.recovery_point) {
                point.last_restored = Some(now);
            }
        } else {
            job.created_resource = None;
        }
        Some((job.clone(), making))
    });
    let Some((job, making)) = ended else { return };
    if let Some(making) = making.filter(|_| how != State::Completed) {
        discard(service, scope, &job, &making).await;
    }
    let message = job.failure.as_ref().map_or("", |failure| &failure.message);
    tracing::info!(job = %job.id, state = how.as_str(), message, "a restore job has ended");
    announce(service, Event::restore_job(scope, now, &job));
}

/// Deletes the job's table, and nobody else's.
async fn discard(service: &Service, scope: &Scope, job: &RestoreJob, making: &Making) {
    if let Err(error) = delete(service, scope, job, making).await {
        tracing::warn!(table = %job.target, ?error, "the table of a restore that did not complete is left over");
    }
}

async fn delete(
    service: &Service,
    scope: &Scope,
    job: &RestoreJob,
    making: &Making,
) -> Result<(), RestoreError> {
    let client = service.aws.clients(scope).dynamodb;
    match restored_table::id(&client, &job.target).await {
        Ok(id) if id == making.table_id => {}
        Ok(_) | Err(RestoreError::Gone) => return Ok(()),
        Err(error) => return Err(error),
    }
    // A table cannot be deleted while it is being created.
    let target = target_arn(scope, job);
    service.aws.set_table_status("ACTIVE", &target).await.map_err(RestoreError::Failed)?;
    restored_table::delete(&client, &job.target).await
}

#[cfg(test)]
mod tests;
