//! The copy chain: every wanted restore point, once, in every target vault.
//!
//! | input | what happens |
//! |---|---|
//! | an AWS Backup job event, or our own `Restore Point Completed` | the copies that the point names are queued, once its metadata is whole |
//! | an AWS Backup copy job event | the copy is settled, or tried again later |
//! | `{"reconcile": true}` every 15 minutes | whatever an event did not bring about is made up for; metrics tell how the policies stand |
//! | `{"backfill": {"policy", "target", "since"}}` | points of before the policy had the target are copied too |
//! | our own `Backup Copy Continued` | one of the latter two goes on where an invocation ran out of time |
//!
//! Each of them ends with the dispatcher, which starts as many of the waiting copies as there is room for. Requests take
//! `"dry_run": true`, and `"next"` from an answer that was cut.

mod answer;
mod arrival;
mod backfill;
mod before_backup;
mod deps;
mod dispatch;
mod existing;
mod figures;
mod given_up;
mod input;
mod queue;
mod quiet;
mod ready;
mod reconcile;
mod running;
mod settle;
mod start;
mod strangers;
mod tally;
mod there;
mod walk;

pub use answer::{Answer, Owed};
pub use deps::Deps;

use dynachain::error::{ErrorType, Refusal};
use dynachain::event::{Event, JobState};
use dynachain::invocation::Invocation;
use serde_json::{Value, json};

use self::input::Input;
use self::tally::Tally;

/// Handles one invocation.
///
/// # Errors
/// A refusal of the whole input, or trouble that a repetition may mend. What became of single copies stands in the answer.
pub async fn handle(deps: &Deps, invocation: &Invocation, event: Value) -> Result<Value, Refusal> {
    let tally = Tally::default();
    let answer = match Input::parse(&event)? {
        Input::Reconcile { dry_run, after } => {
            reconcile::run(deps, invocation, &tally, dry_run, after.as_ref()).await?
        }
        Input::Backfill { wanted, dry_run, after } => {
            backfill::run(deps, invocation, &tally, &wanted, dry_run, after.as_ref()).await?
        }
        Input::Event(event) => match heard(deps, invocation, &tally, event).await? {
            true => {
                Box::pin(dispatch::run(deps, invocation, &tally)).await?;
                answer::of_event(deps, &tally).await?
            }
            // A rule that sends more than it should is no reason to fail, and so to be retried.
            false => return Ok(json!({ "ignored": true })),
        },
    };
    serde_json::to_value(answer).map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}

/// Takes an event in; false when it says nothing to us.
async fn heard(deps: &Deps, invocation: &Invocation, tally: &Tally, event: Event) -> Result<bool, Refusal> {
    match event {
        Event::BackupJob(job) if job.state == JobState::Completed => match &job.recovery_point {
            Some(point) => queue::point(deps, tally, point).await?,
            None => return Ok(false),
        },
        Event::PointCompleted(completed) => queue::point(deps, tally, &completed.recovery_point).await?,
        Event::CopyJob(job) if job.state.is_final() => settle::event(deps, tally, &job).await?,
        Event::CopiesContinued(continued) => walk::resume(deps, invocation, tally, continued).await?,
        _ => return Ok(false),
    }
    Ok(true)
}
