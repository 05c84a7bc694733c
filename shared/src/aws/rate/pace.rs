//! How fast calls of one kind may go at a moment: pure, the time is told.

use std::time::Duration;

/// What a throttled answer leaves of the pace.
const CUT: f64 = 0.5;
/// It never gets slower than this share of the full rate.
const SLOWEST: f64 = 1.0 / 16.0;
/// After a cut the pace stays for so long. Throttled answers of that time are to calls of before it, and do not cut again.
const HOLD: Duration = Duration::from_secs(2);
/// Then it grows evenly, from a stand-still to the full rate in so long.
const RECOVERY: Duration = Duration::from_secs(60);
/// A call that comes so little after its moment was held up by the timer: the next one is not put off for it.
const TIMER: Duration = Duration::from_millis(5);

/// The pace of calls of one kind. Moments are counted from any instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// Calls a second when nothing is throttled.
    full: f64,
    cut: Option<Cut>,
}

/// A throttled answer came.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cut {
    at: Duration,
    /// What was left of the full rate, from 0 to 1.
    left: f64,
}

impl Pace {
    /// So many calls a second, at least one.
    pub(super) fn per_second(per_second: u32) -> Self {
        Self { full: f64::from(per_second.max(1)), cut: None }
    }

    /// What share of the full rate is kept to at a moment, from 0 to 1.
    pub(super) fn share(&self, now: Duration) -> f64 {
        let Some(cut) = self.cut else { return 1.0 };
        let growing = now.saturating_sub(cut.at).saturating_sub(HOLD);
        (cut.left + growing.as_secs_f64() / RECOVERY.as_secs_f64()).min(1.0)
    }

    /// An answer was throttled; true when that slows the calls down.
    pub(super) fn throttled(&mut self, now: Duration) -> bool {
        let fresh = self.cut.is_none_or(|cut| now.saturating_sub(cut.at) >= HOLD);
        if fresh {
            self.cut = Some(Cut { at: now, left: (self.share(now) * CUT).max(SLOWEST) });
        }
        fresh
    }

    /// When the call after one may be made whose moment was `due` and that is made now.
    pub(super) fn next(&self, due: Duration, now: Duration) -> Duration {
        let from = if now.saturating_sub(due) <= TIMER { due } else { now };
        from.saturating_add(Duration::from_secs_f64(1.0 / (self.full * self.share(now))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn a_throttled_answer_halves_the_rate_and_time_without_one_restores_it() {
        let mut pace = Pace::per_second(10);
        assert!(pace.throttled(secs(100.0)));
        for (at, share) in [(100.0, 0.5), (102.0, 0.5), (117.0, 0.75), (132.0, 1.0), (500.0, 1.0)] {
            assert!(close(pace.share(secs(at)), share), "{at}: {}", pace.share(secs(at)));
        }
        let next = pace.next(secs(101.0), secs(101.0));
        assert!(close(next.as_secs_f64(), 101.2), "{next:?}");
    }

    #[test]
    fn throttled_answers_to_calls_of_before_count_as_one() {
        let mut pace = Pace::per_second(10);
        assert!(pace.throttled(secs(1.0)));
        for at in [1.0, 1.3, 2.9] {
            assert!(!pace.throttled(secs(at)));
        }
        assert!(close(pace.share(secs(2.9)), 0.5));
        assert!(pace.throttled(secs(3.0)));
        assert!(close(pace.share(secs(3.0)), 0.25));
    }

    #[test]
    fn a_late_timer_does_not_slow_calls_down_and_nothing_is_saved_up() {
        let pace = Pace::per_second(100);
        assert_eq!(pace.next(secs(1.0), secs(1.004)), secs(1.01));
        assert_eq!(pace.next(secs(1.0), secs(7.0)), secs(7.01));
    }

    proptest! {
        #[test]
        fn the_rate_stays_between_a_sixteenth_and_the_whole_and_only_grows_between_cuts(
            waits in prop::collection::vec((0.0_f64..40.0, any::<bool>()), 1..50),
        ) {
            let mut pace = Pace::per_second(7);
            let (mut now, mut share) = (0.0, 1.0_f64);
            for (wait, throttled) in waits {
                now += wait;
                let grown = pace.share(secs(now));
                prop_assert!(grown >= share && grown <= 1.0);
                let cut = throttled && pace.throttled(secs(now));
                share = pace.share(secs(now));
                let expected = if cut { (grown * CUT).max(SLOWEST) } else { grown };
                prop_assert!(close(share, expected) && share >= SLOWEST);
            }
            let long_after = secs(now) + HOLD + RECOVERY;
            prop_assert!(close(pace.share(long_after), 1.0));
        }

        #[test]
        fn calls_keep_the_full_rate_at_most(
            rate in 1_u32..1000,
            events in prop::collection::vec((0.0_f64..0.05, any::<bool>()), 2..100),
        ) {
            let mut pace = Pace::per_second(rate);
            let (mut due, mut made) = (Duration::ZERO, Vec::new());
            let mut now = Duration::ZERO;
            for (late, throttled) in events {
                now = now.max(due) + secs(late);
                made.push(now);
                due = pace.next(due, now);
                if throttled {
                    pace.throttled(now);
                }
            }
            // Over any stretch: as many as the rate gives, and the one that a late timer let come early.
            let stretch = (*made.last().unwrap() - made[0] + TIMER).as_secs_f64();
            let intervals = f64::from(u32::try_from(made.len()).unwrap() - 1);
            prop_assert!(intervals <= stretch * f64::from(rate) + 1e-6);
        }
    }
}
