//! What becomes of a recovery point by itself as time passes.

use jiff::{SignedDuration, Timestamp};

use super::{RecoveryPoint, Status, Storage};

/// How long a point that is deleted is still there. AWS promises no time.
const DELETION: SignedDuration = SignedDuration::from_secs(60);
/// Points that have reached their end are looked for so often, and then those go that are at their moment.
const SWEEP: i64 = 10 * 60;
/// Expiry is spread over so many sweeps, so that the last one is 8 hours after the end (AWS Backup Developer Guide, "Backup
/// deletion").
const SWEEPS: u64 = 48;
/// What a legal hold keeps is looked at so often, so that it goes within 24 hours after the hold's release (AWS Backup
/// Developer Guide, "Legal holds and AWS Backup").
const HELD: i64 = 24 * 60 * 60;

/// One thing that happens to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    MoveToCold,
    /// Its retention has ended: it is to be deleted.
    Expire,
    /// Its deletion ends: it is gone, unless that fails.
    Vanish,
}

impl RecoveryPoint {
    /// What happens to it next, and when.
    pub(crate) fn next_step(&self, now: Timestamp) -> Option<(Timestamp, Step)> {
        match self.status {
            Status::Creating | Status::Expired => None,
            Status::Deleting => Some((now + DELETION, Step::Vanish)),
            Status::Completed | Status::Partial => {
                let (cold, end) = self.lifecycle.as_ref()?.calculated(self.created);
                let cold = cold.filter(|_| self.storage == Storage::Warm);
                let cold = cold.map(|cold| (cold.max(now), Step::MoveToCold));
                let end = end.map(|end| (self.expiry(end.max(now)), Step::Expire));
                cold.into_iter().chain(end).min_by_key(|(when, _)| *when)
            }
        }
    }

    /// Is it still to be done? The point may have changed since it was planned.
    pub(crate) fn is_due(&self, step: Step, now: Timestamp) -> bool {
        let calculated = self.lifecycle.as_ref().map(|lifecycle| lifecycle.calculated(self.created));
        let (cold, end) = calculated.unwrap_or_default();
        let stays = matches!(self.status, Status::Completed | Status::Partial);
        let past = |when: Option<Timestamp>| when.is_some_and(|when| when <= now);
        match step {
            Step::MoveToCold => stays && self.storage == Storage::Warm && past(cold),
            Step::Expire => stays && past(end),
            Step::Vanish => self.status == Status::Deleting,
        }
    }

    /// When a point goes whose retention ends then: always the same one of the sweeps that follow.
    fn expiry(&self, end: Timestamp) -> Timestamp {
        let hash = self.arn.bytes().fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        (0..hash % SWEEPS).fold(following(end, SWEEP), |sweep, _| following(sweep, SWEEP))
    }
}

/// When a step is tried again that a legal hold or AWS Backup's own work on the point stands in the way of; `None` when
/// nothing does.
pub(crate) fn put_off(held: bool, at_work: bool, now: Timestamp) -> Option<Timestamp> {
    match (held, at_work) {
        (true, _) => Some(following(now, HELD)),
        (false, true) => Some(following(now, SWEEP)),
        (false, false) => None,
    }
}

/// The next moment that is a multiple of so many seconds.
fn following(at: Timestamp, seconds: i64) -> Timestamp {
    let next = (at.as_second().div_euclid(seconds) + 1) * seconds;
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
