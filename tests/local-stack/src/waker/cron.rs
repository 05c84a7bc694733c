//! AWS's six-field cron form: minutes, hours, day of month, month, day of week, year.
//!
//! EventBridge Scheduler User Guide, "Cron-based schedules": days of the week count from 1 = SUN, exactly one of the two day
//! fields is `?`, and `L`, `W` and `#` are understood.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// When a `cron(…)` schedule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days: Days,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    OfMonth(Vec<DayOfMonth>),
    OfWeek(Vec<DayOfWeek>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum DayOfMonth {
    Among(BTreeSet<i16>),
    Last,
    /// The Monday to Friday nearest to a day, in the same month.
    WorkdayNear(i16),
    LastWorkday,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum DayOfWeek {
    Among(BTreeSet<i16>),
    Last(i16),
    Nth(i16, i16),
}

impl Cron {
    /// Reads what stands between the parentheses.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, day_of_month, months, day_of_week, years] = fields.as_slice() else {
            return Err(format!("has {} fields, not six", fields.len()));
        };
        let days = match (day_of_month, day_of_week) {
            ("?", "?") => return Err("has ? in both day fields".to_owned()),
            ("?", of_week) => Days::OfWeek(each(of_week, day_of_week_item)?),
            (of_month, "?") => Days::OfMonth(each(of_month, day_of_month_item)?),
            _ => return Err("needs ? in one of the two day fields".to_owned()),
        };
        Ok(Self {
            minutes: set(minutes, 0..=59, &[])?,
            hours: set(hours, 0..=23, &[])?,
            days,
            months: set(months, 1..=12, &MONTHS)?,
            years: set(years, 1970..=2199, &[])?,
        })
    }

    /// The first moment after another at which it fires. A local time that the zone skips does not fire; one that comes
    /// twice fires the first time.
    pub(super) fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let last_year = *self.years.last()?;
        let mut date = zone.to_datetime(after).date();
        while date.year() <= last_year {
            if self.years.contains(&date.year()) && self.months.contains(&i16::from(date.month())) {
                if self.days.contain(date)
                    && let Some(moment) = self.on(date, zone).find(|moment| *moment > after)
                {
                    return Some(moment);
                }
                date = date.tomorrow().ok()?;
            } else {
                date = date.first_of_month().checked_add(1.month()).ok()?;
            }
        }
        None
    }

    fn on(&self, date: Date, zone: &TimeZone) -> impl Iterator<Item = Timestamp> {
        let times = self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (hour, minute)));
        times.filter_map(move |(hour, minute)| {
            let (hour, minute) = (i8::try_from(*hour).ok()?, i8::try_from(*minute).ok()?);
            instant(date.at(hour, minute, 0, 0), zone)
        })
    }
}

/// The instant of a local time: none when the zone skips it, the first when it comes twice.
pub(super) fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

impl Days {
    fn contain(&self, date: Date) -> bool {
        match self {
            Self::OfMonth(days) => days.iter().any(|day| day.is(date)),
            Self::OfWeek(days) => days.iter().any(|day| day.is(date)),
        }
    }
}

impl DayOfMonth {
    fn is(&self, date: Date) -> bool {
        let day = i16::from(date.day());
        match self {
            Self::Among(days) => days.contains(&day),
            Self::Last => date == date.last_of_month(),
            Self::WorkdayNear(near) => {
                let near = i8::try_from(*near).ok().and_then(|near| date.with().day(near).build().ok());
                near.is_some_and(|near| date == workday_near(near))
            }
            Self::LastWorkday => date == workday_near(date.last_of_month()),
        }
    }
}

impl DayOfWeek {
    fn is(&self, date: Date) -> bool {
        let weekday = i16::from(date.weekday().to_sunday_one_offset());
        let day = i16::from(date.day());
        match self {
            Self::Among(days) => days.contains(&weekday),
            Self::Last(wanted) => weekday == *wanted && day + 7 > i16::from(date.days_in_month()),
            Self::Nth(wanted, n) => weekday == *wanted && (day - 1) / 7 + 1 == *n,
        }
    }
}

/// Saturday goes to Friday and Sunday to Monday, but never into another month.
fn workday_near(date: Date) -> Date {
    let first = date == date.first_of_month();
    let last = date == date.last_of_month();
    let days = match date.weekday() {
        Weekday::Saturday if first => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if last => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    date.saturating_add(days.days())
}

fn each<T>(field: &str, item: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    field.split(',').map(item).collect()
}

fn day_of_month_item(text: &str) -> Result<DayOfMonth, String> {
    match text {
        "L" => Ok(DayOfMonth::Last),
        "LW" => Ok(DayOfMonth::LastWorkday),
        _ => match text.strip_suffix('W') {
            Some(day) => Ok(DayOfMonth::WorkdayNear(value(day, &(1..=31), &[])?)),
            None => Ok(DayOfMonth::Among(set(text, 1..=31, &[])?)),
        },
    }
}

fn day_of_week_item(text: &str) -> Result<DayOfWeek, String> {
    if let Some((weekday, n)) = text.split_once('#') {
        return Ok(DayOfWeek::Nth(value(weekday, &(1..=7), &WEEKDAYS)?, value(n, &(1..=5), &[])?));
    }
    match text.strip_suffix('L') {
        // By itself the last day of the week.
        Some("") => Ok(DayOfWeek::Among(BTreeSet::from([7]))),
        Some(weekday) => Ok(DayOfWeek::Last(value(weekday, &(1..=7), &WEEKDAYS)?)),
        None => Ok(DayOfWeek::Among(set(text, 1..=7, &WEEKDAYS)?)),
    }
}

/// A field of numbers: `*`, `a`, `a-b`, `a/step`, `a-b/step`, and several of them with commas between.
fn set(field: &str, bounds: RangeInclusive<i16>, names: &[&str]) -> Result<BTreeSet<i16>, String> {
    let mut found = BTreeSet::new();
    for item in field.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(value(step, &(1..=*bounds.end()), &[])?)),
            None => (item, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (*bounds.start(), *bounds.end()),
            Some((first, last)) => (value(first, &bounds, names)?, value(last, &bounds, names)?),
            None => {
                let first = value(range, &bounds, names)?;
                (first, if step.is_some() { *bounds.end() } else { first })
            }
        };
        if first > last {
            return Err(format!("{item:?} runs backwards"));
        }
        let step = usize::try_from(step.unwrap_or(1)).map_err(|error| error.to_string())?;
        found.extend((first..=last).step_by(step));
    }
    Ok(found)
}

fn value(text: &str, bounds: &RangeInclusive<i16>, names: &[&str]) -> Result<i16, String> {
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let number = match named {
        Some(index) => i16::try_from(index).ok().map(|index| index + bounds.start()),
        None => text.parse().ok(),
    };
    number
        .filter(|number| bounds.contains(number))
        .ok_or_else(|| format!("{text:?} is not within {} to {}", bounds.start(), bounds.end()))
}
