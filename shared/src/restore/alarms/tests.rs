use rstest::rstest;
use serde_json::json;

use super::*;
use crate::restore::{Overrides, StepState, plan};
use crate::table_config::{AlarmMetric, MetricQuery};

const HERE: &str = "eu-central-1";

fn place(target: &str, region: &str) -> Place {
    let arn =
        |region: &str, name: &str| format!("arn:aws:dynamodb:{region}:111122223333:table/{name}").parse();
    Place { source: arn(HERE, "orders").unwrap(), target: arn(region, target).unwrap() }
}

fn watched(table: &str) -> AlarmMetric {
    AlarmMetric {
        name: Some("SystemErrors".to_owned()),
        dimensions: [("TableName".to_owned(), table.to_owned())].into(),
        ..AlarmMetric::default()
    }
}

fn alarm() -> Alarm {
    let topic = |region: &str| format!("arn:aws:sns:{region}:111122223333:on-call");
    Alarm {
        alarm_actions: [topic(HERE), "arn:aws:ssm-incidents::111122223333:response-plan/orders".to_owned()]
            .into(),
        ok_actions: [topic(HERE), topic("eu-west-1")].into(),
        metric: Some(watched("orders")),
        threshold: Some(1.5),
        tags: Part::On(
            [("aws:cloudformation:stack-name", "shop"), ("team", "checkout")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
        ),
        ..Alarm::default()
    }
}

fn math() -> Alarm {
    let queries = [("ours", "orders"), ("theirs", "users")].map(|(id, table)| {
        let query = MetricQuery { metric: Some(watched(table)), ..MetricQuery::default() };
        (id.to_owned(), query)
    });
    Alarm { queries: queries.into(), ..Alarm::default() }
}

fn config(alarms: &[(&str, Part<Alarm>)]) -> TableConfig {
    let by_name = alarms.iter().map(|(name, alarm)| ((*name).to_owned(), alarm.clone())).collect();
    TableConfig { alarms: Part::known(Alarms::of(by_name)), ..TableConfig::default() }
}

fn recorded() -> TableConfig {
    config(&[("orders-slow", Part::On(alarm())), ("share of errors", Part::On(math()))])
}

fn asked(word: Option<&str>) -> Overrides {
    let value = json!({ "overrides": { "alarms": word } });
    let mut request = Request::of(&value).unwrap();
    let read = request.object("overrides", Overrides::read);
    request.finish().unwrap();
    read.unwrap()
}

fn planned(known: &Known, word: Option<&str>, place: &Place) -> (Part<Alarms>, Step, Vec<String>) {
    let plan = plan(known, &asked(word), place).unwrap();
    let step = plan.steps.into_iter().find(|step| step.property == Property::Alarms).unwrap();
    (plan.wanted.alarms, step, plan.notes)
}

fn known(config: TableConfig) -> Known {
    Known::Config(Box::new(config))
}

#[test]
fn alarms_that_are_not_asked_for_are_left_and_named() {
    let (wanted, step, notes) = planned(&known(recorded()), None, &place("orders", HERE));
    assert_eq!((wanted, notes), (Part::Off, Vec::new()));
    assert_eq!((step.action, step.state, step.is_problem()), (Action::ReApply, StepState::Skipped, false));
    assert_eq!(
        step.error.unwrap(),
        "alarms are made only when they are asked for: orders-slow, share of errors are recorded; say \"overrides\": \
         {\"alarms\": \"recorded\"} to have them, or \"none\""
    );
    let many: Vec<_> = (100..130).map(|n| n.to_string()).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), Part::On(alarm()))).collect();
    let (_, step, _) = planned(&known(config(&many)), None, &place("orders", HERE));
    assert!(step.error.unwrap().contains(", 119 and 10 more are recorded"));
}

#[rstest]
#[case::off(known(TableConfig::default()), None, Action::ByAws, StepState::Pending, None)]
#[case::off_and_asked_for(
    known(TableConfig::default()),
    Some("recorded"),
    Action::ByAws,
    StepState::Pending,
    None
)]
#[case::left_out(known(recorded()), Some("none"), Action::Override, StepState::Pending, None)]
#[case::asked_for(known(recorded()), Some("recorded"), Action::ReApply, StepState::Pending, None)]
#[case::nothing_known(Known::Nothing("no metadata".to_owned()), None, Action::NotPossible, StepState::Skipped, Some("no metadata"))]
#[case::nothing_known_and_asked_for(Known::Nothing("no metadata".to_owned()), Some("recorded"), Action::NotPossible, StepState::Skipped, Some("no metadata"))]
#[case::nothing_known_and_left_out(Known::Nothing("no metadata".to_owned()), Some("none"), Action::Override, StepState::Pending, None)]
#[case::unknown(
    known(TableConfig { alarms: Part::unknown("DescribeAlarms: AccessDenied"), ..TableConfig::default() }),
    Some("recorded"), Action::NotPossible, StepState::Skipped, Some("alarms was not recorded: DescribeAlarms: AccessDenied")
)]
#[case::one_unknown(
    known(config(&[("x", Part::unknown("of another kind")), ("y", Part::On(alarm()))])),
    Some("recorded"), Action::ReApply, StepState::Pending, Some("alarms (x) was not recorded: of another kind")
)]
fn the_step_follows_from_what_is_known_and_asked_for(
    #[case] known: Known,
    #[case] word: Option<&str>,
    #[case] action: Action,
    #[case] state: StepState,
    #[case] error: Option<&str>,
) {
    let (_, step, _) = planned(&known, word, &place("orders", HERE));
    assert_eq!((step.action, step.state, step.error.as_deref()), (action, state, error));
}

#[test]
fn alarms_come_back_as_they_were_but_for_tags_of_aws() {
    let (wanted, _, notes) = planned(&known(recorded()), Some("recorded"), &place("orders", HERE));
    let tags = Part::On([("team".to_owned(), "checkout".to_owned())].into());
    let expected = config(&[
        ("orders-slow", Part::On(Alarm { tags, ..alarm() })),
        ("share of errors", Part::On(math())),
    ]);
    assert_eq!((wanted, notes), (expected.alarms, Vec::new()));
}

#[test]
fn alarms_of_a_table_of_another_name_watch_that_table_under_other_names() {
    let (wanted, _, _) = planned(&known(recorded()), Some("recorded"), &place("copy", HERE));
    let alarms = wanted.on().unwrap();
    assert!(alarms.by_name.keys().eq(["copy-slow", "share of errors (copy)"]));
    let tables =
        |name: &str| alarms.by_name[name].on().unwrap().tables().into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(tables("copy-slow"), "copy");
    assert_eq!(tables("share of errors (copy)"), "copy users");
}

#[test]
fn in_another_region_actions_of_the_old_one_are_left_out_and_named() {
    let (wanted, step, notes) = planned(&known(recorded()), Some("recorded"), &place("orders", "eu-west-1"));
    let alarm = wanted.on().unwrap().by_name["orders-slow"].on().unwrap();
    assert!(alarm.alarm_actions.iter().eq(["arn:aws:ssm-incidents::111122223333:response-plan/orders"]));
    assert!(alarm.ok_actions.iter().eq(["arn:aws:sns:eu-west-1:111122223333:on-call"]));
    let [note] = &notes[..] else { panic!("{notes:?}") };
    let said = "the alarm orders-slow comes back without actions of another Region (arn:aws:sns:eu-central-1:111122223333:on-call)";
    assert!(note.starts_with(said), "{note}");
    assert!(!step.is_problem());
}

#[test]
fn an_alarm_that_is_there_is_never_written() {
    let mut wanted = recorded();
    let Part::On(alarms) = &mut wanted.alarms else { unreachable!() };
    alarms.by_name.insert("of another kind".to_owned(), Part::unknown("not recorded"));
    let untagged = Part::On(Alarm { tags: Part::Off, ..alarm() });
    let other = || Part::On(Alarm { threshold: Some(2.0), ..alarm() });
    let unreadable = || Part::unknown("with evaluation criteria");
    for (there, put, in_the_way) in [
        (config(&[]), vec!["orders-slow", "share of errors"], vec![]),
        (config(&[("orders-slow", untagged), ("of another kind", other())]), vec!["share of errors"], vec![]),
        (config(&[("orders-slow", other())]), vec!["share of errors"], vec!["orders-slow"]),
        (config(&[("share of errors", unreadable())]), vec!["orders-slow"], vec!["share of errors"]),
    ] {
        let changes = changes(&wanted, &there).unwrap();
        let names = changes.iter().map(|change| match change {
            Change::Alarm(name, _) => name.as_str(),
            other => panic!("{other:?}"),
        });
        assert!(names.eq(put), "{changes:?}");
        let sentences = obstacles(Property::Alarms, &wanted, &there);
        let expected: Vec<_> = in_the_way.iter().map(|name| format!("an alarm {name} is there")).collect();
        assert_eq!(sentences.len(), expected.len(), "{sentences:?}");
        assert!(
            sentences.iter().zip(&expected).all(|(said, begins)| said.starts_with(begins)),
            "{sentences:?}"
        );
        assert_eq!(obstacles(Property::Tags, &wanted, &there), Vec::<String>::new());
    }
}

#[test]
fn alarms_that_cannot_be_read_are_neither_there_nor_missing() {
    let unread = TableConfig { alarms: Part::unknown("DescribeAlarms: no answer"), ..TableConfig::default() };
    assert_eq!(changes(&recorded(), &unread), Err("DescribeAlarms: no answer".to_owned()));
    assert_eq!(obstacles(Property::Alarms, &recorded(), &unread), Vec::<String>::new());
    assert_eq!(changes(&TableConfig::default(), &unread), Ok(Vec::new()));
}
