//! Faults, read and checked.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Input, no_problems};
use crate::faults::{CATEGORIES, Effect, End, EndingRule, OnCall, Rule, When};
use crate::operation;

/// In real time; longer than any client waits.
const LONGEST_DELAY: f64 = 300.0;
const EXPECTED: &str =
    r#"a list such as [{"operation": "StartBackupJob", "count": 1, "effect": "throttle"}]"#;
const EFFECTS: &str = "throttle, error500, delay, drop_before, drop_after, access_denied, job_failed, job_expired, \
                       job_aborted, job_partial and delete_expired";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultInput {
    operation: String,
    principal: Option<String>,
    count: Option<u64>,
    probability: Option<f64>,
    #[serde(default)]
    seed: u64,
    effect: String,
    seconds: Option<f64>,
    message: Option<String>,
    category: Option<String>,
}

pub(super) async fn get(input: &Input) -> Result<Value, String> {
    Ok(Value::Array(input.service.faults.rules().iter().map(describe).collect()))
}

pub(super) async fn put(input: &Input) -> Result<Value, String> {
    let given: Vec<Value> = input.read(EXPECTED)?;
    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    for (number, fault) in given.into_iter().enumerate() {
        match serde_json::from_value(fault)
            .map_err(|error| vec![error.to_string()])
            .and_then(FaultInput::rule)
        {
            Ok(rule) => rules.push(rule),
            Err(found) => problems.extend(found.iter().map(|problem| format!("[{number}]: {problem}"))),
        }
    }
    no_problems(&problems)?;
    input.service.faults.set(rules);
    get(input).await
}

impl FaultInput {
    fn rule(self) -> Result<Rule, Vec<String>> {
        let mut problems = Vec::new();
        let when = self.when().map_err(|problem| problems.push(problem));
        let effect = self.effect().map_err(|found| problems.extend(found));
        if let Ok(effect) = &effect {
            let mut known = operation::named(&self.operation).peekable();
            if known.peek().is_none() {
                problems.push(format!("{} is no operation, and no pattern of operations", self.operation));
            } else if !known.any(|operation| effect.suits(operation)) {
                problems.push(format!("{} does not happen to {}", self.effect, self.operation));
            }
        }
        match (when, effect) {
            (Ok(when), Ok(effect)) if problems.is_empty() => {
                Ok(Rule::new(&self.operation, self.principal, when, effect, self.seed))
            }
            _ => Err(problems),
        }
    }

    fn when(&self) -> Result<When, String> {
        match (self.count, self.probability) {
            (None, None) => Ok(When::Always),
            (Some(0), None) => Err("count must be at least 1".to_owned()),
            (Some(count), None) => Ok(When::Times(count)),
            (None, Some(probability)) if (0.0..=1.0).contains(&probability) => {
                Ok(When::Probability(probability))
            }
            (None, Some(probability)) => Err(format!("probability must be from 0 to 1, not {probability}")),
            (Some(_), Some(_)) => Err("count and probability exclude each other".to_owned()),
        }
    }

    fn effect(&self) -> Result<Effect, Vec<String>> {
        let mut problems = Vec::new();
        let of_jobs = self.effect.starts_with("job_");
        for (name, given, wanted) in [
            ("seconds", self.seconds.is_some(), self.effect == "delay"),
            ("message", self.message.is_some(), of_jobs),
            ("category", self.category.is_some(), of_jobs),
        ] {
            if given && !wanted {
                problems.push(format!("{name} does not go with {}", self.effect));
            }
        }
        let effect = self.named_effect();
        match effect {
            Ok(effect) if problems.is_empty() => Ok(effect),
            Ok(_) => Err(problems),
            Err(problem) => {
                problems.push(problem);
                Err(problems)
            }
        }
    }

    fn named_effect(&self) -> Result<Effect, String> {
        let on_call = |effect| Ok(Effect::OnCall(effect));
        match self.effect.as_str() {
            "throttle" => on_call(OnCall::Throttle),
            "error500" => on_call(OnCall::Error500),
            "drop_before" => on_call(OnCall::DropBefore),
            "drop_after" => on_call(OnCall::DropAfter),
            "access_denied" => on_call(OnCall::AccessDenied),
            "delay" => on_call(OnCall::Delay(self.delay()?)),
            "job_failed" => self.ending(End::Failed),
            "job_expired" => self.ending(End::Expired),
            "job_aborted" => self.ending(End::Aborted),
            "job_partial" => self.ending(End::Partial),
            "delete_expired" => Ok(Effect::LeaveExpired),
            other => Err(format!("effect must be one of {EFFECTS}, not {other}")),
        }
    }

    fn delay(&self) -> Result<Duration, String> {
        let seconds = self.seconds.filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST_DELAY);
        let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        time.ok_or_else(|| format!("a delay needs seconds, more than 0 and at most {LONGEST_DELAY}"))
    }

    fn ending(&self, end: End) -> Result<Effect, String> {
        let named = |name: &String| {
            let known = CATEGORIES.into_iter().find(|category| category == name);
            known.ok_or_else(|| format!("category must be one of {}, not {name}", CATEGORIES.join(", ")))
        };
        let category = self.category.as_ref().map(named).transpose()?;
        Ok(Effect::Ending(EndingRule { end, message: self.message.clone(), category }))
    }
}

fn describe(rule: &Rule) -> Value {
    let (count, probability) = match rule.when {
        When::Always => (None, None),
        When::Times(count) => (Some(count), None),
        When::Probability(probability) => (None, Some(probability)),
    };
    let (effect, seconds, ending) = match &rule.effect {
        Effect::OnCall(OnCall::Throttle) => ("throttle", None, None),
        Effect::OnCall(OnCall::Error500) => ("error500", None, None),
        Effect::OnCall(OnCall::Delay(time)) => ("delay", Some(time.as_secs_f64()), None),
        Effect::OnCall(OnCall::DropBefore) => ("drop_before", None, None),
        Effect::OnCall(OnCall::DropAfter) => ("drop_after", None, None),
        Effect::OnCall(OnCall::AccessDenied) => ("access_denied", None, None),
        Effect::Ending(ending) => (
            match ending.end {
                End::Failed => "job_failed",
                End::Expired => "job_expired",
                End::Aborted => "job_aborted",
                End::Partial => "job_partial",
            },
            None,
            Some(ending),
        ),
        Effect::LeaveExpired => ("delete_expired", None, None),
    };
    crate::http::without_nulls(json!({
        "operation": rule.operation,
        "principal": rule.principal,
        "count": count,
        "probability": probability,
        "effect": effect,
        "seconds": seconds,
        "message": ending.and_then(|ending| ending.message.as_ref()),
        "category": ending.and_then(|ending| ending.category),
        "struck": rule.struck,
    }))
}
