//! Shows the chains of this Region's vault, and rebuilds the catalog from the vault alone.
//!
//! | request | answer |
//! |---|---|
//! | `{}` | all chains |
//! | `{"table"}` | the chains of one table, a name or an ARN |
//! | `{"rebuild": true}` | the catalog's rows about restore points made anew, then all chains |
//!
//! Each takes `"next"` from an answer that was cut, and `"dry_run": true`.

mod chains;
mod copies;
mod deps;
mod rebuild;
mod request;
mod window;

pub use chains::{Chain, Finding, Report};
pub use copies::Copies;
pub use deps::Deps;

use dynachain::error::Refusal;
use serde_json::Value;

use self::request::Request;

/// Answers one request.
///
/// # Errors
/// A refusal when the request is malformed, the vault or the catalog is out of reach, or the table has no point here.
pub async fn handle(deps: &Deps, event: Value) -> Result<Report, Refusal> {
    let request = Request::parse(&event)?;
    tracing::info!(
        rebuild = request.rebuild,
        table = request.table.as_ref().map(ToString::to_string),
        "report"
    );
    let now = deps.now().await?;
    let vault = deps.vault().await?;
    if request.rebuild && !request.dry_run && request.after.is_none() {
        rebuild::run(deps).await?;
    }
    chains::report(deps, &request, &vault, now).await
}
