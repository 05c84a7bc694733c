//! What is missing between the configuration that is wanted and the one that the table has, as calls.

use std::collections::BTreeMap;

use super::{Property, ScaledPlace, alarms, arns, auto_scaling, stream};
use crate::table_config::{
    Alarm, BillingMode, GlobalIndex, InsightsMode, KinesisPrecision, MaxThroughput, Part,
    PointInTimeRecovery, ScalableTarget, ScheduledAction, StreamView, TableClass, TableConfig,
    TargetTracking, Throughput, WarmThroughput,
};

/// One call to AWS. Each can be made again without harm.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// `UpdateTable`.
    Table(TableUpdate),
    /// `EnableKinesisStreamingDestination`.
    Kinesis {
        /// The stream's ARN.
        stream: String,
        /// How exactly its records state the time.
        precision: KinesisPrecision,
    },
    /// `UpdateTimeToLive`.
    Ttl {
        /// The attribute that holds an item's end.
        attribute: String,
    },
    /// `UpdateContinuousBackups`.
    Pitr {
        /// How many days it reaches back; DynamoDB's own number if `None`.
        days: Option<i32>,
    },
    /// `TagResource`.
    Tags(BTreeMap<String, String>),
    /// `PutResourcePolicy`.
    ResourcePolicy(String),
    /// `PutResourcePolicy` of the table's stream.
    StreamPolicy {
        /// The stream's ARN.
        stream: String,
        /// The policy.
        policy: String,
    },
    /// `UpdateContributorInsights`.
    Insights {
        /// The index; the table itself if `None`.
        index: Option<String>,
        /// Which keys are watched.
        mode: InsightsMode,
    },
    /// `RegisterScalableTarget`.
    Scale(ScaledPlace, ScalableTarget),
    /// `PutScalingPolicy`.
    ScalingPolicy(ScaledPlace, String, TargetTracking),
    /// `PutScheduledAction`.
    ScheduledAction(ScaledPlace, String, ScheduledAction),
    /// `PutMetricAlarm`, of an alarm of this name, which is not there.
    Alarm(String, Box<Alarm>),
}

/// A change by `UpdateTable`, which takes one kind at a time (DynamoDB API Reference, `UpdateTable`).
#[derive(Clone, Debug, PartialEq)]
pub enum TableUpdate {
    /// To on-demand billing.
    OnDemandBilling,
    /// To provisioned billing, with the capacity of the table and of all its indexes.
    ProvisionedBilling(Throughput, BTreeMap<String, Throughput>),
    /// Provisioned capacity, where it is another.
    Throughput(Option<Throughput>, BTreeMap<String, Throughput>),
    /// Bounds of on-demand throughput, where they are others.
    Maxima(Option<MaxThroughput>, BTreeMap<String, MaxThroughput>),
    /// Warm throughput, where there is to be more.
    Warm(Option<WarmThroughput>, BTreeMap<String, WarmThroughput>),
    /// The table class.
    Class(TableClass),
    /// A stream.
    Stream(StreamView),
    /// Protection from deletion.
    DeletionProtection(bool),
}

/// The calls that a property still takes; none when the table has what is wanted. Calls of one answer can be made one after
/// the other; then the table is to be read again, and what is missing is asked for again: some calls take what others make.
/// `stream_arn` is that of the table's stream as it is now.
///
/// # Errors
/// Why nobody knows what the table has.
pub fn changes(
    property: Property,
    wanted: &TableConfig,
    current: &TableConfig,
    stream_arn: Option<&str>,
) -> Result<Vec<Change>, String> {
    let table = |update: Option<TableUpdate>| Ok(update.map(Change::Table).into_iter().collect());
    match property {
        Property::BillingMode => table(billing_mode(wanted, current)),
        Property::Provisioned => table(provisioned(wanted, current)),
        Property::OnDemand => table(maxima(wanted, current)),
        Property::WarmThroughput => table(warm(wanted, current)),
        Property::TableClass => {
            let differs = wanted.table_class != current.table_class;
            table(differs.then(|| TableUpdate::Class(wanted.table_class.clone())))
        }
        Property::Stream => stream::changes(wanted, current, stream_arn),
        Property::DeletionProtection => {
            let differs = wanted.deletion_protection != current.deletion_protection;
            table(differs.then_some(TableUpdate::DeletionProtection(wanted.deletion_protection)))
        }
        Property::Kinesis => kinesis(wanted, current),
        Property::Ttl => Ok(missing(&wanted.ttl, &current.ttl, |wanted, current| wanted == current)?
            .map(|ttl| Change::Ttl { attribute: ttl.attribute.clone() })
            .into_iter()
            .collect()),
        Property::Pitr => {
            let same = |wanted: &PointInTimeRecovery, current: &PointInTimeRecovery| {
                wanted.days.is_none() || days(wanted.days) == days(current.days)
            };
            let pitr = missing(&wanted.pitr, &current.pitr, same)?;
            Ok(pitr.map(|pitr| Change::Pitr { days: pitr.days }).into_iter().collect())
        }
        Property::Tags => {
            let tags = wanted.tags.iter().filter(|(key, value)| current.tags.get(*key) != Some(value));
            let tags: BTreeMap<_, _> = tags.map(|(key, value)| (key.clone(), value.clone())).collect();
            Ok((!tags.is_empty()).then_some(Change::Tags(tags)).into_iter().collect())
        }
        Property::ResourcePolicy => {
            let same = |wanted: &String, current: &String| arns::same_policy(wanted, current);
            let policy = missing(&wanted.resource_policy, &current.resource_policy, same)?;
            Ok(policy.map(|policy| Change::ResourcePolicy(policy.clone())).into_iter().collect())
        }
        Property::ContributorInsights => insights(wanted, current),
        Property::AutoScaling => auto_scaling::changes(wanted, current),
        Property::Alarms => alarms::changes(wanted, current),
        // AWS Backup encrypts the table as it is told.
        Property::Encryption => Ok(Vec::new()),
    }
}

/// What is wanted and not there.
///
/// # Errors
/// Why nobody knows whether it is there.
pub(super) fn missing<'a, T>(
    wanted: &'a Part<T>,
    current: &Part<T>,
    same: impl FnOnce(&T, &T) -> bool,
) -> Result<Option<&'a T>, String> {
    let Some(wanted) = wanted.on() else { return Ok(None) };
    match current {
        Part::On(current) if same(wanted, current) => Ok(None),
        Part::On(_) | Part::Off => Ok(Some(wanted)),
        Part::Unknown(unknown) => Err(unknown.reason.clone()),
    }
}

/// DynamoDB reaches 35 days back unless it is told otherwise (DynamoDB API Reference, `PointInTimeRecoverySpecification`).
fn days(days: Option<i32>) -> i32 {
    days.unwrap_or(35)
}

fn billing_mode(wanted: &TableConfig, current: &TableConfig) -> Option<TableUpdate> {
    if wanted.billing_mode == current.billing_mode {
        return None;
    }
    if wanted.billing_mode == BillingMode::OnDemand {
        return Some(TableUpdate::OnDemandBilling);
    }
    let table = wanted.provisioned.clone()?;
    // An index of which nothing else is said gets what the table gets.
    let capacity = |name: &String| {
        let wanted = wanted.global_indexes.get(name).and_then(|index| index.provisioned.clone());
        wanted.unwrap_or_else(|| table.clone())
    };
    let indexes = current.global_indexes.keys().map(|name| (name.clone(), capacity(name))).collect();
    Some(TableUpdate::ProvisionedBilling(table, indexes))
}

fn provisioned(wanted: &TableConfig, current: &TableConfig) -> Option<TableUpdate> {
    let table = wanted.provisioned.clone().filter(|_| wanted.provisioned != current.provisioned);
    let indexes = of_indexes(wanted, current, |wanted, current| {
        wanted.provisioned.clone().filter(|_| wanted.provisioned != current.provisioned)
    });
    (table.is_some() || !indexes.is_empty()).then_some(TableUpdate::Throughput(table, indexes))
}

fn maxima(wanted: &TableConfig, current: &TableConfig) -> Option<TableUpdate> {
    let table = wanted.on_demand.clone().filter(|_| wanted.on_demand != current.on_demand);
    let indexes = of_indexes(wanted, current, |wanted, current| {
        wanted.on_demand.clone().filter(|_| wanted.on_demand != current.on_demand)
    });
    (table.is_some() || !indexes.is_empty()).then_some(TableUpdate::Maxima(table, indexes))
}

fn warm(wanted: &TableConfig, current: &TableConfig) -> Option<TableUpdate> {
    let table = warmer(wanted.warm_throughput.as_ref(), current.warm_throughput.as_ref());
    let indexes = of_indexes(wanted, current, |wanted, current| {
        warmer(wanted.warm_throughput.as_ref(), current.warm_throughput.as_ref())
    });
    (table.is_some() || !indexes.is_empty()).then_some(TableUpdate::Warm(table, indexes))
}

/// Warm throughput only ever rises (Amazon DynamoDB Developer Guide, "Warm throughput"): what the table has already stays.
fn warmer(wanted: Option<&WarmThroughput>, current: Option<&WarmThroughput>) -> Option<WarmThroughput> {
    let (wanted, current) = (wanted?, current.cloned().unwrap_or_default());
    let more = wanted.read > current.read || wanted.write > current.write;
    more.then(|| WarmThroughput {
        read: wanted.read.max(current.read),
        write: wanted.write.max(current.write),
    })
}

fn of_indexes<T>(
    wanted: &TableConfig,
    current: &TableConfig,
    differs: impl Fn(&GlobalIndex, &GlobalIndex) -> Option<T>,
) -> BTreeMap<String, T> {
    let none = GlobalIndex::default();
    let indexes = wanted.global_indexes.iter();
    indexes
        .filter_map(|(name, index)| {
            let current = current.global_indexes.get(name).unwrap_or(&none);
            Some((name.clone(), differs(index, current)?))
        })
        .collect()
}

fn kinesis(wanted: &TableConfig, current: &TableConfig) -> Result<Vec<Change>, String> {
    let Some(streams) = wanted.kinesis.on() else { return Ok(Vec::new()) };
    if let Some(reason) = current.kinesis.unknown_reason() {
        return Err(reason.to_owned());
    }
    let there = current.kinesis.on();
    let missing =
        streams.iter().filter(|(arn, wanted)| there.and_then(|there| there.get(*arn)) != Some(wanted));
    Ok(missing
        .map(|(arn, wanted)| Change::Kinesis { stream: arn.clone(), precision: wanted.precision.clone() })
        .collect())
}

fn insights(wanted: &TableConfig, current: &TableConfig) -> Result<Vec<Change>, String> {
    let none = GlobalIndex::default();
    let table = (None, &wanted.contributor_insights, &current.contributor_insights);
    let indexes = wanted.global_indexes.iter().map(|(name, index)| {
        let current = current.global_indexes.get(name).unwrap_or(&none);
        (Some(name.clone()), &index.contributor_insights, &current.contributor_insights)
    });
    let mut all = Vec::new();
    for (index, wanted, current) in std::iter::once(table).chain(indexes) {
        if let Some(insights) = missing(wanted, current, |wanted, current| wanted == current)? {
            all.push(Change::Insights { index, mode: insights.mode.clone() });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
