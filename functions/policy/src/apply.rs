//! `apply`: a document becomes the policy of its name.

use dynachain::error::{ErrorType, Refusal};
use dynachain::policy::Document;
use serde_json::Value;

use crate::Deps;
use crate::change::{self, Change};

pub(crate) async fn run(deps: &Deps, document: &Value, dry_run: bool) -> Result<Change, Refusal> {
    let document = read(deps, document)?;
    let policies = deps.catalog.policies().list().await?;
    change::run(deps, &policies, document, dry_run).await
}

/// A document that somebody gives, with every problem it has.
pub(crate) fn read(deps: &Deps, document: &Value) -> Result<Document, Refusal> {
    Document::parse(document, &deps.home).map_err(invalid)
}

fn invalid(problems: Vec<dynachain::error::Problem>) -> Refusal {
    Refusal::of(ErrorType::InvalidPolicy, problems)
        .unwrap_or_else(|| Refusal::new(ErrorType::InvalidPolicy, "cannot be read"))
}
