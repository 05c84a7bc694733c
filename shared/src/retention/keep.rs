//! How long a flag keeps a restore point, and the instant at which it ends.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::time::{Twice, instant_of};

/// How long a flag keeps a restore point, counted from the moment the point was scheduled for.
///
/// In JSON `{"days": 3}`, `{"months": 6}`, … or `"forever"`. Numbers are 1 or more and stay in the calendar's range
/// ([`Keep::MAX`]).
///
/// ```
/// use dynachain::retention::Keep;
///
/// assert_eq!(serde_json::from_str::<Keep>(r#"{"months": 6}"#)?, Keep::Months(6));
/// assert_eq!(serde_json::from_str::<Keep>(r#""forever""#)?, Keep::Forever);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// Elapsed hours.
    Hours(u32),
    /// Calendar days.
    Days(u32),
    /// Calendar weeks.
    Weeks(u32),
    /// Calendar months.
    Months(u32),
    /// Calendar years.
    Years(u32),
    /// Without end.
    Forever,
}

/// When a flag stops keeping a point. Ordered: [`End::Never`] is later than any instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The flag is active while `now` is before this instant.
    At(Timestamp),
    /// The flag stays active for ever.
    Never,
}

impl End {
    /// Whether a flag that ends here is active at `now`.
    pub fn is_active(self, now: Timestamp) -> bool {
        match self {
            Self::At(end) => now < end,
            Self::Never => true,
        }
    }
}

impl Serialize for End {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for End {
    type Err = NoEnd;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "forever" {
            return Ok(Self::Never);
        }
        text.parse().map(Self::At).map_err(|_| NoEnd(text.to_owned()))
    }
}

/// A text that names no end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time; write it like \"2030-01-01T00:00:00Z\", or \"forever\"")]
pub struct NoEnd(String);

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(end) => end.fmt(f),
            Self::Never => f.write_str("forever"),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, unit) = match self {
            Self::Hours(n) => (n, "hour"),
            Self::Days(n) => (n, "day"),
            Self::Weeks(n) => (n, "week"),
            Self::Months(n) => (n, "month"),
            Self::Years(n) => (n, "year"),
            Self::Forever => return f.write_str("forever"),
        };
        write!(f, "{n} {unit}{}", if *n == 1 { "" } else { "s" })
    }
}

impl Keep {
    /// The largest number of each unit: about a thousand years, far from the calendar's own limit.
    pub const MAX: [(&'static str, u32); 5] =
        [("hours", 8_766_000), ("days", 365_250), ("weeks", 52_178), ("months", 12_000), ("years", 1_000)];

    /// When a flag that is kept so long ends, for a point scheduled for `from`.
    ///
    /// Days to years are steps of the calendar on local time in `zone`: the day is clamped to the month's last, a local
    /// time that a clock change skips means the first instant after the gap, one that comes twice the second. Hours are
    /// elapsed time. Where the calendar itself ends (year 9999) the flag never does: nothing is deleted on doubt.
    pub fn end(self, from: Timestamp, zone: &TimeZone) -> End {
        let local = zone.to_datetime(from);
        let end = match self {
            Self::Forever => return End::Never,
            Self::Hours(n) => from.checked_add(SignedDuration::from_hours(i64::from(n))).ok(),
            Self::Days(n) => local_step(local, i64::from(n).days(), zone),
            Self::Weeks(n) => local_step(local, i64::from(n).weeks(), zone),
            Self::Months(n) => local_step(local, i64::from(n).months(), zone),
            Self::Years(n) => local_step(local, i64::from(n).years(), zone),
        };
        end.map_or(End::Never, End::At)
    }
}

fn local_step(local: DateTime, step: jiff::Span, zone: &TimeZone) -> Option<Timestamp> {
    let end = local.checked_add(step).ok()?;
    instant_of(end, zone, Twice::Second)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::three_days("2025-01-06T06:00:00Z", Keep::Days(3), "2025-01-09T06:00:00Z")]
    #[case::two_weeks("2025-01-06T06:00:00Z", Keep::Weeks(2), "2025-01-20T06:00:00Z")]
    #[case::half_a_year_crosses_into_summer_time(
        "2025-01-06T06:00:00Z",
        Keep::Months(6),
        "2025-07-06T05:00:00Z"
    )]
    #[case::days_over_the_spring_change("2025-03-28T06:00:00Z", Keep::Days(3), "2025-03-31T05:00:00Z")]
    #[case::an_end_in_the_gap("2025-03-29T01:30:00Z", Keep::Days(1), "2025-03-30T01:00:00Z")]
    #[case::an_end_in_the_fold("2025-10-25T00:30:00Z", Keep::Days(1), "2025-10-26T01:30:00Z")]
    #[case::day_31_is_clamped("2025-08-31T05:00:00Z", Keep::Months(6), "2026-02-28T06:00:00Z")]
    #[case::leap_day_plus_a_year("2024-02-29T06:00:00Z", Keep::Years(1), "2025-02-28T06:00:00Z")]
    #[case::hours_are_elapsed("2025-03-29T12:00:00Z", Keep::Hours(24), "2025-03-30T12:00:00Z")]
    fn a_keep_ends_on_local_time_in_berlin(
        #[case] from: Timestamp,
        #[case] keep: Keep,
        #[case] end: Timestamp,
    ) {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(keep.end(from, &berlin), End::At(end));
    }

    #[test]
    fn a_whole_skipped_day_ends_at_the_first_instant_after_it() {
        // Samoa had no 30 December 2011.
        let apia = TimeZone::get("Pacific/Apia").unwrap();
        let end = Keep::Days(1).end("2011-12-29T19:00:00Z".parse().unwrap(), &apia);
        assert_eq!(end, End::At("2011-12-30T10:00:00Z".parse().unwrap()));
    }

    #[test]
    fn forever_and_the_end_of_the_calendar_never_end() {
        let from = "2025-01-06T06:00:00Z".parse().unwrap();
        assert_eq!(Keep::Forever.end(from, &TimeZone::UTC), End::Never);
        assert_eq!(Keep::Years(9_000).end(from, &TimeZone::UTC), End::Never);
        assert!(End::Never > End::At(Timestamp::MAX));
    }

    #[test]
    fn a_keep_reads_like_words() {
        let said = [Keep::Days(3), Keep::Months(1), Keep::Forever].map(|keep| keep.to_string());
        assert_eq!(said, ["3 days", "1 month", "forever"]);
    }

    #[test]
    fn a_flag_is_active_until_just_before_its_end() {
        let end: Timestamp = "2025-01-09T06:00:00Z".parse().unwrap();
        assert!(End::At(end).is_active(end - SignedDuration::from_secs(1)));
        assert!(!End::At(end).is_active(end));
    }
}
