//! Schedules: at which local times of which days, and how long their points are kept.

use jiff::civil::{Date, Time, Weekday};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::keep;
use super::reader::{Members, Spot, brief, nearest, one_of};
use crate::chain::{Flag, PerFlag};
use crate::retention::Keep;

pub(super) const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
pub(super) const NTH: [(&str, i8); 5] =
    [("first", 1), ("second", 2), ("third", 3), ("fourth", 4), ("last", -1)];

/// The schedules that a policy has, by the flag they give.
pub type Schedules = PerFlag<Schedule>;

/// One schedule: local times of day, the days, and how long a point lives that it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Local times of day in whole minutes, each once, earliest first.
    pub at: Vec<Time>,
    /// The local days.
    pub days: Days,
    /// How long the flag of this schedule keeps a point.
    pub keep: Keep,
}

/// The days on which a schedule is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Days {
    /// Every day.
    Every,
    /// Monday to Friday.
    Workdays,
    /// Some days of the week, Monday first.
    Weekdays(Vec<Weekday>),
    /// A day in each of some months (1 to 12, in order).
    Monthly(MonthDay, Vec<i8>),
    /// A day in one month (1 to 12).
    Yearly(MonthDay, i8),
}

/// A day of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthDay {
    /// The first to fourth (1 to 4) or last (-1) of a weekday.
    Nth(i8, Weekday),
    /// A day by number (1 to 31), or the last day where the month is shorter.
    Day(i8),
    /// The last day.
    Last,
}

impl Days {
    /// Whether a local day is one of them.
    pub fn include(&self, date: Date) -> bool {
        match self {
            Self::Every => true,
            Self::Workdays => !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
            Self::Weekdays(weekdays) => weekdays.contains(&date.weekday()),
            Self::Monthly(day, months) => months.contains(&date.month()) && day.is(date),
            Self::Yearly(day, month) => date.month() == *month && day.is(date),
        }
    }
}

impl MonthDay {
    fn is(self, date: Date) -> bool {
        match self {
            Self::Nth(nth, weekday) => date.nth_weekday_of_month(nth, weekday).is_ok_and(|day| day == date),
            Self::Day(day) => date.day() == day.min(date.days_in_month()),
            Self::Last => date.day() == date.days_in_month(),
        }
    }
}

pub(super) fn read_all(spot: &Spot<'_>) -> Option<Schedules> {
    let members = spot.object(&Flag::ALL.map(Flag::schedule_name))?;
    let mut schedules = PerFlag::default();
    let mut sound = true;
    for flag in Flag::ALL {
        match members.optional(flag.schedule_name(), |schedule| read(schedule, flag)) {
            Some(Some(schedule)) => schedules.set(flag, schedule),
            Some(None) => {}
            None => sound = false,
        }
    }
    sound.then_some(schedules)
}

fn read(spot: &Spot<'_>, flag: Flag) -> Option<Schedule> {
    let members = spot.object(match flag {
        Flag::D | Flag::W => &["at", "on", "keep"],
        Flag::M => &["at", "on", "months", "keep"],
        Flag::Y => &["at", "on", "month", "keep"],
    })?;
    let at = members
        .required("at", "give a time of day such as \"07:00\", or a list of them")
        .and_then(|at| read_at(&at));
    let days = read_days(&members, flag);
    let keep = members
        .required("keep", "say how long its points live, such as {\"days\": 3}; there is no default")
        .and_then(|keep| keep::read(&keep));
    Some(Schedule { at: at?, days: days?, keep: keep? })
}

fn read_at(spot: &Spot<'_>) -> Option<Vec<Time>> {
    if spot.value().is_string() {
        return read_time(spot).map(|time| vec![time]);
    }
    let mut times =
        Spot::distinct(&spot.list("a time of day such as \"07:00\", or a list of them")?, read_time)?;
    times.sort();
    Some(times)
}

fn read_time(spot: &Spot<'_>) -> Option<Time> {
    let expected = "a time of day from \"00:00\" to \"23:59\"";
    let time = parse_time(spot.text(expected)?);
    if time.is_none() {
        return spot.note_unlike(expected);
    }
    time
}

fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn read_days(members: &Members<'_>, flag: Flag) -> Option<Days> {
    let advice = expected_on(flag);
    let on = members.required("on", &format!("say which days: {advice}"));
    match flag {
        Flag::D => on.and_then(|on| match on.value().as_str() {
            Some("every day") => Some(Days::Every),
            Some("workdays") => Some(Days::Workdays),
            _ => read_weekdays(&on, advice).map(Days::Weekdays),
        }),
        Flag::W => on.and_then(|on| read_weekdays(&on, advice)).map(Days::Weekdays),
        Flag::M => {
            let day = on.and_then(|on| read_month_day(&on, advice));
            let months = members.or("months", (1..=12).collect(), read_months);
            Some(Days::Monthly(day?, months?))
        }
        Flag::Y => {
            let day = on.and_then(|on| read_month_day(&on, advice));
            let month = members.required("month", "name the month, such as \"january\"");
            Some(Days::Yearly(day?, month.and_then(|month| read_month(&month))?))
        }
    }
}

fn expected_on(flag: Flag) -> &'static str {
    match flag {
        Flag::D => "\"every day\", \"workdays\", or a list of weekdays such as [\"monday\", \"friday\"]",
        Flag::W => "a list of weekdays such as [\"monday\"]",
        Flag::M | Flag::Y => {
            "\"first|second|third|fourth|last <weekday>\", \"day N\" (1 to 31) or \"last day\""
        }
    }
}

fn read_weekdays(spot: &Spot<'_>, expected: &str) -> Option<Vec<Weekday>> {
    let read = |item: &Spot<'_>| {
        let name = item.text("a weekday such as \"monday\"")?;
        weekday(name).or_else(|| {
            item.note(misnamed(item, "a weekday", name, &WEEKDAYS));
            None
        })
    };
    let mut weekdays = Spot::distinct(&spot.list(expected)?, read)?;
    weekdays.sort_by_key(|weekday| weekday.to_monday_zero_offset());
    Some(weekdays)
}

fn weekday(name: &str) -> Option<Weekday> {
    let index = WEEKDAYS.iter().position(|weekday| *weekday == name)?;
    Weekday::from_monday_zero_offset(i8::try_from(index).ok()?).ok()
}

fn read_months(spot: &Spot<'_>) -> Option<Vec<i8>> {
    let mut months =
        Spot::distinct(&spot.list("a list of months such as [\"january\", \"july\"]")?, read_month)?;
    months.sort_unstable();
    Some(months)
}

fn read_month(spot: &Spot<'_>) -> Option<i8> {
    let name = spot.text("a month such as \"january\"")?;
    let index = MONTHS.iter().position(|month| *month == name);
    if index.is_none() {
        spot.note(misnamed(spot, "a month", name, &MONTHS));
    }
    i8::try_from(index? + 1).ok()
}

fn misnamed(spot: &Spot<'_>, kind: &str, name: &str, names: &[&str]) -> String {
    let advice = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("possible are {}", one_of(names)),
    };
    format!("{} is not {kind} in lower-case English; {advice}", brief(spot.value()))
}

fn read_month_day(spot: &Spot<'_>, expected: &str) -> Option<MonthDay> {
    let day = parse_month_day(spot.text(expected)?);
    if day.is_none() {
        return spot.note_unlike(expected);
    }
    day
}

fn parse_month_day(text: &str) -> Option<MonthDay> {
    match text.split_once(' ')? {
        ("last", "day") => Some(MonthDay::Last),
        ("day", number) => {
            let day: i8 = number.parse().ok()?;
            ((1..=31).contains(&day) && day.to_string() == number).then_some(MonthDay::Day(day))
        }
        (nth, name) => {
            let (_, nth) = NTH.into_iter().find(|(known, _)| *known == nth)?;
            Some(MonthDay::Nth(nth, weekday(name)?))
        }
    }
}

/// As the document has it: one time as a text, several as a list; `months` only where it is not all of them.
impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let times: Vec<String> =
            self.at.iter().map(|time| format!("{:02}:{:02}", time.hour(), time.minute())).collect();
        match times.as_slice() {
            [time] => map.serialize_entry("at", time)?,
            times => map.serialize_entry("at", times)?,
        }
        match &self.days {
            Days::Every => map.serialize_entry("on", "every day")?,
            Days::Workdays => map.serialize_entry("on", "workdays")?,
            Days::Weekdays(weekdays) => {
                let names: Vec<&str> = weekdays.iter().map(|weekday| weekday_name(*weekday)).collect();
                map.serialize_entry("on", &names)?;
            }
            Days::Monthly(day, months) => {
                map.serialize_entry("on", &day.to_string())?;
                if months.len() < MONTHS.len() {
                    let names: Vec<&str> = months.iter().filter_map(|month| month_name(*month)).collect();
                    map.serialize_entry("months", &names)?;
                }
            }
            Days::Yearly(day, month) => {
                map.serialize_entry("on", &day.to_string())?;
                map.serialize_entry("month", &month_name(*month))?;
            }
        }
        map.serialize_entry("keep", &self.keep)?;
        map.end()
    }
}

impl std::fmt::Display for MonthDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nth(n, weekday) => {
                let (nth, _) = NTH.into_iter().find(|(_, known)| known == n).unwrap_or(NTH[0]);
                write!(f, "{nth} {}", weekday_name(*weekday))
            }
            Self::Day(day) => write!(f, "day {day}"),
            Self::Last => f.write_str("last day"),
        }
    }
}

fn weekday_name(weekday: Weekday) -> &'static str {
    usize::try_from(weekday.to_monday_zero_offset())
        .ok()
        .and_then(|i| WEEKDAYS.get(i))
        .copied()
        .unwrap_or_default()
}

fn month_name(month: i8) -> Option<&'static str> {
    MONTHS.get(usize::try_from(month).ok()?.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("first monday", Some(MonthDay::Nth(1, Weekday::Monday)))]
    #[case("last friday", Some(MonthDay::Nth(-1, Weekday::Friday)))]
    #[case("day 1", Some(MonthDay::Day(1)))]
    #[case("day 31", Some(MonthDay::Day(31)))]
    #[case("last day", Some(MonthDay::Last))]
    #[case("day 0", None)]
    #[case("day 32", None)]
    #[case("day 07", None)]
    #[case("day +7", None)]
    #[case("day -1", None)]
    #[case("fifth monday", None)]
    #[case("First monday", None)]
    #[case("first  monday", None)]
    #[case("monday", None)]
    #[case("last", None)]
    fn days_of_a_month_are_said_in_one_way(#[case] text: &str, #[case] day: Option<MonthDay>) {
        assert_eq!(parse_month_day(text), day);
        if let Some(day) = day {
            assert_eq!(day.to_string(), text);
        }
    }

    #[rstest]
    #[case("00:00", true)]
    #[case("23:59", true)]
    #[case("24:00", false)]
    #[case("07:60", false)]
    #[case("7:00", false)]
    #[case("07:00:00", false)]
    #[case("+7:00", false)]
    #[case(" 07:00", false)]
    #[case("0700", false)]
    fn times_of_day_have_two_digits_twice(#[case] text: &str, #[case] good: bool) {
        assert_eq!(parse_time(text).is_some(), good);
    }

    #[rstest]
    #[case::last_of_four(MonthDay::Nth(-1, Weekday::Monday), "2025-02-24", true)]
    #[case::last_of_five(MonthDay::Nth(-1, Weekday::Monday), "2025-03-31", true)]
    #[case::fourth_of_five(MonthDay::Nth(4, Weekday::Monday), "2025-03-24", true)]
    #[case::fourth_is_not_last(MonthDay::Nth(-1, Weekday::Monday), "2025-03-24", false)]
    #[case::day_31_in_april(MonthDay::Day(31), "2025-04-30", true)]
    #[case::day_30_in_february(MonthDay::Day(30), "2025-02-28", true)]
    #[case::day_30_in_a_leap_february(MonthDay::Day(30), "2024-02-29", true)]
    #[case::not_before_it(MonthDay::Day(30), "2024-02-28", false)]
    #[case::day_29_in_march(MonthDay::Day(29), "2025-03-31", false)]
    #[case::last_day(MonthDay::Last, "2024-02-29", true)]
    fn a_day_of_the_month_falls_on_a_date(#[case] day: MonthDay, #[case] date: Date, #[case] falls: bool) {
        assert_eq!(day.is(date), falls);
    }
}
