//! Copies that come to nothing: settled, told to the world, and remembered until a later copy makes up for them.

use dynachain::catalog::{CopyRecord, CopyState};
use dynachain::error::Refusal;
use dynachain::event::CopyGivenUp;
use dynachain::telemetry::{Metric, Metrics};
use jiff::Timestamp;

use crate::tally::Tally;
use crate::{Deps, existing};

/// Settles a copy that comes to nothing, with a word and a sentence for the reason.
pub(crate) async fn settle(
    deps: &Deps,
    tally: &Tally,
    record: CopyRecord,
    state: CopyState,
    why: (&str, String),
    now: Timestamp,
) -> Result<(), Refusal> {
    change(deps, tally, record.clone(), &record, state, why, now).await
}

/// The same of a record that has changed since it was read.
pub(crate) async fn change(
    deps: &Deps,
    tally: &Tally,
    record: CopyRecord,
    read: &CopyRecord,
    state: CopyState,
    why: (&str, String),
    now: Timestamp,
) -> Result<(), Refusal> {
    let settled = record.settled(state, now, Some(why));
    let made_up = existing::is_made_up(deps, &settled).await?;
    let settled = CopyRecord { made_up, ..settled };
    let Some(settled) = deps.catalog.copies().change(settled, read).await? else { return Ok(()) };
    let reason = settled.reason.as_deref().unwrap_or_default();
    tracing::warn!(source = %settled.source, target_vault = %settled.target, ?state, reason, "no copy comes about");
    tally.settled(&settled);
    if state == CopyState::GivenUp {
        Metrics::of_policy(&settled.policy, now).emit(&[Metric::count("CopiesGivenUp", 1)]);
        announce(deps, settled).await?;
    }
    Ok(())
}

/// Gives up a copy whose time is up.
pub(crate) async fn overdue(
    deps: &Deps,
    tally: &Tally,
    record: &CopyRecord,
    now: Timestamp,
) -> Result<(), Refusal> {
    let days = deps.settings.deadline_days;
    let before = record.message.as_deref().unwrap_or("it never had its turn");
    let message = format!("it has not come about within {days} days (CopyDeadlineDays); last: {before}");
    settle(deps, tally, record.clone(), CopyState::GivenUp, ("deadline", message), now).await
}

/// Tells the world that a copy is given up. Should the function die before it has noted so, reconciliation tells again: at least
/// once.
pub(crate) async fn announce(deps: &Deps, record: CopyRecord) -> Result<(), Refusal> {
    let event = CopyGivenUp {
        table: record.table.clone(),
        recovery_point: record.source.clone(),
        target: record.target.clone(),
        policy: record.policy.clone(),
        scheduled_at: record.scheduled_at,
        attempts: record.attempts,
        reason: record.reason.clone().unwrap_or_default(),
        message: record.message.clone().unwrap_or_default(),
    };
    deps.bus.emit(&event).await.map_err(|error| error.refusal())?;
    deps.catalog.copies().change(CopyRecord { announced: true, ..record.clone() }, &record).await?;
    Ok(())
}
