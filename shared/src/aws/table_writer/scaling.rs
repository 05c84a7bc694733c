//! Application Auto Scaling of a table and its indexes.

use aws_sdk_applicationautoscaling::error::BuildError;
use aws_sdk_applicationautoscaling::types::{
    CustomizedMetricSpecification, MetricDimension, MetricStatistic, MetricType, PolicyType,
    PredefinedMetricSpecification, ScalableDimension, ScalableTargetAction, ServiceNamespace, SuspendedState,
    TargetTrackingScalingPolicyConfiguration,
};
use aws_smithy_types::DateTime;

use super::{TableWriter, done};
use crate::aws::AwsError;
use crate::id::TableArn;
use crate::restore::ScaledPlace;
use crate::table_config::{CustomMetric, ScalableTarget, ScheduledAction, Suspended, TargetTracking};

impl TableWriter {
    pub(super) async fn scale(
        &self,
        table: &TableArn,
        place: &ScaledPlace,
        target: &ScalableTarget,
    ) -> Result<(), AwsError> {
        let call = self.auto_scaling.register_scalable_target().service_namespace(ServiceNamespace::Dynamodb);
        let call = call
            .resource_id(place.resource_id(table))
            .scalable_dimension(dimension(place))
            .min_capacity(target.min)
            .max_capacity(target.max)
            .suspended_state(suspended(&target.suspended));
        done("RegisterScalableTarget", call.send().await)
    }

    pub(super) async fn put_policy(
        &self,
        table: &TableArn,
        place: &ScaledPlace,
        name: &str,
        tracking: &TargetTracking,
    ) -> Result<(), AwsError> {
        const OPERATION: &str = "PutScalingPolicy";
        let tracking = target_tracking(tracking).map_err(|_| AwsError::incomplete(OPERATION, "metric"))?;
        let call = self.auto_scaling.put_scaling_policy().service_namespace(ServiceNamespace::Dynamodb);
        let call = call
            .resource_id(place.resource_id(table))
            .scalable_dimension(dimension(place))
            .policy_name(name)
            .policy_type(PolicyType::TargetTrackingScaling)
            .target_tracking_scaling_policy_configuration(tracking);
        done(OPERATION, call.send().await)
    }

    pub(super) async fn put_action(
        &self,
        table: &TableArn,
        place: &ScaledPlace,
        name: &str,
        action: &ScheduledAction,
    ) -> Result<(), AwsError> {
        let bounds =
            ScalableTargetAction::builder().set_min_capacity(action.min).set_max_capacity(action.max).build();
        let call = self.auto_scaling.put_scheduled_action().service_namespace(ServiceNamespace::Dynamodb);
        let call = call
            .resource_id(place.resource_id(table))
            .scalable_dimension(dimension(place))
            .scheduled_action_name(name)
            .schedule(&action.schedule)
            .set_timezone(action.timezone.clone())
            .set_start_time(action.start.map(DateTime::from_secs))
            .set_end_time(action.end.map(DateTime::from_secs))
            .scalable_target_action(bounds);
        done("PutScheduledAction", call.send().await)
    }
}

fn dimension(place: &ScaledPlace) -> ScalableDimension {
    ScalableDimension::from(place.dimension().as_str())
}

fn suspended(state: &Suspended) -> SuspendedState {
    SuspendedState::builder()
        .dynamic_scaling_in_suspended(state.scaling_in)
        .dynamic_scaling_out_suspended(state.scaling_out)
        .scheduled_scaling_suspended(state.scheduled)
        .build()
}

fn target_tracking(
    tracking: &TargetTracking,
) -> Result<TargetTrackingScalingPolicyConfiguration, BuildError> {
    let predefined = tracking.predefined_metric.as_deref().map(|metric| {
        PredefinedMetricSpecification::builder().predefined_metric_type(MetricType::from(metric)).build()
    });
    TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(tracking.value)
        .set_predefined_metric_specification(predefined.transpose()?)
        .set_customized_metric_specification(tracking.custom_metric.as_ref().map(custom_metric).transpose()?)
        .set_scale_out_cooldown(tracking.scale_out_cooldown)
        .set_scale_in_cooldown(tracking.scale_in_cooldown)
        .set_disable_scale_in(tracking.disable_scale_in.then_some(true))
        .build()
}

fn custom_metric(metric: &CustomMetric) -> Result<CustomizedMetricSpecification, BuildError> {
    let dimensions = metric.dimensions.iter();
    let dimensions =
        dimensions.map(|(name, value)| MetricDimension::builder().name(name).value(value).build());
    Ok(CustomizedMetricSpecification::builder()
        .set_metric_name(metric.name.clone())
        .set_namespace(metric.namespace.clone())
        .set_dimensions(Some(dimensions.collect::<Result<Vec<_>, _>>()?))
        .set_statistic(metric.statistic.as_deref().map(MetricStatistic::from))
        .set_unit(metric.unit.clone())
        .build())
}
