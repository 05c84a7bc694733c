//! Restores: a table back from a point, with its whole configuration.
//!
//! | input | what happens |
//! |---|---|
//! | `{"restore", "target"?, "overrides"?, "reason"?}` | a restore of one table is planned, checked and started |
//! | `{"restores": […]}` | the same for several, all or none |
//! | `{"status": <restore id>}` | how a restore stands, property by property |
//! | an AWS Backup restore job event | the table is there: its configuration is re-applied; or the restore has failed |
//! | `{"reconcile": true}` every 15 minutes | whatever an event did not bring about is made up for |
//!
//! Starts take `"dry_run": true`.

mod answer;
mod configure;
mod deps;
mod encryption;
mod find;
mod finish;
mod input;
mod job;
mod prepare;
mod reconcile;
mod recorded;
mod start;
mod table;
mod trouble;

pub use deps::Deps;
pub use dynachain::invocation::Invocation;

use dynachain::error::Refusal;
use dynachain::event::Event;
use serde_json::{Value, json};

use self::input::Input;

/// Handles one invocation.
///
/// # Errors
/// A refusal of the whole input, given before anything is changed. Trouble with single properties stands in the answer.
pub async fn handle(deps: &Deps, invocation: &Invocation, event: Value) -> Result<Value, Refusal> {
    match Input::parse(&event)? {
        Input::Start(start) => Box::pin(start::run(deps, invocation, start)).await,
        Input::Status(restore_id) => answer::status(deps, &restore_id).await,
        Input::Reconcile { dry_run } => Box::pin(reconcile::run(deps, invocation, dry_run)).await,
        Input::Event(Event::RestoreJob(job)) => Box::pin(job::event(deps, invocation, &job)).await,
        // A rule that sends more than it should is no reason to fail, and so to be retried.
        Input::Event(_) => Ok(json!({ "ignored": true })),
    }
}
