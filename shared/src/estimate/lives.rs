//! How many points of a table live in a vault, and how long: counted point by point with the policy's own calendar and
//! keeps.
//!
//! The steady state is that of the next calendar year, as if the policy had always run: every point that is alive then,
//! however long ago it was made, with just the part of its life that falls into the year.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use crate::chain::{Flag, Flags, PerFlag};
use crate::policy::{Document, calendar};
use crate::retention::{End, Keep};
use crate::time::{Twice, instant_of};

/// AWS counts a month as 730 hours where it prices by the month.
const MONTH: SignedDuration = SignedDuration::from_hours(730);
/// Cold storage is charged for at least so many days, so points that live shorter stay warm (AWS Backup Developer Guide,
/// "Lifecycle").
const COLD_DAYS: u32 = 90;
/// Points that never end are counted as after so many days: ten years.
const ENDLESS_DAYS: u32 = 3_653;
/// No keep is followed for longer than a hundred years,
const MOST_DAYS: u32 = 36_525;
/// nor for more points of one flag than this.
const MOST_POINTS: u32 = 250_000;

/// A span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Period {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// How many months it counts as.
    #[serde(skip)]
    pub(super) months: u32,
}

impl Period {
    /// The month that begins now.
    pub(super) fn first_month(now: Timestamp) -> Self {
        Self { from: now, until: now.checked_add(MONTH).unwrap_or(Timestamp::MAX), months: 1 }
    }

    /// The next calendar year in the policy's time zone.
    pub(super) fn steady_year(policy: &Document, now: Timestamp) -> Self {
        let zone = policy.timezone.rules();
        let new_year = |year: i16| {
            let midnight = Date::new(year, 1, 1).ok()?.to_datetime(Time::midnight());
            instant_of(midnight, zone, Twice::First)
        };
        let year = zone.to_datetime(now).year();
        let from = new_year(year.saturating_add(1)).unwrap_or(now);
        let year_on = from.checked_add(MONTH * 12).unwrap_or(Timestamp::MAX);
        Self { from, until: new_year(year.saturating_add(2)).unwrap_or(year_on), months: 12 }
    }

    pub(super) fn seconds(&self) -> u128 {
        seconds(self.from, self.until)
    }

    /// How much of it lies between two instants.
    fn overlap(&self, from: Timestamp, until: Timestamp) -> u128 {
        seconds(self.from.max(from), self.until.min(until))
    }
}

fn seconds(from: Timestamp, until: Timestamp) -> u128 {
    u128::try_from(until.duration_since(from).as_secs()).unwrap_or_default()
}

/// What a period sees of the points of one table in one vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Points made in the period.
    pub(super) made: u64,
    /// Of those, the ones whose end is not counted with.
    pub(super) endless: u64,
    /// Seconds in warm storage, of all points together.
    pub(super) warm: u128,
    /// Seconds in cold storage, of all points together.
    pub(super) cold: u128,
    /// The most points at one time.
    pub(super) most: u64,
}

/// The flags that a vault keeps and how long, which is all that differs between a home vault and a target.
#[derive(Clone, Debug)]
pub(super) struct Kept<'a> {
    policy: &'a Document,
    keep: PerFlag<Keep>,
    cold_after_days: Option<u32>,
}

impl<'a> Kept<'a> {
    /// What the policy keeps in its home vault.
    pub(super) fn at_home(policy: &'a Document) -> Self {
        Self {
            policy,
            keep: policy.keeps(),
            cold_after_days: policy.cold_storage.map(|cold| cold.after_days),
        }
    }

    /// What it keeps of that in a target: copies stay in warm storage.
    pub(super) fn in_target(policy: &'a Document, keep: &PerFlag<Keep>) -> Self {
        Self { policy, keep: keep.clone(), cold_after_days: None }
    }

    /// The flags whose points are not followed to their end: kept for ever, or so long that it makes no difference.
    pub(super) fn endless(&self) -> Flags {
        let followed =
            |flag| self.span(flag).is_some_and(|(days, most)| days.is_some_and(|days| days <= most));
        self.keep.flags().iter().filter(|flag| !followed(*flag)).collect()
    }

    /// What a period sees of points that were made at any time before its end.
    pub(super) fn seen_in(&self, period: &Period) -> Seen {
        let looked_back = |flag| {
            let (days, most) = self.span(flag)?;
            let days = days.map_or(most.min(ENDLESS_DAYS), |days| days.min(most));
            period.from.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok()
        };
        self.count(period, looked_back)
    }

    /// What a period sees of points that are made in it.
    pub(super) fn made_in(&self, period: &Period) -> Seen {
        self.count(period, |_| Some(period.from))
    }

    /// For how many days the flag is kept, rounded up (`None`: for ever), and for how many it is followed.
    fn span(&self, flag: Flag) -> Option<(Option<u32>, u32)> {
        let times = u32::try_from(self.policy.schedules.get(flag)?.at.len()).unwrap_or(u32::MAX);
        let days = match *self.keep.get(flag)? {
            Keep::Hours(n) => Some((n / 24).saturating_add(2)),
            Keep::Days(n) => Some(n.saturating_add(2)),
            Keep::Weeks(n) => Some(n.saturating_mul(7).saturating_add(2)),
            Keep::Months(n) => Some(n.saturating_mul(31).saturating_add(2)),
            Keep::Years(n) => Some(n.saturating_mul(366).saturating_add(2)),
            Keep::Forever => None,
        };
        Some((days, MOST_DAYS.min(MOST_POINTS / times.max(1))))
    }

    fn count(&self, period: &Period, since: impl Fn(Flag) -> Option<Timestamp>) -> Seen {
        let endless = self.endless();
        let mut seen = Seen::default();
        let (mut born, mut ended) = (Vec::new(), Vec::new());
        for (at, flags) in self.occurrences(period, since) {
            let end = self.end(at, flags);
            let until = match end {
                End::At(until) => until,
                End::Never => Timestamp::MAX,
            };
            if at >= period.from {
                seen.made += 1;
                seen.endless += u64::from(flags.iter().any(|flag| endless.contains(flag)));
            }
            let cold_from = self.cold_from(at, end).unwrap_or(until);
            seen.warm += period.overlap(at, cold_from);
            seen.cold += period.overlap(cold_from, until);
            if period.overlap(at, until) > 0 {
                born.push(at);
                ended.push(until);
            }
        }
        seen.most = most_at_once(&born, ended);
        seen
    }

    /// The points by the moment they are scheduled for: flags that fall on one moment are one point's.
    fn occurrences(
        &self,
        period: &Period,
        since: impl Fn(Flag) -> Option<Timestamp>,
    ) -> BTreeMap<Timestamp, Flags> {
        let mut points: BTreeMap<Timestamp, Flags> = BTreeMap::new();
        for flag in self.keep.flags().iter() {
            let Some(from) = since(flag) else { continue };
            for (at, _) in calendar::occurrences(&only(self.policy, flag), from..period.until) {
                let flags = points.entry(at).or_default();
                *flags = flags.with(flag);
            }
        }
        points
    }

    /// The latest of the ends of its flags.
    fn end(&self, at: Timestamp, flags: Flags) -> End {
        let zone = self.policy.timezone.rules();
        let keeps = flags.iter().filter_map(|flag| self.keep.get(flag));
        keeps.map(|keep| keep.end(at, zone)).max().unwrap_or(End::At(at))
    }

    /// When a point moves to cold storage, if it does.
    fn cold_from(&self, at: Timestamp, end: End) -> Option<Timestamp> {
        let days = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
        let after = self.cold_after_days?;
        let pays = at.checked_add(days(after.saturating_add(COLD_DAYS))).ok()?;
        match end {
            End::At(end) if end < pays => None,
            _ => at.checked_add(days(after)).ok(),
        }
    }
}

/// The policy with one of its schedules.
fn only(policy: &Document, flag: Flag) -> Document {
    let mut schedules = PerFlag::default();
    if let Some(schedule) = policy.schedules.get(flag) {
        schedules.set(flag, schedule.clone());
    }
    Document { schedules, ..policy.clone() }
}

/// The most of these lives that overlap; `born` is in order.
fn most_at_once(born: &[Timestamp], mut ended: Vec<Timestamp>) -> u64 {
    ended.sort_unstable();
    let (mut gone, mut most) = (0, 0);
    for (i, at) in born.iter().enumerate() {
        while ended.get(gone).is_some_and(|end| end <= at) {
            gone += 1;
        }
        most = most.max(i + 1 - gone);
    }
    u64::try_from(most).unwrap_or(u64::MAX)
}

/// How often the policy starts a session in a period, the shortest time between two of them, and how many times a day its
/// schedules wake it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rhythm {
    pub(super) sessions: u64,
    pub(super) shortest_gap: Option<SignedDuration>,
    pub(super) wakes_a_day: u64,
}

impl Rhythm {
    pub(super) fn of(policy: &Document, period: &Period) -> Self {
        let mut rhythm = Self { sessions: 0, shortest_gap: None, wakes_a_day: wakes_a_day(policy) };
        let mut last: Option<Timestamp> = None;
        for (at, _) in calendar::occurrences(policy, period.from..period.until) {
            rhythm.sessions += 1;
            let gap = last.map(|last| at.duration_since(last));
            rhythm.shortest_gap = [rhythm.shortest_gap, gap].into_iter().flatten().min();
            last = Some(at);
        }
        rhythm
    }
}

fn wakes_a_day(policy: &Document) -> u64 {
    let times: BTreeSet<_> = policy.schedules.iter().flat_map(|(_, schedule)| &schedule.at).collect();
    u64::try_from(times.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
