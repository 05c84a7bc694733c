//! Further attempts at tables whose backup job came to nothing.
//!
//! They are made by reconciliation, so that some minutes lie between two: what makes a job fail (a table that is being
//! restored, a key that is being replaced, too many requests) seldom passes at once.

use dynachain::catalog::{SessionRecord, TableRecord};
use dynachain::error::Refusal;
use dynachain::policy::Document;
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::failures::{Failures, table_of};
use crate::preflight::{self, Ready};
use crate::work::context;
use crate::{Deps, Invocation, backup_table, late, owed, settle, start};

/// A session makes no further attempts when it is older: the next sessions have long had their turn.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// Makes the next attempt at every table that waits for one; how many were made.
pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    session: &SessionRecord,
    waiting: Vec<TableRecord>,
    now: Timestamp,
    failures: &mut Failures,
) -> Result<u64, Refusal> {
    if waiting.is_empty() {
        return Ok(0);
    }
    if now.duration_since(session.claimed_at) > LONGEST {
        for record in waiting.into_iter().take_while(|_| invocation.has_time()) {
            let failed = settle::failed(deps, session, record.clone(), &record).await;
            failures.caught(table_of(session, &record.table), failed);
        }
        return Ok(0);
    }
    let (too_late, waiting): (Vec<_>, Vec<_>) = match late::is_too_late(session, now) {
        true => waiting.into_iter().partition(|last| last.job.is_none()),
        false => (Vec::new(), waiting),
    };
    for last in too_late.iter().take_while(|_| invocation.has_time()) {
        failures.caught(table_of(session, &last.table), late::give_up(deps, session, last).await);
    }
    if waiting.is_empty() {
        return Ok(0);
    }
    let policy = start::document(session)?;
    let ready = preflight::check(deps, &policy, false).await?;
    attempts(deps, invocation, session, waiting, (&policy, &ready), failures).await
}

async fn attempts(
    deps: &Deps,
    invocation: &Invocation,
    session: &SessionRecord,
    waiting: Vec<TableRecord>,
    (policy, ready): (&Document, &Ready),
    failures: &mut Failures,
) -> Result<u64, Refusal> {
    let debts = owed::of(deps, session).await?;
    let context = context(deps, session, policy, ready, &debts);
    let reader = deps.reader.afresh();
    let outcomes: Vec<_> = stream::iter(waiting)
        .map(|last| {
            let (context, reader) = (&context, &reader);
            async move {
                if !invocation.has_time() {
                    return (table_of(session, &last.table), Ok(None));
                }
                tracing::info!(session = %session.session, table = %last.table, after = last.attempt, "another attempt");
                let what = table_of(session, &last.table);
                (what, backup_table::again(deps, invocation, reader, context, last).await)
            }
        })
        .buffer_unordered(deps.settings.concurrency)
        .collect()
        .await;
    let made = outcomes.into_iter().filter_map(|(what, outcome)| failures.caught(what, outcome)).count();
    Ok(u64::try_from(made).unwrap_or(u64::MAX))
}
