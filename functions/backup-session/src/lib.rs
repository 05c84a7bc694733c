//! A session: one run of one policy for one moment, one full backup per covered table.
//!
//! | input | what happens |
//! |---|---|
//! | `{"policy", "scheduled_at"}` from the scheduler | the session of that moment, if any flag is due |
//! | `{"policy", "tables"?, "keep"?}` by hand | a session of this moment |
//! | `{"backup_now": {"table", "vault"?}}` | a manual backup of one table, outside every chain |
//! | an AWS Backup job event | the job's table is settled, and the session finished when it was the last |
//! | our own `Backup Session Continued` | the session goes on where an invocation ran out of time |
//! | `{"reconcile": true}` every 15 minutes | whatever an event did not bring about is made up for |
//!
//! Starts take `"dry_run": true`, and `"next"` from an answer that was cut.

mod again;
mod answer;
mod backup_table;
mod catch_up;
mod cover;
mod deps;
mod failures;
mod finish;
mod input;
mod late;
mod listed;
mod manual;
mod owed;
mod preflight;
mod reconcile;
mod seal;
mod settle;
mod start;
mod unclear;
mod work;

pub use answer::{Answer, Detail};
pub use deps::Deps;
pub use dynachain::invocation::Invocation;

use dynachain::error::{ErrorType, Refusal};
use dynachain::event::Event;
use serde_json::{Value, json};

use self::input::Input;

/// Handles one invocation.
///
/// # Errors
/// A refusal of the whole input. Trouble with single tables stands in the answer.
pub async fn handle(deps: &Deps, invocation: &Invocation, event: Value) -> Result<Value, Refusal> {
    match Input::parse(&event)? {
        Input::Scheduled(start, how) => answer(start::scheduled(deps, invocation, &start, &how).await?),
        Input::ByHand(start, how) => answer(start::by_hand(deps, invocation, start, &how).await?),
        Input::BackupNow { wanted, dry_run } => {
            answer(manual::backup_now(deps, invocation, wanted, dry_run).await?)
        }
        Input::Reconcile { dry_run } => Ok(reconcile::run(deps, invocation, dry_run).await?),
        Input::Event(Event::BackupJob(job)) => Ok(json!({ "settled": settle::event(deps, &job).await? })),
        Input::Event(Event::SessionContinued(continued)) => {
            answer(start::resume(deps, invocation, &continued.session).await?)
        }
        // A rule that sends more than it should is no reason to fail, and so to be retried.
        Input::Event(_) => Ok(json!({ "ignored": true })),
    }
}

fn answer(answer: Answer) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}
