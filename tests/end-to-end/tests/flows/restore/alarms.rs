//! CloudWatch alarms of a table: made anew only when they are asked for, and never in place of others.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, EvaluationWindow, Metric, MetricAlarm, MetricDataQuery, MetricStat,
    Statistic, Tag, WallClockWindow, WarmUpConfiguration,
};
use local_stack::{ACCOUNT, LocalStack, SOURCE_REGION};
use serde_json::{Value, json};

use crate::support::{World, list};

/// The call by which alarms are made.
const PUT: &str = "PutMetricAlarm";

async fn client(stack: &LocalStack, region: &str) -> Client {
    Client::new(&stack.sdk_config(region).await)
}

/// The alarms of a Region that name a table, by name.
pub(super) async fn of_table(stack: &LocalStack, region: &str, table: &str) -> BTreeMap<String, MetricAlarm> {
    let pages = client(stack, region).await.describe_alarms().into_paginator().send();
    let mut all = BTreeMap::new();
    let mut pages = pages;
    while let Some(page) = pages.next().await {
        let page = page.expect("the alarms");
        let named = page.metric_alarms().iter().filter(|alarm| names(alarm, table));
        all.extend(named.map(|alarm| (alarm.alarm_name().expect("a name").to_owned(), alarm.clone())));
    }
    all
}

fn names(alarm: &MetricAlarm, table: &str) -> bool {
    let metrics = alarm.metrics().iter().filter_map(|query| query.metric_stat()?.metric());
    let dimensions = metrics.flat_map(Metric::dimensions).chain(alarm.dimensions());
    let mut named = dimensions.filter(|dimension| dimension.name() == Some("TableName"));
    named.any(|dimension| dimension.value() == Some(table))
}

fn dimension(name: &str, value: &str) -> Dimension {
    Dimension::builder().name(name).value(value).build()
}

/// Watches a table with all kinds of alarms: by a metric, by metric math over an index as well, and by auto scaling.
pub(super) async fn watch(stack: &LocalStack, region: &str, table: &str) {
    let client = client(stack, region).await;
    let topic = format!("arn:aws:sns:{region}:{ACCOUNT}:on-call");
    let clock = WallClockWindow::builder().timezone("Europe/Berlin").build();
    let warm_up = WarmUpConfiguration::builder().warm_up_period_duration_in_minutes(15).build();
    let slow = client.put_metric_alarm().alarm_name(format!("{table}-slow")).namespace("AWS/DynamoDB");
    let slow = slow.metric_name("SuccessfulRequestLatency").extended_statistic("p99").period(300);
    let slow = slow.dimensions(dimension("TableName", table)).dimensions(dimension("Operation", "Query"));
    slow.alarm_description("Queries are slow")
        .evaluation_periods(3)
        .datapoints_to_alarm(2)
        .threshold(80.5)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .evaluate_low_sample_count_percentile("ignore")
        .treat_missing_data("notBreaching")
        .evaluation_window(EvaluationWindow::WallClockWindow(clock))
        .warm_up_configuration(warm_up)
        .alarm_actions(&topic)
        .ok_actions(&topic)
        .tags(Tag::builder().key("team").value("checkout").build())
        .send()
        .await
        .expect("an alarm");
    let query = |id: &str, metric: &str, index: Option<&str>| {
        let index = index.map(|index| dimension("GlobalSecondaryIndexName", index));
        let dimensions = [dimension("TableName", table)].into_iter().chain(index);
        let metric = Metric::builder().namespace("AWS/DynamoDB").metric_name(metric);
        let metric = metric.set_dimensions(Some(dimensions.collect())).build();
        let stat = MetricStat::builder().metric(metric).stat("Sum").period(60).build();
        MetricDataQuery::builder().id(id).metric_stat(stat).return_data(false).build()
    };
    let sum = MetricDataQuery::builder().id("sum").expression("reads + writes").label("throttled");
    let throttled = client.put_metric_alarm().alarm_name("Too much is throttled").actions_enabled(false);
    let throttled = throttled.evaluation_periods(1).threshold(10.0).insufficient_data_actions(&topic);
    throttled
        .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
        .metrics(query("reads", "ReadThrottleEvents", None))
        .metrics(query("writes", "WriteThrottleEvents", Some("by-day")))
        .metrics(sum.return_data(true).build())
        .send()
        .await
        .expect("an alarm of metric math");
    plain(&client, &format!("TargetTracking-table/{table}-AlarmHigh-1"), table).await;
}

/// An alarm with nothing special.
async fn plain(client: &Client, name: &str, table: &str) {
    let put = client.put_metric_alarm().alarm_name(name).namespace("AWS/DynamoDB");
    put.metric_name("SystemErrors")
        .dimensions(dimension("TableName", table))
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(0.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .expect("an alarm");
}

/// Deletes the alarms of a table.
pub(super) async fn unwatch(stack: &LocalStack, region: &str, table: &str) {
    let names: Vec<String> = of_table(stack, region, table).await.into_keys().collect();
    if !names.is_empty() {
        let delete = client(stack, region).await.delete_alarms().set_alarm_names(Some(names));
        delete.send().await.expect("they go");
    }
}

impl World {
    /// How many alarms functions have made so far.
    async fn alarms_made(&self) -> u64 {
        self.stack.other_calls().await.expect("the calls").get(PUT).copied().unwrap_or_default()
    }

    /// Restores a point under a name with these overrides; how it ended.
    async fn restored_as(&self, point: &str, target: &str, overrides: &Value) -> Value {
        let request = json!({"restore": {"recovery_point": point}, "target": {"table": target}, "overrides": overrides});
        let asked = self.restore(&request).await;
        self.finish_jobs().await;
        self.restore(&json!({"status": asked["restore_id"]})).await
    }

    /// A table that is watched, backed up; its point.
    async fn watched(&self) -> String {
        self.tables(&["orders"]).await;
        watch(&self.stack, SOURCE_REGION, "orders").await;
        self.backed_up("orders").await
    }
}

fn step(answer: &Value) -> &Value {
    list(&answer["steps"]).iter().find(|step| step["property"] == "alarms").expect("a step")
}

fn outcome(answer: &Value) -> (&Value, &Value, &Value) {
    (&answer["state"], &step(answer)["action"], &step(answer)["state"])
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_made_only_when_they_are_asked_for() {
    let world = World::start().await;
    let point = world.watched().await;
    let done = world.restored_as(&point, "orders-2", &json!({})).await;
    assert_eq!(outcome(&done), (&json!("done"), &json!("re-apply"), &json!("skipped")), "{done:#}");
    let said = step(&done)["error"].as_str().expect("the reason");
    assert!(said.contains("Too much is throttled, orders-slow are recorded; say \"overrides\""), "{said}");
    let recorded: Vec<_> = step(&done)["recorded"].as_object().expect("alarms").keys().collect();
    assert_eq!(recorded, ["Too much is throttled", "orders-slow"], "those of auto scaling are its own");
    let done = world.restored_as(&point, "orders-3", &json!({"alarms": "none"})).await;
    assert_eq!(outcome(&done), (&json!("done"), &json!("override"), &json!("done")), "{done:#}");
    assert_eq!((&step(&done)["error"], world.alarms_made().await), (&Value::Null, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_beside_the_living_one_gets_alarms_of_its_own() {
    let world = World::start().await;
    let point = world.watched().await;
    let before = of_table(&world.stack, SOURCE_REGION, "orders").await;
    let done = world.restored_as(&point, "orders-2", &json!({"alarms": "recorded"})).await;
    assert_eq!(outcome(&done), (&json!("done"), &json!("re-apply"), &json!("done")), "{done:#}");
    assert_eq!(
        of_table(&world.stack, SOURCE_REGION, "orders").await,
        before,
        "those of the table are untouched"
    );
    let made = of_table(&world.stack, SOURCE_REGION, "orders-2").await;
    let names: Vec<_> = made.keys().collect();
    assert_eq!(names, ["Too much is throttled (orders-2)", "orders-2-slow"]);
    assert_eq!(made["orders-2-slow"].threshold(), Some(80.5));

    // The same once more, the table having gone: its alarms are there, and nothing is made.
    assert_eq!(world.alarms_made().await, 2);
    world.dynamodb().await.delete_table().table_name("orders-2").send().await.expect("the table goes");
    let done = world.restored_as(&point, "orders-2", &json!({"alarms": "recorded"})).await;
    assert_eq!(outcome(&done), (&json!("done"), &json!("re-apply"), &json!("done")), "{done:#}");
    assert_eq!(world.alarms_made().await, 2);
    assert_eq!(of_table(&world.stack, SOURCE_REGION, "orders-2").await, made);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_is_there_and_another_one_is_not_overwritten() {
    let world = World::start().await;
    let point = world.watched().await;
    let client = client(&world.stack, SOURCE_REGION).await;
    plain(&client, "orders-2-slow", "users").await;
    let before = of_table(&world.stack, SOURCE_REGION, "users").await;
    let done = world.restored_as(&point, "orders-2", &json!({"alarms": "recorded"})).await;
    assert_eq!(
        outcome(&done),
        (&json!("done_with_problems"), &json!("re-apply"), &json!("failed")),
        "{done:#}"
    );
    let said = step(&done)["error"].as_str().expect("the reason");
    assert!(said.starts_with("an alarm orders-2-slow is there and is another one"), "{said}");
    assert_eq!(said.matches("an alarm").count(), 1, "{said}");
    assert_eq!(of_table(&world.stack, SOURCE_REGION, "users").await, before);
    let made = of_table(&world.stack, SOURCE_REGION, "orders-2").await;
    assert!(made.keys().eq(["Too much is throttled (orders-2)"]), "the other one is made: {:?}", made.keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_that_a_session_may_not_read_are_unknown_and_hold_up_no_backup() {
    let world = World::start().await;
    world.take_from_role("BackupSessionRole", "CaptureAlarms").await;
    let point = world.watched().await;
    let done = world.restored_as(&point, "orders-2", &json!({"alarms": "recorded"})).await;
    let expected = (&json!("done_with_problems"), &json!("not possible"), &json!("skipped"));
    assert_eq!(outcome(&done), expected, "{done:#}");
    let said = "alarms was not recorded: DescribeAlarms: AccessDeniedException";
    assert_eq!(step(&done)["error"], said);
    let done = world.restored_as(&point, "orders-3", &json!({"alarms": "none"})).await;
    assert_eq!(done["state"], "done", "{done:#}");
}
