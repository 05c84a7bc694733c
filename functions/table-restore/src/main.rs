//! The Lambda function `dynachain-table-restore`: wiring only.

use dynachain::aws::sdk_config;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use table_restore::{Deps, Invocation, handle};

#[tokio::main]
async fn main() -> Result<(), Error> {
    dynachain::telemetry::init();
    let deps = Deps::from_env(&sdk_config().await)?;
    let deps = &deps;
    run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        let invocation = Invocation::of(&event.context);
        // On the heap: what it awaits is nested too deep for the compiler to lay it out in one piece with the runtime's.
        Box::pin(handle(deps, &invocation, event.payload)).await.map_err(Diagnostic::from)
    }))
    .await
}
