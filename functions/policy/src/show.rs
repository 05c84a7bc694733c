//! `show`: one policy with its document, its schedules and its next occurrences.

use dynachain::error::Refusal;
use dynachain::id::PolicyName;
use dynachain::policy::Document;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::change::{Occurrence, upcoming};
use crate::{Deps, not_found, schedules};

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Shown {
    policy: PolicyName,
    id: Uuid,
    version: u64,
    enabled: bool,
    applied_at: Timestamp,
    /// Null while the policy is disabled.
    enabled_at: Option<Timestamp>,
    /// In its canonical form, which can be applied again as it is.
    document: Document,
    schedules: Vec<Schedule>,
    occurrences: Vec<Occurrence>,
}

/// A schedule as EventBridge Scheduler has it.
#[derive(Clone, Debug, Serialize)]
struct Schedule {
    name: String,
    expression: String,
    timezone: String,
    enabled: bool,
}

pub(crate) async fn run(deps: &Deps, name: &PolicyName) -> Result<Shown, Refusal> {
    let stored = deps.catalog.policies().get(name).await?.ok_or_else(|| not_found("show", name))?;
    let schedules = schedules::existing(deps, name).await?.into_iter().map(|wake| Schedule {
        name: wake.name,
        expression: wake.expression,
        timezone: wake.timezone,
        enabled: wake.enabled,
    });
    Ok(Shown {
        schedules: schedules.collect(),
        occurrences: upcoming(&stored.document, deps.now().await?),
        enabled: stored.is_enabled(),
        policy: stored.name,
        id: stored.id,
        version: stored.version,
        applied_at: stored.applied_at,
        enabled_at: stored.enabled_at,
        document: stored.document,
    })
}
