//! What an event did not bring about, made up for.

use dynachain::error::Refusal;
use dynachain::invocation::Invocation;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{Deps, job};

/// Restores that are looked after side by side: most of the time they wait for DynamoDB.
const CONCURRENT: usize = 8;

pub(crate) async fn run(deps: &Deps, invocation: &Invocation, dry_run: bool) -> Result<Value, Refusal> {
    let open = deps.catalog.restores().open().await?;
    let looked_after = stream::iter(open).map(|record| async move {
        let name = (record.restore_id.clone(), record.target.clone(), record.state);
        let outcome = match dry_run || !invocation.has_time() {
            true => Ok(record.state),
            false => job::go_on(deps, invocation, record).await,
        };
        (name, outcome)
    });
    let mut all: Vec<_> = looked_after.buffer_unordered(CONCURRENT).collect().await;
    all.sort_by(|((a, at, _), _), ((b, bt, _), _)| (a, at).cmp(&(b, bt)));
    let mut failures = Vec::new();
    let mut restores = Vec::new();
    for ((restore_id, target, before), outcome) in all {
        let state = outcome.unwrap_or_else(|refusal| {
            tracing::warn!(restore_id, %target, %refusal, "a restore could not be looked after");
            failures.push(json!({
                "table": target, "reason": refusal.error_type().to_string(), "message": refusal.to_string(),
            }));
            before
        });
        restores.push(json!({ "restore_id": restore_id, "table": target, "state": state }));
    }
    Ok(json!({ "restores": restores, "failures": failures }))
}
