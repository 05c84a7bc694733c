//! Alarms in a configuration.

use super::{as_bytes, decoded, texts};
use crate::table_config::{
    Alarm, AlarmMetric, Alarms, BillingMode, MetricQuery, Part, TableConfig, ToldTags, WallClock, WarmUp,
};

/// An alarm of a metric.
pub(super) fn alarm() -> Part<Alarm> {
    Part::On(Alarm {
        description: Some("Writes to orders are throttled".to_owned()),
        alarm_actions: ["arn:aws:sns:eu-central-1:111122223333:on-call".to_owned()].into(),
        metric: Some(watched("WriteThrottleEvents")),
        evaluation_periods: Some(3),
        datapoints_to_alarm: Some(2),
        threshold: Some(0.5),
        comparison: Some("GreaterThanThreshold".to_owned()),
        missing_data: Some("notBreaching".to_owned()),
        wall_clock: Some(WallClock { timezone: Some("Europe/Berlin".to_owned()) }),
        warm_up: Some(WarmUp { minutes: Some(15), full: Some(true) }),
        told_tags: Some(ToldTags { enabled: Some(true), ..ToldTags::default() }),
        tags: Part::On(texts(&[("team", "checkout")])),
        ..Alarm::default()
    })
}

/// An alarm of metric math.
pub(super) fn math() -> Part<Alarm> {
    let metric = MetricQuery {
        metric: Some(watched("SystemErrors")),
        return_data: Some(false),
        ..MetricQuery::default()
    };
    let expression =
        MetricQuery { expression: Some("ANOMALY_DETECTION_BAND(m)".to_owned()), ..MetricQuery::default() };
    Part::On(Alarm {
        queries: [("m".to_owned(), metric), ("band".to_owned(), expression)].into(),
        threshold_query: Some("band".to_owned()),
        evaluation_periods: Some(1),
        comparison: Some("GreaterThanUpperThreshold".to_owned()),
        ..Alarm::default()
    })
}

fn watched(metric: &str) -> AlarmMetric {
    AlarmMetric {
        name: Some(metric.to_owned()),
        namespace: Some("AWS/DynamoDB".to_owned()),
        dimensions: texts(&[("TableName", "orders")]),
        statistic: Some("Sum".to_owned()),
        period: Some(60),
        ..AlarmMetric::default()
    }
}

/// What a version wrote that did not look for alarms.
const BEFORE_ALARMS: &[u8] = b"\xa2\x61b\x6fPAY_PER_REQUEST\x61k\x81\xa1\x61n\x62id";

#[test]
fn alarms_are_not_known_of_a_point_made_by_a_version_that_did_not_look() {
    let read = decoded(BEFORE_ALARMS).unwrap().value;
    assert_eq!(read.billing_mode, BillingMode::OnDemand);
    let why = "the version that made the point did not look for alarms";
    assert_eq!(read.unknown(), [("alarms".to_owned(), why)]);
    let known = TableConfig { alarms: Part::Off, ..read };
    assert_eq!(decoded(&as_bytes(&known)).unwrap().value, known, "that there is none is written out");
}

#[test]
fn an_alarm_may_have_any_name() {
    for name in ["?", "", "n", "\u{1f980}"] {
        let alarms = Alarms::of([(name.to_owned(), alarm())].into());
        let config = TableConfig { alarms: Part::known(alarms), ..TableConfig::default() };
        assert_eq!(decoded(&as_bytes(&config)).unwrap().value, config, "{name:?}");
    }
}

#[test]
fn an_alarm_names_the_tables_of_all_its_metrics() {
    let mut alarm = math().on().cloned().unwrap();
    let mut other = watched("SystemErrors");
    other.dimensions = texts(&[("TableName", "users"), ("GlobalSecondaryIndexName", "orders")]);
    let query = MetricQuery { metric: Some(other), ..MetricQuery::default() };
    alarm.queries.insert("other".to_owned(), query);
    assert!(alarm.tables().into_iter().eq(["orders", "users"]));
    alarm.watch_instead("orders", "orders-2");
    assert!(alarm.tables().into_iter().eq(["orders-2", "users"]));
    assert_eq!(Alarm::default().tables().len(), 0);
}
