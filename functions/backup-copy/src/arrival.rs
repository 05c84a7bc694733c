//! A copy that has arrived: its tags are verified with clients of its own Region, what is missing is added there, and only when
//! its metadata can be read with the key there does it count.

use std::collections::BTreeMap;

use dynachain::aws::{AwsError, Fault};
use dynachain::catalog::{CopyRecord, CopyState};
use dynachain::chain::{ChainKind, ListedPoint, PerFlag};
use dynachain::copying::{is_overdue, keeps_its_core, missing_tags, naming_target};
use dynachain::error::Refusal;
use dynachain::id::RecoveryPointArn;
use dynachain::metadata::{Kind, MANAGED, Part, PointTags, Sealer};
use dynachain::retention::Keep;
use dynachain::telemetry::{Metric, Metrics};
use jiff::Timestamp;

use crate::tally::Tally;
use crate::there::There;
use crate::{Deps, given_up, settle};

type Tags = BTreeMap<String, String>;

/// How a copy is found.
enum Found {
    Usable,
    /// It is not there any more, or not whole.
    Gone(String),
    /// Nobody can tell yet, or it cannot be read yet.
    NotYet(String),
}

/// Looks at a copy that has arrived. One that cannot be read yet is looked at again by reconciliation, until its time is up.
pub(crate) async fn look(
    deps: &Deps,
    tally: &Tally,
    record: CopyRecord,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(copy) = record.copy.clone() else {
        return settle::failed(deps, tally, record, "no_copy_named", "no copy is known".to_owned(), now)
            .await;
    };
    let found = match deps.there(&record.target)? {
        // In another account its own stack looks after the tags, and nobody here can.
        None => Found::Usable,
        Some(there) => match verify(deps, &there, &record, &copy).await {
            Ok(found) => found,
            Err(error) => Found::NotYet(error.to_string()),
        },
    };
    match found {
        Found::Usable => usable(deps, tally, record, now).await,
        Found::Gone(why) => settle::failed(deps, tally, record, "copy_gone", why, now).await,
        Found::NotYet(why) if is_overdue(record.queued_at, deps.settings.deadline_days, now) => {
            let message = format!("the copy {copy} is there and cannot be used: {why}");
            let why = ("not_readable", message);
            given_up::settle(deps, tally, record, CopyState::GivenUp, why, now).await
        }
        Found::NotYet(why) => {
            tracing::warn!(%copy, why, "a copy cannot be used yet");
            let waits =
                CopyRecord { reason: Some("not_readable".to_owned()), message: Some(why), ..record.clone() };
            if waits.message != record.message {
                deps.catalog.copies().change(waits, &record).await?;
            }
            Ok(())
        }
    }
}

async fn verify(
    deps: &Deps,
    there: &There,
    record: &CopyRecord,
    copy: &RecoveryPointArn,
) -> Result<Found, AwsError> {
    let listed = match there.vault().point(copy).await {
        Ok(Some(state)) => state.listed,
        Ok(None) => {
            return Ok(Found::Gone(format!("the copy {copy} is not in its vault any more")));
        }
        Err(error) => return Err(error),
    };
    match listed.status.as_str() {
        "COMPLETED" | "AVAILABLE" => {}
        "CREATING" => return Ok(Found::NotYet(format!("the copy {copy} is CREATING"))),
        status => return Ok(Found::Gone(format!("the copy {copy} is {status}"))),
    }
    let mut tags = there.vault().tags(copy).await?;
    let source = match deps.points.vault().tags(&record.source).await {
        // Without its source the copy has only its own tags to go by.
        Err(error) if error.fault() == Fault::NotFound => tags.clone(),
        read => read?,
    };
    let mut repairs = match repairs(there, record, &source, &tags).await? {
        Ok(repairs) => repairs,
        Err(why) => return Ok(Found::NotYet(why)),
    };
    if repairs.keys().any(|tag| is_of_core(tag)) && has_its_own_core(there, &listed, &tags, &repairs).await {
        repairs.retain(|tag, _| !is_of_core(tag));
    }
    if !repairs.is_empty() {
        // The role may tag only what it calls part of a chain.
        repairs.insert(MANAGED.to_owned(), Kind::Chain.as_tag().to_owned());
        tracing::info!(%copy, tags = repairs.len(), "the copy's tags are repaired");
        there.tag(copy, repairs).await?;
        tags = there.vault().tags(copy).await?;
    }
    let point = there.points().identify_with(listed, &tags).await;
    Ok(match point.chain {
        ChainKind::Copy if point.is_usable() => Found::Usable,
        chain => Found::NotYet(point.doubt.unwrap_or_else(|| format!("it counts as {chain} there"))),
    })
}

/// The tags that the copy has to be given; or why that cannot be told.
async fn repairs(
    there: &There,
    record: &CopyRecord,
    source: &Tags,
    copy: &Tags,
) -> Result<Result<Tags, String>, AwsError> {
    let mut repairs = missing_tags(source, copy);
    if let Some(keep) = &record.backfill {
        match named(there, record, keep, source, copy).await? {
            Ok(Some(core)) => repairs.extend(core),
            // It names its vault already: its core is its own.
            Ok(None) => repairs.retain(|tag, _| !is_of_core(tag)),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(repairs))
}

fn is_of_core(tag: &str) -> bool {
    tag.starts_with("dynachain:core:")
}

/// Whether a copy is one of its chain already, and the repairs would not make it live longer: its own core was edited here, or
/// made anew, and somebody who finds it again takes nothing from it.
async fn has_its_own_core(there: &There, listed: &ListedPoint, tags: &Tags, repairs: &Tags) -> bool {
    let mut repaired = tags.clone();
    repaired.extend(repairs.clone());
    let points = there.points();
    let own = points.identify_with(listed.clone(), tags).await;
    let repaired = points.identify_with(listed.clone(), &repaired).await;
    keeps_its_core(&own, &repaired)
}

/// The core of a copy that its source does not name; none when it has it already.
async fn named(
    there: &There,
    record: &CopyRecord,
    keep: &PerFlag<Keep>,
    source: &Tags,
    copy: &Tags,
) -> Result<Result<Option<Tags>, String>, AwsError> {
    let (source, copy) = (PointTags::read(source), PointTags::read(copy));
    let key = there.points().data_key(&source, &record.table).await?;
    let sealer = Sealer::new(&key, &record.table);
    if let Part::Whole(core) = &copy.core
        && naming_target(&sealer, core, &record.target, keep) == Ok(None)
    {
        return Ok(Ok(None));
    }
    let Part::Whole(core) = &source.core else { return Ok(Err("its source's core is not whole".to_owned())) };
    Ok(naming_target(&sealer, core, &record.target, keep).map_err(|error| error.to_string()))
}

/// The copy counts. What goes with that is written first: whoever dies in between does it again.
async fn usable(deps: &Deps, tally: &Tally, record: CopyRecord, now: Timestamp) -> Result<(), Refusal> {
    let copies = deps.catalog.copies();
    copies.note_newest(&record, now).await?;
    for owed in copies.missing_at(&record.destination(), Some(&record.table)).await? {
        let earlier = owed.target == record.target && owed.scheduled_at < record.scheduled_at;
        if earlier && owed.state.is_owed() {
            copies.change(CopyRecord { made_up: true, ..owed.clone() }, &owed).await?;
        }
    }
    let settled = record.clone().settled(CopyState::Usable, now, None);
    if let Some(settled) = copies.change(settled, &record).await? {
        let lag = now.duration_since(settled.created_at).as_secs();
        tracing::info!(source = %settled.source, copy = ?settled.copy, lag, "copy usable");
        Metrics::of_policy(&settled.policy, now).emit(&[Metric::count("PointsCopied", 1)]);
        tally.settled(&settled);
    }
    Ok(())
}
