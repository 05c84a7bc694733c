//! What a fault does.

use std::time::Duration;

use super::EndingRule;

/// A fault's effect.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    OnCall(OnCall),
    Ending(EndingRule),
    /// `DeleteRecoveryPoint` answers 200, and the point is EXPIRED (AWS Backup API Reference, "DeleteRecoveryPoint").
    LeaveExpired,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnCall {
    Throttle,
    /// `ServiceUnavailableException`, status 500.
    Error500,
    /// It is carried out so much later, in real time.
    Delay(Duration),
    /// The connection is closed, and nothing has been done.
    DropBefore,
    /// What is asked is done, and the connection is closed without an answer.
    DropAfter,
    AccessDenied,
}

impl Effect {
    /// Can it strike at this operation at all?
    pub(crate) fn suits(&self, operation: &str) -> bool {
        match self {
            Self::OnCall(_) => true,
            Self::Ending(ending) => ending.of(operation).is_some(),
            Self::LeaveExpired => operation == "DeleteRecoveryPoint",
        }
    }
}
