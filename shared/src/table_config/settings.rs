//! Settings of the whole table: encryption, streams, expiry, recovery, insights, replication.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Part, is_default};
use crate::open_text::open_text;

/// Encryption at rest with a key in KMS, the customer's or the one that AWS manages for DynamoDB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Encryption {
    /// The kind as DynamoDB names it, `KMS`.
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub kind: EncryptionKind,
    /// The key's ARN.
    #[serde(rename = "a", skip_serializing_if = "is_default")]
    pub key: Option<String>,
}

open_text! {
    /// The kind of encryption at rest.
    EncryptionKind, default Kms {
        /// A key in KMS.
        Kms = "KMS",
    }
}

open_text! {
    /// What a stream record shows of a changed item.
    StreamView, default NewAndOldImages {
        /// Its keys.
        KeysOnly = "KEYS_ONLY",
        /// The item after the change.
        NewImage = "NEW_IMAGE",
        /// The item before the change.
        OldImage = "OLD_IMAGE",
        /// Both.
        NewAndOldImages = "NEW_AND_OLD_IMAGES",
    }
}

/// A DynamoDB stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stream {
    /// What its records show.
    #[serde(rename = "v", skip_serializing_if = "is_default")]
    pub view: StreamView,
    /// Its resource-based policy: its JSON text as DynamoDB gives it. A table's own policy says nothing about its stream.
    #[serde(rename = "rp", default = "Part::not_recorded", skip_serializing_if = "Part::is_not_recorded")]
    pub policy: Part<String>,
}

open_text! {
    /// How exactly a Kinesis record states the time of the change. DynamoDB's default is milliseconds.
    KinesisPrecision, default Millisecond {
        /// Milliseconds.
        Millisecond = "MILLISECOND",
        /// Microseconds.
        Microsecond = "MICROSECOND",
    }
}

/// A Kinesis stream that the table's changes go to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KinesisDestination {
    /// How exactly its records state the time of the change.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub precision: KinesisPrecision,
}

/// Time to live, on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimeToLive {
    /// The attribute that holds an item's end, in seconds since 1970.
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub attribute: String,
}

/// Point-in-time recovery, on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PointInTimeRecovery {
    /// How many days back it reaches, 1 to 35; `None` where DynamoDB does not say, which is its default of 35.
    #[serde(rename = "d", skip_serializing_if = "is_default")]
    pub days: Option<i32>,
}

open_text! {
    /// Which keys Contributor Insights watches.
    InsightsMode, default AccessedAndThrottled {
        /// The most accessed and the most throttled.
        AccessedAndThrottled = "ACCESSED_AND_THROTTLED_KEYS",
        /// The most throttled.
        Throttled = "THROTTLED_KEYS",
    }
}

/// Contributor Insights, on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Insights {
    /// Which keys it watches.
    #[serde(rename = "m", skip_serializing_if = "is_default")]
    pub mode: InsightsMode,
}

/// The global table that this table is a replica of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GlobalTable {
    /// The version of global tables, such as `2019.11.21`.
    #[serde(rename = "v", skip_serializing_if = "is_default")]
    pub version: Option<String>,
    /// The Regions of its replicas, as this replica lists them.
    #[serde(rename = "r", skip_serializing_if = "is_default")]
    pub replicas: BTreeSet<String>,
    /// The Regions of its witnesses.
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub witnesses: BTreeSet<String>,
    /// Its consistency over Regions, `EVENTUAL` or `STRONG`, where DynamoDB states it.
    #[serde(rename = "c", skip_serializing_if = "is_default")]
    pub consistency: Option<String>,
}
