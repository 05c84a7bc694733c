//! Refusals that pass, and those that stay.

use dynachain::aws::table_reader::CaptureError;
use dynachain::aws::{AwsError, Fault};
use dynachain::restore::{Change, TableUpdate};

/// What a try came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may work later, so the step stays pending.
    Passing(String),
    /// It will not work however often it is tried.
    Lasting(String),
    /// There is no table any more.
    Gone,
}

/// Refusals that are about this moment, besides those that every service has (DynamoDB API Reference,
/// `UpdateContinuousBackups`; Application Auto Scaling API Reference, `PutScalingPolicy`; CloudWatch API Reference,
/// `PutMetricAlarm`).
const PASSING: [&str; 3] =
    ["ConcurrentUpdateException", "ContinuousBackupsUnavailableException", "ResourceConflict"];

/// What a refused change means.
pub(crate) fn of_change(change: &Change, error: &AwsError) -> Trouble {
    let said = match change {
        Change::Alarm(name, _) => format!("the alarm {name}: {error}"),
        _ => error.to_string(),
    };
    match error.fault() {
        // The table is being changed by another call, or the destination is being set up.
        Fault::Exists => Trouble::Passing(said),
        _ if error.passes() => Trouble::Passing(said),
        // A class may be changed twice in 30 days; every other limit is of what goes on at the moment.
        Fault::Quota if is_class(change) => Trouble::Lasting(format!(
            "{said}. A table's class can be changed twice in 30 days (Amazon DynamoDB Developer Guide, \"Table classes\"); \
             change it by hand when that time is over"
        )),
        Fault::Quota => Trouble::Passing(said),
        Fault::Other if PASSING.contains(&error.code()) => Trouble::Passing(said),
        _ => Trouble::Lasting(said),
    }
}

fn is_class(change: &Change) -> bool {
    matches!(change, Change::Table(TableUpdate::Class(_)))
}

/// What it means that a table cannot be read.
pub(crate) fn of_capture(error: &CaptureError) -> Trouble {
    let lasts = |error: &AwsError| matches!(error.fault(), Fault::AccessDenied);
    match error {
        CaptureError::NotFound(_) => Trouble::Gone,
        CaptureError::NotActive { .. } => Trouble::Passing(error.to_string()),
        CaptureError::TagsUnreadable { error: aws, .. } | CaptureError::Aws { error: aws, .. }
            if lasts(aws) =>
        {
            Trouble::Lasting(error.to_string())
        }
        CaptureError::TagsUnreadable { .. } | CaptureError::Aws { .. } => Trouble::Passing(error.to_string()),
    }
}

/// What it means that one part of a table cannot be read, from the reason that the reader gives.
pub(crate) fn of_reading(reason: &str) -> Trouble {
    if reason.contains("AccessDenied") {
        Trouble::Lasting(format!("the table cannot be read: {reason}"))
    } else {
        Trouble::Passing(format!("the table cannot be read: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use dynachain::table_config::TableClass;
    use rstest::rstest;

    use super::*;

    fn class() -> Change {
        Change::Table(TableUpdate::Class(TableClass::InfrequentAccess))
    }

    fn ttl() -> Change {
        Change::Ttl { attribute: "expires".to_owned() }
    }

    fn alarm() -> Change {
        Change::Alarm("orders-slow".to_owned(), Box::default())
    }

    #[test]
    fn an_alarm_that_is_refused_is_named() {
        let error = AwsError::refused("PutMetricAlarm", "ValidationError", "no");
        let said = "the alarm orders-slow: PutMetricAlarm was refused: ValidationError: no";
        assert_eq!(of_change(&alarm(), &error), Trouble::Lasting(said.to_owned()));
    }

    #[rstest]
    #[case::in_use(ttl(), "ResourceInUseException", true)]
    #[case::throttled(ttl(), "ThrottlingException", true)]
    #[case::too_much_at_once(ttl(), "LimitExceededException", true)]
    #[case::class_changed_twice(class(), "LimitExceededException", false)]
    #[case::backups_being_enabled(ttl(), "ContinuousBackupsUnavailableException", true)]
    #[case::out_of_order(ttl(), "InternalServiceException", true)]
    #[case::forbidden(ttl(), "AccessDeniedException", false)]
    #[case::nonsense(ttl(), "ValidationException", false)]
    #[case::gone(ttl(), "ResourceNotFoundException", false)]
    #[case::alarm_being_changed(alarm(), "ResourceConflict", true)]
    #[case::too_many_alarms(alarm(), "LimitExceeded", false)]
    #[case::nonsense_of_an_alarm(alarm(), "ValidationError", false)]
    fn what_passes_is_tried_again_and_what_stays_is_not(
        #[case] change: Change,
        #[case] code: &str,
        #[case] passes: bool,
    ) {
        let error = AwsError::refused("UpdateTable", code, "no");
        assert_eq!(matches!(of_change(&change, &error), Trouble::Passing(_)), passes);
    }

    #[test]
    fn a_class_that_was_changed_twice_is_said_to_be() {
        let error = AwsError::refused("UpdateTable", "LimitExceededException", "no");
        let Trouble::Lasting(said) = of_change(&class(), &error) else { unreachable!() };
        assert!(said.contains("twice in 30 days"), "{said}");
    }
}
