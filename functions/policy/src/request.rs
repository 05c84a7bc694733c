//! The requests this function takes.

use dynachain::error::Refusal;
use dynachain::id::{PolicyName, TableArn};
use serde_json::Value;

/// A request, read.
#[derive(Debug, PartialEq)]
pub(crate) struct Request<'a> {
    pub(crate) action: Action<'a>,
    /// Change nothing, and answer what would be done.
    pub(crate) dry_run: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum Action<'a> {
    Apply(&'a Value),
    Show(PolicyName),
    List { after: Option<PolicyName> },
    Delete(PolicyName),
    Enable(PolicyName),
    Disable(PolicyName),
    Check { policy: PolicyName, after: Option<TableArn> },
    Estimate(Subject<'a>),
}

/// The policy that is meant.
#[derive(Debug, PartialEq)]
pub(crate) enum Subject<'a> {
    /// One that is stored.
    Stored(PolicyName),
    /// One that is only planned, by its document.
    Planned(&'a Value),
}

impl Action<'_> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Apply(_) => "apply",
            Self::Show(_) => "show",
            Self::List { .. } => "list",
            Self::Delete(_) => "delete",
            Self::Enable(_) => "enable",
            Self::Disable(_) => "disable",
            Self::Check { .. } => "check",
            Self::Estimate(_) => "estimate",
        }
    }
}

const KINDS: [&str; 8] = ["apply", "show", "list", "delete", "enable", "disable", "estimate", "check"];

impl<'a> Request<'a> {
    /// Reads a request: exactly one kind, and nothing unknown.
    ///
    /// # Errors
    /// `InvalidRequest` with every problem.
    pub(crate) fn parse(value: &'a Value) -> Result<Self, Refusal> {
        let mut request = dynachain::request::Request::of(value)?;
        let dry_run = request.flag("dry_run");
        let given: Vec<&'static str> = KINDS.into_iter().filter(|kind| request.raw(kind).is_some()).collect();
        let action = match given.as_slice() {
            ["apply"] => request.raw("apply").map(Action::Apply),
            ["list"] => read_list(&mut request),
            ["show"] => request.parsed("show").map(Action::Show),
            ["delete"] => request.parsed("delete").map(Action::Delete),
            ["enable"] => request.parsed("enable").map(Action::Enable),
            ["disable"] => request.parsed("disable").map(Action::Disable),
            ["check"] => read_check(&mut request),
            ["estimate"] => read_subject(&mut request).map(Action::Estimate),
            [] => {
                let kinds = KINDS.map(|kind| format!("{kind:?}")).join(", ");
                request.problem("", "$", format!("asks for nothing; give one of {kinds}"));
                None
            }
            [_, more @ ..] => {
                for kind in more {
                    request.problem(kind, &format!("$.{kind}"), "is a second request; give one at a time");
                }
                None
            }
        };
        request.finish()?;
        let unread = || Refusal::new(dynachain::error::ErrorType::InvalidRequest, "cannot be read");
        action.map(|action| Self { action, dry_run }).ok_or_else(unread)
    }
}

/// A policy's name, or a document; what is neither gets told of both.
fn read_subject<'a>(request: &mut dynachain::request::Request<'a>) -> Option<Subject<'a>> {
    match request.raw("estimate")? {
        Value::String(_) => request.parsed("estimate").map(Subject::Stored),
        document @ Value::Object(_) => Some(Subject::Planned(document)),
        other => {
            let kind = dynachain::request::kind(other);
            let message = format!("must be a policy's name or a policy document, it is {kind}");
            request.problem("estimate", "$.estimate", message);
            None
        }
    }
}

fn read_list<'a>(request: &mut dynachain::request::Request<'a>) -> Option<Action<'a>> {
    match request.raw("list") {
        Some(Value::Object(members)) => {
            for name in members.keys() {
                request.problem("list", &format!("$.list.{name}"), "is unknown; write {\"list\": {}}");
            }
        }
        _ => request.problem("list", "$.list", "must be an empty object: {\"list\": {}}"),
    }
    let given = request.raw("next").is_some();
    let after = request.parsed("next");
    (after.is_some() || !given).then_some(Action::List { after })
}

fn read_check<'a>(request: &mut dynachain::request::Request<'a>) -> Option<Action<'a>> {
    let policy = request.parsed("check");
    let given = request.raw("next").is_some();
    let after = request.parsed("next");
    (after.is_some() || !given).then_some(())?;
    Some(Action::Check { policy: policy?, after })
}

#[cfg(test)]
mod tests {
    use dynachain::error::ErrorType;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_request_is_read() {
        let orders: PolicyName = "orders".parse().unwrap();
        let document = json!({"name": "orders"});
        let action = |value: Value| match Request::parse(&value) {
            Ok(request) => format!("{request:?}"),
            Err(refusal) => refusal.to_string(),
        };
        let expect = |action: Action<'_>, dry_run| format!("{:?}", Request { action, dry_run });
        assert_eq!(
            action(json!({"apply": document, "dry_run": true})),
            expect(Action::Apply(&document), true)
        );
        assert_eq!(action(json!({"show": "orders"})), expect(Action::Show(orders.clone()), false));
        assert_eq!(action(json!({"list": {}})), expect(Action::List { after: None }, false));
        assert_eq!(
            action(json!({"list": {}, "next": "orders"})),
            expect(Action::List { after: Some(orders.clone()) }, false)
        );
        assert_eq!(action(json!({"delete": "orders"})), expect(Action::Delete(orders.clone()), false));
        assert_eq!(action(json!({"enable": "orders"})), expect(Action::Enable(orders.clone()), false));
        assert_eq!(action(json!({"disable": "orders"})), expect(Action::Disable(orders.clone()), false));
        let check = Action::Check { policy: orders.clone(), after: None };
        assert_eq!(action(json!({"check": "orders"})), expect(check, false));
        let estimate = |subject| expect(Action::Estimate(subject), false);
        assert_eq!(action(json!({"estimate": "orders"})), estimate(Subject::Stored(orders)));
        assert_eq!(action(json!({"estimate": document})), estimate(Subject::Planned(&document)));
    }

    #[rstest]
    #[case::nothing(json!({}), "$: asks for nothing; give one of")]
    #[case::no_object(json!([]), "$: must be a JSON object")]
    #[case::two(json!({"show": "a", "delete": "a"}), "$.delete: is a second request; give one at a time")]
    #[case::not_here(json!({"verify": "a"}), "$.verify: is unknown; known are")]
    #[case::bad_cursor(json!({"check": "a", "next": "b"}), "$.next: \"b\" is not a DynamoDB table ARN")]
    #[case::next_without_list(json!({"show": "a", "next": "b"}), "$.next: is unknown")]
    #[case::bad_next(json!({"list": {}, "next": "no name"}), "$.next: \"no name\" is not a policy name")]
    #[case::list_of_something(json!({"list": {"prefix": "a"}}), "$.list.prefix: is unknown")]
    #[case::list_of_nothing(json!({"list": "all"}), "$.list: must be an empty object")]
    #[case::bad_name(json!({"show": "a b"}), "$.show: \"a b\" is not a policy name")]
    #[case::estimate_of_a_number(json!({"estimate": 7}), "$.estimate: must be a policy's name or a policy document, it is a number")]
    #[case::estimate_of_a_bad_name(json!({"estimate": "a b"}), "$.estimate: \"a b\" is not a policy name")]
    #[case::no_name(json!({"delete": 7}), "$.delete: must be a text, it is a number")]
    #[case::dry_run(json!({"show": "a", "dry_run": "yes"}), "$.dry_run: must be true or false")]
    fn a_malformed_request_is_refused_with_its_path(#[case] request: Value, #[case] said: &str) {
        let refusal = Request::parse(&request).unwrap_err();
        assert_eq!(refusal.error_type(), ErrorType::InvalidRequest);
        assert!(refusal.to_string().lines().any(|line| line.starts_with(said)), "{refusal}");
    }
}
