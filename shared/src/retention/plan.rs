//! The plan: what is to become of every point of a vault, and why.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::copies::pending_copies;
use super::floor::keep_last;
use super::{Decision, KnownCopies, Reason, Reasons};
use crate::chain::{ChainKind, RestorePoint};
use crate::id::RecoveryPointArn;

/// How far ahead of now a point may be dated before a clock must be wrong.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What retention must know beyond the points themselves.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Whether a lock is active on the vault, its grace time included.
    pub locked: bool,
    /// The points that a legal hold covers.
    pub held: &'a HashSet<RecoveryPointArn>,
    /// What is known of the copies that the points are to have.
    pub copies: &'a KnownCopies,
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
        .with(Reason::CopyPending, pending_copies(point, facts.copies, now).next().is_some())
        .with(Reason::LegalHold, facts.held.contains(&point.listed.arn))
        .with(Reason::VaultLock, facts.locked)
        .with(Reason::Future, point.listed.created_at.duration_since(now) > CLOCK_TOLERANCE)
}

#[cfg(test)]
pub(crate) mod tests;
