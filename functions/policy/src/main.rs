//! The Lambda function `dynachain-policy`: wiring only.

use dynachain::serve::serve;
use policy::{Deps, handle};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Deps::of, |deps, _, event| Box::pin(handle(deps, event))).await
}
