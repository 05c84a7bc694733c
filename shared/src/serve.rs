//! How every function runs: its adapters are made once, and then it answers one event after the other.

use aws_config::SdkConfig;
use futures::future::LocalBoxFuture;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde::Serialize;
use serde_json::Value;

use crate::aws::sdk_config;
use crate::error::{ErrorType, Refusal};
use crate::invocation::Invocation;

/// Reads one of the variables that settings come from.
pub type Variable = fn(&str) -> Option<String>;

/// Makes a function's adapters from this process's environment and lets `handle` answer events with them until Lambda ends the process.
///
/// What `handle` gives is on the heap: what functions await is nested too deep for the compiler to lay it out in one piece with
/// the runtime's.
///
/// # Errors
/// When the adapters cannot be made, as of settings that are missing or malformed.
pub async fn serve<D, A: Serialize>(
    make: impl FnOnce(&SdkConfig, Variable) -> Result<D, Error>,
    handle: impl for<'a> Fn(&'a D, &'a Invocation, Value) -> LocalBoxFuture<'a, Result<A, Refusal>>,
) -> Result<(), Error> {
    crate::telemetry::init();
    let deps = make(&sdk_config().await, |name| std::env::var(name).ok())?;
    let (deps, handle) = (&deps, &handle);
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let invocation = Invocation::of(&event.context);
        let answer = handle(deps, &invocation, event.payload).await.map_err(Diagnostic::from)?;
        serde_json::to_value(answer)
            .map_err(|error| Diagnostic::from(Refusal::new(ErrorType::Internal, error.to_string())))
    }))
    .await
}
