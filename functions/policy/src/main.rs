//! The Lambda function `dynachain-policy`: wiring only.

use dynachain::aws::sdk_config;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use policy::{Deps, handle};

#[tokio::main]
async fn main() -> Result<(), Error> {
    dynachain::telemetry::init();
    let deps = Deps::from_env(&sdk_config().await)?;
    let deps = &deps;
    run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        // Boxed, or the compiler runs into its recursion limit over the layout of all futures within.
        Box::pin(handle(deps, event.payload)).await.map_err(Diagnostic::from)
    }))
    .await
}
