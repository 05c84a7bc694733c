//! `delete`: a policy and its schedules go, its restore points stay.

use dynachain::error::Refusal;
use dynachain::id::{PolicyName, RecoveryPointArn};
use serde::Serialize;
use uuid::Uuid;

use crate::schedules::{self, ScheduleChanges};
use crate::{Deps, LIMIT, not_found, overtaken, points};

const REMAINS: &str = "The policy's restore points stay, in this vault and in those it copied to. Each carries its own \
    retention and lives as long as that says; retention goes on removing them without the policy.";

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Deleted {
    policy: PolicyName,
    /// Null when only schedules were left of the policy.
    id: Option<Uuid>,
    version: Option<u64>,
    dry_run: bool,
    schedules: ScheduleChanges,
    /// The restore points in this Region that remain; the list is cut, and the count covers the whole.
    points: Vec<RecoveryPointArn>,
    points_count: usize,
    message: &'static str,
}

/// The document goes first, so that no session starts any more; a repeat removes what schedules are left.
pub(crate) async fn run(deps: &Deps, name: &PolicyName, dry_run: bool) -> Result<Deleted, Refusal> {
    let stored = deps.catalog.policies().get(name).await?;
    let (mut remaining, mut points_count) = (Vec::new(), 0);
    if let Some(stored) = &stored {
        points::each_of(deps, stored.id, |point, _| {
            points_count += 1;
            if remaining.len() < LIMIT {
                remaining.push(point);
            }
        })
        .await?;
    }
    let schedules = if dry_run {
        schedules::plan(deps, name, None).await?
    } else {
        if let Some(stored) = &stored {
            match deps.catalog.policies().delete(stored).await {
                Err(error) if error.is_condition_failed() => return Err(overtaken(name)),
                deleted => deleted?,
            }
            tracing::info!(policy = %name, id = %stored.id, version = stored.version, "policy deleted");
        }
        let done = format!("policy {name} is deleted, but not all its schedules are");
        schedules::settle(deps, name, &done, "delete it once more").await?
    };
    if stored.is_none() && schedules.is_empty() {
        return Err(not_found("delete", name));
    }
    Ok(Deleted {
        policy: name.clone(),
        id: stored.as_ref().map(|stored| stored.id),
        version: stored.as_ref().map(|stored| stored.version),
        dry_run,
        schedules,
        points: remaining,
        points_count,
        message: REMAINS,
    })
}
