//! CloudWatch alarms, as far as they are read.

use super::*;
use crate::table_config::{Alarm, AlarmMetric, Alarms, MetricQuery, ToldTags, WallClock, WarmUp};

const SNS: &str = "arn:aws:sns:eu-central-1:111122223333:on-call";

fn arn(name: &str) -> String {
    format!("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:{name}")
}

/// An alarm on a metric of a table, as CloudWatch describes it, with some members more.
fn alarm(name: &str, table: &str, more: &Value) -> Value {
    let mut alarm = json!({
        "AlarmName": name, "AlarmArn": arn(name), "ActionsEnabled": true, "OKActions": [], "AlarmActions": [],
        "InsufficientDataActions": [], "StateValue": "OK", "MetricName": "SystemErrors", "Namespace": "AWS/DynamoDB",
        "Statistic": "Sum", "Dimensions": [{"Name": "TableName", "Value": table}], "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "missing",
    });
    alarm.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    alarm
}

/// The plainest of them, as it is recorded.
fn plain(table: &str) -> Alarm {
    let metric = AlarmMetric {
        name: Some("SystemErrors".to_owned()),
        namespace: Some("AWS/DynamoDB".to_owned()),
        dimensions: [("TableName".to_owned(), table.to_owned())].into(),
        statistic: Some("Sum".to_owned()),
        period: Some(60),
        ..AlarmMetric::default()
    };
    Alarm {
        metric: Some(metric),
        evaluation_periods: Some(1),
        threshold: Some(0.0),
        comparison: Some("GreaterThanThreshold".to_owned()),
        ..Alarm::default()
    }
}

async fn captured(aws: &FakeAws) -> Part<Alarms> {
    aws.capture().await.unwrap().config.alarms
}

fn names(alarms: &Part<Alarms>) -> Vec<&str> {
    alarms.on().into_iter().flat_map(|alarms| alarms.by_name.keys()).map(String::as_str).collect()
}

#[tokio::test]
async fn everything_that_makes_an_alarm_is_kept() {
    let aws = FakeAws::plain();
    let full = json!({
        "AlarmDescription": "Writes are throttled", "ActionsEnabled": false, "AlarmActions": [SNS], "OKActions": [SNS],
        "InsufficientDataActions": [SNS], "ExtendedStatistic": "p99", "Statistic": null, "Unit": "Count",
        "DatapointsToAlarm": 1, "TreatMissingData": "breaching", "EvaluateLowSampleCountPercentile": "ignore",
        "EvaluationWindow": {"WallClockWindow": {"Timezone": "Europe/Berlin"}},
        "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 15, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": true},
        "ActionConfiguration": {"AlarmTagsPropagation": {"Enabled": true, "IncludedTagKeys": ["team"]}},
    });
    let metric = json!({"Metric": {"Namespace": "Shop", "MetricName": "Orders", "Dimensions": [{"Name": "TableName", "Value": "orders"}]},
                        "Period": 300, "Stat": "p95", "Unit": "Count"});
    let math = json!({
        "MetricName": null, "Namespace": null, "Statistic": null, "Period": null, "Dimensions": [], "Threshold": null,
        "ThresholdMetricId": "band", "Metrics": [
            {"Id": "orders", "MetricStat": metric, "ReturnData": true, "AccountId": "111122223333"},
            {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(orders)", "Label": "usual", "Period": 300},
        ],
    });
    let both = [alarm("full", "orders", &full), alarm("math", "users", &math)];
    aws.answers("DescribeAlarms", json!({ "MetricAlarms": both }));
    aws.answers("ListTagsForResource alarm:full", json!({ "Tags": [{"Key": "team", "Value": "checkout"}] }));
    let alarms = captured(&aws).await;
    let sns = || [SNS.to_owned()].into();
    let simple = plain("orders");
    let expected = Alarm {
        description: Some("Writes are throttled".to_owned()),
        actions_disabled: true,
        alarm_actions: sns(),
        ok_actions: sns(),
        insufficient_data_actions: sns(),
        metric: simple.metric.clone().map(|metric| AlarmMetric {
            statistic: None,
            extended_statistic: Some("p99".to_owned()),
            unit: Some("Count".to_owned()),
            ..metric
        }),
        datapoints_to_alarm: Some(1),
        missing_data: Some("breaching".to_owned()),
        low_sample_count: Some("ignore".to_owned()),
        wall_clock: Some(WallClock { timezone: Some("Europe/Berlin".to_owned()) }),
        warm_up: Some(WarmUp { minutes: Some(15), full: Some(true) }),
        told_tags: Some(ToldTags {
            enabled: Some(true),
            included: ["team".to_owned()].into(),
            ..ToldTags::default()
        }),
        tags: Part::On([("team".to_owned(), "checkout".to_owned())].into()),
        ..simple
    };
    let alarms = &alarms.on().unwrap().by_name;
    assert_eq!(alarms["full"], Part::On(expected));

    let orders = MetricQuery {
        metric: Some(AlarmMetric {
            name: Some("Orders".to_owned()),
            namespace: Some("Shop".to_owned()),
            dimensions: [("TableName".to_owned(), "orders".to_owned())].into(),
            statistic: Some("p95".to_owned()),
            period: Some(300),
            unit: Some("Count".to_owned()),
            ..AlarmMetric::default()
        }),
        return_data: Some(true),
        account: Some("111122223333".to_owned()),
        ..MetricQuery::default()
    };
    let band = MetricQuery {
        expression: Some("ANOMALY_DETECTION_BAND(orders)".to_owned()),
        label: Some("usual".to_owned()),
        period: Some(300),
        ..MetricQuery::default()
    };
    let expected = Alarm {
        metric: None,
        queries: [("orders".to_owned(), orders), ("band".to_owned(), band)].into(),
        threshold: None,
        threshold_query: Some("band".to_owned()),
        ..plain("orders")
    };
    assert_eq!(alarms["math"], Part::On(expected), "by a metric of the application's own");
}

#[tokio::test]
async fn alarms_are_read_once_for_all_tables_page_by_page_and_sorted_by_the_tables_they_name() {
    let aws = FakeAws::plain();
    let by_index = json!({"Dimensions": [{"Name": "TableName", "Value": "orders"}, {"Name": "GlobalSecondaryIndexName", "Value": "by-day"}]});
    let of_queue = json!({"Dimensions": [{"Name": "QueueName", "Value": "orders"}]});
    let first = [
        alarm("b", "orders", &json!({})),
        alarm("of an index", "users", &by_index),
        alarm("of another table", "others", &json!({})),
        alarm("of a queue", "", &of_queue),
    ];
    let second = [
        alarm("TargetTracking-table/orders-AlarmHigh-1", "orders", &json!({})),
        alarm("a", "orders", &json!({})),
    ];
    aws.answers("DescribeAlarms", json!({ "MetricAlarms": first, "NextToken": "page-2" }));
    aws.answers("DescribeAlarms page-2", json!({ "MetricAlarms": second }));
    let reader = aws.reader();
    let orders = reader.capture(&TABLE.parse().unwrap()).await.unwrap().config.alarms;
    assert_eq!(names(&orders), ["a", "b", "of an index"]);
    let others = "arn:aws:dynamodb:eu-central-1:111122223333:table/others".parse().unwrap();
    let others = reader.capture(&others).await.unwrap().config.alarms;
    assert_eq!(others.on().unwrap().by_name["of another table"], Part::On(plain("others")));
    assert_eq!(aws.calls("DescribeAlarms").len(), 2);
    assert_eq!(aws.calls("DescribeAlarms")[0], json!({ "AlarmTypes": ["MetricAlarm"], "MaxRecords": 100 }));
    let tagged: Vec<_> =
        aws.calls("ListTagsForResource").iter().map(|call| call["ResourceARN"].clone()).collect();
    assert_eq!(
        tagged,
        ["a", "b", "of an index", "of another table"].map(arn),
        "only of those that are recorded"
    );
    reader.afresh().capture(&TABLE.parse().unwrap()).await.unwrap();
    assert_eq!(aws.calls("DescribeAlarms").len(), 4);
}

#[tokio::test]
async fn an_alarm_with_something_that_has_no_place_is_unknown_and_the_others_are_not() {
    let aws = FakeAws::plain();
    let criteria = json!({"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}});
    let window = json!({"EvaluationWindow": {"LunarWindow": {}}});
    let alarms = [
        alarm("criteria", "orders", &criteria),
        alarm("plain", "orders", &json!({"EvaluationWindow": {"SlidingWindow": {}}})),
        alarm("window", "orders", &window),
    ];
    aws.answers("DescribeAlarms", json!({ "MetricAlarms": alarms }));
    let config = aws.capture().await.unwrap().config;
    assert_eq!(config.alarms.on().unwrap().by_name["plain"], Part::On(plain("orders")));
    let expected = [
        ("alarms (criteria)".to_owned(), "an alarm with evaluation criteria is not recorded"),
        ("alarms (window)".to_owned(), "its evaluation window is of a kind that is not recorded"),
    ];
    assert_eq!(config.unknown(), expected);
}

#[tokio::test]
async fn tags_that_may_not_be_read_are_unknown_and_an_alarm_that_is_gone_is_left_out() {
    let aws = FakeAws::plain();
    let alarms = ["gone", "hidden", "seen"].map(|name| alarm(name, "orders", &json!({})));
    aws.answers("DescribeAlarms", json!({ "MetricAlarms": alarms }));
    aws.refuses("ListTagsForResource alarm:gone", "ResourceNotFoundException");
    aws.refuses("ListTagsForResource alarm:hidden", "AccessDeniedException");
    let config = aws.capture().await.unwrap().config;
    assert_eq!(names(&config.alarms), ["hidden", "seen"]);
    let why = "ListTagsForResource: AccessDeniedException";
    assert_eq!(config.unknown(), [("alarms (tags of hidden)".to_owned(), why)]);
}

#[tokio::test]
async fn alarms_of_some_names_are_read_whatever_they_watch() {
    let aws = FakeAws::plain();
    let found = [alarm("one", "orders", &json!({})), alarm("other", "users", &json!({}))];
    aws.answers("DescribeAlarms", json!({ "MetricAlarms": found }));
    let reader = aws.reader().without_alarms();
    let alarms = reader.alarms_named(&["missing", "one", "other"]).await;
    assert_eq!(names(&alarms), ["one", "other"]);
    let asked = json!({ "AlarmNames": ["missing", "one", "other"], "AlarmTypes": ["MetricAlarm"], "MaxRecords": 100 });
    assert_eq!(aws.calls("DescribeAlarms"), [asked]);

    aws.answers("DescribeAlarms", json!({ "MetricAlarms": [] }));
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(reader.alarms_named(&many).await, Part::Off);
    assert_eq!(aws.calls("DescribeAlarms").len(), 3, "a hundred names at a time");
    aws.refuses("DescribeAlarms", "AccessDeniedException");
    assert_eq!(reader.alarms_named(&["one"]).await, Part::unknown("DescribeAlarms: AccessDeniedException"));
    assert_eq!(reader.alarms_named(&[]).await, Part::Off, "nothing is asked for no names");

    let config = reader.capture(&TABLE.parse().unwrap()).await.unwrap().config;
    assert_eq!(config.alarms.unknown_reason(), Some("alarms are not looked at"));
}
