mod alarms;

use ciborium::{Value, cbor};
use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};

use self::alarms::{alarm, math};
use super::*;
use crate::evolving::{DecodeError, Evolving};

const STREAM_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"dynamodb:GetRecords","Resource":"*"}]}"#;

/// A table as most are: two keys, on-demand, a few tags.
fn plain() -> TableConfig {
    TableConfig {
        key: key(&[("customer", KeyKind::Partition), ("ordered_at", KeyKind::Sort)]),
        attributes: attributes(&["customer", "ordered_at"]),
        billing_mode: BillingMode::OnDemand,
        warm_throughput: warm(12_000, 4_000),
        pitr: Part::On(PointInTimeRecovery { days: Some(35) }),
        tags: texts(&[("backup", "gold"), ("cost-center", "42")]),
        ..TableConfig::default()
    }
}

/// A table with everything that there is.
fn rich() -> TableConfig {
    let names = ["by-customer", "by-day", "by-status"];
    let targets: TargetsByDimension = ["ReadCapacityUnits", "WriteCapacityUnits"].map(target).into();
    let mut scheduled = targets.clone();
    scheduled.values_mut().for_each(|target| target.scheduled_actions = morning());
    TableConfig {
        key: key(&[("order_id", KeyKind::Partition), ("line", KeyKind::Sort)]),
        attributes: attributes(&["order_id", "line", "customer", "day", "status", "price"]),
        local_indexes: [("by-price".to_owned(), local_index())].into(),
        global_indexes: names.map(|name| (name.to_owned(), global_index())).into(),
        billing_mode: BillingMode::Provisioned,
        provisioned: Some(Throughput { read: 20, write: 10 }),
        on_demand: Some(MaxThroughput { read: Some(4_000), ..MaxThroughput::default() }),
        warm_throughput: warm(12_000, 4_000),
        table_class: TableClass::InfrequentAccess,
        encryption: Some(Encryption {
            key: Some("arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab".to_owned()),
            ..Encryption::default()
        }),
        stream: Some(Stream { view: StreamView::NewImage, policy: Part::On(STREAM_POLICY.to_owned()) }),
        kinesis: Part::On(kinesis()),
        ttl: Part::On(TimeToLive { attribute: "expires".to_owned() }),
        pitr: Part::On(PointInTimeRecovery { days: Some(14) }),
        tags: (0..10).map(|n| (format!("department-{n}"), format!("value of tag number {n}"))).collect(),
        resource_policy: Part::On(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"dynamodb:GetItem","Resource":"*"}]}"#
                .to_owned(),
        ),
        contributor_insights: Part::On(Insights { mode: InsightsMode::Throttled }),
        auto_scaling: Part::On(AutoScaling {
            indexes: names.map(|name| (name.to_owned(), targets.clone())).into(),
            table: scheduled,
        }),
        alarms: Part::known(Alarms::of([("orders-slow".to_owned(), alarm()), ("orders-errors".to_owned(), math())].into())),
        deletion_protection: true,
        global_table: Some(GlobalTable {
            version: Some("2019.11.21".to_owned()),
            replicas: ["eu-west-1".to_owned()].into(),
            consistency: Some("EVENTUAL".to_owned()),
            ..GlobalTable::default()
        }),
        unrecorded: texts(&[("vector_indexes", "not recorded: by-likeness")]),
    }
}

fn key(elements: &[(&str, KeyKind)]) -> Vec<KeyElement> {
    let element =
        |(name, kind): &(&str, KeyKind)| KeyElement { name: (*name).to_owned(), kind: kind.clone() };
    elements.iter().map(element).collect()
}

fn attributes(names: &[&str]) -> BTreeMap<String, AttributeType> {
    names.iter().map(|name| ((*name).to_owned(), AttributeType::String)).collect()
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn warm(read: i64, write: i64) -> Option<WarmThroughput> {
    Some(WarmThroughput { read, write })
}

fn kinesis() -> BTreeMap<String, KinesisDestination> {
    let destination = KinesisDestination { precision: KinesisPrecision::Microsecond };
    [("arn:aws:kinesis:eu-central-1:111122223333:stream/orders-changes".to_owned(), destination)].into()
}

fn local_index() -> LocalIndex {
    LocalIndex {
        key: key(&[("order_id", KeyKind::Partition), ("price", KeyKind::Sort)]),
        projection: Projection { kind: ProjectionKind::KeysOnly, ..Projection::default() },
    }
}

fn global_index() -> GlobalIndex {
    GlobalIndex {
        key: key(&[("customer", KeyKind::Partition), ("day", KeyKind::Sort)]),
        projection: Projection {
            kind: ProjectionKind::Include,
            attributes: ["price".to_owned(), "status".to_owned()].into(),
        },
        provisioned: Some(Throughput { read: 10, write: 5 }),
        on_demand: Some(MaxThroughput { read: Some(4_000), write: Some(1_000) }),
        warm_throughput: warm(12_000, 4_000),
        contributor_insights: Part::On(Insights::default()),
    }
}

fn target(dimension: &str) -> (String, ScalableTarget) {
    let policy = TargetTracking {
        value: 70.0,
        predefined_metric: Some("DynamoDBReadCapacityUtilization".to_owned()),
        scale_out_cooldown: Some(60),
        ..TargetTracking::default()
    };
    let target = ScalableTarget {
        min: 5,
        max: 500,
        suspended: Suspended { scheduled: true, ..Suspended::default() },
        policies: [("DynamoDBReadCapacityUtilization".to_owned(), Part::On(policy))].into(),
        ..ScalableTarget::default()
    };
    (dimension.to_owned(), target)
}

fn morning() -> BTreeMap<String, ScheduledAction> {
    let action = ScheduledAction {
        schedule: "cron(0 7 * * ? *)".to_owned(),
        timezone: Some("Europe/Berlin".to_owned()),
        min: Some(50),
        ..ScheduledAction::default()
    };
    [("morning".to_owned(), action)].into()
}

fn as_value(bytes: &[u8]) -> Value {
    ciborium::from_reader(bytes).unwrap()
}

/// What a writer that knows `value` writes.
fn as_bytes(value: &impl Serialize) -> Vec<u8> {
    Evolving::new(value).encode().unwrap()
}

fn decoded(bytes: &[u8]) -> Result<Evolving<TableConfig>, DecodeError> {
    Evolving::decode(bytes)
}

/// Adds a member to the map at a path of text keys.
fn add_at(value: &mut Value, path: &[&str], name: &str, member: &Value) {
    let Value::Map(members) = value else { panic!("no map at {path:?}") };
    match path {
        [] => members.push((Value::from(name), member.clone())),
        [first, rest @ ..] => {
            let found = members.iter_mut().find(|(key, _)| key.as_text() == Some(first));
            add_at(&mut found.unwrap_or_else(|| panic!("no {first}")).1, rest, name, member);
        }
    }
}

#[test]
fn a_configuration_comes_back_as_it_was_and_stays_small() {
    for (config, most) in [(TableConfig::default(), 5), (plain(), 200), (rich(), 3_072)] {
        let bytes = as_bytes(&config);
        assert_eq!(decoded(&bytes).unwrap(), Evolving::new(config));
        assert!(bytes.len() <= most, "{} bytes", bytes.len());
    }
}

#[test]
fn off_on_and_unknown_stay_apart() {
    let insights = || Insights::default();
    let states = [
        Part::Off,
        Part::On(insights()),
        Part::unknown("DescribeContributorInsights: AccessDeniedException"),
    ];
    let encoded: Vec<_> = states
        .iter()
        .map(|state| {
            let config = TableConfig { contributor_insights: state.clone(), ..TableConfig::default() };
            let bytes = as_bytes(&config);
            assert_eq!(decoded(&bytes).unwrap().value.contributor_insights, *state);
            bytes
        })
        .collect();
    assert!(encoded[0] != encoded[1] && encoded[1] != encoded[2] && encoded[0] != encoded[2]);
}

#[test]
fn off_may_also_be_written_out() {
    let written_out = cbor!({ "x" => null, "rp" => null, "al" => null }).unwrap();
    assert_eq!(decoded(&as_bytes(&written_out)).unwrap().value, TableConfig::default());
}

#[test]
fn every_unknown_part_is_told_by_name() {
    let mut config = rich();
    config.stream.as_mut().unwrap().policy = Part::unknown("GetResourcePolicy: AccessDeniedException");
    config.ttl = Part::unknown("DescribeTimeToLive: AccessDeniedException");
    config.global_indexes.get_mut("by-day").unwrap().contributor_insights = Part::unknown("no answer");
    let Part::On(scaling) = &mut config.auto_scaling else { panic!("no auto scaling") };
    let reads = scaling.table.get_mut("ReadCapacityUnits").unwrap();
    reads.policies.insert("steps".to_owned(), Part::unknown("a StepScaling policy is not recorded"));
    let Part::On(alarms) = &mut config.alarms else { panic!("no alarms") };
    alarms.by_name.insert("of another kind".to_owned(), Part::unknown("not recorded"));
    let untagged = Alarm { tags: Part::unknown("ListTagsForResource: no answer"), ..Alarm::default() };
    alarms.by_name.insert("orders-slow".to_owned(), Part::On(untagged));
    let unknown = config.unknown();
    let names: Vec<&str> = unknown.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "stream policy",
            "ttl",
            "contributor_insights of index by-day",
            "auto_scaling policy steps",
            "alarms (of another kind)",
            "alarms (tags of orders-slow)",
            "vector_indexes"
        ]
    );
    config.auto_scaling = Part::unknown("DescribeScalableTargets: AccessDeniedException");
    assert_eq!(
        config.unknown()[3],
        ("auto_scaling".to_owned(), "DescribeScalableTargets: AccessDeniedException")
    );
    assert_eq!(plain().unknown(), []);
}

#[test]
fn tags_of_aws_are_not_the_users() {
    let tags = texts(&[("aws:cloudformation:stack-name", "shop"), ("backup", "gold"), ("awsome", "yes")]);
    let config = TableConfig { tags, ..TableConfig::default() };
    assert_eq!(config.user_tags().collect::<Vec<_>>(), [("awsome", "yes"), ("backup", "gold")]);
}

#[test]
fn members_of_a_later_version_are_kept_at_any_depth() {
    let new_member = cbor!({ "n" => [1, { "deep" => "er" }, null], "b" => true, "f" => 1.5 }).unwrap();
    let mut config = rich();
    config.resource_policy = Part::unknown("GetResourcePolicy: AccessDeniedException");
    let scaling = ["as", "t", "ReadCapacityUnits"];
    let policy = ["as", "t", "ReadCapacityUnits", "p", "DynamoDBReadCapacityUtilization"];
    let action = ["as", "t", "ReadCapacityUnits", "a", "morning"];
    let suspended = ["as", "t", "ReadCapacityUnits", "s"];
    let alarm = ["al", "n", "orders-slow"];
    let within_alarms = [
        &["al"][..],
        &alarm,
        &["al", "n", "orders-slow", "m"],
        &["al", "n", "orders-slow", "w"],
        &["al", "n", "orders-slow", "u"],
        &["al", "n", "orders-slow", "p"],
        &["al", "n", "orders-errors", "q", "m"],
        &["al", "n", "orders-errors", "q", "m", "m"],
    ];
    let paths: [&[&str]; 23] = [
        &[],
        &["l", "by-price"],
        &["l", "by-price", "j"],
        &["g", "by-day"],
        &["g", "by-day", "j"],
        &["g", "by-day", "p"],
        &["g", "by-day", "o"],
        &["g", "by-day", "w"],
        &["g", "by-day", "ci"],
        &["p"],
        &["o"],
        &["w"],
        &["e"],
        &["s"],
        &["ks", "arn:aws:kinesis:eu-central-1:111122223333:stream/orders-changes"],
        &["x"],
        &["r"],
        &["rp"],
        &["ci"],
        &["gt"],
        &scaling,
        &policy,
        &action,
    ];
    for path in paths.into_iter().chain([&suspended[..], &["as"]]).chain(within_alarms) {
        let mut later_version = as_value(&as_bytes(&config));
        add_at(&mut later_version, path, "zz", &new_member);
        let read = decoded(&as_bytes(&later_version)).unwrap();
        assert_eq!(read.value, config, "{path:?}");
        assert_ne!(read, Evolving::new(config.clone()), "{path:?}");
        assert_eq!(read.encode().unwrap(), as_bytes(&later_version), "{path:?}");
    }
}

#[test]
fn words_of_a_later_version_are_kept() {
    let later =
        cbor!({ "b" => "PREPAID", "c" => "GLACIAL", "a" => { "id" => "UUID" }, "x" => { "n" => "t" }, "al" => null })
            .unwrap();
    let read = decoded(&as_bytes(&later)).unwrap().value;
    assert_eq!(read.billing_mode, BillingMode::Other("PREPAID".to_owned()));
    assert_eq!(read.table_class.as_str(), "GLACIAL");
    assert_eq!(read.attributes["id"].to_string(), "UUID");
    assert_eq!(decoded(&as_bytes(&read)).unwrap().value, read);
    assert_eq!(as_bytes(&read), as_bytes(&later));
}

#[test]
fn what_an_earlier_version_wrote_without_a_member_is_read() {
    let Value::Map(mut members) = as_value(&as_bytes(&rich())) else { panic!("no map") };
    members.retain(|(name, _)| name.as_text() != Some("gt"));
    let read = decoded(&as_bytes(&Value::Map(members))).unwrap().value;
    assert_eq!(read, TableConfig { global_table: None, ..rich() });
}

#[test]
fn of_a_stream_that_an_earlier_version_wrote_the_policy_is_not_known_and_its_record_stays_what_it_was() {
    for old in [
        cbor!({ "s" => { "v" => "NEW_IMAGE" }, "al" => null }).unwrap(),
        cbor!({ "s" => {}, "al" => null }).unwrap(),
    ] {
        let read = decoded(&as_bytes(&old)).unwrap();
        let said = "the version of dynachain that made the point did not look for it";
        assert_eq!(read.value.unknown(), [("stream policy".to_owned(), said)]);
        assert_eq!(read.encode().unwrap(), as_bytes(&old));
    }
    let none = TableConfig { stream: Some(Stream::default()), ..TableConfig::default() };
    assert_eq!(decoded(&as_bytes(&none)).unwrap().value, none, "that there is none is written out");
    let without_stream = decoded(&as_bytes(&cbor!({ "dp" => true, "al" => null }).unwrap())).unwrap().value;
    assert_eq!(without_stream.unknown(), []);
}

#[test]
fn maps_are_written_in_the_order_of_their_encoded_keys() {
    let Value::Map(members) = as_value(&as_bytes(&rich())) else { panic!("no map") };
    let keys: Vec<Vec<u8>> = members.iter().map(|(key, _)| as_bytes(key)).collect();
    assert!(keys.is_sorted(), "{keys:?}");
}

#[test]
fn what_is_no_configuration_is_an_error() {
    let mut followed = as_bytes(&plain());
    followed.push(0);
    let wrong_kind = as_bytes(&cbor!({ "dp" => "perhaps" }).unwrap());
    let mut cut = as_bytes(&plain());
    cut.truncate(cut.len() - 1);
    for bytes in [followed, wrong_kind, cut, vec![], b"\x01".to_vec()] {
        let error = decoded(&bytes).unwrap_err().to_string();
        assert!(error.starts_with("the record does not decode: "), "{error}");
    }
}

/// Values that a later version could write: text keys, any depth.
fn later_value() -> impl Strategy<Value = Value> {
    let leaf = proptest::prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::from),
        proptest::strategy::Just(Value::Null),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        proptest::prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..6).prop_map(|map| Value::Map(
                map.into_iter().map(|(key, value)| (key.into(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_later_version_adds_survives(value in later_value(), name in "z[a-z]{0,8}") {
        let mut later_version = as_value(&as_bytes(&rich()));
        add_at(&mut later_version, &["g", "by-day"], &name, &value);
        let bytes = as_bytes(&later_version);
        prop_assert_eq!(decoded(&bytes).unwrap().encode().unwrap(), bytes);
    }

    #[test]
    fn no_bytes_can_upset_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(read) = decoded(&bytes) {
            let written = read.encode().unwrap();
            prop_assert_eq!(decoded(&written).unwrap().encode().unwrap(), written);
        }
    }
}
