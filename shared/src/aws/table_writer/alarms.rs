//! CloudWatch alarms.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    ActionConfiguration, AlarmTagsPropagation, ComparisonOperator, Dimension, EvaluationWindow, Metric,
    MetricDataQuery, MetricStat, StandardUnit, Statistic, Tag, WallClockWindow, WarmUpConfiguration,
};

use super::{TableWriter, done};
use crate::aws::AwsError;
use crate::table_config::{Alarm, AlarmMetric, MetricQuery, ToldTags, WallClock, WarmUp};

impl TableWriter {
    /// Makes the alarm. CloudWatch would overwrite one of the same name: whoever asks has seen that there is none.
    pub(super) async fn put_alarm(&self, name: &str, alarm: &Alarm) -> Result<(), AwsError> {
        let call = self.cloudwatch.put_metric_alarm().alarm_name(name);
        let call = call
            .set_alarm_description(alarm.description.clone())
            .actions_enabled(!alarm.actions_disabled)
            .set_alarm_actions(listed(&alarm.alarm_actions))
            .set_ok_actions(listed(&alarm.ok_actions))
            .set_insufficient_data_actions(listed(&alarm.insufficient_data_actions))
            .set_evaluation_periods(alarm.evaluation_periods)
            .set_datapoints_to_alarm(alarm.datapoints_to_alarm)
            .set_threshold(alarm.threshold)
            .set_threshold_metric_id(alarm.threshold_query.clone())
            .set_comparison_operator(alarm.comparison.as_deref().map(ComparisonOperator::from))
            .set_treat_missing_data(alarm.missing_data.clone())
            .set_evaluate_low_sample_count_percentile(alarm.low_sample_count.clone())
            .set_evaluation_window(alarm.wall_clock.as_ref().map(wall_clock))
            .set_warm_up_configuration(alarm.warm_up.as_ref().map(warm_up))
            .set_action_configuration(alarm.told_tags.as_ref().map(told_tags))
            .set_tags(alarm.tags.on().map(tags));
        done("PutMetricAlarm", watching(call, alarm).send().await)
    }
}

/// The call with what the alarm watches: a metric, or metric math.
fn watching(call: PutMetricAlarmFluentBuilder, alarm: &Alarm) -> PutMetricAlarmFluentBuilder {
    let queries: Vec<_> = alarm.queries.iter().map(|(id, query)| metric_query(id, query)).collect();
    let call = call.set_metrics((!queries.is_empty()).then_some(queries));
    let Some(metric) = &alarm.metric else { return call };
    call.set_metric_name(metric.name.clone())
        .set_namespace(metric.namespace.clone())
        .set_dimensions(dimensions(metric))
        .set_statistic(metric.statistic.as_deref().map(Statistic::from))
        .set_extended_statistic(metric.extended_statistic.clone())
        .set_period(metric.period)
        .set_unit(unit(metric))
}

fn listed(texts: &BTreeSet<String>) -> Option<Vec<String>> {
    (!texts.is_empty()).then(|| texts.iter().cloned().collect())
}

fn dimensions(metric: &AlarmMetric) -> Option<Vec<Dimension>> {
    let dimensions = metric.dimensions.iter();
    let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
    (!metric.dimensions.is_empty()).then(|| dimensions.collect())
}

fn unit(metric: &AlarmMetric) -> Option<StandardUnit> {
    metric.unit.as_deref().map(StandardUnit::from)
}

fn metric_query(id: &str, query: &MetricQuery) -> MetricDataQuery {
    MetricDataQuery::builder()
        .id(id)
        .set_metric_stat(query.metric.as_ref().map(metric_stat))
        .set_expression(query.expression.clone())
        .set_label(query.label.clone())
        .set_return_data(query.return_data)
        .set_period(query.period)
        .set_account_id(query.account.clone())
        .build()
}

fn metric_stat(metric: &AlarmMetric) -> MetricStat {
    let named = Metric::builder()
        .set_metric_name(metric.name.clone())
        .set_namespace(metric.namespace.clone())
        .set_dimensions(dimensions(metric))
        .build();
    MetricStat::builder()
        .metric(named)
        .set_stat(metric.statistic.clone())
        .set_period(metric.period)
        .set_unit(unit(metric))
        .build()
}

fn wall_clock(clock: &WallClock) -> EvaluationWindow {
    let clock = WallClockWindow::builder().set_timezone(clock.timezone.clone()).build();
    EvaluationWindow::WallClockWindow(clock)
}

fn warm_up(warm_up: &WarmUp) -> WarmUpConfiguration {
    WarmUpConfiguration::builder()
        .set_warm_up_period_duration_in_minutes(warm_up.minutes)
        .set_only_start_evaluating_after_warm_up_period_ends(warm_up.full)
        .build()
}

fn told_tags(told: &ToldTags) -> ActionConfiguration {
    let tags = AlarmTagsPropagation::builder()
        .set_enabled(told.enabled)
        .set_included_tag_keys(listed(&told.included))
        .set_excluded_tag_keys(listed(&told.excluded))
        .build();
    ActionConfiguration::builder().alarm_tags_propagation(tags).build()
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
