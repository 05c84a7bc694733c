//! The Lambda function `dynachain-backup-session`: wiring only.

use backup_session::{Deps, handle};
use dynachain::serve::serve;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    serve(Deps::of, |deps, invocation, event| Box::pin(handle(deps, invocation, event))).await
}
