//! What a call must get past before anything looks at what it asks for: request rates, and the faults of calls.

use std::time::Instant;

use super::ApiError;
use crate::aws::Scope;
use crate::caller::Caller;
use crate::faults::OnCall;
use crate::service::Service;

/// How a call goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    Free,
    /// Nothing is done, and there is no answer.
    Dropped,
    /// It is carried out, and there is no answer.
    Unanswered,
}

pub(super) async fn pass(service: &Service, operation: &str, caller: &Caller) -> Result<Passage, ApiError> {
    let scope = Scope { account: caller.account.clone(), region: caller.region.clone() };
    if !service.limits.admits(operation, &scope, Instant::now()) {
        return Err(ApiError::throttled());
    }
    match service.faults.on_call(operation, caller) {
        None => Ok(Passage::Free),
        Some(OnCall::Throttle) => Err(ApiError::throttled()),
        Some(OnCall::Error500) => {
            Err(ApiError::service_unavailable("The service is temporarily unavailable."))
        }
        Some(OnCall::AccessDenied) => {
            let arn = &caller.arn;
            let message = format!("User: {arn} is not authorized to perform: backup:{operation}");
            Err(ApiError::access_denied(message))
        }
        Some(OnCall::Delay(time)) => {
            // The fault itself: a client waits in real time.
            tokio::time::sleep(time).await;
            Ok(Passage::Free)
        }
        Some(OnCall::DropBefore) => Ok(Passage::Dropped),
        Some(OnCall::DropAfter) => Ok(Passage::Unanswered),
    }
}
