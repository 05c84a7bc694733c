//! Points in time in the forms in which AWS Backup writes them.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde_json::{Number, Value};

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

    #[test]
    fn every_form_is_as_aws_writes_it() {
        let at: Timestamp = "2020-07-15T21:39:07.2075Z".parse().unwrap();
        assert_eq!(epoch(at).to_string(), "1594849147.207");
        assert_eq!(iso(at), "2020-07-15T21:39:07.207Z");
        assert_eq!(iso_seconds(at), "2020-07-15T21:39:07Z");
        assert_eq!(american(at), "Jul 15, 2020 9:39:07 PM");
        assert_eq!(http_date(at), "Wed, 15 Jul 2020 21:39:07 GMT");
        let whole: Timestamp = "2020-07-05T00:00:00Z".parse().unwrap();
        assert_eq!(
            (epoch(whole).to_string().as_str(), iso(whole).as_str()),
            ("1593907200", "2020-07-05T00:00:00.000Z")
        );
        assert_eq!(american(whole), "Jul 5, 2020 12:00:00 AM");
    }
}
