//! Reading the members of one JSON object, with every problem at its path.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Origin;
use crate::error::Problem;
use crate::id::RecoveryPointArn;

/// A date in an event. AWS Backup writes some as ISO 8601 and some, such as `Jul 15, 2020 9:39:07 PM`, in no stated zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A date that names an instant.
    At(Timestamp),
    /// Any other, as it came.
    Text(String),
}

impl From<&str> for Moment {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::At)
    }
}

impl Moment {
    /// The instant, where the date names one.
    pub fn instant(&self) -> Option<Timestamp> {
        match self {
            Self::At(instant) => Some(*instant),
            Self::Text(_) => None,
        }
    }
}

/// The members of one object. AWS Backup writes `{}` where it means that there is nothing: a member that is `{}` or null
/// is not there.
pub(super) struct Fields<'a, 'p> {
    path: &'static str,
    members: &'a Map<String, Value>,
    problems: &'p mut Vec<Problem>,
}

impl<'a, 'p> Fields<'a, 'p> {
    pub(super) fn new(
        path: &'static str,
        members: &'a Map<String, Value>,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self { path, members, problems }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| match value {
            Value::Null => false,
            Value::Object(members) => !members.is_empty(),
            _ => true,
        })
    }

    fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(format!("{}.{name}", self.path), message));
    }

    pub(super) fn required_text(&mut self, name: &str) -> Option<&'a str> {
        match self.get(name) {
            Some(Value::String(text)) => return Some(text),
            Some(_) => self.problem(name, "is not text"),
            None => self.problem(name, "is missing"),
        }
        None
    }

    pub(super) fn required_object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        match self.members.get(name) {
            Some(Value::Object(members)) => return Some(members),
            Some(_) => self.problem(name, "is not an object"),
            None => self.problem(name, "is missing"),
        }
        None
    }

    /// Text that must be well formed.
    pub(super) fn required<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.required_text(name)?;
        self.well_formed(name, text)
    }

    /// Text that must be well formed when it is there.
    pub(super) fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        self.get(name)?;
        self.required(name)
    }

    fn well_formed<T: FromStr<Err: Display>>(&mut self, name: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error: T::Err| self.problem(name, error.to_string())).ok()
    }

    /// Text that only informs.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_str().map(str::to_owned)
    }

    /// A message, without the quotes in which AWS Backup wraps some.
    pub(super) fn message(&self, name: &str) -> Option<String> {
        let text = self.get(name)?.as_str()?.trim();
        let inner = |quote: &str| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        Some(inner("\\\"").or_else(|| inner("\"")).unwrap_or(text).to_owned())
    }

    /// A count that comes as a number or as text.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        }
    }

    /// A share in percent that comes as a number or as text.
    pub(super) fn percent(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::String(text) => text.trim().trim_end_matches('%').parse().ok(),
            value => value.as_f64(),
        }
    }

    /// A yes or no that comes as a boolean or as text.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_bool(),
        }
    }

    pub(super) fn moment(&self, name: &str) -> Option<Moment> {
        self.get(name)?.as_str().map(Moment::from)
    }

    /// A member of a member that only informs, such as `createdBy.backupPlanArn`.
    pub(super) fn inner_text(&self, name: &str, inner: &str) -> Option<String> {
        self.get(name)?.get(inner)?.as_str().map(str::to_owned)
    }

    /// Where the event whose members these are comes from.
    pub(super) fn origin(&self) -> Origin {
        Origin { event_id: self.text("id"), account: self.text("account"), region: self.text("region") }
    }

    /// The first of the event's resources.
    pub(super) fn first_resource(&self) -> Option<&'a str> {
        self.get("resources")?.get(0)?.as_str()
    }

    /// The recovery point that the event names among its resources. Events about other services' resources name others'
    /// ARNs there; only an event that says it is about DynamoDB must name one that we understand.
    pub(super) fn point_among_resources(&mut self, resource: Option<&str>) -> Option<RecoveryPointArn> {
        let parsed = resource?.parse::<RecoveryPointArn>();
        if let Err(error) = &parsed
            && self.get("resourceType").is_some()
        {
            self.problems.push(Problem::new("$.resources[0]", error.to_string()));
        }
        parsed.ok()
    }
}
