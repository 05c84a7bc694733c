//! Request rates: token buckets, one per limit, account and Region.
//!
//! Buckets fill by the real clock, not by the emulated one: a client paces itself in real time, also while a test lets the
//! emulated time stand still.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::aws::Scope;
use crate::iam::matches_wildcards;

/// AWS's own rates per second (AWS General Reference, "AWS Backup endpoints and quotas"). All Describe calls share one, and
/// so do all List calls.
pub(crate) const AWS: [(&str, f64); 9] = [
    ("*", 50.0),
    ("DeleteRecoveryPoint", 10.0),
    ("Describe*", 15.0),
    ("List*", 20.0),
    ("StartBackupJob", 5.0),
    ("StartCopyJob", 5.0),
    ("StartRestoreJob", 5.0),
    ("TagResource", 5.0),
    ("UpdateRecoveryPointLifecycle", 5.0),
];

/// All limits there are; at first none.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Calls per second, by the operation's name or a pattern of names.
    rates: BTreeMap<String, f64>,
    buckets: HashMap<(String, Scope), Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full(rate: f64, at: Instant) -> Self {
        Self { tokens: size(rate), at }
    }

    fn fill(&mut self, rate: f64, at: Instant) {
        let passed = at.saturating_duration_since(self.at).as_secs_f64();
        *self = Self { tokens: (self.tokens + passed * rate).min(size(rate)), at };
    }
}

/// A bucket holds what a second brings, and one call at least.
fn size(rate: f64) -> f64 {
    rate.max(1.0)
}

impl Limits {
    /// Sets limits, or with `None` takes them away; what is not given stays. A limit that is set begins with a full bucket.
    pub(crate) fn set(&self, given: impl IntoIterator<Item = (String, Option<f64>)>) {
        let mut state = self.state();
        for (name, rate) in given {
            state.buckets.retain(|(limit, _), _| *limit != name);
            match rate {
                Some(rate) => state.rates.insert(name, rate),
                None => state.rates.remove(&name),
            };
        }
    }

    pub(crate) fn clear(&self) {
        *self.state() = State::default();
    }

    pub(crate) fn rates(&self) -> BTreeMap<String, f64> {
        self.state().rates.clone()
    }

    /// May this call go on now? One that may takes a token from each limit that it falls under, one that may not from none.
    pub(crate) fn admits(&self, operation: &str, scope: &Scope, at: Instant) -> bool {
        let mut state = self.state();
        let State { rates, buckets } = &mut *state;
        let limits: Vec<_> = rates.iter().filter(|(limit, _)| matches_wildcards(limit, operation)).collect();
        let keys: Vec<_> = limits.iter().map(|(limit, _)| ((*limit).clone(), scope.clone())).collect();
        for (key, (_, rate)) in keys.iter().zip(&limits) {
            buckets.entry(key.clone()).or_insert_with(|| Bucket::full(**rate, at)).fill(**rate, at);
        }
        let admitted = keys.iter().all(|key| buckets.get(key).is_some_and(|bucket| bucket.tokens >= 1.0));
        for key in keys.iter().filter(|_| admitted) {
            if let Some(bucket) = buckets.get_mut(key) {
                bucket.tokens -= 1.0;
            }
        }
        admitted
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn scope(region: &str) -> Scope {
        Scope { account: "111122223333".to_owned(), region: region.to_owned() }
    }

    fn limits(rates: &[(&str, f64)]) -> Limits {
        let limits = Limits::default();
        limits.set(rates.iter().map(|(name, rate)| ((*name).to_owned(), Some(*rate))));
        limits
    }

    fn admitted(limits: &Limits, operation: &str, calls: usize, at: Instant) -> usize {
        (0..calls).filter(|_| limits.admits(operation, &scope("eu-central-1"), at)).count()
    }

    #[test]
    fn no_rate_is_limited_at_first() {
        assert_eq!(admitted(&Limits::default(), "StartBackupJob", 1_000, Instant::now()), 1_000);
    }

    #[test]
    fn a_limit_lets_a_seconds_worth_of_calls_through_at_once() {
        let (limits, now) = (limits(&[("StartBackupJob", 5.0), ("ListTags", 0.5)]), Instant::now());
        assert_eq!(admitted(&limits, "StartBackupJob", 9, now), 5);
        assert_eq!(admitted(&limits, "ListTags", 9, now), 1);
        assert_eq!(admitted(&limits, "DescribeBackupJob", 9, now), 9);
    }

    #[test]
    fn a_limit_fills_up_in_real_time_whatever_the_emulated_clock_does() {
        let (limits, now) = (limits(&[("StartBackupJob", 5.0), ("ListTags", 0.5)]), Instant::now());
        let admitted = |operation, milliseconds| {
            admitted(&limits, operation, 9, now + Duration::from_millis(milliseconds))
        };
        assert_eq!((admitted("StartBackupJob", 0), admitted("ListTags", 0)), (5, 1));
        assert_eq!((admitted("StartBackupJob", 410), admitted("ListTags", 410)), (2, 0));
        assert_eq!((admitted("StartBackupJob", 60_000), admitted("ListTags", 60_000)), (5, 1));
    }

    #[test]
    fn limits_hold_per_account_and_region() {
        let (limits, now) = (limits(&[("*", 1.0)]), Instant::now());
        assert_eq!(admitted(&limits, "ListTags", 2, now), 1);
        assert!(limits.admits("ListTags", &scope("eu-west-1"), now));
        let other = Scope { account: "444455556666".to_owned(), ..scope("eu-central-1") };
        assert!(limits.admits("ListTags", &other, now));
    }

    #[test]
    fn a_star_limits_all_calls_together() {
        let (limits, now) = (limits(&[("*", 50.0), ("List*", 20.0)]), Instant::now());
        assert_eq!(admitted(&limits, "ListBackupJobs", 15, now) + admitted(&limits, "ListTags", 15, now), 20);
        assert_eq!(admitted(&limits, "TagResource", 50, now), 30);
    }

    #[test]
    fn describe_calls_share_one_rate_and_so_do_list_calls() {
        let (limits, now) = (limits(&AWS), Instant::now());
        let both = |one, other| admitted(&limits, one, 9, now) + admitted(&limits, other, 99, now);
        assert_eq!(both("DescribeBackupJob", "DescribeBackupVault"), 15);
        assert_eq!(both("ListTags", "ListBackupJobs"), 20);
    }

    #[test]
    fn a_refused_call_uses_up_no_limit() {
        let (limits, now) = (limits(&[("*", 50.0), ("TagResource", 1.0)]), Instant::now());
        assert_eq!(admitted(&limits, "TagResource", 100, now), 1);
        assert_eq!(admitted(&limits, "ListTags", 100, now), 49);
    }

    #[test]
    fn null_takes_a_limit_away_and_leaves_the_others() {
        let (limits, now) = (limits(&[("TagResource", 1.0), ("ListTags", 1.0)]), Instant::now());
        limits.set([("TagResource".to_owned(), None)]);
        assert_eq!((admitted(&limits, "TagResource", 3, now), admitted(&limits, "ListTags", 3, now)), (3, 1));
    }

    proptest! {
        #[test]
        fn no_second_brings_more_than_twice_the_rate(rate in 0.1_f64..100.0, gaps in prop::collection::vec(0_u64..400, 1..200)) {
            let limits = limits(&[("*", rate)]);
            let (start, mut passed, mut admitted) = (Instant::now(), 0, Vec::new());
            for gap in gaps {
                passed += gap;
                if limits.admits("ListTags", &scope("eu-central-1"), start + Duration::from_millis(passed)) {
                    admitted.push(passed);
                }
            }
            for first in &admitted {
                let within = admitted.iter().filter(|at| (*first..*first + 1_000).contains(at)).count();
                prop_assert!(within as f64 <= size(rate) + rate + 1.0, "{within} calls in a second at {rate}");
            }
        }
    }
}
