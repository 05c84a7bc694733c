//! A part of a configuration that has to be asked for: on, off, or not known.

use ciborium::Value;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a part is not known that was added to the records after its own was written.
const NOT_RECORDED: &str = "the version of dynachain that made the point did not look for it";

/// The member that marks a part as unknown; no part has a member of this name otherwise.
const UNKNOWN: &str = "?";

/// A part of the configuration that a call of its own gives. "Off" is said only when AWS said so.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Part<T> {
    /// AWS says that the table does not have it.
    #[default]
    Off,
    /// The table has it, like this.
    On(T),
    /// It could not be read.
    Unknown(Unknown),
}

/// Why a part is not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unknown {
    /// The reason, such as `DescribeTimeToLive: AccessDeniedException`.
    #[serde(rename = "?")]
    pub reason: String,
}

impl<T> Part<T> {
    /// A part that could not be read for this reason.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown(Unknown { reason: reason.into() })
    }

    /// What the absence of a part means that earlier versions did not record.
    pub(super) fn not_recorded() -> Self {
        Self::unknown(NOT_RECORDED)
    }

    /// Whether it is that, which is written as its absence again: a record stays what it was.
    pub(super) fn is_not_recorded(&self) -> bool {
        self.unknown_reason() == Some(NOT_RECORDED)
    }

    /// On with a value, off without one.
    pub fn known(value: Option<T>) -> Self {
        value.map_or(Self::Off, Self::On)
    }

    /// The value, when it is on.
    pub fn on(&self) -> Option<&T> {
        match self {
            Self::On(value) => Some(value),
            Self::Off | Self::Unknown(_) => None,
        }
    }

    /// Whether AWS said that the table does not have it.
    pub fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    /// Why it is not known, when it is not.
    pub fn unknown_reason(&self) -> Option<&str> {
        match self {
            Self::Unknown(unknown) => Some(&unknown.reason),
            Self::Off | Self::On(_) => None,
        }
    }
}

impl<T: Serialize> Serialize for Part<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_none(),
            Self::On(value) => value.serialize(serializer),
            Self::Unknown(unknown) => unknown.serialize(serializer),
        }
    }
}

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let marked = |(key, _): &(Value, Value)| key.as_text() == Some(UNKNOWN);
        match &value {
            Value::Null => Ok(Self::Off),
            Value::Map(members) if members.iter().any(marked) => value.deserialized().map(Self::Unknown),
            _ => value.deserialized().map(Self::On),
        }
        .map_err(D::Error::custom)
    }
}
