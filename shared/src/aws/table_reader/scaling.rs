//! Application Auto Scaling of every table of the Region, read once.
//!
//! Its calls page over the service namespace, so asking for all tables at once takes far fewer calls than asking for each.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{
    CustomizedMetricSpecification, ScalableDimension, ScalableTarget as DescribedTarget, ScalingPolicy,
    ScheduledAction as DescribedAction, ServiceNamespace, SuspendedState,
    TargetTrackingScalingPolicyConfiguration,
};
use futures::try_join;

use super::reason_of;
use crate::aws::AwsError;
use crate::table_config::{
    AutoScaling, CustomMetric, Part, ScalableTarget, ScheduledAction, Suspended, TargetTracking,
};

/// The auto scaling of all tables, by table name; or why it is not known.
#[derive(Debug)]
pub(super) struct AutoScalingSnapshot(Result<BTreeMap<String, AutoScaling>, String>);

impl AutoScalingSnapshot {
    /// Reads targets, policies and scheduled actions. When any of them cannot be read, all of it is unknown.
    pub(super) async fn fetch(client: &Client) -> Self {
        let read = try_join!(targets(client), policies(client), actions(client));
        Self(match read {
            Ok((targets, policies, actions)) => Ok(assembled(targets, policies, actions)),
            Err(error) => {
                tracing::warn!(%error, "auto scaling could not be read; it is recorded as unknown for every table");
                Err(reason_of(&error))
            }
        })
    }

    /// The auto scaling of one table.
    pub(super) fn of(&self, table: &str) -> Part<AutoScaling> {
        match &self.0 {
            Ok(tables) => Part::known(tables.get(table).cloned()),
            Err(reason) => Part::unknown(reason),
        }
    }
}

async fn targets(client: &Client) -> Result<Vec<DescribedTarget>, AwsError> {
    let call = client.describe_scalable_targets().service_namespace(ServiceNamespace::Dynamodb);
    let all = call.into_paginator().items().send().collect::<Result<_, _>>().await;
    all.map_err(|error| AwsError::new("DescribeScalableTargets", &error))
}

async fn policies(client: &Client) -> Result<Vec<ScalingPolicy>, AwsError> {
    let call = client.describe_scaling_policies().service_namespace(ServiceNamespace::Dynamodb);
    let all = call.into_paginator().items().send().collect::<Result<_, _>>().await;
    all.map_err(|error| AwsError::new("DescribeScalingPolicies", &error))
}

async fn actions(client: &Client) -> Result<Vec<DescribedAction>, AwsError> {
    let call = client.describe_scheduled_actions().service_namespace(ServiceNamespace::Dynamodb);
    let all = call.into_paginator().items().send().collect::<Result<_, _>>().await;
    all.map_err(|error| AwsError::new("DescribeScheduledActions", &error))
}

/// Targets with their policies and actions. Deregistering a target deletes its policies and actions too (Application Auto
/// Scaling API Reference, `DeregisterScalableTarget`): those that name no target belong to one that was not there when
/// the targets were listed.
fn assembled(
    targets: Vec<DescribedTarget>,
    policies: Vec<ScalingPolicy>,
    actions: Vec<DescribedAction>,
) -> BTreeMap<String, AutoScaling> {
    let mut tables = BTreeMap::new();
    for target in targets {
        if let Some(place) = Place::of(&target.resource_id, target.scalable_dimension.as_str()) {
            *place.target_in(&mut tables) = scalable_target(&target);
        }
    }
    for policy in policies {
        let place = Place::of(&policy.resource_id, policy.scalable_dimension.as_str());
        if let Some(target) = place.and_then(|place| place.known_target_in(&mut tables)) {
            let tracking = tracking(&policy);
            target.policies.insert(policy.policy_name, tracking);
        }
    }
    for action in actions {
        let dimension = action.scalable_dimension.as_ref().map(ScalableDimension::as_str);
        let place = dimension.and_then(|dimension| Place::of(&action.resource_id, dimension));
        if let Some(target) = place.and_then(|place| place.known_target_in(&mut tables)) {
            let recorded = scheduled_action(&action);
            target.scheduled_actions.insert(action.scheduled_action_name, recorded);
        }
    }
    tables
}

/// What is scaled: `table/<table>` or `table/<table>/index/<index>`, and which capacity of it.
struct Place<'a> {
    table: &'a str,
    index: Option<&'a str>,
    dimension: &'a str,
}

impl<'a> Place<'a> {
    fn of(resource_id: &'a str, dimension: &'a str) -> Option<Self> {
        let path = resource_id.strip_prefix("table/")?;
        let (table, index) = match path.split_once("/index/") {
            Some((table, index)) => (table, Some(index)),
            None => (path, None),
        };
        Some(Self { table, index, dimension: dimension.rsplit(':').next()? })
    }

    fn target_in<'t>(&self, tables: &'t mut BTreeMap<String, AutoScaling>) -> &'t mut ScalableTarget {
        let scaling = tables.entry(self.table.to_owned()).or_default();
        let targets = match self.index {
            Some(index) => scaling.indexes.entry(index.to_owned()).or_default(),
            None => &mut scaling.table,
        };
        targets.entry(self.dimension.to_owned()).or_default()
    }

    fn known_target_in<'t>(
        &self,
        tables: &'t mut BTreeMap<String, AutoScaling>,
    ) -> Option<&'t mut ScalableTarget> {
        let scaling = tables.get_mut(self.table)?;
        let targets = match self.index {
            Some(index) => scaling.indexes.get_mut(index)?,
            None => &mut scaling.table,
        };
        targets.get_mut(self.dimension)
    }
}

fn scalable_target(target: &DescribedTarget) -> ScalableTarget {
    let suspended = target.suspended_state.as_ref().map(suspended).unwrap_or_default();
    ScalableTarget {
        min: target.min_capacity,
        max: target.max_capacity,
        suspended,
        ..ScalableTarget::default()
    }
}

fn suspended(state: &SuspendedState) -> Suspended {
    Suspended {
        scaling_in: state.dynamic_scaling_in_suspended.unwrap_or_default(),
        scaling_out: state.dynamic_scaling_out_suspended.unwrap_or_default(),
        scheduled: state.scheduled_scaling_suspended.unwrap_or_default(),
    }
}

fn tracking(policy: &ScalingPolicy) -> Part<TargetTracking> {
    let Some(tracking) = &policy.target_tracking_scaling_policy_configuration else {
        return Part::unknown(format!("a {} policy is not recorded", policy.policy_type.as_str()));
    };
    match target_tracking(tracking) {
        Some(tracking) => Part::On(tracking),
        None => Part::unknown("a policy with metric math is not recorded"),
    }
}

fn target_tracking(described: &TargetTrackingScalingPolicyConfiguration) -> Option<TargetTracking> {
    let predefined = described.predefined_metric_specification.as_ref();
    let custom_metric = match &described.customized_metric_specification {
        Some(metric) => Some(custom_metric(metric)?),
        None => None,
    };
    Some(TargetTracking {
        value: described.target_value,
        predefined_metric: predefined.map(|metric| metric.predefined_metric_type.as_str().to_owned()),
        custom_metric,
        scale_out_cooldown: described.scale_out_cooldown,
        scale_in_cooldown: described.scale_in_cooldown,
        disable_scale_in: described.disable_scale_in.unwrap_or_default(),
    })
}

/// `None` for a metric that is computed from several.
fn custom_metric(metric: &CustomizedMetricSpecification) -> Option<CustomMetric> {
    if !metric.metrics().is_empty() {
        return None;
    }
    let dimensions = metric.dimensions().iter();
    Some(CustomMetric {
        name: metric.metric_name.clone(),
        namespace: metric.namespace.clone(),
        dimensions: dimensions.map(|dimension| (dimension.name.clone(), dimension.value.clone())).collect(),
        statistic: metric.statistic.as_ref().map(|statistic| statistic.as_str().to_owned()),
        unit: metric.unit.clone(),
    })
}

fn scheduled_action(action: &DescribedAction) -> ScheduledAction {
    let bounds = action.scalable_target_action.as_ref();
    ScheduledAction {
        schedule: action.schedule.clone(),
        timezone: action.timezone.clone(),
        start: action.start_time.map(|time| time.secs()),
        end: action.end_time.map(|time| time.secs()),
        min: bounds.and_then(|bounds| bounds.min_capacity),
        max: bounds.and_then(|bounds| bounds.max_capacity),
    }
}
