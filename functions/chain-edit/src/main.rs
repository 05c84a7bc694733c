//! The Lambda function `dynachain-chain-edit`: wiring only.

use chain_edit::{Deps, handle};
use dynachain::aws::sdk_config;
use dynachain::error::{ErrorType, Refusal};
use dynachain::invocation::Invocation;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    dynachain::telemetry::init();
    let deps = Deps::from_env(&sdk_config().await)?;
    let deps = &deps;
    run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        let invocation = Invocation::of(&event.context);
        let answer = handle(deps, &invocation, event.payload).await.map_err(Diagnostic::from)?;
        serde_json::to_value(answer)
            .map_err(|error| Diagnostic::from(Refusal::new(ErrorType::Internal, error.to_string())))
    }))
    .await
}
