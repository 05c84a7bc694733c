//! Points in time in the forms in which AWS Backup writes them.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde_json::{Number, Value};

/// What the emulated clock may show first and last. Before 1970 there are no dates of AWS, and far ahead there must be room for
/// the longest windows and retentions.
const CLOCK: (&str, &str) = ("1970-01-01T00:00:00Z", "8999-12-31T23:59:59Z");

/// Refuses a time that the emulated clock cannot show.
pub(crate) fn check_clock(now: Timestamp) -> Result<Timestamp, String> {
    let (first, last) = CLOCK;
    let bounds = [first, last].map(|bound| bound.parse::<Timestamp>().ok());
    match bounds {
        [Some(first), Some(last)] if (first..=last).contains(&now) => Ok(now),
        _ => Err(format!("the clock goes from {first} to {last}, it cannot show {now}")),
    }
}

/// Cut down to the milliseconds that AWS Backup keeps.
pub(crate) fn milliseconds(instant: Timestamp) -> Timestamp {
    let floor = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Floor);
    instant.round(floor).unwrap_or(instant)
}

/// As in answers of the API: seconds since 1970 as a number, with three decimals where it has a fraction.
pub(crate) fn epoch(instant: Timestamp) -> Value {
    let instant = milliseconds(instant);
    if instant.subsec_nanosecond() == 0 {
        return instant.as_second().into();
    }
    Number::from_f64(instant.as_duration().as_secs_f64()).map_or(Value::Null, Value::Number)
}

/// As in events: `2026-01-31T02:10:31.207Z`.
pub(crate) fn iso(instant: Timestamp) -> String {
    format!("{:.3}", milliseconds(instant))
}

/// As an event's own `time`: `2026-01-31T02:10:31Z`.
pub(crate) fn iso_seconds(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// As in `expectedCompletionDate` of an event: `Jul 15, 2020 9:39:07 PM`.
pub(crate) fn american(instant: Timestamp) -> String {
    instant.strftime("%b %-d, %Y %-I:%M:%S %p").to_string()
}

/// As in an HTTP `Date` header.
pub(crate) fn http_date(instant: Timestamp) -> String {
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evening() -> Timestamp {
        "2020-07-15T21:39:07.2075Z".parse().unwrap()
    }

    fn midnight() -> Timestamp {
        "2020-07-05T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_clock_goes_from_1970_to_8999() {
        for (now, good) in [
            ("-009999-01-02T01:59:59Z", false),
            ("1969-12-31T23:59:59.999Z", false),
            ("1970-01-01T00:00:00Z", true),
            ("8999-12-31T23:59:59Z", true),
            ("9999-12-30T22:00:00Z", false),
        ] {
            assert_eq!(check_clock(now.parse().unwrap()).is_ok(), good, "{now}");
        }
    }

    #[test]
    fn times_in_answers_are_seconds_since_1970_with_milliseconds() {
        assert_eq!(epoch(evening()).to_string(), "1594849147.207");
        assert_eq!(epoch(midnight()).to_string(), "1593907200");
        assert_eq!(http_date(evening()), "Wed, 15 Jul 2020 21:39:07 GMT");
    }

    #[test]
    fn dates_in_events_have_milliseconds_and_the_event_itself_whole_seconds() {
        assert_eq!(iso(evening()), "2020-07-15T21:39:07.207Z");
        assert_eq!(iso(midnight()), "2020-07-05T00:00:00.000Z");
        assert_eq!(iso_seconds(evening()), "2020-07-15T21:39:07Z");
    }

    #[test]
    fn the_expected_completion_in_events_is_written_as_americans_do() {
        assert_eq!(american(evening()), "Jul 15, 2020 9:39:07 PM");
        assert_eq!(american(midnight()), "Jul 5, 2020 12:00:00 AM");
    }
}
