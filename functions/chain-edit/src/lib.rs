//! Edits what restore points say about themselves: the only function that does.
//!
//! | request | what happens |
//! |---|---|
//! | `{"extend": {"recovery_point", "until": <time>\|"forever"\|null}}` | a point of this stack's vault lives longer; null undoes it |
//! | `{"restamp": {"policy", "tables"?}}` | the points of a policy, and their copies, live by the policy as it is now |
//! | our own `Chain Edit Continued` | one of these goes on where an invocation ran out of time |
//! | `{"reconcile": true}` every hour | edits that were cut short are finished, and gone on with where that event got lost |
//!
//! Each takes `"dry_run": true`. An edit that would make any point deletable only plans, until it is repeated with the
//! `"confirm"` that its answer names.

mod answer;
mod change;
mod deps;
mod edit;
mod extend;
mod place;
mod plan;
mod reconcile;
mod request;
mod restamp;
mod run;
mod site;
mod work;

pub use answer::{Answer, Failure, Line};
pub use deps::Deps;

use dynachain::error::{ErrorType, Refusal};
use dynachain::invocation::Invocation;
use serde_json::{Value, json};

use self::request::{Ask, Request};

/// Answers one request.
///
/// # Errors
/// A refusal, before anything was changed. Trouble with single points stands in the answer.
pub async fn handle(deps: &Deps, invocation: &Invocation, event: Value) -> Result<Value, Refusal> {
    let Request { ask, how } = Request::parse(&event)?;
    let now = deps.now().await?;
    // On the heap, each for itself: one future with all of them in it is too deep for the compiler.
    value(match ask {
        Ask::Extend(extend) => Box::pin(extend::run(deps, invocation, &extend, &how, now)).await?,
        Ask::Restamp(restamp) => Box::pin(restamp::run(deps, invocation, &restamp, &how, now)).await?,
        Ask::Reconcile => Box::pin(reconcile::run(deps, invocation, how.dry_run, now)).await?,
        Ask::GoOn => match Box::pin(run::go_on(deps, invocation, false)).await? {
            Some(answer) => answer,
            None => return Ok(json!({ "duplicate": true })),
        },
        // A rule that sends more than it should is no reason to fail, and so to be retried.
        Ask::Nothing => return Ok(json!({ "ignored": true })),
    })
}

fn value(answer: Answer) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}
