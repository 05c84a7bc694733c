use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::request::Request;
use crate::restore::StepState;
use crate::table_config::{GlobalIndex, MaxThroughput, ScalableTarget, Throughput, Unknown, WarmThroughput};

fn place() -> Place {
    Place {
        source: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
        target: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders-2".parse().unwrap(),
    }
}

const STREAM_POLICY: &str = r#"{"Resource":"arn:aws:dynamodb:eu-central-1:111122223333:table/orders/stream/2026-01-05T07:00:00.123"}"#;

fn overrides(value: &Value) -> Overrides {
    let value = json!({ "overrides": value });
    let mut request = Request::of(&value).unwrap();
    let read = request.object("overrides", Overrides::read);
    request.finish().unwrap();
    read.unwrap()
}

/// A table with provisioned billing, one index, auto scaling, and most of what there is.
fn recorded() -> TableConfig {
    let target = |min| ScalableTarget { min, max: 100, ..ScalableTarget::default() };
    let scaling = AutoScaling {
        table: [("ReadCapacityUnits".to_owned(), target(5))].into(),
        indexes: [("by-day".to_owned(), [("WriteCapacityUnits".to_owned(), target(2))].into())].into(),
    };
    let index =
        GlobalIndex { provisioned: Some(Throughput { read: 30, write: 30 }), ..GlobalIndex::default() };
    TableConfig {
        key: vec![crate::table_config::KeyElement::default()],
        provisioned: Some(Throughput { read: 50, write: 40 }),
        global_indexes: [("by-day".to_owned(), index)].into(),
        stream: Some(Stream { policy: Part::On(STREAM_POLICY.to_owned()), ..Stream::default() }),
        ttl: Part::On(TimeToLive { attribute: "expires".to_owned() }),
        tags: [("team", "checkout"), ("aws:cloudformation:stack-name", "x"), ("dynachain:managed", "chain")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        auto_scaling: Part::On(scaling),
        deletion_protection: true,
        ..TableConfig::default()
    }
}

fn known(config: TableConfig) -> Known {
    Known::Config(Box::new(config))
}

fn planned(config: TableConfig, wanted: &Value) -> Plan {
    plan(&known(config), &overrides(wanted), &place()).unwrap()
}

fn action(plan: &Plan, property: Property) -> (Action, StepState) {
    let step = plan.steps.iter().find(|step| step.property == property).unwrap();
    (step.action, step.state)
}

#[test]
fn every_property_has_a_step_in_the_order_of_answers() {
    let plan = planned(recorded(), &json!({}));
    let steps: Vec<_> = plan.steps.iter().map(|step| step.property).collect();
    assert_eq!(steps, Property::ALL);
}

#[test]
fn what_aws_backup_leaves_out_is_re_applied_and_the_rest_is_not() {
    let plan = planned(recorded(), &json!({}));
    for property in
        [Property::Stream, Property::Ttl, Property::Tags, Property::AutoScaling, Property::DeletionProtection]
    {
        assert_eq!(action(&plan, property), (Action::ReApply, StepState::Pending), "{property}");
    }
    for property in [
        Property::BillingMode,
        Property::Provisioned,
        Property::Encryption,
        Property::Pitr,
        Property::Kinesis,
    ] {
        assert_eq!(action(&plan, property), (Action::ByAws, StepState::Pending), "{property}");
    }
    assert!(plan.notes.is_empty(), "{:?}", plan.notes);
}

#[test]
fn tags_of_aws_and_of_dynachain_are_dropped() {
    let plan = planned(recorded(), &json!({}));
    assert_eq!(plan.wanted.tags.keys().collect::<Vec<_>>(), ["team"]);
    let only_theirs = TableConfig { tags: [("aws:x".to_owned(), String::new())].into(), ..recorded() };
    let plan = planned(only_theirs, &json!({}));
    assert_eq!(action(&plan, Property::Tags), (Action::NotPossible, StepState::Skipped));
}

#[test]
fn none_turns_a_property_off() {
    let off = json!({"stream": "none", "ttl": "none", "tags": "none", "auto_scaling": "none", "deletion_protection": "none"});
    let plan = planned(recorded(), &off);
    let wanted = &plan.wanted;
    assert!(
        wanted.stream.is_none()
            && wanted.ttl.is_off()
            && wanted.tags.is_empty()
            && wanted.auto_scaling.is_off()
    );
    assert!(!wanted.deletion_protection);
    assert_eq!(action(&plan, Property::Ttl).0, Action::Override);
}

#[test]
fn the_minimum_of_auto_scaling_takes_the_place_of_the_capacity_of_the_moment() {
    let plan = planned(recorded(), &json!({"provisioned": "minimum"}));
    assert_eq!(plan.wanted.provisioned, Some(Throughput { read: 5, write: 40 }));
    assert_eq!(plan.wanted.global_indexes["by-day"].provisioned, Some(Throughput { read: 30, write: 2 }));
}

#[test]
fn on_demand_billing_has_neither_capacity_nor_auto_scaling() {
    let plan = planned(recorded(), &json!({"billing_mode": "PAY_PER_REQUEST", "on_demand": {"read": 100}}));
    assert_eq!(
        (plan.wanted.provisioned, plan.wanted.on_demand),
        (None, Some(MaxThroughput { read: Some(100), write: None }))
    );
    assert_eq!(plan.wanted.auto_scaling, Part::Off);
    assert!(plan.notes[0].contains("auto scaling is left out"), "{:?}", plan.notes);
}

#[test]
fn provisioned_billing_gives_an_index_what_the_table_gets_unless_it_is_said() {
    let on_demand = TableConfig {
        billing_mode: BillingMode::OnDemand,
        provisioned: None,
        global_indexes: ["by-day", "by-state"].map(|name| (name.to_owned(), GlobalIndex::default())).into(),
        ..recorded()
    };
    let wanted = json!({
        "billing_mode": "PROVISIONED",
        "provisioned": {"read": 7, "write": 8, "indexes": {"by-state": {"read": 1, "write": 2}}},
    });
    let indexes = planned(on_demand, &wanted).wanted.global_indexes;
    assert_eq!(indexes["by-day"].provisioned, Some(Throughput { read: 7, write: 8 }));
    assert_eq!(indexes["by-state"].provisioned, Some(Throughput { read: 1, write: 2 }));
}

#[rstest]
#[case(json!({"on_demand": {"read": 1}}), Property::OnDemand, "say \"billing_mode\": \"PAY_PER_REQUEST\" as well")]
#[case(json!({"billing_mode": "PAY_PER_REQUEST", "provisioned": "minimum"}), Property::Provisioned, "billed on demand")]
#[case(json!({"warm_throughput": {"read": 1, "write": 1, "indexes": {"by-night": {"read": 1, "write": 1}}}}), Property::WarmThroughput, "names by-night")]
#[case(json!({"contributor_insights": {"indexes": {"by-night": "THROTTLED_KEYS"}}}), Property::ContributorInsights, "names by-night")]
#[case(json!({"auto_scaling": {"indexes": {"by-night": {"read": {"min": 1, "max": 2, "target": 70}}}}}), Property::AutoScaling, "names by-night")]
#[case(json!({"billing_mode": "PAY_PER_REQUEST", "auto_scaling": {"table": {"read": "none"}}}), Property::AutoScaling, "billed on demand")]
#[case(json!({"auto_scaling": {"table": {"write": {"min": 1, "max": 2}}}}), Property::AutoScaling, "table.write says no \"target\"")]
#[case(json!({"auto_scaling": {"indexes": {"by-day": {"read": {"min": 1, "max": 2}}}}}), Property::AutoScaling, "indexes.by-day.read says no \"target\"")]
fn overrides_that_do_not_go_with_the_table_are_refused(
    #[case] wanted: Value,
    #[case] property: Property,
    #[case] said: &str,
) {
    let misfits = plan(&known(recorded()), &overrides(&wanted), &place()).unwrap_err();
    assert!(misfits.iter().any(|(about, why)| *about == property && why.contains(said)), "{misfits:?}");
}

#[test]
fn the_minimum_without_auto_scaling_is_refused() {
    let plain = TableConfig { auto_scaling: Part::Off, ..recorded() };
    let misfits = plan(&known(plain), &overrides(&json!({"provisioned": "minimum"})), &place()).unwrap_err();
    assert_eq!(misfits.len(), 1, "{misfits:?}");
}

#[test]
fn provisioned_billing_in_place_of_on_demand_needs_the_units() {
    let on_demand = TableConfig { billing_mode: BillingMode::OnDemand, provisioned: None, ..recorded() };
    let misfits =
        plan(&known(on_demand), &overrides(&json!({"billing_mode": "PROVISIONED"})), &place()).unwrap_err();
    assert!(misfits[0].1.contains("with provisioned billing say how much"), "{misfits:?}");
}

#[test]
fn what_could_not_be_recorded_is_said_and_what_was_is_put_back() {
    let unknown = || Unknown { reason: "DescribeTimeToLive: AccessDeniedException".to_owned() };
    let plan = planned(TableConfig { ttl: Part::Unknown(unknown()), ..recorded() }, &json!({}));
    let ttl = plan.steps.iter().find(|step| step.property == Property::Ttl).unwrap();
    assert_eq!((ttl.action, ttl.state), (Action::NotPossible, StepState::Skipped));
    assert_eq!(ttl.error.as_deref(), Some("ttl was not recorded: DescribeTimeToLive: AccessDeniedException"));

    let mut partly = recorded();
    let Part::On(scaling) = &mut partly.auto_scaling else { unreachable!() };
    let target = scaling.table.get_mut("ReadCapacityUnits").unwrap();
    target.policies.insert("steps".to_owned(), Part::unknown("a StepScaling policy is not recorded"));
    let plan = planned(partly, &json!({}));
    let scaling = plan.steps.iter().find(|step| step.property == Property::AutoScaling).unwrap();
    assert_eq!((scaling.action, scaling.state), (Action::ReApply, StepState::Pending));
    assert!(scaling.error.as_deref().unwrap().contains("policy steps was not recorded"), "{scaling:?}");
}

#[test]
fn of_a_point_without_metadata_all_that_is_not_wanted_otherwise_is_unknown() {
    let known = Known::Nothing("the point carries no metadata of dynachain".to_owned());
    let plan = plan(&known, &overrides(&json!({"ttl": {"attribute": "expires"}})), &place()).unwrap();
    assert_eq!(action(&plan, Property::Ttl), (Action::Override, StepState::Pending));
    assert_eq!(action(&plan, Property::Provisioned), (Action::ByAws, StepState::Pending));
    let tags = plan.steps.iter().find(|step| step.property == Property::Tags).unwrap();
    assert_eq!((tags.action, tags.state), (Action::NotPossible, StepState::Skipped));
    assert!(tags.error.as_deref().unwrap().contains("no metadata"));
}

#[test]
fn kinesis_streams_of_another_region_are_left_out_and_said() {
    let streams = ["eu-central-1", "eu-west-1"].map(|region| {
        (format!("arn:aws:kinesis:{region}:111122223333:stream/changes"), KinesisDestination::default())
    });
    let there =
        Place { target: "arn:aws:dynamodb:eu-west-1:111122223333:table/orders".parse().unwrap(), ..place() };
    let both = TableConfig { kinesis: Part::On(streams.clone().into()), ..recorded() };
    let planned = plan(&known(both), &Overrides::default(), &there).unwrap();
    assert_eq!(planned.wanted.kinesis.on().unwrap().len(), 1);
    assert_eq!(planned.notes.len(), 1);
    let one = TableConfig { kinesis: Part::On(streams.into_iter().take(1).collect()), ..recorded() };
    let planned = plan(&known(one), &Overrides::default(), &there).unwrap();
    assert_eq!(action(&planned, Property::Kinesis), (Action::NotPossible, StepState::Skipped));
}

#[test]
fn recorded_values_are_shown_in_the_form_of_overrides() {
    let config = TableConfig {
        warm_throughput: Some(WarmThroughput { read: 1, write: 2 }),
        pitr: Part::On(PointInTimeRecovery { days: Some(7) }),
        ..recorded()
    };
    let given: serde_json::Map<String, Value> = [
        Property::Provisioned,
        Property::WarmThroughput,
        Property::Stream,
        Property::Ttl,
        Property::Pitr,
        Property::DeletionProtection,
    ]
    .map(|property| (property.to_string(), show(&config, property)))
    .into_iter()
    .collect();
    let plan = planned(config.clone(), &Value::Object(given));
    assert_eq!(plan.wanted, planned(config, &json!({})).wanted);
}

#[test]
fn a_stream_of_another_view_keeps_the_recorded_policy_unless_another_is_said() {
    let of = |wanted: Value| planned(recorded(), &json!({ "stream": wanted })).wanted.stream;
    let moved = STREAM_POLICY.replace("table/orders", "table/orders-2");
    for (wanted, policy) in [
        (json!("KEYS_ONLY"), Part::On(moved)),
        (json!({"view": "KEYS_ONLY", "policy": "none"}), Part::Off),
        (json!({"view": "KEYS_ONLY", "policy": {"a": "b"}}), Part::On(r#"{"a":"b"}"#.to_owned())),
    ] {
        let stream = of(wanted.clone()).unwrap();
        assert_eq!((stream.view.as_str(), stream.policy), ("KEYS_ONLY", policy), "{wanted}");
    }
    assert_eq!(of(json!("none")), None);
    let without = TableConfig { stream: None, ..recorded() };
    let stream = planned(without, &json!({"stream": "KEYS_ONLY"})).wanted.stream.unwrap();
    assert_eq!(stream.policy, Part::Off);
}

#[test]
fn what_an_override_leaves_as_it_was_and_nobody_recorded_is_said() {
    let stream = Stream { policy: Part::unknown("GetResourcePolicy: no answer"), ..Stream::default() };
    let unread = TableConfig {
        stream: Some(stream),
        auto_scaling: Part::unknown("DescribeScalableTargets: no answer"),
        ..recorded()
    };
    let scaling = json!({"table": {"read": {"min": 1, "max": 2, "target": 50}}});
    let both = planned(unread.clone(), &json!({"stream": "KEYS_ONLY", "auto_scaling": scaling}));
    let said = |plan: &Plan, property| {
        plan.steps.iter().find(|step| step.property == property).unwrap().error.clone().unwrap_or_default()
    };
    assert_eq!(said(&both, Property::Stream), "stream policy was not recorded: GetResourcePolicy: no answer");
    assert_eq!(
        said(&both, Property::AutoScaling),
        "auto_scaling of what is not named was not recorded: DescribeScalableTargets: no answer"
    );
    for neither in [
        json!({"stream": "none", "auto_scaling": "none"}),
        json!({"stream": {"view": "KEYS_ONLY", "policy": "none"}, "auto_scaling": "none"}),
    ] {
        let plan = planned(unread.clone(), &neither);
        assert_eq!((said(&plan, Property::Stream), said(&plan, Property::AutoScaling)), Default::default());
    }
}
