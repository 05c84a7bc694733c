//! Schedule expressions: `cron(…)`, `rate(…)` and `at(…)`, and when they fire.
//!
//! Pure: no clock, no I/O. EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler".

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::cron::{Cron, instant};

/// A schedule expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// At the local times that a cron form names.
    Cron(Box<CronForm>),
    /// Every so often.
    Rate(SignedDuration),
    /// Once, at a local time.
    At(DateTime),
}

/// A parsed cron form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronForm(Cron);

/// The expression is not one that AWS takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schedule expression {expression:?} {problem}")]
pub struct ExpressionError {
    expression: String,
    problem: String,
}

impl Expression {
    /// Reads an expression as AWS writes it.
    ///
    /// # Errors
    /// When it is not `cron(six fields)`, `rate(value unit)` or `at(yyyy-mm-ddThh:mm:ss)`.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let inner = |kind: &str| text.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        let parsed = if let Some(form) = inner("cron") {
            Cron::parse(form).map(|cron| Self::Cron(Box::new(CronForm(cron))))
        } else if let Some(form) = inner("rate") {
            rate(form).map(Self::Rate)
        } else if let Some(form) = inner("at") {
            form.parse().map(Self::At).map_err(|error| error.to_string())
        } else {
            Err("is neither cron(…) nor rate(…) nor at(…)".to_owned())
        };
        parsed.map_err(|problem| ExpressionError { expression: text.to_owned(), problem })
    }

    /// The first moment after another at which it fires. `anchor` is what a rate counts from; the anchor itself is one of
    /// its moments.
    pub fn next(&self, after: Timestamp, zone: &TimeZone, anchor: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(form) => form.0.next(after, zone),
            Self::At(local) => instant(*local, zone).filter(|moment| *moment > after),
            Self::Rate(period) => {
                let (passed, period) = (after.duration_since(anchor).as_nanos(), period.as_nanos());
                let next = (passed.div_euclid(period) + 1) * period;
                anchor.checked_add(SignedDuration::from_nanos(i64::try_from(next).ok()?)).ok()
            }
        }
    }
}

/// `rate(5 minutes)`: singular with 1, plural otherwise.
fn rate(form: &str) -> Result<SignedDuration, String> {
    let (value, unit) = form.split_once(' ').ok_or("is not a value and a unit")?;
    let value: u32 = value.parse().map_err(|_| format!("has no whole number in {value:?}"))?;
    if value == 0 {
        return Err("needs a positive value".to_owned());
    }
    let seconds = match (value, unit) {
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 3600,
        (1, "day") | (2.., "days") => 86_400,
        _ => {
            return Err(format!(
                "has the unit {unit:?}; minute, hour and day go with 1, their plurals with more"
            ));
        }
    };
    Ok(SignedDuration::from_secs(i64::from(value) * seconds))
}

#[cfg(test)]
mod tests;
