//! Brings an event to the targets of every EventBridge rule that matches it, as the default bus does for AWS's own events.
//!
//! The local AWS refuses events from `aws.` sources, as AWS does from customers, but it knows the rules and can say which
//! of them match. A function is invoked only when its own policy lets EventBridge do so. A delivery that fails is noted
//! and not repeated: nothing here waits for a function that is broken.

use std::time::Duration;

use aws_sdk_eventbridge::types::{Rule, RuleState, Target};
use aws_sdk_lambda::primitives::Blob;
use futures::StreamExt as _;
use serde_json::Value;

use super::{Clients, Scope, describe, roles};
use crate::cache::Cache;

/// Functions invoked at the same time for one event.
const AT_ONCE: usize = 8;
/// The longest a function runs, with some room.
const LONGEST: Duration = Duration::from_secs(910);

/// What became of an event at one target.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The rule's target, or the rule itself when its targets could not be found out.
    pub(crate) target: String,
    /// `delivered`, or why not.
    pub(crate) outcome: String,
}

/// The rules and targets that events meet which are due together: read once for all of them.
#[derive(Debug)]
pub(crate) struct Bus {
    rules: Cache<Vec<Rule>>,
    targets: Cache<Vec<Target>>,
    permissions: Cache<bool>,
}

impl Default for Bus {
    fn default() -> Self {
        let cache = Duration::from_secs(60);
        Self { rules: Cache::new(cache), targets: Cache::new(cache), permissions: Cache::new(cache) }
    }
}

/// Delivers one event and waits until every target has answered.
pub(crate) async fn deliver(clients: &Clients, scope: &Scope, bus: &Bus, event: &Value) -> Vec<Delivery> {
    let rules = match matching_rules(clients, scope, bus, event).await {
        Ok(rules) => rules,
        Err(outcome) => return vec![Delivery { target: scope.arn("events", "event-bus/default"), outcome }],
    };
    let mut targets = Vec::new();
    let mut deliveries = Vec::new();
    for (name, arn) in rules {
        match bus.targets.get_or(&arn, || targets_of(clients, &name)).await {
            Ok(found) => targets.extend(found.into_iter().map(|target| (arn.clone(), target))),
            Err(outcome) => deliveries.push(Delivery { target: arn, outcome }),
        }
    }
    let sent = futures::stream::iter(targets)
        .map(|(rule, target)| async move {
            let outcome = match send(clients, scope, bus, &rule, &target, event).await {
                Ok(()) => "delivered".to_owned(),
                Err(why) => why,
            };
            Delivery { target: target.arn, outcome }
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    deliveries.extend(sent);
    deliveries
}

async fn all_rules(clients: &Clients) -> Result<Vec<Rule>, String> {
    let (mut rules, mut next) = (Vec::new(), None);
    loop {
        let answer = clients.events.list_rules().set_next_token(next).send().await;
        let answer = answer.map_err(|error| describe(&error))?;
        rules.extend(answer.rules.unwrap_or_default());
        next = answer.next_token;
        if next.is_none() {
            return Ok(rules);
        }
    }
}

/// Name and ARN of each enabled rule whose pattern matches.
async fn matching_rules(
    clients: &Clients,
    scope: &Scope,
    bus: &Bus,
    event: &Value,
) -> Result<Vec<(String, String)>, String> {
    let rules = bus.rules.get_or(&scope.arn("events", ""), || all_rules(clients)).await?;
    let text = event.to_string();
    let text = text.as_str();
    let enabled = rules.into_iter().filter(|rule| rule.state != Some(RuleState::Disabled));
    let tests = enabled.filter_map(|rule| Some((rule.name?, rule.arn?, rule.event_pattern?)));
    let tests = tests.filter(|(_, _, pattern)| !plainly_differs(pattern, event));
    let tests = tests.map(async |(name, arn, pattern)| {
        let test = clients.events.test_event_pattern().event_pattern(pattern).event(text).send().await;
        let matches = test.map_err(|error| describe(&error))?.result;
        Ok(matches.then_some((name, arn)))
    });
    let tested = futures::stream::iter(tests).buffered(AT_ONCE).collect::<Vec<Result<_, String>>>().await;
    tested.into_iter().filter_map(Result::transpose).collect()
}

/// Can this pattern not match, as everyone can see? Spares a question where the pattern wants one of some plain texts and
/// the event has another; whatever is less plain is left to EventBridge.
fn plainly_differs(pattern: &str, event: &Value) -> bool {
    serde_json::from_str(pattern).is_ok_and(|pattern: Value| differs(&pattern, Some(event)))
}

fn differs(pattern: &Value, found: Option<&Value>) -> bool {
    match pattern {
        Value::Object(members) => {
            let mut plain = members.iter().filter(|(name, _)| *name != "$or");
            plain.any(|(name, wanted)| differs(wanted, found.and_then(|found| found.get(name))))
        }
        Value::Array(wanted) if !wanted.is_empty() && wanted.iter().all(Value::is_string) => match found {
            Some(Value::Array(found)) => !found.iter().any(|value| wanted.contains(value)),
            Some(found) => !wanted.contains(found),
            None => true,
        },
        _ => false,
    }
}

async fn targets_of(clients: &Clients, rule: &str) -> Result<Vec<Target>, String> {
    let (mut targets, mut next) = (Vec::new(), None);
    loop {
        let answer = clients.events.list_targets_by_rule().rule(rule).set_next_token(next).send().await;
        let answer = answer.map_err(|error| describe(&error))?;
        targets.extend(answer.targets.unwrap_or_default());
        next = answer.next_token;
        if next.is_none() {
            return Ok(targets);
        }
    }
}

async fn send(
    clients: &Clients,
    scope: &Scope,
    bus: &Bus,
    rule: &str,
    target: &Target,
    event: &Value,
) -> Result<(), String> {
    let function = target.arn.as_str();
    if !function.contains(":lambda:") {
        return Err("not delivered: only Lambda targets are emulated".to_owned());
    }
    let input = input(target, event)?;
    let permitted = || roles::rule_may_invoke(&clients.lambda, function, rule, scope);
    if !bus.permissions.get_or(&format!("{rule} {function}"), permitted).await? {
        return Err(format!("not delivered: the function's policy does not let {rule} invoke it"));
    }
    let invoked = clients.lambda.invoke().function_name(function).payload(Blob::new(input)).send();
    let answer = tokio::time::timeout(LONGEST, invoked)
        .await
        .map_err(|_| "the function did not answer in time".to_owned())?
        .map_err(|error| describe(&error))?;
    match answer.function_error {
        None => Ok(()),
        Some(kind) => {
            let payload =
                answer.payload.map(|payload| String::from_utf8_lossy(payload.as_ref()).into_owned());
            Err(format!("function error {kind}: {}", payload.unwrap_or_default()))
        }
    }
}

/// What the target is given: the event, a part of it, or a constant.
fn input(target: &Target, event: &Value) -> Result<String, String> {
    if target.input_transformer.is_some() {
        return Err("not delivered: input transformers are not emulated".to_owned());
    }
    if let Some(constant) = &target.input {
        return Ok(constant.clone());
    }
    let Some(path) = &target.input_path else { return Ok(event.to_string()) };
    let pointer = path.strip_prefix('$').unwrap_or(path).replace('.', "/");
    let part = event.pointer(&pointer);
    part.map(ToString::to_string).ok_or_else(|| format!("not delivered: the event has no {path}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_is_given_the_event_a_part_of_it_or_a_constant() {
        let event = json!({"source": "aws.backup", "detail": {"state": "COMPLETED"}});
        let target = || Target::builder().id("t").arn("arn:aws:lambda:eu-central-1:1:function:f");
        let given = |target: aws_sdk_eventbridge::types::builders::TargetBuilder| {
            input(&target.build().unwrap(), &event)
        };
        assert_eq!(given(target()).unwrap(), event.to_string());
        assert_eq!(given(target().input_path("$.detail.state")).unwrap(), r#""COMPLETED""#);
        assert_eq!(given(target().input_path("$")).unwrap(), event.to_string());
        assert_eq!(given(target().input("{\"reconcile\":true}")).unwrap(), r#"{"reconcile":true}"#);
        assert!(given(target().input_path("$.none")).is_err());
    }

    #[test]
    fn a_target_with_an_input_transformer_is_not_served() {
        let transformer = aws_sdk_eventbridge::types::InputTransformer::builder().input_template("<x>");
        let target = Target::builder().id("t").arn("arn:aws:lambda:eu-central-1:1:function:f");
        let target = target.input_transformer(transformer.build().unwrap()).build().unwrap();
        assert!(input(&target, &json!({})).unwrap_err().starts_with("not delivered"));
    }

    #[rstest]
    #[case::another_source(r#"{"source":["dynachain"]}"#, true)]
    #[case::another_state(r#"{"source":["aws.backup"],"detail":{"state":["FAILED","EXPIRED"]}}"#, true)]
    #[case::a_member_it_lacks(r#"{"detail":{"backupVaultName":["dynachain"]}}"#, true)]
    #[case::another_resource(r#"{"resources":["b"]}"#, true)]
    #[case::all_as_wanted(
        r#"{"source":["aws.backup","x"],"resources":["a"],"detail":{"state":["COMPLETED"]}}"#,
        false
    )]
    #[case::less_plain(
        r#"{"source":[{"prefix":"x"}],"detail":{"state":["FAILED",{"exists":false}]}}"#,
        false
    )]
    #[case::either(r#"{"$or":[{"source":["x"]},{"source":["aws.backup"]}]}"#, false)]
    fn only_what_plainly_differs_is_passed_over(#[case] pattern: &str, #[case] differs: bool) {
        let event = json!({"source": "aws.backup", "resources": ["a"], "detail": {"state": "COMPLETED"}});
        assert_eq!(plainly_differs(pattern, &event), differs);
    }
}
