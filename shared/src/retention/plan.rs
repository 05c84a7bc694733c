//! The plan: what is to become of every point of a vault, and why.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::floor::keep_last;
use super::{Decision, End, Lifespan, Reason, Reasons};
use crate::chain::{ChainKind, RestorePoint};
use crate::id::{RecoveryPointArn, VaultArn};

/// How far ahead of now a point may be dated before a clock must be wrong.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What retention must know beyond the points themselves.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whether a lock is active on the vault, its grace time included.
    pub locked: bool,
    /// The points that a legal hold covers.
    pub held: &'a HashSet<RecoveryPointArn>,
    /// Those of [`wanted_copies`] that need their source no more; one that is not named here does.
    pub settled: &'a HashSet<(RecoveryPointArn, VaultArn)>,
}

/// What is to become of one point, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is to become of it.
    pub decision: Decision,
    /// All the reasons that apply, also those that did not tip the scales.
    pub reasons: Reasons,
}

/// Decides about the points of one vault: verdict `i` is about point `i`, and does not depend on the order.
///
/// The point's own metadata governs; no policy is read. Chains do not influence each other, so that a vault may be planned
/// in parts, as long as every part has the chains of its tables whole.
pub fn plan(points: &[RestorePoint], facts: &Facts<'_>, now: Timestamp) -> Vec<Verdict> {
    let mut reasons: Vec<Reasons> = points.iter().map(|point| of_point(point, facts, now)).collect();
    for last in keep_last(points, &reasons) {
        reasons[last] = reasons[last].with(Reason::KeepLast, true);
    }
    reasons.into_iter().map(|reasons| Verdict { decision: reasons.decision(), reasons }).collect()
}

/// The reasons that a point has whatever else is in its chain.
fn of_point(point: &RestorePoint, facts: &Facts<'_>, now: Timestamp) -> Reasons {
    let lifespan = point.lifespan().unwrap_or_default();
    let flags = lifespan.active_flags(now);
    let extended = lifespan.is_extended(now);
    flags
        .iter()
        .map(Reason::of_flag)
        .collect::<Reasons>()
        .with(Reason::Extended, extended)
        .with(Reason::NoActiveFlag, flags.is_empty() && !extended)
        .with(Reason::Manual, point.chain == ChainKind::Manual)
        .with(Reason::Foreign, point.chain == ChainKind::Foreign)
        .with(Reason::Suspect, point.chain == ChainKind::Suspect)
        .with(Reason::Unreadable, point.chain == ChainKind::Unreadable)
        .with(Reason::NotFinal, !point.listed.is_final())
        .with(Reason::CopyPending, pending_copies(point, facts, now).next().is_some())
        .with(Reason::LegalHold, facts.held.contains(&point.listed.arn))
        .with(Reason::VaultLock, facts.locked)
        .with(Reason::Future, point.listed.created_at.duration_since(now) > CLOCK_TOLERANCE)
}

/// The copies, each a source and a target vault, that at least one flag would still keep in its target.
pub fn wanted_copies(points: &[RestorePoint], now: Timestamp) -> Vec<(RecoveryPointArn, VaultArn)> {
    let of = |point| wanted_of(point, now).map(move |(target, _)| pair(point, target));
    points.iter().flat_map(of).collect()
}

/// The targets of a point's wanted copies that are not settled, and when the last flag there ends.
pub(super) fn pending_copies<'a>(
    point: &'a RestorePoint,
    facts: &'a Facts<'_>,
    now: Timestamp,
) -> impl Iterator<Item = (VaultArn, End)> + 'a {
    let pending = |(target, _): &(&VaultArn, End)| !facts.settled.contains(&pair(point, target));
    wanted_of(point, now).filter(pending).map(|(target, end)| (target.clone(), end))
}

fn wanted_of(point: &RestorePoint, now: Timestamp) -> impl Iterator<Item = (&VaultArn, End)> {
    let core = point.core.as_deref().filter(|_| point.chain == ChainKind::Regular);
    let last_end = |core, target| Lifespan::of_copy(core, target).ends().map(|(_, end)| end).max();
    core.into_iter()
        .flat_map(move |core| {
            core.copies.keys().filter_map(move |target| Some((target, last_end(core, target)?)))
        })
        .filter(move |(_, end)| end.is_active(now))
}

fn pair(point: &RestorePoint, target: &VaultArn) -> (RecoveryPointArn, VaultArn) {
    (point.listed.arn.clone(), target.clone())
}

#[cfg(test)]
pub(crate) mod tests;
