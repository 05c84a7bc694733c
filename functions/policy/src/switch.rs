//! `enable` and `disable`: the same document, applied with the other `enabled`.

use dynachain::error::Refusal;
use dynachain::id::PolicyName;
use dynachain::policy::Document;

use crate::change::{self, Change};
use crate::{Deps, not_found};

pub(crate) async fn run(
    deps: &Deps,
    name: &PolicyName,
    enabled: bool,
    dry_run: bool,
) -> Result<Change, Refusal> {
    let policies = deps.catalog.policies().list().await?;
    let request = if enabled { "enable" } else { "disable" };
    let stored = policies.iter().find(|policy| policy.name == *name);
    let stored = stored.ok_or_else(|| not_found(request, name))?;
    let document = Document { enabled, ..stored.document.clone() };
    change::run(deps, &policies, document, dry_run).await
}
