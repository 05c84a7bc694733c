//! Brings an event to the targets of every EventBridge rule that matches it, as the default bus does for AWS's own events.
//!
//! The local AWS refuses events from `aws.` sources, as AWS does from customers, but it knows the rules and can say which
//! of them match. A delivery that fails is noted and not repeated: nothing here waits for a function that is broken.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_eventbridge::types::{Rule, RuleState, Target};
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::Value;

use super::input::Occasion;
use super::{Clients, Scope, describe, targets};
use crate::cache::Cache;

/// Targets that are brought one event at the same time.
const AT_ONCE: usize = 8;

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
    pub(super) permissions: Cache<bool>,
}

impl Default for Bus {
    fn default() -> Self {
        let cache = Duration::from_secs(60);
        Self { rules: Cache::new(cache), targets: Cache::new(cache), permissions: Cache::new(cache) }
    }
}

/// Delivers one event, which reaches EventBridge now, and waits until every target has answered.
pub(crate) async fn deliver(
    clients: &Clients,
    scope: &Scope,
    bus: &Bus,
    event: &Value,
    now: Timestamp,
) -> Vec<Delivery> {
    let rules = match matching_rules(clients, scope, bus, event).await {
        Ok(rules) => rules,
        Err(outcome) => return vec![Delivery { target: scope.arn("events", "event-bus/default"), outcome }],
    };
    let event = Arc::new(event.clone());
    let mut targets = Vec::new();
    let mut deliveries = Vec::new();
    for (name, arn) in rules {
        match bus.targets.get_or(&arn, || targets_of(clients, &name)).await {
            Ok(found) => {
                let occasion =
                    Occasion { event: event.clone(), rule_name: name, rule_arn: arn, received: now };
                targets.extend(found.into_iter().map(|target| (occasion.clone(), target)));
            }
            Err(outcome) => deliveries.push(Delivery { target: arn, outcome }),
        }
    }
    let sent = futures::stream::iter(targets)
        .map(|(occasion, target)| async move {
            let outcome = match targets::send(clients, scope, bus, &occasion, &target).await {
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

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

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
