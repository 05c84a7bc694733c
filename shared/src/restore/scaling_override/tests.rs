use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::table_config::{ScheduledAction, Suspended};

fn place() -> Place {
    Place {
        source: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
        target: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders-2".parse().unwrap(),
    }
}

fn read(value: &Value) -> Result<Setting<ScalingOverride>, String> {
    let value = json!({ "auto_scaling": value });
    let mut request = Request::of(&value).unwrap();
    let read = ScalingOverride::read(&mut request);
    request.finish().map_err(|refusal| refusal.to_string())?;
    Ok(read.unwrap())
}

/// A capacity under everything that there is.
fn recorded_target() -> ScalableTarget {
    let tracking = TargetTracking { value: 50.0, ..TargetTracking::default() };
    ScalableTarget {
        min: 5,
        max: 100,
        suspended: Suspended { scaling_in: true, ..Suspended::default() },
        policies: [("fifty".to_owned(), Part::On(tracking))].into(),
        scheduled_actions: [("mornings".to_owned(), ScheduledAction::default())].into(),
    }
}

fn recorded() -> AutoScaling {
    let both = || {
        ["ReadCapacityUnits", "WriteCapacityUnits"].map(|name| (name.to_owned(), recorded_target())).into()
    };
    AutoScaling { table: both(), indexes: [("by-day".to_owned(), both())].into() }
}

/// What comes of a recorded scaling.
fn over(recorded: Part<AutoScaling>, wanted: &Value) -> (Part<AutoScaling>, Vec<Misfit>) {
    let mut config = TableConfig { auto_scaling: recorded, ..TableConfig::default() };
    let mut misfits = Vec::new();
    let Ok(Setting::To(scaling)) = read(wanted) else { panic!("{wanted}") };
    scaling.put_over(&mut config, &place(), &mut misfits);
    (config.auto_scaling, misfits)
}

#[test]
fn bounds_alone_leave_policies_and_scheduled_actions_and_whatever_is_not_named() {
    let (wanted, misfits) = over(
        Part::On(recorded()),
        &json!({"table": {"read": {"min": 1, "max": 9}}, "indexes": {"by-day": {"write": {"min": 2, "max": 8}}}}),
    );
    let mut expected = recorded();
    let target = |min, max| ScalableTarget { min, max, ..recorded_target() };
    expected.table.insert("ReadCapacityUnits".to_owned(), target(1, 9));
    expected.indexes.get_mut("by-day").unwrap().insert("WriteCapacityUnits".to_owned(), target(2, 8));
    assert_eq!((wanted, misfits), (Part::On(expected), vec![]));
}

#[rstest]
#[case::of_a_table("table", None, "DynamoDBWriteCapacityUtilization:table/orders-2")]
#[case::of_an_index(
    "indexes",
    Some("by-state"),
    "DynamoDBWriteCapacityUtilization:table/orders-2/index/by-state"
)]
fn a_target_is_held_by_one_policy_on_the_metric_that_dynamodb_has(
    #[case] of: &str,
    #[case] index: Option<&str>,
    #[case] name: &str,
) {
    let write = json!({"write": {"min": 5, "max": 100, "target": 70}});
    let wanted = json!({ of: index.map_or_else(|| write.clone(), |index| json!({ index: write })) });
    for before in [Part::Off, Part::On(recorded())] {
        let (scaling, misfits) = over(before, &wanted);
        let scaling = scaling.on().unwrap();
        let targets = index.map_or(&scaling.table, |index| &scaling.indexes[index]);
        let tracking = TargetTracking {
            value: 70.0,
            predefined_metric: Some("DynamoDBWriteCapacityUtilization".to_owned()),
            ..TargetTracking::default()
        };
        let expected = ScalableTarget {
            min: 5,
            max: 100,
            policies: [(name.to_owned(), Part::On(tracking))].into(),
            ..ScalableTarget::default()
        };
        assert_eq!((&targets["WriteCapacityUnits"], misfits.len()), (&expected, 0));
    }
}

#[test]
fn none_leaves_a_capacity_out() {
    let (wanted, _) = over(Part::On(recorded()), &json!({"table": {"read": "none"}}));
    let mut expected = recorded();
    expected.table.remove("ReadCapacityUnits");
    assert_eq!(wanted, Part::On(expected));
    let none = json!({"read": "none", "write": "none"});
    let (wanted, misfits) = over(Part::On(recorded()), &json!({"table": none, "indexes": {"by-day": none}}));
    assert_eq!((wanted, misfits), (Part::Off, vec![]));
    assert_eq!(read(&json!("none")), Ok(Setting::Off));
}

#[test]
fn everything_that_makes_no_sense_is_said_at_once_with_its_path() {
    let said = read(&json!({
        "table": {"read": {"min": 9, "max": 5, "target": 19.9}, "write": {"max": 0, "targets": 70}},
        "indexes": {"by-day": {}, "by-state": {"read": {"min": 1, "max": 2, "target": "70"}, "reads": 1}, "by-hour": 7},
    }));
    let said = said.unwrap_err();
    let expected = [
        "$.auto_scaling.table.read.min: is more than \"max\", which is 5",
        "$.auto_scaling.table.read.target: must be a utilisation from 20 to 90 percent",
        "$.auto_scaling.table.write.max: must be a whole number of capacity units, at least 1",
        "$.auto_scaling.table.write.targets: is unknown; known are \"max\", \"min\", \"target\"",
        "$.auto_scaling.table.write.min: is missing: say how many capacity units",
        "$.auto_scaling.indexes.by-day: names neither read nor write",
        "$.auto_scaling.indexes.by-hour: must be an object, it is a number",
        "$.auto_scaling.indexes.by-state.read.target: must be a utilisation from 20 to 90 percent",
        "$.auto_scaling.indexes.by-state.reads: is unknown; known are \"read\", \"write\"",
    ];
    let mut lines: Vec<_> = said.lines().collect();
    let mut sorted = expected.to_vec();
    lines.sort_unstable();
    sorted.sort_unstable();
    assert_eq!(lines, sorted);
}

#[rstest]
#[case(json!({}), "names nothing; say {\"table\"")]
#[case(json!(true), "is not possible; say {\"table\"")]
#[case(json!("off"), "is not possible; say {\"table\"")]
fn what_says_nothing_is_refused_with_what_could_be_said(#[case] value: Value, #[case] said: &str) {
    let refused = read(&value).unwrap_err();
    assert!(refused.starts_with(&format!("$.auto_scaling: {said}")), "{refused}");
}

proptest! {
    /// Whatever is named is as it was said, whatever was recorded; the other capacities are untouched.
    #[test]
    fn what_is_named_is_as_said_and_the_rest_as_recorded(
        min in 1..50_i32, more in 0..50_i32, target in prop::option::of(20.0..=90.0_f64),
        of_index in any::<bool>(), of_write in any::<bool>(),
    ) {
        let name = if of_write { "write" } else { "read" };
        let capacity = json!({ name: {"min": min, "max": min + more, "target": target} });
        let wanted = if of_index { json!({"indexes": {"by-day": capacity}}) } else { json!({ "table": capacity }) };
        let (scaling, misfits) = over(Part::On(recorded()), &wanted);
        prop_assert!(misfits.is_empty());
        let scaling = scaling.on().unwrap();
        for (is_index, targets) in [(false, &scaling.table), (true, &scaling.indexes["by-day"])] {
            for (is_write, capacity) in [(false, "ReadCapacityUnits"), (true, "WriteCapacityUnits")] {
                let found = &targets[capacity];
                if (is_index, is_write) == (of_index, of_write) {
                    prop_assert_eq!((found.min, found.max), (min, min + more));
                    let values: Vec<_> = found.policies.values().map(|policy| policy.on().unwrap().value).collect();
                    prop_assert_eq!(values, [target.unwrap_or(50.0)]);
                } else {
                    prop_assert_eq!(found, &recorded_target());
                }
            }
        }
    }
}
