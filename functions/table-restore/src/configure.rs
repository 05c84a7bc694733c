//! The recorded configuration, put back property by property.
//!
//! Each step reads what the table has, makes the calls that are missing, and reads again: it is done when nothing is missing
//! any more. So it does not matter where an earlier invocation was cut short. A step that is refused for good is noted and
//! holds up nothing; one that may work later stays pending, and reconciliation comes back to it.

use crate::job::GIVE_UP;
use crate::table::Table;
use crate::trouble::{self, Trouble};
use crate::{Deps, finish, recorded};
use dynachain::catalog::RestoreRecord;
use dynachain::error::Refusal;
use dynachain::invocation::Invocation;
use dynachain::restore::{Action, Change, Plan, Property, RestoreState, Step, StepState, changes};

/// How often the table is read again, with pauses, that does not show what it has taken: some of its parts are answered from
/// replicas that lag behind.
const READINGS: u32 = 4;

/// Configures the table as far as this invocation gets. The record is this invocation's; it is let go of in the end.
pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    mut record: RestoreRecord,
) -> Result<RestoreState, Refusal> {
    let plan = match recorded::known(deps, &record).await.and_then(|known| recorded::planned(&record, &known))
    {
        Ok(plan) => plan,
        Err(refusal) => return unplanned(deps, record, refusal).await,
    };
    let target = record.target.clone();
    let mut table = Table::new(deps, invocation, &target);
    by_aws(deps, &mut record).await?;
    for property in Property::IN_TURN {
        let Some(at) = record.steps.iter().position(|step| step.property == property && !step.is_over())
        else {
            continue;
        };
        let is_last = property == Property::DeletionProtection;
        let waits = is_last && record.steps.iter().any(|step| step.property != property && !step.is_over());
        if waits || !invocation.has_time() {
            continue;
        }
        match step(deps, &mut record, at, &plan, &mut table).await? {
            Held::Yes => {}
            Held::No => return Ok(record.state),
        }
    }
    give_up(deps, &mut record).await?;
    if record.steps.iter().all(Step::is_over) {
        let state = RestoreState::of(&record.steps);
        return finish::run(deps, record, state, None).await;
    }
    deps.catalog.restores().release(&mut record).await?;
    Ok(record.state)
}

/// What was recorded cannot be opened now. It is tried as long as everything else is.
async fn unplanned(
    deps: &Deps,
    mut record: RestoreRecord,
    refusal: Refusal,
) -> Result<RestoreState, Refusal> {
    for step in record.steps.iter_mut().filter(|step| !step.is_over()) {
        step.error = Some(refusal.to_string());
    }
    give_up(deps, &mut record).await?;
    if record.steps.iter().all(Step::is_over) {
        return finish::run(deps, record, RestoreState::DoneWithProblems, None).await;
    }
    deps.catalog.restores().release(&mut record).await?;
    Err(refusal)
}

/// Whether the restore is still this invocation's.
enum Held {
    Yes,
    No,
}

/// What AWS Backup has restored is there.
async fn by_aws(deps: &Deps, record: &mut RestoreRecord) -> Result<(), Refusal> {
    let now = deps.now().await?;
    for step in record.steps.iter_mut().filter(|step| step.action == Action::ByAws && !step.is_over()) {
        step.end(StepState::Done, now, None);
    }
    Ok(())
}

/// One step, as far as it gets; it is written down how far.
async fn step(
    deps: &Deps,
    record: &mut RestoreRecord,
    at: usize,
    plan: &Plan,
    table: &mut Table<'_>,
) -> Result<Held, Refusal> {
    let property = record.steps[at].property;
    let outcome = bring_about(property, plan, table).await;
    let now = deps.now().await?;
    let partly = plan.steps.iter().find(|step| step.property == property).and_then(|step| step.error.clone());
    match outcome {
        Ok(()) => record.steps[at].end(StepState::Done, now, partly),
        Err(Trouble::Passing(why)) => record.steps[at].error = Some(why),
        Err(Trouble::Lasting(why)) => record.steps[at].end(StepState::Failed, now, Some(why)),
        Err(Trouble::Gone) => {
            for step in record.steps.iter_mut().filter(|step| !step.is_over()) {
                step.end(StepState::Failed, now, Some("the table does not exist any more".to_owned()));
            }
        }
    }
    tracing::info!(restore = record.name(), %property, step = ?record.steps[at], "step");
    Ok(if deps.catalog.restores().save(record).await? { Held::Yes } else { Held::No })
}

/// Makes the calls that are missing, until the table shows all that is wanted.
async fn bring_about(property: Property, plan: &Plan, table: &mut Table<'_>) -> Result<(), Trouble> {
    let left = missing(property, plan, table).await?;
    if left.is_empty() {
        return Ok(());
    }
    apply(&left, table).await?;
    for reading in 0..READINGS {
        table.read_again(property, reading > 0).await;
        if missing(property, plan, table).await?.is_empty() {
            return Ok(());
        }
    }
    Err(Trouble::Passing("every call for it was taken, and the table does not show it yet".to_owned()))
}

async fn missing(property: Property, plan: &Plan, table: &mut Table<'_>) -> Result<Vec<Change>, Trouble> {
    if property.is_of_the_table() {
        table.active().await?;
    }
    let current = table.config().await?;
    changes(property, &plan.wanted, current).map_err(|reason| trouble::of_reading(&reason))
}

/// Makes the calls one after the other. One that is refused for good keeps none of the others from being made.
async fn apply(left: &[Change], table: &mut Table<'_>) -> Result<(), Trouble> {
    let mut refused: Vec<String> = Vec::new();
    for change in left {
        match table.apply(change).await {
            Ok(()) => {}
            Err(Trouble::Lasting(why)) => refused.push(why),
            Err(other) => return Err(other),
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(Trouble::Lasting(refused.join("; "))) }
}

/// Whatever has not come about in all this time never will.
async fn give_up(deps: &Deps, record: &mut RestoreRecord) -> Result<(), Refusal> {
    let now = deps.now().await?;
    let since = record.restored_at.unwrap_or(record.claimed_at);
    if now.duration_since(since) < GIVE_UP {
        return Ok(());
    }
    for step in record.steps.iter_mut().filter(|step| !step.is_over()) {
        let last = step.error.take().unwrap_or_else(|| "it waited for the others".to_owned());
        step.end(
            StepState::Failed,
            now,
            Some(format!("given up after {} hours: {last}", GIVE_UP.as_hours())),
        );
    }
    Ok(())
}
