//! The calendar: which flags are due when.
//!
//! All schedules mean local time in the policy's zone. A local time that a clock change skips means the first instant
//! after the gap, one that comes twice means the first; occurrences that so fall on one instant are one, with all their
//! flags. Schedules are in whole minutes, so occurrences are whole seconds of UTC.

use std::ops::Range;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::Document;
use crate::chain::{Flag, Flags};
use crate::time::{Twice, instant_of};

/// How far a search goes: every schedule is due at least once in any span of a year and a day.
const SEARCH_DAYS: usize = 400;

/// How many local days before an instant can still fall on it: clock changes have skipped a whole day, never two.
const GAP_DAYS: i64 = 2;

/// The flags due exactly at `instant`; none for most instants.
pub fn due(policy: &Document, instant: Timestamp) -> Flags {
    days_from(first_day(policy, instant))
        .take_while(|day| *day <= local_day(policy, instant))
        .flat_map(|day| on_day(policy, day))
        .filter(|(at, _)| *at == instant)
        .map(|(_, flag)| flag)
        .collect()
}

/// The first occurrence after `instant`, with its flags. `None` when the policy has no schedules.
pub fn next_after(policy: &Document, instant: Timestamp) -> Option<(Timestamp, Flags)> {
    let next = days_from(first_day(policy, instant))
        .take(SEARCH_DAYS)
        .flat_map(|day| on_day(policy, day))
        .map(|(at, _)| at)
        .find(|at| *at > instant)?;
    Some((next, due(policy, next)))
}

/// The last occurrence before `instant`, with its flags. `None` when the policy has no schedules.
pub fn previous_before(policy: &Document, instant: Timestamp) -> Option<(Timestamp, Flags)> {
    let days = std::iter::successors(Some(local_day(policy, instant)), |day| day.yesterday().ok());
    let previous = days
        .take(SEARCH_DAYS)
        .flat_map(|day| on_day(policy, day).into_iter().rev())
        .map(|(at, _)| at)
        .find(|at| *at < instant)?;
    Some((previous, due(policy, previous)))
}

/// Every occurrence in a range of instants, in order, each instant once.
pub fn occurrences(
    policy: &Document,
    range: Range<Timestamp>,
) -> impl Iterator<Item = (Timestamp, Flags)> + use<'_> {
    let last = local_day(policy, range.end);
    let mut found = days_from(first_day(policy, range.start))
        .take_while(move |day| *day <= last)
        .flat_map(|day| on_day(policy, day))
        .filter(move |(at, _)| range.contains(at))
        .peekable();
    std::iter::from_fn(move || {
        let (at, flag) = found.next()?;
        let mut flags = Flags::NONE.with(flag);
        while let Some((_, more)) = found.next_if(|(next, _)| *next == at) {
            flags = flags.with(more);
        }
        Some((at, flags))
    })
}

/// What is due on one local day, in order; several flags of one instant follow each other. Later days never come before
/// it: the instant of a local time, taken this way, never goes back as local time goes on.
fn on_day(policy: &Document, day: Date) -> Vec<(Timestamp, Flag)> {
    let due = policy.schedules.iter().filter(|(_, schedule)| schedule.days.include(day));
    let mut times: Vec<_> =
        due.flat_map(|(flag, schedule)| schedule.at.iter().map(move |at| (*at, flag))).collect();
    times.sort();
    let instant = |time| instant_of(day.to_datetime(time), policy.timezone.rules(), Twice::First);
    times.into_iter().filter_map(|(time, flag)| Some((instant(time)?, flag))).collect()
}

fn local_day(policy: &Document, instant: Timestamp) -> Date {
    policy.timezone.rules().to_datetime(instant).date()
}

/// The first local day that can have an occurrence at `instant` or later.
fn first_day(policy: &Document, instant: Timestamp) -> Date {
    local_day(policy, instant).saturating_sub(GAP_DAYS.days())
}

fn days_from(first: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok())
}

#[cfg(test)]
mod tests;
