//! Points in the vault that are none of ours: their tags are not asked for in every walk.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use dynachain::id::RecoveryPointArn;
use jiff::{SignedDuration, Timestamp};

/// So long a process believes what it has seen: somebody may give a point back its tags.
const BELIEVED: SignedDuration = SignedDuration::from_hours(24);
/// So many are kept in mind, at some hundred bytes each.
const MOST: usize = 50_000;

/// The points without metadata that this process has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strangers(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    points: HashSet<RecoveryPointArn>,
    since: Option<Timestamp>,
}

impl Strangers {
    pub(crate) fn know(&self, point: &RecoveryPointArn, now: Timestamp) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.since.is_none_or(|since| now.duration_since(since).abs() > BELIEVED) {
            *seen = Seen { points: HashSet::new(), since: Some(now) };
        }
        seen.points.contains(point)
    }

    pub(crate) fn add(&self, point: &RecoveryPointArn) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.points.len() < MOST {
            seen.points.insert(point.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_known_for_a_day() {
        let (strangers, at) =
            (Strangers::default(), |hours: i64| Timestamp::from_second(hours * 3600).unwrap());
        let point = "arn:aws:backup:eu-central-1:111122223333:recovery-point:0b2f".parse().unwrap();
        assert!(!strangers.know(&point, at(1)));
        strangers.add(&point);
        assert!(strangers.know(&point, at(25)));
        assert!(!strangers.know(&point, at(26)));
        assert!(!strangers.know(&point, at(26)), "and is looked at anew");
    }
}
