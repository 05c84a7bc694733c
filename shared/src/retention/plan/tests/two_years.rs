//! Two years of a policy, pruned at every moment at which something can end, against an oracle that knows no planner: it
//! walks through calendar days, and counts in fields of dates.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime, Time, Weekday, date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::support::{core_at, decisions, made};
use crate::chain::{Flag, RestorePoint};
use crate::retention::{Decision, Keep};

const FROM: Date = date(2027, 1, 1);
const DAYS: i32 = 731;
/// In these weeks nothing is backed up: the last points outlive their flags.
const PAUSE: (Date, Date) = (date(2027, 10, 4), date(2027, 11, 22));

/// A point as the oracle knows it: its local time, and how long each flag keeps it, as words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    at: DateTime,
    flags: Vec<Flag>,
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn instant(local: DateTime) -> Timestamp {
    berlin().to_timestamp(local).unwrap()
}

/// Every point that the policy of the product description makes, with a yearly one, in order.
fn all() -> Vec<Known> {
    let mut all = Vec::new();
    for n in 0..DAYS {
        let day = FROM + n.days();
        if PAUSE.0 <= day && day < PAUSE.1 {
            continue;
        }
        let first_monday = day.weekday() == Weekday::Monday && day.day() <= 7;
        let mut flags = vec![Flag::D];
        flags.extend((day.weekday() == Weekday::Monday).then_some(Flag::W));
        flags.extend((first_monday && day.month() % 2 == 1).then_some(Flag::M));
        flags.extend((first_monday && day.month() == 1).then_some(Flag::Y));
        all.push(Known { at: day.to_datetime(time(7, 0, 0, 0)), flags });
        all.push(Known { at: day.to_datetime(time(11, 0, 0, 0)), flags: vec![Flag::D] });
    }
    all
}

fn keep(flag: Flag) -> Keep {
    match flag {
        Flag::D => Keep::Days(3),
        Flag::W => Keep::Weeks(2),
        Flag::M => Keep::Months(6),
        Flag::Y => Keep::Years(1),
    }
}

/// When the flag ends on local clocks: by counting days one by one, and months by their numbers.
fn local_end(at: DateTime, flag: Flag) -> DateTime {
    let days = |n: i32| (0..n).fold(at.date(), |day, _| day.tomorrow().unwrap());
    let day = match flag {
        Flag::D => days(3),
        Flag::W => days(14),
        Flag::M | Flag::Y => {
            let months = i32::from(at.month()) - 1 + if flag == Flag::M { 6 } else { 12 };
            let (year, month) = (i32::from(at.year()) + months / 12, months % 12 + 1);
            let length = match month {
                2 if year % 4 == 0 => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let number = |n: i32| i8::try_from(n).unwrap();
            date(i16::try_from(year).unwrap(), number(month), at.day().min(number(length)))
        }
    };
    day.to_datetime(at.time())
}

/// The points that must be there at a local time: the flagged ones, and the newest.
fn expected(all: &[Known], now: DateTime) -> BTreeSet<DateTime> {
    let there: Vec<_> = all.iter().filter(|point| point.at <= now).collect();
    let flagged = |point: &&&Known| point.flags.iter().any(|flag| now < local_end(point.at, *flag));
    there.iter().filter(flagged).chain(there.last()).map(|point| point.at).collect()
}

fn point(known: &Known) -> RestorePoint {
    let keeps: Vec<_> = known.flags.iter().map(|flag| (*flag, keep(*flag))).collect();
    let mut core = core_at(instant(known.at), &keeps);
    core.keep_last = 1;
    made(&known.at.to_string(), core)
}

#[test]
fn over_two_years_the_vault_is_what_an_oracle_says_at_every_moment() {
    let all = all();
    let mut moments: BTreeSet<DateTime> = all.iter().map(|point| point.at).collect();
    moments.extend(all.iter().flat_map(|point| point.flags.iter().map(|flag| local_end(point.at, *flag))));
    let (mut vault, mut next, mut pruned): (BTreeMap<DateTime, RestorePoint>, _, _) = (BTreeMap::new(), 0, 0);
    let last = (FROM + DAYS.days()).to_datetime(Time::midnight());
    for moment in moments.into_iter().filter(|moment| *moment < last) {
        for second in [-1, 0] {
            let now = moment + SignedDuration::from_secs(second);
            while all.get(next).is_some_and(|point| point.at <= now) {
                vault.insert(all[next].at, point(&all[next]));
                next += 1;
            }
            let points: Vec<RestorePoint> = vault.values().cloned().collect();
            let now_utc = instant(now).to_string();
            let gone: Vec<DateTime> = vault
                .keys()
                .copied()
                .zip(decisions(&points, &now_utc))
                .filter(|(_, decision)| *decision == Decision::Delete)
                .map(|(at, _)| at)
                .collect();
            pruned += gone.len();
            vault.retain(|at, _| !gone.contains(at));
            assert_eq!(vault.keys().copied().collect::<BTreeSet<_>>(), expected(&all, now), "at {now}");
        }
    }
    assert_eq!((next, pruned + vault.len()), (all.len(), all.len()));
    assert!(pruned > 1200, "{pruned}");
}
