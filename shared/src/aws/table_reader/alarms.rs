//! CloudWatch alarms: those of every table of the Region, read once, and those of some names.
//!
//! CloudWatch can list the alarms of one metric, not those of all metrics of a table, so the alarms of the Region are paged
//! through, a hundred at a time, and sorted by the tables that they name.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{
    ActionConfiguration, AlarmType, Dimension, EvaluationWindow, MetricAlarm, MetricDataQuery, MetricStat,
    StandardUnit, Statistic, WarmUpConfiguration,
};
use futures::future::join_all;

use super::{TableReader, reason_of};
use crate::aws::{AwsError, Fault};
use crate::id::TableArn;
use crate::table_config::{Alarm, AlarmMetric, Alarms, MetricQuery, Part, ToldTags, WallClock, WarmUp};

/// What the names of alarms begin with that auto scaling makes for a table, and makes anew with each of its policies
/// (Amazon DynamoDB Developer Guide, "Managing throughput capacity automatically with DynamoDB auto scaling").
const OF_AUTO_SCALING: &str = "TargetTracking-table/";
/// What `DescribeAlarms` gives at most, and takes as names at most (CloudWatch API Reference, `DescribeAlarms`).
const PAGE: i32 = 100;
const NAMES: usize = 100;
/// How missing data counts where nothing is said (CloudWatch API Reference, `PutMetricAlarm`).
const MISSING_DATA: &str = "missing";

/// An alarm as CloudWatch lists it, which is without its tags.
#[derive(Clone, Debug)]
struct Listed {
    arn: String,
    alarm: Part<Alarm>,
}

/// The alarms of all tables, by table name and their own; or why they are not known.
#[derive(Debug)]
pub(super) struct AlarmSnapshot(Result<BTreeMap<String, BTreeMap<String, Listed>>, String>);

impl AlarmSnapshot {
    /// Reads all alarms of the Region.
    async fn fetch(client: &Client) -> Self {
        let call = client.describe_alarms().alarm_types(AlarmType::MetricAlarm).max_records(PAGE);
        let mut pages = call.into_paginator().send();
        let mut tables: BTreeMap<String, BTreeMap<String, Listed>> = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = AwsError::new("DescribeAlarms", &error);
                    tracing::warn!(%error, "alarms could not be read; they are recorded as unknown for every table");
                    return Self(Err(reason_of(&error)));
                }
            };
            for described in page.metric_alarms.into_iter().flatten() {
                sort_in(&mut tables, &described);
            }
        }
        Self(Ok(tables))
    }
}

impl TableReader {
    /// The alarms that name the table, with their tags.
    pub(super) async fn alarms_of(&self, table: &TableArn) -> Part<Alarms> {
        let Some(snapshot) = &self.alarms else { return Part::unknown("alarms are not looked at") };
        let fetch = || AlarmSnapshot::fetch(&self.cloudwatch);
        let listed = match &snapshot.get_or_init(fetch).await.0 {
            Ok(tables) => tables.get(table.name()),
            Err(reason) => return Part::unknown(reason),
        };
        let tagged = listed
            .into_iter()
            .flatten()
            .map(|(name, listed)| async move { Some((name.clone(), self.tagged(table, listed).await?)) });
        Part::known(Alarms::of(join_all(tagged).await.into_iter().flatten().collect()))
    }

    /// The alarm with its tags; `None` when it is gone since it was listed.
    async fn tagged(&self, table: &TableArn, listed: &Listed) -> Option<Part<Alarm>> {
        let Part::On(alarm) = &listed.alarm else { return Some(listed.alarm.clone()) };
        let call = self.cloudwatch.list_tags_for_resource().resource_arn(&listed.arn);
        let answer = self.rates.alarm_tags.call(|turn| call.customize().interceptor(turn).send()).await;
        let tags = match answer {
            Ok(answer) => {
                let tags = answer.tags.into_iter().flatten().filter_map(|tag| Some((tag.key?, tag.value?)));
                let tags: BTreeMap<_, _> = tags.collect();
                Part::known((!tags.is_empty()).then_some(tags))
            }
            Err(error) => {
                let error = AwsError::new("ListTagsForResource", &error);
                if error.fault() == Fault::NotFound {
                    return None;
                }
                tracing::warn!(%table, alarm = listed.arn, %error, "the tags of an alarm could not be read");
                Part::unknown(reason_of(&error))
            }
        };
        Some(Part::On(Alarm { tags, ..alarm.clone() }))
    }

    /// The alarms of these names that are there, whatever they watch, without their tags.
    pub async fn alarms_named(&self, names: &[&str]) -> Part<Alarms> {
        let mut found = BTreeMap::new();
        for names in names.chunks(NAMES) {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let call = self.cloudwatch.describe_alarms().alarm_types(AlarmType::MetricAlarm);
            let call = call.set_alarm_names(Some(names)).max_records(PAGE).send().await;
            let page = match call {
                Ok(page) => page,
                Err(error) => return Part::unknown(reason_of(&AwsError::new("DescribeAlarms", &error))),
            };
            let named = page.metric_alarms.into_iter().flatten();
            found.extend(named.filter_map(|described| {
                let alarm = recorded(&described);
                Some((described.alarm_name?, alarm))
            }));
        }
        Part::known(Alarms::of(found))
    }
}

fn sort_in(tables: &mut BTreeMap<String, BTreeMap<String, Listed>>, described: &MetricAlarm) {
    let (Some(name), Some(arn)) = (described.alarm_name(), described.alarm_arn()) else { return };
    if name.starts_with(OF_AUTO_SCALING) {
        return;
    }
    let known = known(described);
    for table in known.tables() {
        let listed = Listed { arn: arn.to_owned(), alarm: part(described, known.clone()) };
        tables.entry(table.to_owned()).or_default().insert(name.to_owned(), listed);
    }
}

fn recorded(described: &MetricAlarm) -> Part<Alarm> {
    part(described, known(described))
}

/// The alarm, unless it has something that [`Alarm`] has no place for.
fn part(described: &MetricAlarm, alarm: Alarm) -> Part<Alarm> {
    let window = described.evaluation_window();
    if !matches!(
        window,
        None | Some(EvaluationWindow::SlidingWindow(_) | EvaluationWindow::WallClockWindow(_))
    ) {
        return Part::unknown("its evaluation window is of a kind that is not recorded");
    }
    if described.evaluation_criteria().is_some() {
        return Part::unknown("an alarm with evaluation criteria is not recorded");
    }
    Part::On(alarm)
}

/// All of it that there is a place for.
fn known(described: &MetricAlarm) -> Alarm {
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Alarm {
        description: some(described.alarm_description()),
        actions_disabled: described.actions_enabled() == Some(false),
        alarm_actions: described.alarm_actions().iter().cloned().collect(),
        ok_actions: described.ok_actions().iter().cloned().collect(),
        insufficient_data_actions: described.insufficient_data_actions().iter().cloned().collect(),
        metric: described.metric_name().map(|name| AlarmMetric {
            name: Some(name.to_owned()),
            namespace: described.namespace().map(str::to_owned),
            dimensions: dimensions(described.dimensions()),
            statistic: described.statistic().map(Statistic::as_str).map(str::to_owned),
            extended_statistic: described.extended_statistic().map(str::to_owned),
            period: described.period(),
            unit: described.unit().map(StandardUnit::as_str).map(str::to_owned),
        }),
        queries: described.metrics().iter().filter_map(query).collect(),
        threshold_query: described.threshold_metric_id().map(str::to_owned),
        evaluation_periods: described.evaluation_periods(),
        datapoints_to_alarm: described.datapoints_to_alarm(),
        threshold: described.threshold(),
        comparison: described.comparison_operator().map(|operator| operator.as_str().to_owned()),
        missing_data: some(described.treat_missing_data()).filter(|how| how != MISSING_DATA),
        low_sample_count: some(described.evaluate_low_sample_count_percentile()),
        wall_clock: described.evaluation_window().and_then(wall_clock),
        warm_up: described.warm_up_configuration().map(warm_up),
        told_tags: described.action_configuration().and_then(told_tags),
        tags: Part::Off,
    }
}

fn dimensions(dimensions: &[Dimension]) -> BTreeMap<String, String> {
    dimensions
        .iter()
        .filter_map(|dimension| Some((dimension.name.clone()?, dimension.value.clone()?)))
        .collect()
}

fn query(described: &MetricDataQuery) -> Option<(String, MetricQuery)> {
    let query = MetricQuery {
        metric: described.metric_stat().map(metric),
        expression: described.expression().map(str::to_owned),
        label: described.label().map(str::to_owned),
        return_data: described.return_data(),
        period: described.period(),
        account: described.account_id().map(str::to_owned),
    };
    Some((described.id.clone()?, query))
}

fn metric(described: &MetricStat) -> AlarmMetric {
    let metric = described.metric();
    AlarmMetric {
        name: metric.and_then(|metric| metric.metric_name.clone()),
        namespace: metric.and_then(|metric| metric.namespace.clone()),
        dimensions: metric.map(|metric| dimensions(metric.dimensions())).unwrap_or_default(),
        statistic: described.stat().map(str::to_owned),
        extended_statistic: None,
        period: described.period(),
        unit: described.unit().map(StandardUnit::as_str).map(str::to_owned),
    }
}

fn wall_clock(window: &EvaluationWindow) -> Option<WallClock> {
    match window {
        EvaluationWindow::WallClockWindow(clock) => Some(WallClock { timezone: clock.timezone.clone() }),
        _ => None,
    }
}

fn warm_up(described: &WarmUpConfiguration) -> WarmUp {
    WarmUp {
        minutes: described.warm_up_period_duration_in_minutes,
        full: described.only_start_evaluating_after_warm_up_period_ends,
    }
}

fn told_tags(described: &ActionConfiguration) -> Option<ToldTags> {
    let tags = described.alarm_tags_propagation()?;
    Some(ToldTags {
        enabled: tags.enabled,
        included: tags.included_tag_keys().iter().cloned().collect(),
        excluded: tags.excluded_tag_keys().iter().cloned().collect(),
    })
}
