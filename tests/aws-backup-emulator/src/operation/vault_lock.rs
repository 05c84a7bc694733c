//! Vault locks, as `PutBackupVaultLockConfiguration` and `DeleteBackupVaultLockConfiguration` treat them.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::vaults::{existing_mut, vault_name};
use crate::http::{ApiError, Call};
use crate::state::vault::{Lock, Vault};

/// The longest retention, and the longest grace time, in days.
const MOST_DAYS: i64 = 36_500;
/// The shortest grace time of a lock in compliance mode, in days.
const SHORTEST_GRACE: i64 = 3;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutInput {
    min_retention_days: Option<i64>,
    max_retention_days: Option<i64>,
    changeable_for_days: Option<i64>,
}

pub(super) async fn put(call: &Call) -> Result<Value, ApiError> {
    let name = vault_name(call)?;
    let lock = call.body::<PutInput>()?.accept(call.now())?;
    call.state(|state| {
        let vault = existing_mut(state, name)?;
        refuse_if_immutable(vault, call.now())?;
        vault.lock = Some(lock);
        Ok(Value::Null)
    })
}

pub(super) async fn delete(call: &Call) -> Result<Value, ApiError> {
    let name = vault_name(call)?;
    call.state(|state| {
        let vault = existing_mut(state, name)?;
        refuse_if_immutable(vault, call.now())?;
        let removed = vault.lock.take();
        let missing = || ApiError::not_found(format!("The backup vault {name} has no vault lock."));
        removed.map(|_| Value::Null).ok_or_else(missing)
    })
}

fn refuse_if_immutable(vault: &Vault, now: Timestamp) -> Result<(), ApiError> {
    match &vault.lock {
        Some(lock) if lock.is_immutable(now) => {
            let message = format!("The lock of the backup vault {} is immutable.", vault.name);
            Err(ApiError::invalid_request(message))
        }
        _ => Ok(()),
    }
}

impl PutInput {
    /// A lock with a grace time is in compliance mode, one without in governance mode.
    fn accept(self, now: Timestamp) -> Result<Lock, ApiError> {
        let Self { min_retention_days, max_retention_days, changeable_for_days } = self;
        within("MinRetentionDays", min_retention_days, 1)?;
        within("MaxRetentionDays", max_retention_days, 1)?;
        within("ChangeableForDays", changeable_for_days, SHORTEST_GRACE)?;
        if let (Some(min), Some(max)) = (min_retention_days, max_retention_days)
            && min > max
        {
            let message = format!("MinRetentionDays {min} must not be greater than MaxRetentionDays {max}.");
            return Err(ApiError::invalid_parameter(message));
        }
        let date = |days| now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX);
        Ok(Lock {
            min_days: min_retention_days,
            max_days: max_retention_days,
            date: changeable_for_days.map(date),
        })
    }
}

fn within(name: &str, days: Option<i64>, least: i64) -> Result<(), ApiError> {
    match days {
        Some(days) if !(least..=MOST_DAYS).contains(&days) => {
            let message = format!("{name} must be {least} to {MOST_DAYS}, not {days}.");
            Err(ApiError::invalid_parameter(message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn accept(body: Value) -> Result<Lock, String> {
        let input: PutInput = serde_json::from_value(body).unwrap();
        input.accept(Timestamp::UNIX_EPOCH).map_err(|error| format!("{} {}", error.kind, error.body()))
    }

    #[rstest]
    #[case::shortest(json!({"MinRetentionDays": 1, "ChangeableForDays": 3}), true)]
    #[case::longest(json!({"MaxRetentionDays": 36_500, "ChangeableForDays": 36_500}), true)]
    #[case::equal(json!({"MinRetentionDays": 7, "MaxRetentionDays": 7}), true)]
    #[case::null(json!({"MinRetentionDays": null}), true)]
    #[case::no_minimum(json!({"MinRetentionDays": 0}), false)]
    #[case::minimum_too_long(json!({"MinRetentionDays": 36_501}), false)]
    #[case::no_maximum(json!({"MaxRetentionDays": 0}), false)]
    #[case::too_long(json!({"MaxRetentionDays": 36_501}), false)]
    #[case::crossed(json!({"MinRetentionDays": 8, "MaxRetentionDays": 7}), false)]
    #[case::short_grace(json!({"ChangeableForDays": 2}), false)]
    #[case::long_grace(json!({"ChangeableForDays": 36_501}), false)]
    #[case::negative(json!({"ChangeableForDays": -1}), false)]
    fn a_lock_with_values_out_of_bounds_or_out_of_order_is_refused(#[case] body: Value, #[case] good: bool) {
        let accepted = accept(body);
        assert_eq!(accepted.is_ok(), good, "{accepted:?}");
        assert!(accepted.map_or_else(|e| e.starts_with("InvalidParameterValueException"), |_| true));
    }
}
