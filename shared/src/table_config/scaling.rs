//! Application Auto Scaling of a table and its indexes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Part, is_default};

/// Scalable targets by what they scale: `ReadCapacityUnits` or `WriteCapacityUnits`, the last part of the scalable
/// dimension (`dynamodb:table:ReadCapacityUnits`, `dynamodb:index:ReadCapacityUnits`).
pub type TargetsByDimension = BTreeMap<String, ScalableTarget>;

/// What Application Auto Scaling does to a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AutoScaling {
    /// Of the table itself.
    #[serde(rename = "t", skip_serializing_if = "is_default")]
    pub table: TargetsByDimension,
    /// Of its global secondary indexes, by name.
    #[serde(rename = "g", skip_serializing_if = "is_default")]
    pub indexes: BTreeMap<String, TargetsByDimension>,
}

impl AutoScaling {
    /// The policies that this version cannot record, each with the reason.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = (String, &str)> {
        let targets = self.table.values().chain(self.indexes.values().flat_map(BTreeMap::values));
        targets.flat_map(|target| &target.policies).filter_map(|(name, policy)| {
            policy.unknown_reason().map(|reason| (format!("auto_scaling policy {name}"), reason))
        })
    }
}

/// One capacity that is scaled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScalableTarget {
    /// The least capacity units.
    #[serde(rename = "l", skip_serializing_if = "is_default")]
    pub min: i32,
    /// The most capacity units.
    #[serde(rename = "h", skip_serializing_if = "is_default")]
    pub max: i32,
    /// What is suspended.
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub suspended: Suspended,
    /// Scaling policies by name.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub policies: BTreeMap<String, Part<TargetTracking>>,
    /// Scheduled actions by name.
    #[serde(rename = "a", skip_serializing_if = "is_default")]
    pub scheduled_actions: BTreeMap<String, ScheduledAction>,
}

/// Which scaling of a target is suspended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Suspended {
    /// Scaling in by policies.
    #[serde(rename = "i", skip_serializing_if = "is_default")]
    pub scaling_in: bool,
    /// Scaling out by policies.
    #[serde(rename = "o", skip_serializing_if = "is_default")]
    pub scaling_out: bool,
    /// Scheduled actions.
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub scheduled: bool,
}

/// A target tracking policy, the kind that DynamoDB takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetTracking {
    /// The value at which the metric is held.
    #[serde(rename = "v", skip_serializing_if = "is_default")]
    pub value: f64,
    /// The predefined metric, such as `DynamoDBReadCapacityUtilization`.
    #[serde(rename = "m", skip_serializing_if = "is_default")]
    pub predefined_metric: Option<String>,
    /// A metric of the customer's own, in place of a predefined one.
    #[serde(rename = "c", skip_serializing_if = "is_default")]
    pub custom_metric: Option<CustomMetric>,
    /// Seconds to wait after scaling out.
    #[serde(rename = "o", skip_serializing_if = "is_default")]
    pub scale_out_cooldown: Option<i32>,
    /// Seconds to wait after scaling in.
    #[serde(rename = "i", skip_serializing_if = "is_default")]
    pub scale_in_cooldown: Option<i32>,
    /// Whether this policy never scales in.
    #[serde(rename = "d", skip_serializing_if = "is_default")]
    pub disable_scale_in: bool,
}

/// A CloudWatch metric that a policy follows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomMetric {
    /// The metric's name.
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub name: Option<String>,
    /// Its namespace.
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub namespace: Option<String>,
    /// Its dimensions.
    #[serde(rename = "d", skip_serializing_if = "is_default")]
    pub dimensions: BTreeMap<String, String>,
    /// The statistic of it, such as `Average`.
    #[serde(rename = "t", skip_serializing_if = "is_default")]
    pub statistic: Option<String>,
    /// Its unit.
    #[serde(rename = "u", skip_serializing_if = "is_default")]
    pub unit: Option<String>,
}

/// A change of a target's bounds at set times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduledAction {
    /// When: an `at`, `rate` or `cron` expression.
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub schedule: String,
    /// The time zone of the expression; UTC without one.
    #[serde(rename = "z", skip_serializing_if = "is_default")]
    pub timezone: Option<String>,
    /// Not before, in seconds since 1970.
    #[serde(rename = "f", skip_serializing_if = "is_default")]
    pub start: Option<i64>,
    /// Not after, in seconds since 1970.
    #[serde(rename = "u", skip_serializing_if = "is_default")]
    pub end: Option<i64>,
    /// The new least capacity units.
    #[serde(rename = "l", skip_serializing_if = "is_default")]
    pub min: Option<i32>,
    /// The new most capacity units.
    #[serde(rename = "h", skip_serializing_if = "is_default")]
    pub max: Option<i32>,
}
