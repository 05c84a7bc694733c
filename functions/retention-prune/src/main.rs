//! The Lambda functions `dynachain-retention-prune` and `dynachain-manual-removal`: wiring only.

use dynachain::aws::sdk_config;
use dynachain::invocation::Invocation;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use retention_prune::{Deps, handle};

#[tokio::main]
async fn main() -> Result<(), Error> {
    dynachain::telemetry::init();
    let deps = Deps::from_env(&sdk_config().await)?;
    let deps = &deps;
    run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        let invocation = Invocation::of(&event.context);
        handle(deps, &invocation, event.payload).await.map_err(Diagnostic::from)
    }))
    .await
}
