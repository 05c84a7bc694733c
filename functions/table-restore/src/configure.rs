//! The recorded configuration, put back property by property.
//!
//! Each step reads what the table has, makes the calls that are missing, and reads again: it is done when nothing is missing
//! any more. So it does not matter where an earlier invocation was cut short. A step that is refused for good is noted and
//! holds up nothing; one that may work later stays pending, and reconciliation comes back to it.

use dynachain::catalog::RestoreRecord;
use dynachain::error::Refusal;
use dynachain::invocation::Invocation;
use dynachain::restore::{Action, Change, Plan, Property, RestoreState, Step, StepState, changes, obstacles};

use crate::job::GIVE_UP;
use crate::table::Table;
use crate::trouble::{self, Trouble};
use crate::{Deps, finish, recorded};

/// How often the table is read again, with pauses while it does not show what it has taken: some of its parts are answered from
/// replicas that lag behind.
const READINGS: u32 = 5;

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
    let mut table = Table::new(deps, invocation, &target, record.table_id.clone());
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
    record.table_id = table.id().map(str::to_owned);
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

/// Makes the calls that are missing, until the table shows all that is wanted. A call that was taken is not made again: what
/// it did may only not be seen yet. One that comes up meanwhile is made as well: a stream has to be there before its policy.
async fn bring_about(property: Property, plan: &Plan, table: &mut Table<'_>) -> Result<(), Trouble> {
    let mut left = missing(property, plan, table).await?;
    let mut in_the_way = obstacles(property, &plan.wanted, &table.now(property, &plan.wanted).await?.config);
    let mut made: Vec<Change> = Vec::new();
    for _ in 0..READINGS {
        if left.is_empty() && in_the_way.is_empty() {
            return Ok(());
        }
        left.retain(|change| !made.contains(change));
        apply(&left, table, std::mem::take(&mut in_the_way)).await?;
        table.read_again(property, left.is_empty()).await;
        made.append(&mut left);
        left = missing(property, plan, table).await?;
    }
    if left.is_empty() {
        return Ok(());
    }
    Err(Trouble::Passing("every call for it was taken, and the table does not show it yet".to_owned()))
}

async fn missing(property: Property, plan: &Plan, table: &mut Table<'_>) -> Result<Vec<Change>, Trouble> {
    if property.is_of_the_table() {
        table.active().await?;
    }
    let current = table.now(property, &plan.wanted).await?;
    changes(property, &plan.wanted, &current.config, current.stream_arn.as_deref())
        .map_err(|reason| trouble::of_reading(&reason))
}

/// Makes the calls one after the other. Neither one that is refused for good nor what is in the way of others keeps any from
/// being made.
async fn apply(left: &[Change], table: &mut Table<'_>, in_the_way: Vec<String>) -> Result<(), Trouble> {
    let mut refused = in_the_way;
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
