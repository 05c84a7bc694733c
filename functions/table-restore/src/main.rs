//! The Lambda function `dynachain-table-restore`: wiring only.

use dynachain::serve::serve;
use table_restore::{Deps, handle};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Deps::of, |deps, invocation, event| Box::pin(handle(deps, invocation, event))).await
}
