//! What EventBridge Scheduler sends: the input that the `policy` function stored, with the scheduled time filled in.

use jiff::Timestamp;

use crate::id::PolicyName;
use crate::request::Request;
use crate::time::whole_seconds;

/// A policy is woken for one scheduled moment. Scheduler delivers at least once, with the same moment each time
/// (EventBridge Scheduler User Guide, "Adding context attributes").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledStart {
    /// The policy.
    pub policy: PolicyName,
    /// The moment it is woken for, in whole seconds.
    pub scheduled_at: Timestamp,
}

impl ScheduledStart {
    /// Reads the members `policy` and `scheduled_at` of a request, which may have others; `None` when one of them is
    /// missing or malformed, and then the request has that among its problems.
    pub fn read(request: &mut Request<'_>) -> Option<Self> {
        let policy = request.required("policy", "name the policy to run");
        let text: Option<String> = request.required("scheduled_at", "say for which moment");
        let scheduled_at = text.and_then(|text| match text.parse() {
            Ok(at) => Some(whole_seconds(at)),
            Err(_) => {
                let wrong = format!("{text:?} is not a time such as 2025-01-06T06:00:00Z");
                request.problem("scheduled_at", "$.scheduled_at", wrong);
                None
            }
        });
        Some(Self { policy: policy?, scheduled_at: scheduled_at? })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::error::Refusal;

    fn read(input: &Value) -> Result<ScheduledStart, Refusal> {
        let mut request = Request::of(input)?;
        let start = ScheduledStart::read(&mut request);
        request.finish()?;
        Ok(start.unwrap())
    }

    #[test]
    fn the_input_of_a_schedule_names_policy_and_moment() {
        let input = include_str!("../../../tests/fixtures/events/scheduler-input.json");
        let start = read(&serde_json::from_str(input).unwrap()).unwrap();
        assert_eq!(
            (start.policy.as_str(), start.scheduled_at.to_string().as_str()),
            ("orders", "2026-01-31T06:00:00Z")
        );
    }

    #[test]
    fn a_scheduled_moment_is_cut_to_whole_seconds() {
        let input = json!({ "policy": "orders", "scheduled_at": "2026-01-31T07:00:00.5+01:00" });
        assert_eq!(read(&input).unwrap().scheduled_at.to_string(), "2026-01-31T06:00:00Z");
    }

    #[rstest]
    #[case::the_moment_was_not_filled_in(
        json!({ "policy": "or ders", "scheduled_at": "<aws.scheduler.scheduled-time>", "extra": 1 }),
        &["$.policy", "$.scheduled_at", "$.extra"]
    )]
    #[case::nothing(json!({}), &["$.policy", "$.scheduled_at"])]
    #[case::no_text(json!({ "scheduled_at": 1, "policy": null }), &["$.scheduled_at", "$.policy"])]
    fn a_malformed_input_is_refused_with_the_paths_of_its_problems(
        #[case] input: Value,
        #[case] paths: &[&str],
    ) {
        let refusal = read(&input).unwrap_err();
        let found: Vec<_> = refusal.problems().iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(found, paths);
    }
}
