//! Keys and indexes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Insights, MaxThroughput, Part, Throughput, WarmThroughput, is_default};
use crate::open_text::open_text;

open_text! {
    /// The type of a key attribute.
    AttributeType {
        /// Text.
        String = "S",
        /// A number.
        Number = "N",
        /// Bytes.
        Binary = "B",
    }
}

open_text! {
    /// The role of an attribute in a key.
    KeyKind, default Partition {
        /// The partition key, or a part of it.
        Partition = "HASH",
        /// The sort key, or a part of it.
        Sort = "RANGE",
    }
}

/// One attribute of a key. Within a key the order of attributes matters: partition key before sort key, and an index can
/// have several of each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyElement {
    /// The attribute's name.
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub name: String,
    /// Its role.
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub kind: KeyKind,
}

open_text! {
    /// Which attributes an index carries.
    ProjectionKind, default All {
        /// All of the item.
        All = "ALL",
        /// The keys of table and index.
        KeysOnly = "KEYS_ONLY",
        /// The keys and some named attributes.
        Include = "INCLUDE",
    }
}

/// What an index carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Projection {
    /// Which attributes.
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub kind: ProjectionKind,
    /// The named attributes, with [`ProjectionKind::Include`].
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub attributes: BTreeSet<String>,
}

/// A local secondary index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LocalIndex {
    /// Its key.
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub key: Vec<KeyElement>,
    /// What it carries.
    #[serde(rename = "j", skip_serializing_if = "is_default")]
    pub projection: Projection,
}

/// A global secondary index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GlobalIndex {
    /// Its key.
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub key: Vec<KeyElement>,
    /// What it carries.
    #[serde(rename = "j", skip_serializing_if = "is_default")]
    pub projection: Projection,
    /// Provisioned throughput, with provisioned billing.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub provisioned: Option<Throughput>,
    /// The bounds of on-demand throughput, where there are any.
    #[serde(rename = "o", skip_serializing_if = "is_default")]
    pub on_demand: Option<MaxThroughput>,
    /// Warm throughput, where DynamoDB states it.
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub warm_throughput: Option<WarmThroughput>,
    /// Contributor Insights of this index.
    #[serde(rename = "ci", skip_serializing_if = "Part::is_off")]
    pub contributor_insights: Part<Insights>,
}
