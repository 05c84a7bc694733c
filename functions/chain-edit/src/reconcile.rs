//! Edits that were cut short: every one that the catalog has as begun is finished, and a run that waits is gone on with.

use dynachain::catalog::EditRecord;
use dynachain::chain::{ChainKind, RestorePoint};
use dynachain::error::{ErrorType, Refusal};
use dynachain::invocation::Invocation;
use jiff::Timestamp;

use crate::Deps;
use crate::answer::{Answer, Failure};
use crate::edit::{Trouble, carry_out};
use crate::place::Place;
use crate::run::{self, Lock};

/// Finishes what is left in this stack's own vault: single edits that had begun, and a run that ran out of time and that no event
/// went on with. Usually nothing is, and then nothing is locked.
pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    dry_run: bool,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if dry_run {
        return Ok(Answer::empty(now));
    }
    if let Some(answer) = run::go_on(deps, invocation, true).await? {
        return Ok(answer);
    }
    let place = deps.place(deps.home())?;
    let edits = place.catalog.edits();
    if edits.begun().await?.is_empty() {
        return Ok(Answer::empty(now));
    }
    let lock = match Lock::take(&edits, &place.vault, invocation, now).await {
        // What that one has begun it finishes itself.
        Err(busy) if busy.error_type() == ErrorType::Busy => {
            return Ok(Answer { finished: false, ..Answer::empty(now) });
        }
        lock => lock?,
    };
    let finished = finish(&place, invocation).await;
    lock.give_back().await;
    let (resumed, failures) = finished?;
    Ok(Answer { resumed, failures, finished: invocation.has_time(), ..Answer::empty(now) })
}

/// Finishes every edit of a vault that has begun, as long as there is time; how many, and what could not be finished.
pub(crate) async fn finish(place: &Place, invocation: &Invocation) -> Result<(usize, Vec<Failure>), Refusal> {
    let (mut resumed, mut failures) = (0, Vec::new());
    for edit in place.catalog.edits().begun().await? {
        if !invocation.has_time() {
            break;
        }
        match finish_one(place, &edit).await {
            Ok(true) => resumed += 1,
            Ok(false) => {}
            Err(trouble) => failures.push(Failure::of_point(&place.vault, &edit.recovery_point, &trouble)),
        }
    }
    Ok((resumed, failures))
}

/// Writes the stored tags again. First they have to prove that they are of this point: the catalog is no authority. False
/// where there is nothing to finish any more: the point is gone, or its metadata was edited again since. A catalog that was
/// restored to an earlier time has edits that were finished long ago.
async fn finish_one(place: &Place, edit: &EditRecord) -> Result<bool, Trouble> {
    let found = place.points.vault().point(&edit.recovery_point).await?;
    let Some(listed) = found.map(|found| found.listed).filter(|listed| !listed.is_being_deleted()) else {
        place.catalog.edits().end(&edit.recovery_point).await?;
        return Ok(false);
    };
    let mut tags = place.points.vault().tags(&listed.arn).await?;
    if edit.is_superseded_by(&tags)
        && is_in_a_chain(&place.points.open_tags(listed.clone(), tags.clone()).await.0)
    {
        tracing::warn!(point = %listed.arn, begun_at = %edit.begun_at, "a stored edit is older than the point's metadata");
        place.catalog.edits().end(&edit.recovery_point).await?;
        return Ok(false);
    }
    tags.extend(edit.new_tags.clone());
    tags.retain(|tag, _| !edit.old_tags.contains(tag));
    let (point, _) = place.points.open_tags(listed.clone(), tags).await;
    if !is_in_a_chain(&point) {
        let doubt = point.doubt.unwrap_or_else(|| format!("it would be {}", point.chain));
        return Err(Trouble::Unsound(doubt));
    }
    tracing::info!(point = %listed.arn, begun_at = %edit.begun_at, "an edit is finished");
    carry_out(place, &listed, edit).await.map(|()| true)
}

fn is_in_a_chain(point: &RestorePoint) -> bool {
    matches!(point.chain, ChainKind::Regular | ChainKind::Copy)
}
