use aws_sdk_eventbridge::types::InputTransformer;
use aws_sdk_eventbridge::types::builders::TargetBuilder;
use rstest::rstest;
use serde_json::json;

use super::*;

const RULE: &str = "arn:aws:events:eu-central-1:111122223333:rule/completed";

fn given(target: TargetBuilder) -> Result<String, String> {
    let event = json!({
        "source": "aws.backup", "time": "2025-01-06T06:00:00Z", "resources": ["p"],
        "detail": {"state": "COMPLETED", "statusMessage": "\"done\"", "percentDone": 100},
    });
    let occasion = Occasion {
        event: Arc::new(event),
        rule_name: "completed".to_owned(),
        rule_arn: RULE.to_owned(),
        received: "2025-01-06T06:00:09Z".parse().unwrap(),
    };
    of(&target.build().unwrap(), &occasion)
}

fn target() -> TargetBuilder {
    Target::builder().id("t").arn("arn:aws:lambda:eu-central-1:1:function:f")
}

fn transformed(template: &str) -> Result<String, String> {
    let paths = [
        ("state", "$.detail.state"),
        ("message", "$.detail.statusMessage"),
        ("percent", "$.detail.percentDone"),
        ("detail", "$.detail"),
        ("resources", "$.resources"),
        ("missing", "$.detail.none"),
        ("aws.events.rule-name", "$.source"),
    ];
    let paths = paths.map(|(name, path)| (name.to_owned(), path.to_owned()));
    let transformer =
        InputTransformer::builder().set_input_paths_map(Some(paths.into())).input_template(template);
    given(target().input_transformer(transformer.build().unwrap()))
}

#[test]
fn a_target_is_given_the_event_or_a_part_of_it_or_a_constant() {
    let event = given(target()).unwrap();
    assert!(event.starts_with(r#"{"source":"aws.backup""#), "{event}");
    assert_eq!(given(target().input_path("$.detail.state")).unwrap(), r#""COMPLETED""#);
    assert_eq!(given(target().input_path("$.resources[0]")).unwrap(), r#""p""#);
    assert_eq!(given(target().input_path("$")).unwrap(), event);
    assert_eq!(given(target().input("{\"reconcile\":true}")).unwrap(), r#"{"reconcile":true}"#);
    assert!(given(target().input_path("$.none")).is_err());
}

#[rstest]
#[case::text_as_a_value(r#"{"a": <state>}"#, r#"{"a": "COMPLETED"}"#)]
#[case::text_in_quotes(r#"{"a": "it is <state>!"}"#, r#"{"a": "it is COMPLETED!"}"#)]
#[case::number(r#"{"a": <percent>, "b": "<percent>"}"#, r#"{"a": 100, "b": "100"}"#)]
#[case::array(r#"{"a": <resources>}"#, r#"{"a": ["p"]}"#)]
#[case::text_alone(r#""<state> at <percent>""#, r#""COMPLETED at 100""#)]
#[case::value_alone("<detail>", r#"{"state":"COMPLETED","statusMessage":"\"done\"","percentDone":100}"#)]
#[case::escapes_stay(r#"{"a": "\"<state>\" <none>"}"#, r#"{"a": "\"COMPLETED\" <none>"}"#)]
fn an_input_transformer_fills_its_template(#[case] template: &str, #[case] filled: &str) {
    assert_eq!(transformed(template).as_deref(), Ok(filled));
}

#[test]
fn an_array_within_quotes_loses_its_own_quotes() {
    assert_eq!(transformed(r#"{"a": "<resources>"}"#).unwrap(), r#"{"a": "[p]"}"#);
}

#[test]
fn a_variable_whose_path_leads_nowhere_is_empty() {
    assert_eq!(transformed(r#"{"a": <missing>, "b": "<missing>"}"#).unwrap(), r#"{"a": "", "b": ""}"#);
}

#[test]
fn text_within_quotes_is_not_escaped_and_may_break_the_template() {
    let broken = transformed(r#"{"a": "<message>"}"#).unwrap_err();
    assert_eq!(broken, r#"not delivered: the input transformer makes no JSON: {"a": ""done""}"#);
    assert_eq!(transformed(r#"{"a": <message>}"#).unwrap(), r#"{"a": "\"done\""}"#);
}

#[test]
fn an_input_transformer_knows_the_rule_and_the_event() {
    let filled = transformed(
        r#"{"rule": <aws.events.rule-arn>, "name": "<aws.events.rule-name>", "at": <aws.events.event.ingestion-time>,
            "event": <aws.events.event>, "all": <aws.events.event.json>}"#,
    );
    let filled: Value = serde_json::from_str(&filled.unwrap()).unwrap();
    assert_eq!((&filled["rule"], &filled["name"]), (&RULE.into(), &"completed".into()));
    assert_eq!(filled["at"], "2025-01-06T06:00:09Z");
    assert_eq!(filled["all"]["detail"]["state"], "COMPLETED");
    assert_eq!(filled["event"]["source"], "aws.backup");
    assert!(filled["event"].get("detail").is_none());
}
