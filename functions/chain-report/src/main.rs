//! The Lambda function `dynachain-chain-report`: wiring only.

use chain_report::{Deps, handle};
use dynachain::aws::sdk_config;
use dynachain::error::{ErrorType, Refusal};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    dynachain::telemetry::init();
    let deps = Deps::from_env(&sdk_config().await)?;
    let deps = &deps;
    run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        // On the heap: futures nested so deep are more than the compiler takes by default.
        let answer = Box::pin(handle(deps, event.payload)).await.map_err(Diagnostic::from)?;
        serde_json::to_value(answer)
            .map_err(|error| Diagnostic::from(Refusal::new(ErrorType::Internal, error.to_string())))
    }))
    .await
}
