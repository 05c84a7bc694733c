//! The policy's schedules in EventBridge Scheduler.

use dynachain::policy::Document;

use super::finding::Finding;
use crate::{Deps, schedules};

const CHECK: &str = "schedules";

pub(super) async fn check(deps: &Deps, document: &Document) -> Vec<Finding> {
    let name = &document.name;
    let finding = match schedules::plan(deps, name, Some(document)).await {
        Ok(changes) if changes.is_empty() => {
            Finding::holds(name, CHECK, "the policy's schedules are as they should be")
        }
        Ok(changes) => Finding::fails(
            name,
            CHECK,
            format!(
                "the policy's schedules are out of line; apply the policy once more: {}",
                changes.summary()
            ),
        ),
        Err(refusal) => Finding::unknown(name, CHECK, format!("cannot be told: {refusal}")),
    };
    vec![finding]
}
