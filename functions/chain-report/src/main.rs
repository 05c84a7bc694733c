//! The Lambda function `dynachain-chain-report`: wiring only.

use chain_report::{Deps, handle};
use dynachain::serve::serve;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Deps::of, |deps, _, event| Box::pin(handle(deps, event))).await
}
