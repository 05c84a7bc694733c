//! How restores stand, as answers show it.

use dynachain::catalog::RestoreRecord;
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{RecoveryPointArn, TableArn};
use dynachain::restore::{Action, Known, Property, RestoreState, StepState, show};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::prepare::Prepared;
use crate::{Deps, recorded};

/// One restore.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    /// None of a plan that was only asked for.
    restore_id: Option<&'a str>,
    state: RestoreState,
    table: &'a TableArn,
    source_table: &'a TableArn,
    recovery_point: &'a RecoveryPointArn,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    job: Option<&'a str>,
    message: Option<&'a str>,
    notes: &'a [String],
    asked_at: Timestamp,
    restored_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    steps: Vec<StepView<'a>>,
}

/// One property of it.
#[derive(Debug, Serialize)]
struct StepView<'a> {
    property: Property,
    recorded: Value,
    action: Action,
    state: StepState,
    at: Option<Timestamp>,
    error: Option<&'a str>,
}

impl<'a> Answer<'a> {
    fn of(record: &'a RestoreRecord, known: Option<&Known>, is_planned: bool) -> Self {
        let config = known.and_then(Known::config);
        let steps = record.steps.iter().map(|step| StepView {
            property: step.property,
            recorded: config.map(|config| show(config, step.property)).unwrap_or_default(),
            action: step.action,
            state: step.state,
            at: step.at,
            error: step.error.as_deref(),
        });
        Self {
            restore_id: (!is_planned).then_some(&record.restore_id),
            state: record.state,
            table: &record.target,
            source_table: &record.source,
            recovery_point: &record.recovery_point,
            reason: record.reason.as_deref(),
            job: record.job.as_deref(),
            message: record.message.as_deref(),
            notes: &record.notes,
            asked_at: record.claimed_at,
            restored_at: record.restored_at,
            finished_at: record.finished_at,
            steps: steps.collect(),
        }
    }
}

/// Restores that are only planned.
pub(crate) fn planned(all: &[Prepared], as_list: bool) -> Result<Value, Refusal> {
    let answers =
        all.iter().map(|prepared| value(&Answer::of(&prepared.record, Some(&prepared.known), true)));
    let mut answer = together(None, RestoreState::Planned, answers.collect::<Result<_, _>>()?, as_list);
    answer["dry_run"] = json!(true);
    Ok(answer)
}

/// How the restore with this id stands, asked for by hand.
pub(crate) async fn status(deps: &Deps, restore_id: &str) -> Result<Value, Refusal> {
    let records = deps.catalog.restores().of(restore_id).await?;
    if records.is_empty() {
        let message = format!("no restore {restore_id} is known here; restores are remembered for 90 days");
        return Err(Refusal::at(ErrorType::InvalidRequest, "$.status", message));
    }
    let as_list = records.len() > 1;
    compose(deps, &records, as_list).await
}

/// How the restore with this id stands.
pub(crate) async fn of(deps: &Deps, restore_id: &str, as_list: bool) -> Result<Value, Refusal> {
    let records = deps.catalog.restores().of(restore_id).await?;
    compose(deps, &records, as_list).await
}

async fn compose(deps: &Deps, records: &[RestoreRecord], as_list: bool) -> Result<Value, Refusal> {
    let mut answers = Vec::new();
    for record in records {
        let known = recorded::known(deps, record).await;
        if let Err(refusal) = &known {
            tracing::warn!(restore = record.name(), %refusal, "what was recorded cannot be shown");
        }
        answers.push(value(&Answer::of(record, known.ok().as_ref(), false))?);
    }
    let state = RestoreState::together(records.iter().map(|record| record.state));
    let restore_id = records.first().map(|record| record.restore_id.as_str());
    Ok(together(restore_id, state.unwrap_or(RestoreState::Planned), answers, as_list))
}

/// One restore as it is, several as a list.
fn together(restore_id: Option<&str>, state: RestoreState, mut answers: Vec<Value>, as_list: bool) -> Value {
    match answers.pop() {
        Some(only) if answers.is_empty() && !as_list => only,
        last => {
            answers.extend(last);
            json!({ "restore_id": restore_id, "state": state, "restores": answers })
        }
    }
}

fn value(answer: &Answer<'_>) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
}
