//! The JSON forms of properties: answers show what was recorded in the form in which overrides are given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::table_config::{InsightsMode, MaxThroughput, TableConfig, Throughput, WarmThroughput};

/// Capacity of a table or of an index, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Units {
    pub(super) read: i64,
    pub(super) write: i64,
}

/// Capacity of a table and of its indexes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Capacity {
    pub(super) read: i64,
    pub(super) write: i64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) indexes: BTreeMap<String, Units>,
}

/// The most that a table or an index serves on demand; none is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bounds {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) read: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) write: Option<i64>,
}

/// The most that a table and its indexes serve on demand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Maxima {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) read: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) write: Option<i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) indexes: BTreeMap<String, Bounds>,
}

/// Time to live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ttl {
    pub(super) attribute: String,
}

/// Point-in-time recovery; DynamoDB's own number of days without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pitr {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) days: Option<i32>,
}

/// Contributor Insights of a table and of its indexes, by the keys that are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InsightsOfAll {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) table: Option<InsightsMode>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) indexes: BTreeMap<String, InsightsMode>,
}

impl Units {
    pub(super) fn provisioned(self) -> Throughput {
        Throughput { read: self.read, write: self.write }
    }

    pub(super) fn warm(self) -> WarmThroughput {
        WarmThroughput { read: self.read, write: self.write }
    }
}

impl Capacity {
    pub(super) fn of_table(&self) -> Units {
        Units { read: self.read, write: self.write }
    }

    /// What is provisioned, when anything is.
    pub(super) fn provisioned(config: &TableConfig) -> Option<Self> {
        let units = |throughput: &Throughput| Units { read: throughput.read, write: throughput.write };
        let indexes = config.global_indexes.iter();
        let indexes =
            indexes.filter_map(|(name, index)| Some((name.clone(), units(index.provisioned.as_ref()?))));
        Self::of(config.provisioned.as_ref().map(units), indexes.collect())
    }

    /// What is warm, when anything is said to be.
    pub(super) fn warm(config: &TableConfig) -> Option<Self> {
        let units = |warm: &WarmThroughput| Units { read: warm.read, write: warm.write };
        let indexes = config.global_indexes.iter();
        let indexes =
            indexes.filter_map(|(name, index)| Some((name.clone(), units(index.warm_throughput.as_ref()?))));
        Self::of(config.warm_throughput.as_ref().map(units), indexes.collect())
    }

    fn of(table: Option<Units>, indexes: BTreeMap<String, Units>) -> Option<Self> {
        let Units { read, write } = table?;
        Some(Self { read, write, indexes })
    }
}

impl Bounds {
    pub(super) fn of(bounds: &MaxThroughput) -> Self {
        Self { read: bounds.read, write: bounds.write }
    }

    /// `None` when there is no bound at all.
    pub(super) fn max_throughput(self) -> Option<MaxThroughput> {
        let bounded = self.read.is_some() || self.write.is_some();
        bounded.then_some(MaxThroughput { read: self.read, write: self.write })
    }
}

impl Maxima {
    pub(super) fn of_table(&self) -> Bounds {
        Bounds { read: self.read, write: self.write }
    }

    /// The bounds of a configuration, when there are any.
    pub(super) fn of(config: &TableConfig) -> Option<Self> {
        let table = config.on_demand.as_ref().map(Bounds::of).unwrap_or_default();
        let indexes = config.global_indexes.iter();
        let indexes =
            indexes.filter_map(|(name, index)| Some((name.clone(), Bounds::of(index.on_demand.as_ref()?))));
        let maxima = Self { read: table.read, write: table.write, indexes: indexes.collect() };
        (maxima != Self::default()).then_some(maxima)
    }
}

impl InsightsOfAll {
    /// What is watched, when anything is.
    pub(super) fn of(config: &TableConfig) -> Option<Self> {
        let indexes = config.global_indexes.iter();
        let indexes = indexes
            .filter_map(|(name, index)| Some((name.clone(), index.contributor_insights.on()?.mode.clone())));
        let all = Self {
            table: config.contributor_insights.on().map(|insights| insights.mode.clone()),
            indexes: indexes.collect(),
        };
        (all != Self::default()).then_some(all)
    }
}
