//! The Lambda functions `dynachain-retention-prune` and `dynachain-manual-removal`: wiring only.

use dynachain::serve::serve;
use retention_prune::{Deps, handle};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Deps::of, |deps, invocation, event| Box::pin(handle(deps, invocation, event))).await
}
