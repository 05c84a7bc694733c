//! Retention: deletes what has outlived its flags, and nothing else, ever. The only crate that can delete a recovery point.
//!
//! It is deployed twice. As `dynachain-retention-prune` it deletes points of chains:
//!
//! | input | what happens |
//! |---|---|
//! | `{}`, daily and after each `Backup Session Finished` | every point of the vault that is due is deleted |
//! | `{"table"}` | the same for one table |
//! | `{"confirm": <digest>}` | what a blocked run has planned is deleted, as far as it is still due |
//! | `{"remove": {"table", "what": "backups"\|"copies"}}` | a chain is removed by hand, once the plan is confirmed |
//! | `{"remove": {"recovery_point"}}` | one point is |
//! | our own `Prune Continued` | a run goes on where an invocation ran out of time |
//!
//! As `dynachain-manual-removal` it removes manual backups, by hand alone: `{"remove": {"table", "what": "manual"}}` and
//! `{"remove": {"recovery_point"}}`. Each function's role may delete its own kind of points and no other.
//!
//! Requests take `"dry_run": true`, and `"next"` from an answer that was cut.

mod answer;
mod by_hand;
mod deletion;
mod deps;
mod due;
mod exclusion;
mod findings;
mod input;
mod inventory;
mod recheck;
mod remover;
mod rule;
mod scene;
mod survey;
mod work;

pub use answer::Answer;
pub use deps::Deps;

use dynachain::error::{ErrorType, Refusal};
use dynachain::invocation::Invocation;
use serde_json::{Value, json};

use self::input::Input;

/// Handles one invocation.
///
/// # Errors
/// A refusal of the whole input. Trouble with single points stands in the answer.
pub async fn handle(deps: &Deps, invocation: &Invocation, event: Value) -> Result<Value, Refusal> {
    // On the heap: the compiler does not follow futures that are nested so deep.
    Box::pin(handled(deps, invocation, event)).await
}

async fn handled(deps: &Deps, invocation: &Invocation, event: Value) -> Result<Value, Refusal> {
    match Input::parse(&event, deps.removes)? {
        Input::Prune { table, how } => value(due::requested(deps, invocation, table.as_ref(), &how).await?),
        Input::Confirm { digest, how } => value(due::confirmed(deps, invocation, &digest, &how).await?),
        Input::Remove { removal, how } => value(by_hand::remove(deps, invocation, &removal, &how).await?),
        Input::Due => due::wanted(deps, invocation).await,
        Input::Continued(event) => due::continued(deps, invocation, &event).await,
        // A rule that sends more than it should is no reason to fail, and so to be retried.
        Input::NotOurs => Ok(json!({ "ignored": true })),
    }
}

fn value(answer: Answer) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}
