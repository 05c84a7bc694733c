//! What the function is invoked with.

use dynachain::error::{ErrorType, Refusal};
use dynachain::event::{self, Event};
use dynachain::request::Request;
use dynachain::restore::RestoreRequest;
use serde_json::Value;

/// The most tables of one request: as many as DynamoDB restores at a time (Amazon DynamoDB Developer Guide, "Quotas").
const MOST: usize = 50;

/// One invocation's input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    Start(Start),
    Status(String),
    Reconcile { dry_run: bool },
    Event(Event),
}

/// Restores to plan and start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Start {
    pub(crate) requests: Vec<RestoreRequest>,
    /// Whether they were asked for as a list, and are answered as one.
    pub(crate) as_list: bool,
    pub(crate) dry_run: bool,
}

impl Input {
    pub(crate) fn parse(value: &Value) -> Result<Self, Refusal> {
        if event::is_envelope(value) {
            return event::parse(value).map(Self::Event);
        }
        let mut request = Request::of(value)?;
        let dry_run = request.flag("dry_run");
        let input = if request.raw("reconcile").is_some() {
            if !request.flag("reconcile") {
                request.problem("reconcile", "$.reconcile", "must be true");
            }
            Some(Self::Reconcile { dry_run })
        } else if request.raw("status").is_some() {
            request.required("status", "say the restore_id").map(Self::Status)
        } else if request.raw("restores").is_some() {
            Self::several(&mut request, dry_run)
        } else {
            let one = RestoreRequest::read(&mut request);
            one.map(|one| Self::Start(Start { requests: vec![one], as_list: false, dry_run }))
        };
        request.finish()?;
        // Never the case: what cannot be read has been refused.
        input.ok_or_else(|| Refusal::new(ErrorType::InvalidRequest, "cannot be read"))
    }

    fn several(request: &mut Request<'_>, dry_run: bool) -> Option<Self> {
        let reason = RestoreRequest::reason(request);
        let mut requests = request.objects("restores", RestoreRequest::read_one_of_several)?;
        for one in requests.iter_mut().filter(|one| one.reason.is_none()) {
            one.reason.clone_from(&reason);
        }
        if requests.is_empty() || requests.len() > MOST {
            let message = format!("has {} restores; from 1 to {MOST} are possible", requests.len());
            request.problem("restores", "$.restores", message);
        }
        Some(Self::Start(Start { requests, as_list: true, dry_run }))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_request_is_told_by_its_members() {
        let parse = |value: Value| Input::parse(&value).unwrap();
        assert_eq!(parse(json!({"status": "8f1c"})), Input::Status("8f1c".to_owned()));
        assert_eq!(parse(json!({"reconcile": true, "dry_run": true})), Input::Reconcile { dry_run: true });
        let Input::Start(one) = parse(json!({"restore": {"table": "orders"}})) else { unreachable!() };
        assert!(!one.as_list && !one.dry_run && one.requests.len() == 1);
        let several =
            json!({"restores": [{"table": "orders", "reason": "a"}, {"table": "users"}], "reason": "b"});
        let Input::Start(two) = parse(several) else { unreachable!() };
        let reasons: Vec<_> = two.requests.iter().map(|one| one.reason.as_deref()).collect();
        assert!(two.as_list && reasons == [Some("a"), Some("b")], "{two:?}");
    }

    #[rstest]
    #[case(json!({}), "$.restore: is missing")]
    #[case(json!({"restores": []}), "$.restores: has 0 restores")]
    #[case(json!({"restores": {}}), "$.restores: must be a list")]
    #[case(json!({"status": 1}), "$.status: must be a text")]
    #[case(json!({"reconcile": false}), "$.reconcile: must be true")]
    #[case(json!({"status": "8f1c", "restore": {"table": "orders"}}), "$.restore: is unknown")]
    fn anything_else_is_refused(#[case] value: Value, #[case] said: &str) {
        let refusal = Input::parse(&value).unwrap_err();
        assert_eq!(refusal.error_type(), ErrorType::InvalidRequest);
        assert!(refusal.to_string().starts_with(said), "{refusal}");
    }
}
