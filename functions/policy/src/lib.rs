//! Keeps policies, and the EventBridge schedules that wake the session function for them.
//!
//! | request | answer |
//! |---|---|
//! | `{"apply": <document>}` | what the document changes: schedules, tables, points whose expiry would differ, next occurrences |
//! | `{"show": <name>}` | the policy with its document and its schedules |
//! | `{"list": {}}` | all policies in name order; `"next"` beyond 1,000 |
//! | `{"delete": <name>}` | the schedules removed; restore points stay |
//! | `{"enable": <name>}`, `{"disable": <name>}` | as `apply` |
//! | `{"check": <name>}` | every permission and precondition that the policy needs, with remedies for what is missing |
//! | `{"estimate": <name or document>}` | what the policy costs a month, line by line, and the limits it would exceed |
//!
//! Each takes `"dry_run": true`, which changes nothing and answers what would be done.

mod apply;
mod change;
mod check;
mod coverage;
mod delete;
mod deps;
mod estimate;
mod expiry;
mod list;
mod notes;
mod points;
mod request;
mod schedules;
mod show;
mod switch;

pub use deps::Deps;

use dynachain::error::{ErrorType, Refusal};
use dynachain::id::PolicyName;
use serde::Serialize;
use serde_json::Value;

use self::request::{Action, Request};

/// Lists in answers are cut after so many entries; counts cover the whole.
const LIMIT: usize = 1000;

/// Answers one request.
///
/// # Errors
/// A refusal when the request or document is malformed, the policy does not exist, somebody else changes it at the same
/// time, or AWS refuses a call.
pub async fn handle(deps: &Deps, event: Value) -> Result<Value, Refusal> {
    let Request { action, dry_run } = Request::parse(&event)?;
    tracing::info!(action = action.name(), dry_run, "policy request");
    match action {
        Action::Apply(document) => json(apply::run(deps, document, dry_run).await?),
        Action::Show(name) => json(show::run(deps, &name).await?),
        Action::List { after } => json(list::run(deps, after.as_ref()).await?),
        Action::Delete(name) => json(delete::run(deps, &name, dry_run).await?),
        Action::Enable(name) => json(switch::run(deps, &name, true, dry_run).await?),
        Action::Disable(name) => json(switch::run(deps, &name, false, dry_run).await?),
        Action::Check { policy, after } => json(check::run(deps, &policy, after.as_ref()).await?),
        Action::Estimate(subject) => json(estimate::run(deps, &subject).await?),
    }
}

fn json<T: Serialize>(answer: T) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}

fn not_found(request: &str, name: &PolicyName) -> Refusal {
    let message = format!("there is no policy {name}; {{\"list\": {{}}}} names those there are");
    Refusal::at(ErrorType::PolicyNotFound, format!("$.{request}"), message)
}

fn overtaken(name: &PolicyName) -> Refusal {
    let message = format!(
        "policy {name} was changed or deleted by somebody else at the same time; look at it with {{\"show\": \"{name}\"}} and try again"
    );
    Refusal::new(ErrorType::Busy, message)
}
