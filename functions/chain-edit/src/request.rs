//! The requests.

use std::str::FromStr;

use dynachain::error::Refusal;
use dynachain::event::{self, Event};
use dynachain::id::{PolicyName, RecoveryPointArn};
use dynachain::request::{Request as Members, TableRef};
use dynachain::retention::End;
use serde_json::Value;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) ask: Ask,
    pub(crate) how: How,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// One point is to live longer, or no longer.
    Extend(Extend),
    /// The points of a policy are to live by what it says now.
    Restamp(Restamp),
    /// Edits that were cut short are to be finished.
    Reconcile,
    /// A run that ran out of time goes on in this invocation.
    GoOn,
    /// An event that means nothing here.
    Nothing,
}

/// An extension, or its undoing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extend {
    pub(crate) point: RecoveryPointArn,
    pub(crate) until: Option<End>,
}

/// A restamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Restamp {
    pub(crate) policy: PolicyName,
    /// All of the policy's where none is named.
    pub(crate) tables: Vec<TableRef>,
}

/// How it is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct How {
    pub(crate) dry_run: bool,
    /// The digest of the plan that may be carried out although points become deletable.
    pub(crate) confirm: Option<String>,
    /// The last point of the list before.
    pub(crate) after: Option<RecoveryPointArn>,
}

impl Request {
    pub(crate) fn parse(event: &Value) -> Result<Self, Refusal> {
        if event::is_envelope(event) {
            let ask = match event::parse(event)? {
                Event::EditContinued(_) => Ask::GoOn,
                _ => Ask::Nothing,
            };
            return Ok(Self { ask, how: How::default() });
        }
        let mut members = Members::of(event)?;
        let null = event.pointer("/extend/until").is_some_and(Value::is_null);
        let extend = members.object("extend", |inner| read_extend(inner, null));
        let restamp = members.object("restamp", read_restamp);
        let reconcile = members.flag("reconcile");
        let how = How {
            dry_run: members.flag("dry_run"),
            confirm: members.parsed::<Hex>("confirm").map(|digest| digest.0),
            after: members.parsed("next"),
        };
        let asked: Vec<_> =
            ["extend", "restamp"].into_iter().filter(|name| members.raw(name).is_some()).collect();
        match (asked.as_slice(), reconcile) {
            ([], false) => {
                members.problem("", "$", "say one of \"extend\", \"restamp\", \"reconcile\": true");
            }
            ([_], false) | ([], true) => {}
            _ => members.problem("", "$", "say only one of \"extend\", \"restamp\", \"reconcile\""),
        }
        if how.after.is_some() && !how.dry_run {
            members.problem("next", "$.next", "goes with \"dry_run\": true: only a plan is looked through");
        }
        members.finish()?;
        let ask = extend.map(Ask::Extend).or(restamp.map(Ask::Restamp)).unwrap_or(Ask::Reconcile);
        Ok(Self { ask, how })
    }
}

fn read_extend(members: &mut Members<'_>, null: bool) -> Option<Extend> {
    let point = members.required("recovery_point", "name the point by its ARN");
    let until: Option<End> = members.parsed("until");
    if until.is_none() && !null && members.raw("until").is_none() {
        members.missing("until", "a time such as \"2030-01-01T00:00:00Z\", \"forever\", or null to undo");
    }
    let whole_seconds = |end| match end {
        End::At(time) => End::At(dynachain::time::whole_seconds(time)),
        End::Never => End::Never,
    };
    Some(Extend { point: point?, until: until.map(whole_seconds) })
}

fn read_restamp(members: &mut Members<'_>) -> Option<Restamp> {
    let policy = members.required("policy", "name the policy");
    let tables = members.parsed_list("tables").unwrap_or_default();
    Some(Restamp { policy: policy?, tables })
}

/// A digest as answers show it.
struct Hex(String);

impl FromStr for Hex {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if hex {
            Ok(Self(text.to_owned()))
        } else {
            Err("is not the \"digest\" of an answer (64 hex digits)")
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const POINT: &str = "arn:aws:backup:eu-central-1:111122223333:recovery-point:x";

    #[rstest]
    #[case::a_time(json!("2030-01-01T00:00:00.7Z"), Some(End::At("2030-01-01T00:00:00Z".parse().unwrap())))]
    #[case::forever(json!("forever"), Some(End::Never))]
    #[case::undone(json!(null), None)]
    fn an_extension_is_a_time_forever_or_null(#[case] until: Value, #[case] end: Option<End>) {
        let request = Request::parse(&json!({"extend": {"recovery_point": POINT, "until": until}})).unwrap();
        assert_eq!(request.ask, Ask::Extend(Extend { point: POINT.parse().unwrap(), until: end }));
    }

    #[test]
    fn an_event_goes_on_with_a_run_or_means_nothing() {
        let event = |kind: &str| {
            let vault = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
            json!({"source": "dynachain", "detail-type": kind, "detail": {"vault": vault, "digest": "a"}})
        };
        assert_eq!(Request::parse(&event("Chain Edit Continued")).unwrap().ask, Ask::GoOn);
        assert_eq!(Request::parse(&event("Prune Continued")).unwrap().ask, Ask::Nothing);
    }

    #[test]
    fn a_restamp_may_name_tables_and_a_confirmation() {
        let digest = "a".repeat(64);
        let request = json!({"restamp": {"policy": "orders", "tables": ["users"]}, "confirm": digest});
        let request = Request::parse(&request).unwrap();
        let Ask::Restamp(restamp) = request.ask else { unreachable!() };
        assert_eq!((restamp.policy.as_str(), restamp.tables.len()), ("orders", 1));
        assert_eq!(request.how.confirm, Some(digest));
    }

    #[rstest]
    #[case(json!({}), "$: say one of")]
    #[case(json!({"reconcile": false}), "$: say one of")]
    #[case(json!({"reconcile": true, "restamp": {"policy": "a"}}), "$: say only one of")]
    #[case(json!({"extend": {"until": null}}), "$.extend.recovery_point: is missing")]
    #[case(json!({"extend": {"recovery_point": POINT}}), "$.extend.until: is missing")]
    #[case(json!({"extend": {"recovery_point": POINT, "until": "soon"}}), "$.extend.until: \"soon\" is no time")]
    #[case(json!({"restamp": {}}), "$.restamp.policy: is missing")]
    #[case(json!({"restamp": {"policy": "a", "tables": "b"}}), "$.restamp.tables: must be a list")]
    #[case(json!({"restamp": {"policy": "a"}, "confirm": "yes"}), "$.confirm: is not the \"digest\"")]
    #[case(json!({"restamp": {"policy": "a"}, "next": POINT}), "$.next: goes with \"dry_run\"")]
    #[case(json!({"restamp": {"policy": "a"}, "forse": 1}), "$.forse: is unknown")]
    #[case(json!([]), "$: must be a JSON object")]
    fn a_malformed_request_is_refused_with_its_path(#[case] request: Value, #[case] message: &str) {
        let refusal = Request::parse(&request).unwrap_err().to_string();
        assert!(refusal.starts_with(message), "{refusal}");
    }
}
