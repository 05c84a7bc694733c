//! Lifecycles: as requests give them, and `UpdateRecoveryPointLifecycle`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::recovery_points::{find, named};
use crate::http::{ApiError, Call};
use crate::state::RegionState;
use crate::state::recovery_point::{Lifecycle, RecoveryPoint, Status, Storage};

/// A lifecycle as requests give it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct LifecycleInput {
    move_to_cold_storage_after_days: Option<i64>,
    delete_after_days: Option<i64>,
    delete_after_event: Option<String>,
    /// Not for DynamoDB; but a value of another type cannot be read.
    #[serde(rename = "OptInToArchiveForSupportedResources")]
    _archive: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateInput {
    lifecycle: Option<LifecycleInput>,
}

impl LifecycleInput {
    /// `None`: kept for ever, which -1 and no value at all both mean.
    pub(super) fn accept(self) -> Result<Option<Lifecycle>, ApiError> {
        if self.delete_after_event.is_some() {
            return refuse("Lifecycle.DeleteAfterEvent cannot be set.");
        }
        let days = |value: Option<i64>, name: &str| match value {
            None | Some(-1) => Ok(None),
            Some(days) if days >= 1 => Ok(Some(days)),
            Some(days) => refuse(format!("Invalid lifecycle: {name} must be -1 or at least 1, not {days}.")),
        };
        let cold_after = days(self.move_to_cold_storage_after_days, "MoveToColdStorageAfterDays")?;
        let delete_after = days(self.delete_after_days, "DeleteAfterDays")?;
        match (cold_after, delete_after) {
            (Some(cold), Some(delete)) if delete < cold.saturating_add(90) => refuse(
                "Invalid lifecycle: DeleteAfterDays must be at least 90 days greater than MoveToColdStorageAfterDays.",
            ),
            (None, None) => Ok(None),
            (cold_after, delete_after) => Ok(Some(Lifecycle { cold_after, delete_after })),
        }
    }
}

fn refuse<T>(message: impl Into<String>) -> Result<T, ApiError> {
    Err(ApiError::invalid_parameter(message))
}

/// What was there is replaced as a whole: what the request leaves out is null afterwards.
pub(super) async fn update(call: &Call) -> Result<Value, ApiError> {
    let named = named(call)?;
    let lifecycle = call.body::<UpdateInput>()?.lifecycle.unwrap_or_default().accept()?;
    let now = call.now();
    let answer = call.state(|state| {
        let lifecycle = allowed(state, named, lifecycle)?;
        let Some(point) = state.points.get_mut(named.1) else { return Ok(Value::Null) };
        point.lifecycle = lifecycle;
        let answer = answer(point);
        state.points.plan(named.1, now);
        Ok(answer)
    })?;
    // What is due next may have come nearer.
    call.service.timeline.poke();
    Ok(answer)
}

/// The lifecycle that the point gets, if it may have another one.
fn allowed(
    state: &RegionState,
    (name, arn): (&str, &str),
    lifecycle: Option<Lifecycle>,
) -> Result<Option<Lifecycle>, ApiError> {
    let (vault, point) = find(state, (name, arn))?;
    if vault.lock.is_some() {
        let message = format!(
            "The lifecycle of recovery point {arn} cannot be updated because the backup vault {name} is locked."
        );
        return Err(ApiError::invalid_request(message));
    }
    if point.status != Status::Completed {
        let status = point.status.as_str();
        let message = format!("Recovery point {arn} is {status} and its lifecycle cannot be updated.");
        return Err(ApiError::invalid_request(message));
    }
    let lifecycle = lifecycle.map(|lifecycle| lifecycle.of_point(arn));
    let cold_after = |lifecycle: Option<&Lifecycle>| lifecycle.and_then(|lifecycle| lifecycle.cold_after);
    if point.storage == Storage::Cold
        && cold_after(point.lifecycle.as_ref()) != cold_after(lifecycle.as_ref())
    {
        return refuse(
            "Invalid lifecycle: MoveToColdStorageAfterDays cannot be changed after the recovery point has been \
             transitioned to cold storage.",
        );
    }
    Ok(lifecycle)
}

fn answer(point: &RecoveryPoint) -> Value {
    let lifecycle = point.lifecycle.clone().unwrap_or_default();
    json!({
        "BackupVaultArn": point.vault_arn,
        "RecoveryPointArn": point.arn,
        "Lifecycle": lifecycle.describe(),
        "CalculatedLifecycle": lifecycle.describe_calculated(point.created),
    })
}
