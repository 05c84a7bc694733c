//! A part of a configuration that has to be asked for: on, off, or not known.

use ciborium::Value;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
