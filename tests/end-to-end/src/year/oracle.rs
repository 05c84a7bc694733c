//! What must come of a year: plain loops over its days, without any of the product's own code.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The flags in their order, the one that is never owed first.
const LETTERS: [char; 4] = ['D', 'W', 'M', 'Y'];
/// Older occurrences are not run any more.
const TOO_OLD: SignedDuration = SignedDuration::from_hours(6);

/// A moment at which the policy is due, and the flags of its points.
#[derive(Clone, Debug)]
pub(super) struct Occurrence {
    pub(super) at: Timestamp,
    pub(super) flags: String,
}

/// An hour of a day in Berlin.
pub(super) fn moment(day: Date, hour: i8) -> anyhow::Result<Timestamp> {
    let berlin = TimeZone::get("Europe/Berlin")?;
    Ok(berlin.to_timestamp(day.at(hour, 0, 0, 0))?)
}

/// All occurrences of these days, in order.
pub(super) fn occurrences(from: Date, until: Date) -> anyhow::Result<Vec<Occurrence>> {
    let mut found = Vec::new();
    let mut day = from;
    while day < until {
        let mut flags = "D".to_owned();
        if day.weekday() == Weekday::Monday {
            flags.push('W');
            if day.day() <= 7 && [1, 3, 5, 7, 9, 11].contains(&day.month()) {
                flags.push('M');
            }
            if day.day() <= 7 && day.month() == 1 {
                flags.push('Y');
            }
        }
        found.push(Occurrence { at: moment(day, 7)?, flags });
        found.push(Occurrence { at: moment(day, 11)?, flags: "D".to_owned() });
        day = day.tomorrow().context("the end of the calendar")?;
    }
    Ok(found)
}

/// A time in which the scheduler wakes nobody.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silence {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Whether reconciliation does not run either.
    pub(super) all: bool,
}

impl Silence {
    /// The first Monday of March, on which reconciliation goes on; and nine days in July with nothing at all, which end two
    /// hours after an occurrence.
    pub(super) fn of_the_year() -> anyhow::Result<[Self; 2]> {
        let (day, next) = (date(2027, 3, 1), date(2027, 3, 2));
        let march = Self { from: moment(day, 0)?, until: moment(next, 0)?, all: false };
        let july =
            Self { from: moment(date(2027, 7, 3), 9)?, until: moment(date(2027, 7, 12), 9)?, all: true };
        Ok([march, july])
    }

    pub(super) fn covers(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether nobody looks at the occurrence until it is too old.
    pub(super) fn swallows(&self, at: Timestamp) -> bool {
        self.all && self.covers(at) && self.until.duration_since(at) > TOO_OLD
    }
}

/// What the points of all chains must be.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// The flags of every point, by table and moment.
    pub(super) points: BTreeMap<(String, Timestamp), String>,
    /// The flags that each chain still owes.
    owed: BTreeMap<String, String>,
    /// Points with flags that were another's.
    pub(super) carriers: usize,
}

impl Expected {
    /// The session of an occurrence: a point of every table but those that failed. A point carries what its chain owes.
    pub(super) fn session(&mut self, due: &Occurrence, tables: &[String], failed: &BTreeSet<String>) {
        for table in tables {
            if failed.contains(table) {
                self.lose(table, &due.flags);
                continue;
            }
            let owed = self.owed.remove(table).unwrap_or_default();
            let flags = united(&due.flags, &owed);
            self.carriers += usize::from(flags != due.flags);
            self.points.insert((table.clone(), due.at), flags);
        }
    }

    /// An occurrence that got no session.
    pub(super) fn missed(&mut self, due: &Occurrence, tables: &[String]) {
        for table in tables {
            self.lose(table, &due.flags);
        }
    }

    fn lose(&mut self, table: &str, flags: &str) {
        let owed = self.owed.entry(table.to_owned()).or_default();
        *owed = united(owed, &flags.replace('D', ""));
    }

    /// What is owed in the end, as (table, flag).
    pub(super) fn still_owed(&self) -> BTreeSet<(String, String)> {
        let each = |(table, flags): (&String, &String)| {
            flags.chars().map(|flag| (table.clone(), flag.to_string())).collect::<Vec<_>>()
        };
        self.owed.iter().flat_map(each).collect()
    }
}

fn united(one: &str, other: &str) -> String {
    LETTERS.into_iter().filter(|letter| one.contains(*letter) || other.contains(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_in_berlin_has_two_occurrences_a_day_and_the_flags_of_its_mondays() {
        let all = occurrences(date(2027, 1, 1), date(2028, 1, 1)).unwrap();
        assert_eq!(all.len(), 730);
        let with = |letter: char| all.iter().filter(|due| due.flags.contains(letter)).count();
        assert_eq!((with('D'), with('W'), with('M'), with('Y')), (730, 52, 6, 1));
        let everything = all.iter().find(|due| due.flags == "DWMY").unwrap();
        assert_eq!(everything.at.to_string(), "2027-01-04T06:00:00Z");
        let summer = all.iter().find(|due| due.at.to_string().starts_with("2027-07-05")).unwrap();
        assert_eq!((summer.at.to_string().as_str(), summer.flags.as_str()), ("2027-07-05T05:00:00Z", "DWM"));
    }

    #[test]
    fn lost_flags_are_carried_once_by_the_next_point() {
        let tables = ["a".to_owned()];
        let due = occurrences(date(2027, 1, 4), date(2027, 1, 6)).unwrap();
        let mut expected = Expected::default();
        expected.session(&due[0], &tables, &tables.iter().cloned().collect());
        assert_eq!(expected.still_owed().len(), 3);
        expected.session(&due[1], &tables, &BTreeSet::new());
        expected.session(&due[2], &tables, &BTreeSet::new());
        let flags: Vec<_> = expected.points.values().map(String::as_str).collect();
        assert_eq!((flags, expected.carriers), (vec!["DWMY", "D"], 1));
    }
}
