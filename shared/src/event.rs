//! Events: what EventBridge and its Scheduler send, read once into types that have no traps left.
//!
//! AWS Backup's events come on a best-effort basis: lost, late, doubled, out of order (AWS Backup Developer Guide,
//! "Monitoring AWS Backup events using Amazon EventBridge"). Their members differ from one kind and state to the next; the
//! types here say what every one of them has and leave the rest optional. What only informs (sizes, dates, messages) never
//! spoils an event: where it cannot be read it counts as not there. What is acted upon (ids, states, ARNs) must be right.

mod fields;
mod job;
mod own;
mod recovery_point;
mod schedule;

pub use fields::Moment;
pub use job::{BackupJob, CopyJob, JobId, JobState, RestoreJob};
pub use own::{
    CopiesContinued, CopyGivenUp, EditContinued, OwnEvent, PointCompleted, PruneBlocked, PruneContinued,
    RestoreFinished, RestoreProblem, SOURCE, SessionContinued, SessionFinished, TableCounts, TableFailure,
};
pub use recovery_point::{PointState, RecoveryPointChange};
pub use schedule::ScheduledStart;

use serde_json::{Map, Value};

use self::fields::Fields;
use crate::error::{ErrorType, Problem, Refusal};

/// The source of AWS Backup's own events.
const AWS_BACKUP: &str = "aws.backup";

/// Something that happened, as far as dynachain cares.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A backup job changed its state.
    BackupJob(Box<BackupJob>),
    /// A copy job changed its state.
    CopyJob(Box<CopyJob>),
    /// A restore job changed its state.
    RestoreJob(Box<RestoreJob>),
    /// A recovery point changed its status.
    RecoveryPoint(Box<RecoveryPointChange>),
    /// A session has come to its end.
    SessionFinished(Box<SessionFinished>),
    /// A session ran out of time and goes on in another invocation.
    SessionContinued(SessionContinued),
    /// A session has completed a point's metadata.
    PointCompleted(PointCompleted),
    /// Looking after copies goes on in another invocation.
    CopiesContinued(CopiesContinued),
    /// A run of retention ran out of time and goes on in another invocation.
    PruneContinued(PruneContinued),
    /// Edits of points ran out of time and go on in another invocation.
    EditContinued(EditContinued),
    /// An event that means nothing to dynachain.
    NotOurs(NotOurs),
}

/// An event of another source, of another kind, or about another service's resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotOurs {
    /// The event's source.
    pub source: String,
    /// The event's kind.
    pub detail_type: String,
    /// The type of the resource that it is about, when that is why it is not ours.
    pub resource_type: Option<String>,
}

/// Where an event comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The event's own id; the same when it is delivered twice.
    pub event_id: Option<String>,
    /// The account it happened in.
    pub account: Option<String>,
    /// The Region it happened in.
    pub region: Option<String>,
}

/// Whether a function's input is an EventBridge event, rather than a request. The input of a schedule is a request: see
/// [`ScheduledStart`].
pub fn is_envelope(input: &Value) -> bool {
    input.get("detail-type").is_some() && input.get("source").is_some()
}

/// Reads an EventBridge event.
///
/// # Errors
/// `InvalidRequest`, with every problem at its JSON path, when a member that matters is missing or malformed.
pub fn parse(input: &Value) -> Result<Event, Refusal> {
    let Value::Object(members) = input else {
        return Err(Refusal::new(ErrorType::InvalidRequest, "is not an object"));
    };
    let mut problems = Vec::new();
    let event = envelope(members, &mut problems);
    let refusal = Refusal::of(ErrorType::InvalidRequest, problems);
    match (event, refusal) {
        (Some(event), None) => Ok(event),
        (_, Some(refusal)) => Err(refusal),
        (None, None) => Err(Refusal::new(ErrorType::InvalidRequest, "is not a readable event")),
    }
}

fn envelope(members: &Map<String, Value>, problems: &mut Vec<Problem>) -> Option<Event> {
    let mut outer = Fields::new("$", members, problems);
    let source = outer.required_text("source")?;
    let detail_type = outer.required_text("detail-type")?;
    let not_ours = |resource_type: Option<&str>| {
        Event::NotOurs(NotOurs {
            source: source.to_owned(),
            detail_type: detail_type.to_owned(),
            resource_type: resource_type.map(str::to_owned),
        })
    };
    if !is_ours(source, detail_type) {
        return Some(not_ours(None));
    }
    let detail = outer.required_object("detail")?;
    if source == SOURCE {
        return own::read(detail_type, detail, problems);
    }
    let resource_type = detail.get("resourceType").and_then(Value::as_str);
    if resource_type.is_some_and(|kind| kind != "DynamoDB") {
        return Some(not_ours(resource_type));
    }
    let origin = outer.origin();
    let resource = outer.first_resource();
    let mut detail = Fields::new("$.detail", detail, problems);
    match detail_type {
        job::BACKUP => job::backup(origin, resource, &mut detail).map(|job| Event::BackupJob(Box::new(job))),
        job::COPY => job::copy(origin, resource, &mut detail).map(|job| Event::CopyJob(Box::new(job))),
        job::RESTORE => {
            job::restore(origin, resource, &mut detail).map(|job| Event::RestoreJob(Box::new(job)))
        }
        _ => recovery_point::change(origin, resource, &mut detail)
            .map(|change| Event::RecoveryPoint(Box::new(change))),
    }
}

fn is_ours(source: &str, detail_type: &str) -> bool {
    match source {
        SOURCE => own::RECEIVED.contains(&detail_type),
        AWS_BACKUP => {
            [job::BACKUP, job::COPY, job::RESTORE].contains(&detail_type)
                || recovery_point::DETAIL_TYPES.contains(&detail_type)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
