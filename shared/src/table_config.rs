//! Everything about a DynamoDB table besides its items that a restore brings back or has to know.
//!
//! A configuration travels in the tags of a recovery point, so it is small: CBOR maps with short keys, defaults left out
//! (DynamoDB's own: provisioned billing, standard table class, everything optional off). It is written canonically, map
//! keys sorted, and lists that have no order of their own are kept as maps and sets: equal configurations are equal bytes.
//!
//! [`Evolving`](crate::evolving::Evolving) encodes and decodes it, and keeps the members that this version does not know.
//! For that to stay true, a later version may add members and values of the text kinds, never change what a member means;
//! to a [`KeyElement`] it adds none, for keys are arrays and arrays are taken whole. A member added later must read its
//! absence as [`Part::Unknown`] and write [`Part::Off`] out: the writers before it did not look.

mod alarms;
mod capacity;
mod keys;
mod part;
mod scaling;
mod settings;

pub use alarms::{Alarm, AlarmMetric, Alarms, MetricQuery, ToldTags, WallClock, WarmUp};
pub use capacity::{BillingMode, MaxThroughput, TableClass, Throughput, WarmThroughput};
pub use keys::{AttributeType, GlobalIndex, KeyElement, KeyKind, LocalIndex, Projection, ProjectionKind};
pub use part::{Part, Unknown};
pub use scaling::{
    AutoScaling, CustomMetric, ScalableTarget, ScheduledAction, Suspended, TargetTracking, TargetsByDimension,
};
pub use settings::{
    Encryption, EncryptionKind, GlobalTable, Insights, InsightsMode, KinesisDestination, KinesisPrecision,
    PointInTimeRecovery, Stream, StreamView, TimeToLive,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The configuration of one table. Members are named after the restore properties they belong to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableConfig {
    /// The primary key: partition key first, then the sort key.
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub key: Vec<KeyElement>,
    /// The type of each attribute that is part of a key of the table or of an index.
    #[serde(rename = "a", skip_serializing_if = "is_default")]
    pub attributes: BTreeMap<String, AttributeType>,
    /// Local secondary indexes by name.
    #[serde(rename = "l", skip_serializing_if = "is_default")]
    pub local_indexes: BTreeMap<String, LocalIndex>,
    /// Global secondary indexes by name.
    #[serde(rename = "g", skip_serializing_if = "is_default")]
    pub global_indexes: BTreeMap<String, GlobalIndex>,
    /// How capacity is paid for.
    #[serde(rename = "b", skip_serializing_if = "is_default")]
    pub billing_mode: BillingMode,
    /// Provisioned throughput, with provisioned billing; under auto scaling the value of the moment.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub provisioned: Option<Throughput>,
    /// The bounds of on-demand throughput, where there are any.
    #[serde(rename = "o", skip_serializing_if = "is_default")]
    pub on_demand: Option<MaxThroughput>,
    /// Warm throughput, where DynamoDB states it.
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub warm_throughput: Option<WarmThroughput>,
    /// The table class.
    #[serde(rename = "c", skip_serializing_if = "is_default")]
    pub table_class: TableClass,
    /// Encryption with a KMS key; `None` is the key that DynamoDB owns.
    #[serde(rename = "e", skip_serializing_if = "is_default")]
    pub encryption: Option<Encryption>,
    /// The table's stream, when it is on.
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub stream: Option<Stream>,
    /// Kinesis streams that the table's changes go to, by stream ARN.
    #[serde(rename = "ks", skip_serializing_if = "Part::is_off")]
    pub kinesis: Part<BTreeMap<String, KinesisDestination>>,
    /// Time to live.
    #[serde(rename = "x", skip_serializing_if = "Part::is_off")]
    pub ttl: Part<TimeToLive>,
    /// Point-in-time recovery.
    #[serde(rename = "r", skip_serializing_if = "Part::is_off")]
    pub pitr: Part<PointInTimeRecovery>,
    /// Tags, those of AWS itself (`aws:…`) included.
    #[serde(rename = "t", skip_serializing_if = "is_default")]
    pub tags: BTreeMap<String, String>,
    /// The resource-based policy: its JSON text as DynamoDB gives it.
    #[serde(rename = "rp", skip_serializing_if = "Part::is_off")]
    pub resource_policy: Part<String>,
    /// Contributor Insights of the table itself; those of an index are with the index.
    #[serde(rename = "ci", skip_serializing_if = "Part::is_off")]
    pub contributor_insights: Part<Insights>,
    /// Application Auto Scaling of table and indexes.
    #[serde(rename = "as", skip_serializing_if = "Part::is_off")]
    pub auto_scaling: Part<AutoScaling>,
    /// CloudWatch alarms that watch the table or its indexes, but those of auto scaling.
    #[serde(rename = "al", default = "alarms_not_recorded")]
    pub alarms: Part<Alarms>,
    /// Whether the table is protected from deletion.
    #[serde(rename = "dp", skip_serializing_if = "is_default")]
    pub deletion_protection: bool,
    /// What kind of global table this is a replica of. For information: a restore makes a table of one Region.
    #[serde(rename = "gt", skip_serializing_if = "is_default")]
    pub global_table: Option<GlobalTable>,
    /// What the table has that this version cannot record, by property, each with what is missing.
    #[serde(rename = "u", skip_serializing_if = "is_default")]
    pub unrecorded: BTreeMap<String, String>,
}

/// Whether a tag is one that people set: AWS's own, whose keys begin with `aws:` in any case, can be neither set nor removed,
/// do not count towards the 50 of a resource and are not taken over by others (AWS Tagging User Guide, "Best practices and
/// strategies").
pub fn is_user_tag(key: &str) -> bool {
    !key.to_lowercase().starts_with("aws:")
}

impl TableConfig {
    /// The tags that people set.
    pub fn user_tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        all.filter(|(key, _)| is_user_tag(key))
    }

    /// The auto scaling policies that are not recorded, each with the reason.
    pub(crate) fn unknown_policies(&self) -> impl Iterator<Item = (String, &str)> {
        self.auto_scaling.on().into_iter().flat_map(AutoScaling::unknown)
    }

    /// What of the alarms is not recorded, each with the reason.
    pub(crate) fn unknown_alarms(&self) -> impl Iterator<Item = (String, &str)> {
        self.alarms.on().into_iter().flat_map(Alarms::unknown)
    }

    /// Every property that is not fully known, with the reason: parts that could not be read, and things that this version
    /// has no place for. In the order of the restore properties.
    pub fn unknown(&self) -> Vec<(String, &str)> {
        let stream_policy = self.stream.as_ref().and_then(|stream| stream.policy.unknown_reason());
        let table = [
            ("stream policy", stream_policy),
            ("kinesis", self.kinesis.unknown_reason()),
            ("ttl", self.ttl.unknown_reason()),
            ("pitr", self.pitr.unknown_reason()),
            ("resource_policy", self.resource_policy.unknown_reason()),
            ("contributor_insights", self.contributor_insights.unknown_reason()),
        ];
        let table = table.into_iter().filter_map(|(name, reason)| Some((name.to_owned(), reason?)));
        let indexes = self.global_indexes.iter().filter_map(|(name, index)| {
            let reason = index.contributor_insights.unknown_reason()?;
            Some((format!("contributor_insights of index {name}"), reason))
        });
        let auto_scaling =
            self.auto_scaling.unknown_reason().map(|reason| ("auto_scaling".to_owned(), reason));
        let alarms = self.alarms.unknown_reason().map(|reason| ("alarms".to_owned(), reason));
        let rest = auto_scaling.into_iter().chain(self.unknown_policies()).chain(alarms);
        let rest = rest.chain(self.unknown_alarms());
        let unrecorded = self.unrecorded.iter().map(|(name, reason)| (name.clone(), reason.as_str()));
        table.chain(indexes).chain(rest).chain(unrecorded).collect()
    }
}

/// What the absence of the alarms means: versions that did not look for them wrote nothing.
fn alarms_not_recorded() -> Part<Alarms> {
    Part::unknown("the version that made the point did not look for alarms")
}

/// Whether a member holds its default, and so is left out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
