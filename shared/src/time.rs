//! Points in time as everybody sees them: UTC, whole seconds.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};

/// Which of the two instants a local time means that a clock change brings twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Twice {
    /// The first: when something is to begin.
    First,
    /// The second: when something is to end.
    Second,
}

/// The instant that a local time means. One that a clock change skips means the first instant after the gap. `None` only
/// beyond the calendar's own end.
pub fn instant_of(local: DateTime, zone: &TimeZone, twice: Twice) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, after } => {
            let offset = if twice == Twice::First { before } else { after };
            offset.to_timestamp(local).ok()
        }
        AmbiguousOffset::Gap { before, .. } => {
            // By the offset before the gap this is at or after the change, and the change is the last one up to there.
            let beyond = before.to_timestamp(local).ok()?.checked_add(SignedDuration::from_secs(1)).ok()?;
            zone.preceding(beyond).next().map(|change| change.timestamp())
        }
    }
}

/// The instant cut down to whole seconds, so that it prints as `2025-01-06T06:00:00Z`.
pub fn whole_seconds(instant: Timestamp) -> Timestamp {
    let floor = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Floor);
    instant.round(floor).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_cut_down_also_before_1970() {
        for (instant, cut) in [
            ("2025-01-06T06:00:00.999Z", "2025-01-06T06:00:00Z"),
            ("2025-01-06T06:00:00Z", "2025-01-06T06:00:00Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(whole_seconds(instant.parse().unwrap()).to_string(), cut);
        }
    }
}
