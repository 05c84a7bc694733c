use proptest::prelude::*;

use super::*;
use crate::table_config::{
    Alarms, AutoScaling, Insights, KinesisDestination, PointInTimeRecovery, ScalableTarget, Stream,
    TimeToLive,
};

const STREAM: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/stream/2026-01-05T07:00:00.123";
/// Some calls take what others make: so often, at most, the table has to be looked at again.
const STAGES: usize = 2;

fn left(property: Property, wanted: &TableConfig, table: &TableConfig) -> Result<Vec<Change>, String> {
    changes(property, wanted, table, Some(STREAM))
}

/// Makes the calls for a property until nothing is missing.
fn bring_about(property: Property, wanted: &TableConfig, table: &mut TableConfig) {
    for _ in 0..STAGES {
        left(property, wanted, table).unwrap().iter().for_each(|change| carry_out(table, change));
    }
}

/// A policy of a stream as it was recorded, of an earlier one.
fn stream_policy() -> String {
    STREAM.replace("2026", "2025").replace("arn:", r#"{"Statement": [{"Resource": "arn:"#) + r#""}]}"#
}

/// What a call does to a table.
fn carry_out(table: &mut TableConfig, change: &Change) {
    match change {
        Change::Table(update) => update_table(table, update),
        Change::Kinesis { stream, precision } => {
            let mut streams = table.kinesis.on().cloned().unwrap_or_default();
            streams.insert(stream.clone(), KinesisDestination { precision: precision.clone() });
            table.kinesis = Part::On(streams);
        }
        Change::Ttl { attribute } => table.ttl = Part::On(TimeToLive { attribute: attribute.clone() }),
        Change::Pitr { days } => table.pitr = Part::On(PointInTimeRecovery { days: *days }),
        Change::Tags(tags) => table.tags.extend(tags.clone()),
        Change::ResourcePolicy(policy) => table.resource_policy = Part::On(policy.clone()),
        Change::StreamPolicy { stream, policy } => {
            assert_eq!(stream, STREAM);
            table.stream.as_mut().unwrap().policy = Part::On(policy.clone());
        }
        Change::Insights { index, mode } => {
            let insights = Part::On(Insights { mode: mode.clone() });
            match index {
                Some(index) => table.global_indexes.get_mut(index).unwrap().contributor_insights = insights,
                None => table.contributor_insights = insights,
            }
        }
        Change::Scale(place, target) => {
            let scaled = scaled(table, place);
            (scaled.min, scaled.max, scaled.suspended) = (target.min, target.max, target.suspended.clone());
        }
        Change::ScalingPolicy(place, name, tracking) => {
            scaled(table, place).policies.insert(name.clone(), Part::On(tracking.clone()));
        }
        Change::ScheduledAction(place, name, action) => {
            scaled(table, place).scheduled_actions.insert(name.clone(), action.clone());
        }
        Change::Alarm(name, alarm) => {
            let mut alarms = table.alarms.on().cloned().unwrap_or_default();
            assert!(
                alarms.by_name.insert(name.clone(), Part::On((**alarm).clone())).is_none(),
                "overwritten"
            );
            table.alarms = Part::On(alarms);
        }
    }
}

fn scaled<'a>(table: &'a mut TableConfig, place: &ScaledPlace) -> &'a mut ScalableTarget {
    if table.auto_scaling.on().is_none() {
        table.auto_scaling = Part::On(AutoScaling::default());
    }
    let Part::On(scaling) = &mut table.auto_scaling else { unreachable!() };
    let targets = match &place.index {
        Some(index) => scaling.indexes.entry(index.clone()).or_default(),
        None => &mut scaling.table,
    };
    targets.entry(place.capacity.clone()).or_default()
}

fn update_table(table: &mut TableConfig, update: &TableUpdate) {
    let indexes = &mut table.global_indexes;
    match update.clone() {
        TableUpdate::OnDemandBilling => {
            (table.billing_mode, table.provisioned) = (BillingMode::OnDemand, None);
            indexes.values_mut().for_each(|index| index.provisioned = None);
        }
        TableUpdate::ProvisionedBilling(units, of_indexes) => {
            (table.billing_mode, table.provisioned) = (BillingMode::Provisioned, Some(units));
            for (name, units) in of_indexes {
                indexes.get_mut(&name).unwrap().provisioned = Some(units);
            }
        }
        TableUpdate::Throughput(units, of_indexes) => {
            table.provisioned = units.or(table.provisioned.take());
            for (name, units) in of_indexes {
                indexes.get_mut(&name).unwrap().provisioned = Some(units);
            }
        }
        TableUpdate::Maxima(bounds, of_indexes) => {
            table.on_demand = bounds.or(table.on_demand.take());
            for (name, bounds) in of_indexes {
                indexes.get_mut(&name).unwrap().on_demand = Some(bounds);
            }
        }
        TableUpdate::Warm(warm, of_indexes) => {
            table.warm_throughput = warm.or(table.warm_throughput.take());
            for (name, warm) in of_indexes {
                indexes.get_mut(&name).unwrap().warm_throughput = Some(warm);
            }
        }
        TableUpdate::Class(class) => table.table_class = class,
        TableUpdate::Stream(view) => table.stream = Some(Stream { view, policy: Part::Off }),
        TableUpdate::DeletionProtection(on) => table.deletion_protection = on,
    }
}

fn optional<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Option<T>> {
    prop::option::of(value)
}

fn index() -> impl Strategy<Value = GlobalIndex> {
    let throughput = || (1..5_i64, 1..5_i64).prop_map(|(read, write)| Throughput { read, write });
    let warm = (1..5_i64, 1..5_i64).prop_map(|(read, write)| WarmThroughput { read, write });
    (optional(throughput()), optional(warm), any::<bool>()).prop_map(
        |(provisioned, warm_throughput, insights)| {
            let contributor_insights = Part::known(insights.then(Insights::default));
            GlobalIndex { provisioned, warm_throughput, contributor_insights, ..GlobalIndex::default() }
        },
    )
}

prop_compose! {
    fn config()(
        indexes in prop::collection::vec(index(), 2),
        on_demand in any::<bool>(),
        bounds in optional((1..5_i64, 1..5_i64)),
        units in (1..5_i64, 1..5_i64),
        warm in optional((1..5_i64, 1..5_i64)),
        flags in prop::array::uniform6(any::<bool>()),
        days in optional(1..36_i32),
        tags in prop::collection::btree_map("[ab]", "[xy]", 0..3),
        scaled in optional((1..5_i32, any::<bool>())),
        alarms in prop::collection::btree_map("[ab]", 1..3_i32, 0..3),
    ) -> TableConfig {
        let mode = if on_demand { BillingMode::OnDemand } else { BillingMode::Provisioned };
        let mut indexes: BTreeMap<String, GlobalIndex> = ["one", "two"].map(str::to_owned).into_iter().zip(indexes).collect();
        for index in indexes.values_mut() {
            index.provisioned = index.provisioned.take().or(Some(Throughput { read: 1, write: 1 })).filter(|_| !on_demand);
        }
        let scaling = scaled.map(|(min, with_policy)| {
            let policies = with_policy.then(|| ("p".to_owned(), Part::On(TargetTracking { value: 70.0, ..TargetTracking::default() })));
            let actions = with_policy.then(|| ("a".to_owned(), ScheduledAction { schedule: "rate(1 day)".to_owned(), ..ScheduledAction::default() }));
            let target = ScalableTarget { min, max: 9, policies: policies.into_iter().collect(), scheduled_actions: actions.into_iter().collect(), ..ScalableTarget::default() };
            let targets: BTreeMap<_, _> = [("ReadCapacityUnits".to_owned(), target)].into();
            AutoScaling { table: targets.clone(), indexes: [("one".to_owned(), targets)].into() }
        });
        TableConfig {
            global_indexes: indexes,
            billing_mode: mode,
            provisioned: (!on_demand).then_some(Throughput { read: units.0, write: units.1 }),
            on_demand: bounds.filter(|_| on_demand).map(|(read, write)| MaxThroughput { read: Some(read), write: Some(write) }),
            warm_throughput: warm.map(|(read, write)| WarmThroughput { read, write }),
            table_class: if flags[0] { TableClass::InfrequentAccess } else { TableClass::Standard },
            stream: flags[1].then(|| Stream { policy: Part::known(flags[4].then(stream_policy)), ..Stream::default() }),
            ttl: Part::known(flags[2].then(|| TimeToLive { attribute: "x".to_owned() })),
            pitr: Part::known(flags[3].then_some(PointInTimeRecovery { days })),
            tags,
            resource_policy: Part::known(flags[4].then(|| r#"{"Statement": []}"#.to_owned())),
            contributor_insights: Part::known(flags[5].then(Insights::default)),
            kinesis: Part::known(flags[1].then(|| [("arn:stream".to_owned(), KinesisDestination::default())].into())),
            auto_scaling: Part::known(scaling),
            alarms: Part::known(Alarms::of(alarms.into_iter().map(|(name, n)| (name, Part::On(Alarm { evaluation_periods: Some(n), ..Alarm::default() }))).collect())),
            deletion_protection: flags[0],
            ..TableConfig::default()
        }
    }
}

proptest! {
    /// However far an earlier run came: what is left is named, and once it is done nothing is.
    #[test]
    fn a_table_that_got_every_change_is_as_wanted(wanted in config(), mut table in config()) {
        for property in Property::IN_TURN {
            bring_about(property, &wanted, &mut table);
            prop_assert_eq!(left(property, &wanted, &table), Ok(vec![]), "{}", property);
        }
        for property in Property::IN_TURN {
            prop_assert_eq!(left(property, &wanted, &table), Ok(vec![]), "{}", property);
        }
    }

    #[test]
    fn nothing_is_ever_taken_off_a_table(wanted in config(), table in config()) {
        let mut after = table.clone();
        for property in Property::IN_TURN {
            bring_about(property, &wanted, &mut after);
        }
        for key in table.tags.keys() {
            prop_assert!(after.tags.contains_key(key));
        }
        prop_assert!(after.ttl.on().is_some() || table.ttl.is_off());
        prop_assert!(after.pitr.on().is_some() || table.pitr.is_off());
        prop_assert!(after.stream.is_some() || table.stream.is_none());
        let stream_policy = |table: &TableConfig| table.stream.as_ref().and_then(|stream| stream.policy.on().cloned());
        prop_assert!(stream_policy(&after).is_some() || stream_policy(&table).is_none());
        prop_assert!(after.resource_policy.on().is_some() || table.resource_policy.is_off());
        let least = |warm: &Option<WarmThroughput>| warm.as_ref().map_or(0, |warm| warm.read);
        prop_assert!(least(&after.warm_throughput) >= least(&table.warm_throughput));
    }
}

#[test]
fn what_cannot_be_read_is_no_reason_to_believe_it_is_there_or_missing() {
    let wanted = TableConfig { ttl: Part::On(TimeToLive::default()), ..TableConfig::default() };
    let unread =
        TableConfig { ttl: Part::unknown("DescribeTimeToLive: no answer"), ..TableConfig::default() };
    assert_eq!(left(Property::Ttl, &wanted, &unread), Err("DescribeTimeToLive: no answer".to_owned()));
    assert_eq!(left(Property::Ttl, &TableConfig::default(), &unread), Ok(vec![]));
}

#[test]
fn a_target_is_registered_before_its_policies() {
    let tracking = Part::On(TargetTracking::default());
    let target = ScalableTarget {
        min: 1,
        max: 2,
        policies: [("p".to_owned(), tracking)].into(),
        ..ScalableTarget::default()
    };
    let scaling =
        AutoScaling { table: [("ReadCapacityUnits".to_owned(), target)].into(), ..AutoScaling::default() };
    let wanted = TableConfig { auto_scaling: Part::On(scaling), ..TableConfig::default() };
    let found = left(Property::AutoScaling, &wanted, &TableConfig::default()).unwrap();
    assert!(matches!(found[..], [Change::Scale(..), Change::ScalingPolicy(..)]), "{found:?}");
}

#[test]
fn a_stream_is_there_before_its_policy_which_names_the_stream_that_is_there() {
    let stream = Stream { view: StreamView::OldImage, policy: Part::On(stream_policy()) };
    let wanted = TableConfig { stream: Some(stream), ..TableConfig::default() };
    let mut table = TableConfig::default();
    let first = left(Property::Stream, &wanted, &table).unwrap();
    assert_eq!(first, [Change::Table(TableUpdate::Stream(StreamView::OldImage))]);
    carry_out(&mut table, &first[0]);
    let said = changes(Property::Stream, &wanted, &table, None).unwrap_err();
    assert_eq!(said, "DescribeTable: no LatestStreamArn");
    let [Change::StreamPolicy { policy, .. }] = &left(Property::Stream, &wanted, &table).unwrap()[..] else {
        panic!("a policy")
    };
    assert!(policy.contains(STREAM) && !policy.contains("2025"), "{policy}");
}

#[test]
fn a_policy_of_a_stream_that_cannot_be_read_is_no_reason_to_put_another() {
    let wanted = Stream { policy: Part::On(stream_policy()), ..Stream::default() };
    let wanted = TableConfig { stream: Some(wanted), ..TableConfig::default() };
    let unread = Stream { policy: Part::unknown("GetResourcePolicy: no answer"), ..Stream::default() };
    let unread = TableConfig { stream: Some(unread), ..TableConfig::default() };
    assert_eq!(left(Property::Stream, &wanted, &unread), Err("GetResourcePolicy: no answer".to_owned()));
}
