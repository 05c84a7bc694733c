//! What was recorded of a table, as answers show it: in the form in which overrides are given.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Property;
use super::forms::{Capacity, InsightsOfAll, Maxima, Pitr, Ttl};
use crate::table_config::{
    Alarms, AutoScaling, BillingMode, Part, ScalableTarget, TableClass, TableConfig, TargetTracking,
    TargetsByDimension,
};

/// What a configuration says about one property; null where the table does not have it, or where it is not known.
pub fn show(config: &TableConfig, property: Property) -> Value {
    match property {
        Property::BillingMode => json!(config.billing_mode),
        Property::Provisioned if config.billing_mode == BillingMode::OnDemand => Value::Null,
        Property::Provisioned => value(Capacity::provisioned(config)),
        Property::OnDemand => value(Maxima::of(config)),
        Property::WarmThroughput => value(Capacity::warm(config)),
        Property::TableClass if config.table_class == TableClass::Standard => Value::Null,
        Property::TableClass => json!(config.table_class),
        Property::Encryption => {
            let key = config.encryption.as_ref();
            value(key.map(|encryption| encryption.key.as_deref().unwrap_or("aws/dynamodb")))
        }
        Property::Stream => value(config.stream.as_ref().map(|stream| match stream.policy.on() {
            Some(policy) => json!({ "view": stream.view, "policy": document(policy) }),
            None => json!(stream.view),
        })),
        Property::Kinesis => value(config.kinesis.on().map(|streams| {
            streams.iter().map(|(arn, stream)| (arn.clone(), json!(stream.precision))).collect::<Map<_, _>>()
        })),
        Property::Ttl => value(config.ttl.on().map(|ttl| Ttl { attribute: ttl.attribute.clone() })),
        Property::Pitr => value(config.pitr.on().map(|pitr| Pitr { days: pitr.days })),
        Property::Tags if config.tags.is_empty() => Value::Null,
        Property::Tags => json!(config.tags),
        Property::ResourcePolicy => value(config.resource_policy.on().map(|policy| document(policy))),
        Property::ContributorInsights => value(InsightsOfAll::of(config)),
        Property::AutoScaling => value(config.auto_scaling.on().map(scaling)),
        Property::Alarms => value(config.alarms.on().map(alarms)),
        Property::DeletionProtection => value(config.deletion_protection.then_some(true)),
    }
}

/// Nothing is null; so is what has no form in JSON, of which there is none.
fn value<T: Serialize>(value: Option<T>) -> Value {
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_default()
}

/// Enough of each alarm to recognise it.
fn alarms(alarms: &Alarms) -> Value {
    let alarms = alarms.by_name.iter().map(|(name, alarm)| {
        let shown = alarm.on().map(|alarm| {
            let metric = alarm.metric.as_ref().and_then(|metric| metric.name.as_ref());
            let expressions: Vec<_> =
                alarm.queries.values().filter_map(|query| query.expression.as_ref()).collect();
            json!({
                "metric": metric, "expressions": expressions, "comparison": alarm.comparison,
                "threshold": alarm.threshold,
                "actions": alarm.alarm_actions.union(&alarm.ok_actions).chain(&alarm.insufficient_data_actions).collect::<BTreeSet<_>>(),
            })
        });
        (name.clone(), value(shown))
    });
    Value::Object(alarms.collect())
}

/// A policy; as the text that it is, if that is no JSON.
fn document(policy: &str) -> Value {
    serde_json::from_str(policy).unwrap_or_else(|_| Value::String(policy.to_owned()))
}

fn scaling(scaling: &AutoScaling) -> Value {
    let indexes: Map<_, _> =
        scaling.indexes.iter().map(|(name, targets)| (name.clone(), scaled(targets))).collect();
    json!({ "table": scaled(&scaling.table), "indexes": indexes })
}

fn scaled(targets: &TargetsByDimension) -> Value {
    let targets = targets.iter().map(|(capacity, target)| (capacity.clone(), scalable(target)));
    Value::Object(targets.collect())
}

fn scalable(target: &ScalableTarget) -> Value {
    let policies = target.policies.iter();
    let policies: Map<_, _> = policies.map(|(name, policy)| (name.clone(), tracking(policy))).collect();
    let actions = target.scheduled_actions.iter().map(|(name, action)| {
        let shown = json!({
            "schedule": action.schedule, "timezone": action.timezone, "min": action.min, "max": action.max,
        });
        (name.clone(), shown)
    });
    json!({
        "min": target.min, "max": target.max, "policies": policies,
        "scheduled_actions": actions.collect::<Map<_, _>>(),
    })
}

fn tracking(policy: &Part<TargetTracking>) -> Value {
    value(policy.on().map(|tracking| {
        let custom = tracking.custom_metric.as_ref().and_then(|metric| metric.name.as_ref());
        json!({ "target": tracking.value, "metric": tracking.predefined_metric.as_ref().or(custom) })
    }))
}
