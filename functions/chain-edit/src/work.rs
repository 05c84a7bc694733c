//! A change of the points of some vaults: planned as a whole, confirmed where points become deletable, then carried out.

use std::collections::BTreeSet;
use std::time::Duration;

use dynachain::chain::RestorePoint;
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{RecoveryPointArn, TableArn};
use dynachain::invocation::Invocation;
use dynachain::judge::Judge;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;

use crate::answer::{Answer, Failure, Line};
use crate::change::Change;
use crate::edit::edit;
use crate::place::Place;
use crate::plan::{Edit, Plan, deletable};
use crate::reconcile;
use crate::request::How;

/// Points that are edited at the same time; the rate of calls is limited on its own.
const CONCURRENT: usize = 4;

/// How often the lock of a vault's edits is tried: for 20 seconds. Retention holds it for half of that, unless AWS is slow.
const TRIES: u32 = 80;
/// Between two tries: shorter than the time for which retention leaves it free.
const PAUSE: Duration = Duration::from_millis(250);

/// The tables of one vault that a change is about.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) place: Place,
    pub(crate) judge: Judge,
    pub(crate) tables: Vec<TableArn>,
}

/// Plans the change, and carries it out unless that takes a confirmation that is not there.
///
/// # Errors
/// `Busy` when another run edits points of one of the vaults; `PlanChanged` when another plan was confirmed.
pub(crate) async fn run(
    change: &Change,
    sites: &[Site],
    how: &How,
    invocation: &Invocation,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if how.dry_run {
        return Ok(Answer::of(now, lines(change, sites).await?, how.after.as_ref()));
    }
    let mut held = Vec::new();
    let outcome = locked(change, sites, how, invocation, now, &mut held).await;
    for place in held {
        unlock(place, invocation).await;
    }
    outcome
}

async fn locked<'a>(
    change: &Change,
    sites: &'a [Site],
    how: &How,
    invocation: &Invocation,
    now: Timestamp,
    held: &mut Vec<&'a Place>,
) -> Result<Answer, Refusal> {
    let (mut resumed, mut failures) = (0, Vec::new());
    for site in sites {
        lock(&site.place, invocation, now).await?;
        held.push(&site.place);
        let (done, failed) = reconcile::finish(&site.place).await?;
        resumed += done;
        failures.extend(failed);
    }
    let planned = lines(change, sites).await?;
    let mut answer = Answer { resumed, failures, ..Answer::of(now, planned.clone(), None) };
    if let Some(confirmed) = how.confirm.as_ref().filter(|confirmed| **confirmed != answer.digest) {
        let message =
            format!("the plan's digest is {} now, not {confirmed}: look at it again", answer.digest);
        return Err(Refusal::at(ErrorType::PlanChanged, "$.confirm", message));
    }
    if answer.deletable > 0 && how.confirm.is_none() {
        answer.confirm_needed = true;
        return Ok(answer);
    }
    carry_out(change, sites, &planned, invocation, &mut answer).await?;
    Ok(answer)
}

/// Takes the lock of a vault's edits. Retention, which holds it while it deletes, gives it out of its hand every few seconds.
pub(crate) async fn lock(place: &Place, invocation: &Invocation, now: Timestamp) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        if place.catalog.edits().lock(invocation.request_id(), now).await? {
            return Ok(());
        }
        // Nobody tells when it is free.
        tokio::time::sleep(PAUSE).await;
    }
    let message = format!(
        "another run edits points of the vault {}, or deletes some; repeat the request when it is over",
        place.vault
    );
    Err(Refusal::new(ErrorType::Busy, message))
}

/// Gives the lock back. Where that fails it ends by itself.
pub(crate) async fn unlock(place: &Place, invocation: &Invocation) {
    if let Err(error) = place.catalog.edits().unlock(invocation.request_id()).await {
        tracing::warn!(vault = %place.vault, %error, "the lock of edits was not given back");
    }
}

/// The lines of the whole plan, table by table: nothing else stays in memory.
async fn lines(change: &Change, sites: &[Site]) -> Result<Vec<Line>, Refusal> {
    let mut lines = Vec::new();
    for site in sites {
        for table in &site.tables {
            lines.extend(plan(change, site, table).await?.lines);
        }
    }
    Ok(lines)
}

async fn plan(change: &Change, site: &Site, table: &TableArn) -> Result<Plan, Refusal> {
    let listed = site.place.of_table(table).await?;
    let points = site.place.points.identify(listed, &site.place.catalog.points()).await?;
    let after: Vec<RestorePoint> = points.iter().map(|point| change.applied(point)).collect();
    let mut settled = site.judge.settled(&points).await?;
    settled.extend(site.judge.settled(&after).await?);
    Ok(Plan::of(&points, &after, &site.judge, &settled))
}

async fn carry_out(
    change: &Change,
    sites: &[Site],
    planned: &[Line],
    invocation: &Invocation,
    answer: &mut Answer,
) -> Result<(), Refusal> {
    let agreed = deletable(planned);
    for site in sites {
        for table in &site.tables {
            if !invocation.has_time() {
                answer.finished = false;
                return Ok(());
            }
            let plan = plan(change, site, table).await?;
            match unforeseen(&plan, &agreed) {
                Some(point) => answer.failures.push(changed(site, table, point)),
                None => edit_all(site, plan.edits, invocation, answer).await,
            }
        }
    }
    Ok(())
}

/// A point that would become deletable now, and did not in the plan that was agreed to.
fn unforeseen<'a>(plan: &'a Plan, agreed: &BTreeSet<&RecoveryPointArn>) -> Option<&'a RecoveryPointArn> {
    deletable(&plan.lines).into_iter().find(|point| !agreed.contains(point))
}

fn changed(site: &Site, table: &TableArn, point: &RecoveryPointArn) -> Failure {
    let message =
        format!("{point} would become deletable now, and did not when the plan was made; ask again");
    Failure {
        table: Some(table.clone()),
        recovery_point: None,
        vault: site.place.vault.clone(),
        reason: "changed",
        message,
    }
}

async fn edit_all(site: &Site, edits: Vec<Edit>, invocation: &Invocation, answer: &mut Answer) {
    let now = site.judge.now();
    let mut outcomes = stream::iter(edits)
        .map(|one| async move {
            if !invocation.has_time() {
                return None;
            }
            Some(
                edit(&site.place, &one, now)
                    .await
                    .map_err(|trouble| Failure::at(&one.before.listed, &trouble)),
            )
        })
        .buffer_unordered(CONCURRENT);
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            None => answer.finished = false,
            Some(Ok(())) => answer.edited += 1,
            Some(Err(failure)) => {
                tracing::warn!(?failure, "not edited");
                answer.failures.push(failure);
            }
        }
    }
}
