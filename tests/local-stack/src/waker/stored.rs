//! Schedules and scheduled rules as ministack stores them, and what each gives its target.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::expression::Expression;

/// The answer of `/_local/wakes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Stored {
    schedules: Vec<Schedule>,
    rules: Vec<Rule>,
    /// Regions that are off: nothing there wakes anybody.
    #[serde(default)]
    pub(super) off: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Schedule {
    arn: String,
    schedule_expression: String,
    schedule_expression_timezone: Option<String>,
    state: String,
    start_date: Option<Value>,
    end_date: Option<Value>,
    target: Target,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    arn: String,
    schedule_expression: String,
    state: String,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    arn: String,
    input: Option<String>,
}

/// One thing that wakes one target.
#[derive(Clone, Debug)]
pub(super) struct Wake {
    pub(super) arn: String,
    pub(super) target: String,
    expression: Expression,
    zone: TimeZone,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    input: Input,
}

#[derive(Clone, Debug)]
enum Input {
    /// A schedule's input, with context attributes to fill in.
    Template(String),
    /// A rule's constant input.
    Constant(String),
    /// A rule without one: the scheduled event.
    Event,
}

impl Stored {
    /// Everything enabled that can be woken, and what is wrong with the rest.
    pub(super) fn wakes(self) -> (Vec<Wake>, Vec<String>) {
        let (mut wakes, mut problems) = (Vec::new(), Vec::new());
        let schedules = self.schedules.into_iter().filter(|schedule| schedule.state == "ENABLED");
        let rules = self.rules.into_iter().filter(|rule| rule.state.starts_with("ENABLED"));
        let found = schedules.map(Schedule::wake).chain(rules.flat_map(Rule::wakes));
        for wake in found {
            match wake {
                Ok(wake) => wakes.push(wake),
                Err(problem) => problems.push(problem),
            }
        }
        (wakes, problems)
    }
}

impl Schedule {
    fn wake(self) -> Result<Wake, String> {
        let say = |error: &dyn std::fmt::Display| format!("{}: {error}", self.arn);
        let zone = self.schedule_expression_timezone.as_deref().unwrap_or("UTC");
        Ok(Wake {
            expression: Expression::parse(&self.schedule_expression).map_err(|error| say(&error))?,
            zone: TimeZone::get(zone).map_err(|error| say(&error))?,
            start: self.start_date.as_ref().map(time).transpose().map_err(|error| say(&error))?,
            end: self.end_date.as_ref().map(time).transpose().map_err(|error| say(&error))?,
            target: self.target.lambda(&self.arn)?,
            // Without an input AWS sends a small event of its own; nothing here relies on it.
            input: Input::Template(self.target.input.unwrap_or_else(|| "{}".to_owned())),
            arn: self.arn,
        })
    }
}

impl Rule {
    fn wakes(self) -> Vec<Result<Wake, String>> {
        let Self { arn, schedule_expression, targets, .. } = self;
        let one = |target: Target| {
            Ok(Wake {
                expression: Expression::parse(&schedule_expression)
                    .map_err(|error| format!("{arn}: {error}"))?,
                zone: TimeZone::UTC,
                start: None,
                end: None,
                target: target.lambda(&arn)?,
                input: target.input.map_or(Input::Event, Input::Constant),
                arn: arn.clone(),
            })
        };
        targets.into_iter().map(one).collect()
    }
}

impl Target {
    fn lambda(&self, by: &str) -> Result<String, String> {
        let lambda = self.arn.split(':').nth(2) == Some("lambda");
        lambda
            .then(|| self.arn.clone())
            .ok_or_else(|| format!("{by}: only Lambda functions are woken here, the target is {}", self.arn))
    }
}

impl Wake {
    /// Is it in one of these Regions?
    pub(super) fn is_in(&self, regions: &[String]) -> bool {
        self.arn.split(':').nth(3).is_some_and(|region| regions.iter().any(|other| other == region))
    }

    /// The first moment after another, within its start and end.
    pub(super) fn next(&self, after: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
        let just_before_start =
            self.start.and_then(|start| start.checked_sub(jiff::SignedDuration::from_nanos(1)).ok());
        let after = just_before_start.map_or(after, |before| before.max(after));
        let next = self.expression.next(after, &self.zone, self.start.unwrap_or(anchor))?;
        self.end.is_none_or(|end| next <= end).then_some(next)
    }

    /// What the target is given at a moment.
    pub(super) fn input(&self, at: Timestamp) -> String {
        match &self.input {
            Input::Constant(input) => input.clone(),
            Input::Event => self.event(at).to_string(),
            // EventBridge Scheduler User Guide, "Adding context attributes".
            Input::Template(input) => input
                .replace("<aws.scheduler.schedule-arn>", &self.arn)
                .replace("<aws.scheduler.scheduled-time>", &at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
                .replace("<aws.scheduler.execution-id>", &uuid::Uuid::new_v4().to_string())
                .replace("<aws.scheduler.attempt-number>", "1"),
        }
    }

    fn event(&self, at: Timestamp) -> Value {
        let part = |n| self.arn.split(':').nth(n).unwrap_or_default();
        json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": part(4),
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": part(3),
            "resources": [self.arn],
            "detail": {},
        })
    }
}

/// A date as a client sent it: RFC 3339 text, or seconds since 1970.
fn time(value: &Value) -> Result<Timestamp, String> {
    let found = match value {
        Value::String(text) => text.parse().map_err(|error: jiff::Error| error.to_string()),
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds are as fine as these dates come")]
        Value::Number(seconds) => {
            Timestamp::from_millisecond((seconds.as_f64().unwrap_or(f64::NAN) * 1000.0) as i64)
                .map_err(|error| error.to_string())
        }
        _ => Err("is neither text nor a number".to_owned()),
    };
    found.map_err(|error| format!("the date {value}: {error}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:eu-central-1:111122223333:function:f";

    fn stored(schedule: &Value) -> Stored {
        let mut whole = json!({
            "Arn": "arn:aws:scheduler:eu-central-1:111122223333:schedule/dynachain/s",
            "ScheduleExpression": "cron(0 7 * * ? *)", "ScheduleExpressionTimezone": "Europe/Berlin",
            "State": "ENABLED", "StartDate": null, "EndDate": null, "Target": {"Arn": FUNCTION},
        });
        for (key, value) in schedule.as_object().unwrap() {
            whole[key] = value.clone();
        }
        serde_json::from_value(json!({"Schedules": [whole], "Rules": []})).unwrap()
    }

    #[test]
    fn context_attributes_are_filled_in() {
        let input = r#"{"at":"<aws.scheduler.scheduled-time>","n":<aws.scheduler.attempt-number>,"by":"<aws.scheduler.schedule-arn>"}"#;
        let (wakes, _) = stored(&json!({"Target": {"Arn": FUNCTION, "Input": input}})).wakes();
        let filled = wakes[0].input("2025-01-06T06:00:00Z".parse().unwrap());
        let by = "arn:aws:scheduler:eu-central-1:111122223333:schedule/dynachain/s";
        assert_eq!(filled, format!(r#"{{"at":"2025-01-06T06:00:00Z","n":1,"by":"{by}"}}"#));
    }

    #[rstest]
    #[case::unbounded(json!({}), Some("2025-01-06T06:00:00Z"))]
    #[case::not_yet(json!({"StartDate": "2025-02-01T00:00:00Z"}), Some("2025-02-01T06:00:00Z"))]
    #[case::the_start_itself_counts(json!({"StartDate": 1_738_389_600.0}), Some("2025-02-01T06:00:00Z"))]
    #[case::over(json!({"EndDate": "2025-01-06T05:59:59Z"}), None)]
    #[case::the_end_itself_counts(json!({"EndDate": "2025-01-06T06:00:00Z"}), Some("2025-01-06T06:00:00Z"))]
    #[case::a_rate_begins_at_its_start(json!({"ScheduleExpression": "rate(1 hour)", "StartDate": "2025-01-06T00:20:00Z"}), Some("2025-01-06T00:20:00Z"))]
    fn a_schedule_keeps_within_its_dates(#[case] schedule: Value, #[case] next: Option<&str>) {
        let (wakes, problems) = stored(&schedule).wakes();
        assert_eq!(problems, Vec::<String>::new());
        let after = "2025-01-06T00:00:00Z".parse().unwrap();
        assert_eq!(wakes[0].next(after, after).map(|next| next.to_string()).as_deref(), next);
    }

    #[rstest]
    #[case::disabled(json!({"State": "DISABLED"}), None)]
    #[case::no_zone(json!({"ScheduleExpressionTimezone": "Mars/Olympus"}), Some("Mars/Olympus"))]
    #[case::no_expression(json!({"ScheduleExpression": "soon"}), Some("neither cron"))]
    #[case::no_lambda(json!({"Target": {"Arn": "arn:aws:sqs:eu-central-1:111122223333:q"}}), Some("only Lambda"))]
    #[case::no_date(json!({"StartDate": "soon"}), Some("the date \"soon\""))]
    fn what_cannot_wake_says_why(#[case] schedule: Value, #[case] said: Option<&str>) {
        let (wakes, problems) = stored(&schedule).wakes();
        assert!(wakes.is_empty());
        assert_eq!(problems.len(), usize::from(said.is_some()));
        assert!(said.is_none_or(|said| problems[0].contains(said)), "{problems:?}");
    }

    #[test]
    fn a_rule_gives_its_constant_input_or_the_scheduled_event() {
        let rule = json!({
            "Arn": "arn:aws:events:eu-west-1:111122223333:rule/r", "ScheduleExpression": "rate(15 minutes)",
            "State": "ENABLED", "Targets": [{"Arn": FUNCTION, "Input": "{\"reconcile\": true}"}, {"Arn": FUNCTION}],
        });
        let stored: Stored = serde_json::from_value(json!({"Schedules": [], "Rules": [rule]})).unwrap();
        let (wakes, _) = stored.wakes();
        let at = "2025-01-06T06:00:00Z".parse().unwrap();
        assert_eq!(wakes[0].input(at), r#"{"reconcile": true}"#);
        let event: Value = serde_json::from_str(&wakes[1].input(at)).unwrap();
        assert_eq!((&event["time"], &event["region"]), (&json!("2025-01-06T06:00:00Z"), &json!("eu-west-1")));
    }
}
