//! Shows the chains of this Region's vault, and rebuilds the catalog from the vault alone.
//!
//! | request | answer |
//! |---|---|
//! | `{}` | all chains |
//! | `{"table"}` | the chains of one table, a name or an ARN |
//! | `{"explain": <recovery point>}` | why one point is still there, until when, and what would remove it earlier |
//! | `{"rebuild": true}` | the catalog's rows about restore points made anew, then all chains |
//!
//! Chains take `"next"` from an answer that was cut; every request takes `"dry_run": true`. All but `explain` and a report of
//! one table are about the whole vault.

mod chains;
mod copies;
mod deps;
mod explain;
mod rebuild;
mod request;
mod window;

pub use chains::{Chain, Finding, Report};
pub use copies::Copies;
pub use deps::Deps;
pub use explain::Explained;

use dynachain::aws::backup::Vault;
use dynachain::error::Refusal;
use dynachain::judge::Judge;
use serde::Serialize;
use serde_json::Value;

use self::request::{Ask, Request};

/// The answer to a request.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Chains.
    Report(Report),
    /// One point.
    Explained(Box<Explained>),
}

/// Answers one request.
///
/// # Errors
/// A refusal when the request is malformed, the vault or the catalog is out of reach, or the table has no point here.
pub async fn handle(deps: &Deps, event: Value) -> Result<Answer, Refusal> {
    let ask = Ask::parse(&event)?;
    let (now, vault) = (deps.now().await?, deps.vault().await?);
    let judge = deps.judge(&vault, now).await?;
    match ask {
        Ask::Explain(point) => {
            tracing::info!(%point, "explain");
            Ok(Answer::Explained(Box::new(explain::run(deps, &point, &judge).await?)))
        }
        Ask::Chains(request) => chains(deps, &request, &vault, &judge).await.map(Answer::Report),
    }
}

async fn chains(deps: &Deps, request: &Request, vault: &Vault, judge: &Judge) -> Result<Report, Refusal> {
    tracing::info!(
        rebuild = request.rebuild,
        table = request.table.as_ref().map(ToString::to_string),
        "report"
    );
    if request.rebuild && !request.dry_run && request.after.is_none() {
        rebuild::run(deps).await?;
    }
    chains::report(deps, request, vault, judge).await
}
