//! Copies of points that were made before their policy had the target: only when somebody asks for them.

use dynachain::catalog::{CopyRecord, CopyState, StoredPolicy};
use dynachain::chain::RestorePoint;
use dynachain::copying::{backfilled, wanted};
use dynachain::error::{ErrorType, Refusal};
use dynachain::invocation::Invocation;
use dynachain::metadata::{Core, PolicyStamp};
use dynachain::policy::CopyTarget;
use jiff::Timestamp;

use crate::answer::{Answer, Place};
use crate::input::Backfill;
use crate::queue::copyable;
use crate::tally::Tally;
use crate::{Deps, reconcile, walk};

/// Queues what is wanted; under `dry_run` only counts it.
pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    tally: &Tally,
    backfill: &Backfill,
    dry_run: bool,
    after: Option<&Place>,
) -> Result<Answer, Refusal> {
    target(deps, backfill).await?;
    Box::pin(walk::run(deps, invocation, tally, Some(backfill), dry_run)).await?;
    reconcile::finish(deps, invocation, tally, dry_run, after).await
}

/// The policy and its target.
async fn target(deps: &Deps, backfill: &Backfill) -> Result<(StoredPolicy, CopyTarget), Refusal> {
    let refuse = |path: &str, message: String| Err(Refusal::at(ErrorType::InvalidRequest, path, message));
    let Some(policy) = deps.catalog.policies().get(&backfill.policy).await? else {
        let message = format!("there is no policy {}", backfill.policy);
        return Err(Refusal::at(ErrorType::PolicyNotFound, "$.backfill.policy", message));
    };
    if backfill.target.account() != deps.settings.account {
        let message = format!(
            "{} lies in another account: copies of points that do not name it could not be read there",
            backfill.target
        );
        return refuse("$.backfill.target", message);
    }
    match policy.document.copies.iter().find(|copy| copy.vault == backfill.target).cloned() {
        Some(target) => Ok((policy, target)),
        None => {
            let message = format!(
                "the policy {} does not copy to {}; add the target to its copies first",
                backfill.policy, backfill.target
            );
            refuse("$.backfill.target", message)
        }
    }
}

/// Queues the copies of one page of the vault's points.
pub(crate) async fn page(
    deps: &Deps,
    tally: &Tally,
    backfill: &Backfill,
    points: &[RestorePoint],
    dry_run: bool,
) -> Result<(), Refusal> {
    let (policy, target) = target(deps, backfill).await?;
    let now = deps.now().await?;
    let of_policy = points.iter().filter_map(|point| {
        let (core, stamp) = copyable(point)?;
        let meant = stamp.id == policy.id && core.scheduled_at >= backfill.since;
        meant.then(|| record(point, (core, stamp), &target, policy.document.retries, now)).flatten()
    });
    let wanted: Vec<CopyRecord> = of_policy.collect();
    let keys: Vec<_> = wanted.iter().map(|record| (record.source.clone(), record.target.clone())).collect();
    let known = deps.catalog.copies().known(&keys).await?;
    for (record, key) in wanted.into_iter().zip(keys) {
        let noted = match known.get(&key) {
            None if dry_run => vec![record],
            None => deps.catalog.copies().note(vec![record]).await?,
            // What came to nothing before has another chance.
            Some(read) if read.state.is_owed() => again(deps, read, record, dry_run).await?,
            Some(_) => continue,
        };
        tally.queued(noted);
    }
    Ok(())
}

/// The copy of a point that the target is to have; none when nothing of it would be kept there.
fn record(
    point: &RestorePoint,
    (core, stamp): (&Core, &PolicyStamp),
    target: &CopyTarget,
    retries: u32,
    now: Timestamp,
) -> Option<CopyRecord> {
    let record = CopyRecord::queued(&point.listed, (core, stamp), &target.vault, retries, now);
    let record = CopyRecord { look_first: true, ..record };
    if wanted(core, now).contains(&target.vault) {
        return Some(record);
    }
    let keep = backfilled(core, &target.vault, &target.keep, now)?;
    Some(CopyRecord { backfill: Some(keep), ..record })
}

async fn again(
    deps: &Deps,
    read: &CopyRecord,
    wanted: CopyRecord,
    dry_run: bool,
) -> Result<Vec<CopyRecord>, Refusal> {
    // Tokens go on counting where they were.
    let again = CopyRecord { attempts: read.attempts, state: CopyState::Queued, ..wanted };
    if dry_run {
        return Ok(vec![again]);
    }
    Ok(deps.catalog.copies().change(again, read).await?.into_iter().collect())
}
