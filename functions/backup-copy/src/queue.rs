//! Queueing: the copies that points name, as soon as their metadata is whole.

use std::collections::BTreeMap;

use dynachain::catalog::{CopyRecord, CopyState, TableState};
use dynachain::chain::{ChainKind, ListedPoint, RestorePoint};
use dynachain::copying::{is_too_old, wanted};
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, VaultArn};
use dynachain::metadata::{Core, Part, PointTags, PolicyStamp};
use dynachain::policy::Document;
use jiff::{SignedDuration, Timestamp};

use crate::tally::Tally;
use crate::{Deps, existing};

/// Of a point so young nobody can have forgotten that it was copied already.
const YOUNG: SignedDuration = SignedDuration::from_hours(24);

/// Queues the copies that a point names which an event tells of. A point whose metadata is not whole yet is left alone: another
/// event, or reconciliation, comes back to it.
pub(crate) async fn point(deps: &Deps, tally: &Tally, point: &RecoveryPointArn) -> Result<(), Refusal> {
    let now = deps.now().await?;
    let known = deps.catalog.points().known(std::slice::from_ref(point)).await?;
    if known.get(point).is_some_and(|core| wanted(core, now).is_empty()) {
        return Ok(());
    }
    let listed = match deps.points.vault().point(point).await {
        Ok(Some(state)) => state.listed,
        // It is of another vault, or gone again.
        Ok(None) => return Ok(()),
        Err(error) => return Err(error.refusal()),
    };
    let tags = deps.points.vault().tags(point).await.map_err(|error| error.refusal())?;
    let point = deps.points.identify_with(listed, &tags).await;
    let Some((core, policy)) = copyable(&point) else { return Ok(()) };
    let targets = wanted(core, now);
    if targets.is_empty() || !is_whole(deps, &point.listed, core, &tags).await? {
        return Ok(());
    }
    let look_first = now.duration_since(point.listed.created_at) > YOUNG;
    let retries = retries(deps, policy).await?;
    let record = |target: &VaultArn| CopyRecord {
        look_first,
        ..CopyRecord::queued(&point.listed, (core, policy), target, retries, now)
    };
    let noted = deps.catalog.copies().note(targets.iter().map(record).collect()).await?;
    tally.queued(noted);
    Ok(())
}

/// What a regular point that can be copied says about itself, and which policy made it.
pub(crate) fn copyable(point: &RestorePoint) -> Option<(&Core, &PolicyStamp)> {
    let core = point.core.as_deref().filter(|_| point.chain == ChainKind::Regular && point.is_usable())?;
    Some((core, core.policy.as_ref()?))
}

/// How many further attempts the point's policy allows; the default when there is no such policy any more.
pub(crate) async fn retries(deps: &Deps, policy: &PolicyStamp) -> Result<u32, Refusal> {
    let stored = deps.catalog.policies().get(&policy.name).await?;
    let same = stored.filter(|stored| stored.id == policy.id);
    Ok(same.map_or(Document::DEFAULT_RETRIES, |stored| stored.document.retries))
}

/// Whether a point has all of its metadata: in its tags, or what those have no room for in the catalog. What is not there and
/// will not come any more does not hold the copy up.
async fn is_whole(
    deps: &Deps,
    point: &ListedPoint,
    core: &Core,
    tags: &BTreeMap<String, String>,
) -> Result<bool, Refusal> {
    if matches!(PointTags::read(tags).config, Part::Whole(_)) {
        return Ok(true);
    }
    if deps.catalog.points().config(&point.arn).await?.is_some() {
        return Ok(true);
    }
    let Some(session) = &core.session else { return Ok(true) };
    let record = deps.catalog.sessions().table(session, &point.table).await?;
    let comes = record.is_some_and(|record| match record.state {
        TableState::Claimed => true,
        TableState::Started => record.recovery_point.is_none_or(|theirs| theirs == point.arn),
        _ => false,
    });
    tracing::info!(point = %point.arn, waits = comes, "the configuration of the point is not all there");
    Ok(!comes)
}

/// Queues what one page of the vault's points name and the catalog does not know: it was lost, or no event told. Under `dry_run`
/// it is only counted.
pub(crate) async fn missing(
    deps: &Deps,
    tally: &Tally,
    points: &[RestorePoint],
    dry_run: bool,
) -> Result<(), Refusal> {
    let now = deps.now().await?;
    let copyable = points.iter().filter_map(|point| Some((point, copyable(point)?)));
    let pairs: Vec<_> = copyable
        .flat_map(|(point, of)| wanted(of.0, now).into_iter().map(move |target| (point, of, target)))
        .collect();
    let keys: Vec<_> =
        pairs.iter().map(|(point, _, target)| (point.listed.arn.clone(), target.clone())).collect();
    let known = deps.catalog.copies().known(&keys).await?;
    for ((point, of, target), key) in pairs.into_iter().zip(keys) {
        if known.contains_key(&key) {
            continue;
        }
        if let Err(refusal) = note_missing(deps, tally, (&point.listed, of), &target, dry_run, now).await {
            tracing::warn!(point = %point.listed.arn, %target, %refusal, "a missing copy could not be looked after");
        }
    }
    Ok(())
}

async fn note_missing(
    deps: &Deps,
    tally: &Tally,
    (listed, (core, policy)): (&ListedPoint, (&Core, &PolicyStamp)),
    target: &VaultArn,
    dry_run: bool,
    now: Timestamp,
) -> Result<(), Refusal> {
    let retries = retries(deps, policy).await?;
    let record = CopyRecord::queued(listed, (core, policy), target, retries, now);
    let record = match is_too_old(listed.created_at, now) {
        true => long_ago(deps, record, now).await?,
        false => {
            let tags = deps.points.vault().tags(&listed.arn).await.map_err(|error| error.refusal())?;
            if !is_whole(deps, listed, core, &tags).await? {
                return Ok(());
            }
            CopyRecord { look_first: true, ..record }
        }
    };
    let noted = match dry_run {
        true => vec![record],
        false => deps.catalog.copies().note(vec![record]).await?,
    };
    for record in noted {
        match record.state {
            CopyState::Queued => tally.queued(vec![record]),
            _ => tally.settled(&record),
        }
    }
    Ok(())
}

/// A copy of a point that is too old to be queued: either it is there, or nothing more is done about it.
async fn long_ago(deps: &Deps, record: CopyRecord, now: Timestamp) -> Result<CopyRecord, Refusal> {
    if let Some(copy) = existing::in_vault(deps, &record).await.map_err(|error| error.refusal())? {
        return Ok(CopyRecord { copy: Some(copy), ..record }.settled(CopyState::Usable, now, None));
    }
    let message =
        "the catalog knew nothing of it, and its point is more than 25 days old; ask for it by a backfill";
    let record = record.settled(CopyState::GivenUp, now, Some(("too_old", message.to_owned())));
    let made_up = existing::is_made_up(deps, &record).await?;
    // A catalog that was lost would tell the world of years of points.
    Ok(CopyRecord { announced: true, made_up, ..record })
}
