//! What the function is invoked with.

use dynachain::error::{ErrorType, Refusal};
use dynachain::event::{self, Event};
use dynachain::id::{PolicyName, VaultArn};
use dynachain::request::Request;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::Place;

/// One invocation's input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    Reconcile { dry_run: bool, after: Option<Place> },
    Backfill { wanted: Backfill, dry_run: bool, after: Option<Place> },
    Event(Event),
}

/// Copies of points that do not name the target themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Backfill {
    pub(crate) policy: PolicyName,
    /// One of the policy's targets.
    pub(crate) target: VaultArn,
    /// Points that were made for an earlier moment are left alone.
    pub(crate) since: Timestamp,
}

impl Backfill {
    fn read(request: &mut Request<'_>) -> Option<Self> {
        let policy = request.required("policy", "name the policy whose points are to be copied");
        let target = request.required("target", "name one of the policy's targets by its vault's ARN");
        let since = request.required::<Moment>("since", "say from which moment on points are to be copied");
        Some(Self { policy: policy?, target: target?, since: since?.0 })
    }
}

/// A time in a request.
struct Moment(Timestamp);

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .map(Self)
            .map_err(|_| format!("{text:?} is not a time (RFC 3339, such as 2025-01-06T06:00:00Z)"))
    }
}

impl Input {
    pub(crate) fn parse(value: &Value) -> Result<Self, Refusal> {
        if event::is_envelope(value) {
            return event::parse(value).map(Self::Event);
        }
        let mut request = Request::of(value)?;
        let dry_run = request.flag("dry_run");
        let after = request.parsed("next");
        let backfills = request.raw("backfill").is_some();
        let wanted = request.object("backfill", Backfill::read);
        let reconciles = request.flag("reconcile");
        if !backfills && !reconciles {
            request.missing("reconcile", "must be true, or say in \"backfill\" what is to be copied");
        } else if backfills && reconciles {
            request.problem("backfill", "$.backfill", "cannot be asked for together with reconcile");
        }
        request.finish()?;
        match wanted {
            Some(wanted) => Ok(Self::Backfill { wanted, dry_run, after }),
            None if backfills => Err(Refusal::new(ErrorType::InvalidRequest, "cannot be read")),
            None => Ok(Self::Reconcile { dry_run, after }),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const TARGET: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";

    #[test]
    fn each_form_of_request_is_told_apart() {
        let reconcile = Input::parse(&json!({"reconcile": true}));
        assert_eq!(reconcile, Ok(Input::Reconcile { dry_run: false, after: None }));
        let backfill = Input::parse(&json!({
            "backfill": {"policy": "orders", "target": TARGET, "since": "2025-01-06T06:00:00Z"}, "dry_run": true,
        }));
        let Ok(Input::Backfill { wanted, dry_run: true, after: None }) = backfill else {
            panic!("{backfill:?}")
        };
        assert_eq!((wanted.policy.as_str(), wanted.target.as_str()), ("orders", TARGET));
        assert_eq!(wanted.since.to_string(), "2025-01-06T06:00:00Z");
    }

    #[rstest]
    #[case(json!({}), &["$.reconcile: is missing"])]
    #[case(json!({"reconcile": false}), &["$.reconcile: is missing"])]
    #[case(json!({"reconcile": true, "x": 1}), &["$.x: is unknown"])]
    #[case(json!({"backfill": {}}), &["$.backfill.policy: is missing", "$.backfill.target: is missing", "$.backfill.since: is missing"])]
    #[case(
        json!({"backfill": {"policy": "a b", "target": "x", "since": "yesterday", "all": true}, "next": 1}),
        &["$.backfill.policy: ", "$.backfill.target: ", "$.backfill.since: \"yesterday\" is not a time", "$.backfill.all: is unknown", "$.next: must be a text"]
    )]
    #[case(json!({"backfill": {"policy": "a", "target": TARGET, "since": "2025-01-06T06:00:00Z"}, "reconcile": true}), &["$.backfill: cannot be asked for together"])]
    #[case(json!([]), &["$: must be a JSON object"])]
    #[case(json!({"source": "aws.backup", "detail-type": "Copy Job State Change", "detail": {}}), &["$.detail"])]
    fn a_malformed_request_is_refused_with_every_problem(#[case] input: Value, #[case] lines: &[&str]) {
        let refusal = Input::parse(&input).unwrap_err().to_string();
        let said: Vec<_> = refusal.lines().collect();
        assert!(said.len() >= lines.len(), "{refusal}");
        for (said, line) in said.iter().zip(lines) {
            assert!(said.starts_with(line), "{refusal}");
        }
    }
}
