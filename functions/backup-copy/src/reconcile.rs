//! What no event brought about: jobs whose end nobody told, points that were never queued, copies that could not be read yet,
//! time that is up, news that did not get out. And at each of them the world is told how the policies stand.

use std::collections::HashSet;

use dynachain::catalog::{CopyRecord, CopyState};
use dynachain::copying::is_overdue;
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, VaultArn};
use dynachain::invocation::Invocation;
use jiff::Timestamp;

use crate::answer::{self, Answer, Place};
use crate::tally::Tally;
use crate::{Deps, arrival, dispatch, figures, given_up, running, walk};

/// Looks after everything, in the order in which it makes room. Under `dry_run` it only counts.
pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    tally: &Tally,
    dry_run: bool,
    after: Option<&Place>,
) -> Result<Answer, Refusal> {
    let now = deps.now().await?;
    let holding = Box::pin(running::reconcile(deps, tally, dry_run, now)).await?;
    if !dry_run {
        Box::pin(missing(deps, invocation, tally, &holding, now)).await?;
    }
    let newest = Box::pin(walk::run(deps, invocation, tally, None, dry_run)).await?;
    if !dry_run && let Err(refusal) = Box::pin(figures::tell(deps, newest.as_ref())).await {
        // Copies are looked after all the same; an alarm on the figures takes their absence for bad news.
        tracing::warn!(%refusal, "nobody is told how the policies stand");
    }
    finish(deps, invocation, tally, dry_run, after).await
}

/// The last step of a request: starts what may begin, and tells how all stands.
pub(crate) async fn finish(
    deps: &Deps,
    invocation: &Invocation,
    tally: &Tally,
    dry_run: bool,
    after: Option<&Place>,
) -> Result<Answer, Refusal> {
    if dry_run {
        for _ in 0..dispatch::would_start(deps, tally).await? {
            tally.started();
        }
    } else {
        Box::pin(dispatch::run(deps, invocation, tally)).await?;
    }
    answer::of_request(deps, tally, after).await
}

/// Copies that are not there, other than those that hold a slot.
async fn missing(
    deps: &Deps,
    invocation: &Invocation,
    tally: &Tally,
    holding: &HashSet<(RecoveryPointArn, VaultArn)>,
    now: Timestamp,
) -> Result<(), Refusal> {
    for record in deps.catalog.copies().missing(None).await? {
        if !invocation.has_time() {
            break;
        }
        let (source, target) = (record.source.clone(), record.target.clone());
        if holding.contains(&(source.clone(), target.clone())) {
            continue;
        }
        if let Err(refusal) = look_after(deps, tally, record, now).await {
            tracing::warn!(%source, target_vault = %target, %refusal, "a missing copy could not be looked after");
        }
    }
    Ok(())
}

async fn look_after(deps: &Deps, tally: &Tally, record: CopyRecord, now: Timestamp) -> Result<(), Refusal> {
    match record.state {
        CopyState::Running => running::without_slot(deps, tally, &record, now).await,
        CopyState::Arrived => arrival::look(deps, tally, record, now).await,
        CopyState::Queued if is_overdue(record.queued_at, deps.settings.deadline_days, now) => {
            given_up::overdue(deps, tally, &record, now).await
        }
        CopyState::GivenUp if !record.announced => given_up::announce(deps, record).await,
        _ => Ok(()),
    }
}
