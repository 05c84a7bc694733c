//! CloudWatch alarms that watch a table.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Part, is_default};

/// The dimension by which a metric names a table, its indexes' metrics too (Amazon DynamoDB Developer Guide, "DynamoDB
/// metrics and dimensions").
const TABLE_DIMENSION: &str = "TableName";

/// The alarms that watch a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alarms {
    /// By their names, which may be any text. One that this version has no place for is unknown, each by itself.
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub by_name: BTreeMap<String, Part<Alarm>>,
}

impl Alarms {
    /// These alarms; none when there is none.
    pub fn of(by_name: BTreeMap<String, Part<Alarm>>) -> Option<Self> {
        (!by_name.is_empty()).then_some(Self { by_name })
    }

    /// What of them is not recorded, each with the reason; named after the restore property.
    pub(super) fn unknown(&self) -> impl Iterator<Item = (String, &str)> {
        self.by_name.iter().filter_map(|(name, alarm)| match alarm {
            Part::Off => None,
            Part::Unknown(unknown) => Some((format!("alarms ({name})"), unknown.reason.as_str())),
            Part::On(alarm) => Some((format!("alarms (tags of {name})"), alarm.tags.unknown_reason()?)),
        })
    }
}

/// A metric alarm, with all that makes it (CloudWatch API Reference, `PutMetricAlarm`) but its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alarm {
    /// What it is for.
    #[serde(rename = "d", skip_serializing_if = "is_default")]
    pub description: Option<String>,
    /// Whether its actions are switched off.
    #[serde(rename = "x", skip_serializing_if = "is_default")]
    pub actions_disabled: bool,
    /// The ARNs of what it does when it goes to ALARM.
    #[serde(rename = "a", skip_serializing_if = "is_default")]
    pub alarm_actions: BTreeSet<String>,
    /// The ARNs of what it does when it goes to OK.
    #[serde(rename = "o", skip_serializing_if = "is_default")]
    pub ok_actions: BTreeSet<String>,
    /// The ARNs of what it does when it goes to `INSUFFICIENT_DATA`.
    #[serde(rename = "i", skip_serializing_if = "is_default")]
    pub insufficient_data_actions: BTreeSet<String>,
    /// The metric that it watches, unless it watches metric math.
    #[serde(rename = "m", skip_serializing_if = "is_default")]
    pub metric: Option<AlarmMetric>,
    /// Metric math: its metrics and expressions by their ids.
    #[serde(rename = "q", skip_serializing_if = "is_default")]
    pub queries: BTreeMap<String, MetricQuery>,
    /// The id of the expression that is the threshold, a band of an anomaly detector.
    #[serde(rename = "b", skip_serializing_if = "is_default")]
    pub threshold_query: Option<String>,
    /// Over how many periods it looks.
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub evaluation_periods: Option<i32>,
    /// How many data points of these must be beyond the threshold; all of them if `None`.
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub datapoints_to_alarm: Option<i32>,
    /// The threshold, unless it is an expression.
    #[serde(rename = "v", skip_serializing_if = "is_default")]
    pub threshold: Option<f64>,
    /// How a value compares with the threshold when the alarm is raised, such as `GreaterThanThreshold`.
    #[serde(rename = "c", skip_serializing_if = "is_default")]
    pub comparison: Option<String>,
    /// How data points that are missing count; `None` is CloudWatch's default, `missing`.
    #[serde(rename = "t", skip_serializing_if = "is_default")]
    pub missing_data: Option<String>,
    /// How percentiles of few samples count, `evaluate` or `ignore`; CloudWatch's default if `None`.
    #[serde(rename = "l", skip_serializing_if = "is_default")]
    pub low_sample_count: Option<String>,
    /// The wall clock that periods follow; they slide if `None`.
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub wall_clock: Option<WallClock>,
    /// How long it waits after it was made or changed.
    #[serde(rename = "u", skip_serializing_if = "is_default")]
    pub warm_up: Option<WarmUp>,
    /// Which of its tags its actions are told.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub told_tags: Option<ToldTags>,
    /// Its tags, those of AWS itself (`aws:…`) included.
    #[serde(rename = "g", skip_serializing_if = "Part::is_off")]
    pub tags: Part<BTreeMap<String, String>>,
}

impl Alarm {
    /// The names of the tables that the alarm names, each once.
    pub fn tables(&self) -> BTreeSet<&str> {
        let dimensions = self.metrics().filter_map(|metric| metric.dimensions.get(TABLE_DIMENSION));
        dimensions.map(String::as_str).collect()
    }

    /// Puts another table in the place of one, wherever a metric names it.
    pub fn watch_instead(&mut self, table: &str, other: &str) {
        let queried = self.queries.values_mut().filter_map(|query| query.metric.as_mut());
        for metric in self.metric.iter_mut().chain(queried) {
            if let Some(named) = metric.dimensions.get_mut(TABLE_DIMENSION)
                && named == table
            {
                other.clone_into(named);
            }
        }
    }

    fn metrics(&self) -> impl Iterator<Item = &AlarmMetric> {
        let queried = self.queries.values().filter_map(|query| query.metric.as_ref());
        self.metric.iter().chain(queried)
    }
}

/// A metric with a statistic of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlarmMetric {
    /// The metric's name.
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub name: Option<String>,
    /// Its namespace, such as `AWS/DynamoDB`.
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub namespace: Option<String>,
    /// Its dimensions.
    #[serde(rename = "d", skip_serializing_if = "is_default")]
    pub dimensions: BTreeMap<String, String>,
    /// The statistic, such as `Sum`; within metric math also a percentile.
    #[serde(rename = "t", skip_serializing_if = "is_default")]
    pub statistic: Option<String>,
    /// A percentile or the like, in place of the statistic of an alarm's own metric.
    #[serde(rename = "e", skip_serializing_if = "is_default")]
    pub extended_statistic: Option<String>,
    /// Over how many seconds the statistic is.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub period: Option<i32>,
    /// The unit of the data points that count; all count if `None`.
    #[serde(rename = "u", skip_serializing_if = "is_default")]
    pub unit: Option<String>,
}

/// A metric or an expression of metric math.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricQuery {
    /// The metric, unless it is an expression.
    #[serde(rename = "m", skip_serializing_if = "is_default")]
    pub metric: Option<AlarmMetric>,
    /// The expression, unless it is a metric.
    #[serde(rename = "e", skip_serializing_if = "is_default")]
    pub expression: Option<String>,
    /// What people call it.
    #[serde(rename = "l", skip_serializing_if = "is_default")]
    pub label: Option<String>,
    /// Whether this is what the alarm watches.
    #[serde(rename = "r", skip_serializing_if = "is_default")]
    pub return_data: Option<bool>,
    /// Over how many seconds an expression's data points are.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub period: Option<i32>,
    /// The account of the metric, when it is another than the alarm's.
    #[serde(rename = "a", skip_serializing_if = "is_default")]
    pub account: Option<String>,
}

/// Periods that begin with the minute, the hour, the day or the week.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WallClock {
    /// The time zone of the clock; UTC if `None`.
    #[serde(rename = "z", skip_serializing_if = "is_default")]
    pub timezone: Option<String>,
}

/// The time after an alarm was made or changed in which it does nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WarmUp {
    /// So many minutes at most.
    #[serde(rename = "m", skip_serializing_if = "is_default")]
    pub minutes: Option<i32>,
    /// Whether it is always so long, also when there is data before.
    #[serde(rename = "f", skip_serializing_if = "is_default")]
    pub full: Option<bool>,
}

/// Tags of an alarm that its actions are told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToldTags {
    /// Whether they are told any.
    #[serde(rename = "e", skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
    /// Only those with these keys, if there are any here.
    #[serde(rename = "i", skip_serializing_if = "is_default")]
    pub included: BTreeSet<String>,
    /// All but those with these keys.
    #[serde(rename = "x", skip_serializing_if = "is_default")]
    pub excluded: BTreeSet<String>,
}
