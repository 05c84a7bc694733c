//! Restores that somebody asks for: planned and checked whole, written down, then started.

use dynachain::catalog::RestoreRecord;
use dynachain::error::Refusal;
use dynachain::invocation::Invocation;
use dynachain::restore::RestoreRequest;
use futures::{StreamExt as _, stream};
use serde_json::Value;

use crate::input::Start;
use crate::prepare::Prepared;
use crate::{Deps, answer, job, prepare};

/// Jobs that are started side by side; their rate is bounded beside.
const CONCURRENT: usize = 5;

pub(crate) async fn run(deps: &Deps, invocation: &Invocation, start: Start) -> Result<Value, Refusal> {
    let restore_id = invocation.request_id();
    let known = deps.catalog.restores().of(restore_id).await?;
    if known.len() == start.requests.len() {
        // Lambda tries a request again that it has no answer to: it is the same restore.
        return again(deps, known, &start).await;
    }
    let now = deps.now().await?;
    let prepared = prepare::all(deps, &start.requests, restore_id, now).await?;
    if start.dry_run {
        return answer::planned(&prepared, start.as_list);
    }
    for reason in start.requests.iter().filter_map(|request: &RestoreRequest| request.reason.as_ref()) {
        tracing::info!(restore_id, reason, "restore asked for");
    }
    let mut claimed: Vec<RestoreRecord> = Vec::new();
    for Prepared { record, .. } in &prepared {
        let mut record = record.clone();
        if deps.catalog.restores().claim(&mut record).await? {
            claimed.push(record);
        }
    }
    begin(deps, claimed).await?;
    answer::of(deps, restore_id, start.as_list).await
}

async fn again(deps: &Deps, known: Vec<RestoreRecord>, start: &Start) -> Result<Value, Refusal> {
    let restore_id = known.first().map(|record| record.restore_id.clone()).unwrap_or_default();
    answer::of(deps, &restore_id, start.as_list).await
}

/// Starts them all. Trouble with one is written down with it, and keeps none of the others from being started.
async fn begin(deps: &Deps, claimed: Vec<RestoreRecord>) -> Result<(), Refusal> {
    let started = stream::iter(claimed).map(|record| job::begin(deps, record)).buffer_unordered(CONCURRENT);
    let outcomes: Vec<_> = started.collect().await;
    outcomes.into_iter().try_for_each(|outcome| outcome.map(drop))
}
