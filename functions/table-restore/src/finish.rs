//! A restore is over: it is said, and written down.

use dynachain::catalog::RestoreRecord;
use dynachain::error::Refusal;
use dynachain::event::{RestoreFinished, RestoreProblem};
use dynachain::restore::{RestoreState, StepState};

use crate::Deps;

/// Ends a restore. The event goes first: an invocation that is cut short in between says it twice, and never not at all.
pub(crate) async fn run(
    deps: &Deps,
    mut record: RestoreRecord,
    state: RestoreState,
    message: Option<String>,
) -> Result<RestoreState, Refusal> {
    let now = deps.now().await?;
    if state == RestoreState::Failed {
        for step in record.steps.iter_mut().filter(|step| !step.is_over()) {
            step.end(StepState::Skipped, now, None);
        }
    }
    (record.state, record.message, record.finished_at) = (state, message, Some(now));
    deps.bus.emit(&finished(&record)).await.map_err(|error| error.refusal())?;
    deps.catalog.restores().release(&mut record).await?;
    tracing::info!(restore = record.name(), ?state, target = %record.target, "restore finished");
    Ok(state)
}

fn finished(record: &RestoreRecord) -> RestoreFinished {
    let problems = record.steps.iter().filter(|step| step.is_problem());
    let problems = problems
        .filter_map(|step| Some(RestoreProblem { property: step.property, error: step.error.clone()? }));
    RestoreFinished {
        restore_id: record.restore_id.clone(),
        state: record.state,
        table: record.target.clone(),
        source_table: record.source.clone(),
        recovery_point: record.recovery_point.clone(),
        message: record.message.clone(),
        problems: problems.collect(),
    }
}
