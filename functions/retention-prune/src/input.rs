//! What the functions are invoked with.

use std::fmt;
use std::str::FromStr;

use dynachain::chain::ChainKind;
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::{self, Event, PruneContinued};
use dynachain::id::RecoveryPointArn;
use dynachain::request::{Place, Request, TableRef};
use serde_json::Value;

use crate::deps::Removes;

/// One invocation's input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    /// Delete what is due, or look at it.
    Prune { table: Option<TableRef>, how: How },
    /// Delete what is in this plan and still due.
    Confirm { digest: PlanDigest, how: How },
    /// Remove by hand.
    Remove { removal: Removal, how: How },
    /// An event wants what is due to be deleted.
    Due,
    /// A run goes on in this invocation.
    Continued(PruneContinued),
    /// An event that means nothing here.
    NotOurs,
}

/// How a request is to be carried out and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct How {
    pub(crate) dry_run: bool,
    /// Points after this one only.
    pub(crate) after: Option<Place>,
}

/// A removal by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Removal {
    pub(crate) of: Of,
    /// Whether the last usable point may go.
    pub(crate) include_last: bool,
    /// The digest of the plan that is confirmed; without one it is only planned.
    pub(crate) confirm: Option<PlanDigest>,
}

/// What is to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The points of one chain of a table, or its manual backups.
    Table { table: TableRef, what: What },
    /// One point.
    Point(RecoveryPointArn),
}

/// Which points of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Backups,
    Copies,
    Manual,
}

impl What {
    pub(crate) fn chain(self) -> ChainKind {
        match self {
            Self::Backups => ChainKind::Regular,
            Self::Copies => ChainKind::Copy,
            Self::Manual => ChainKind::Manual,
        }
    }
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "backups" => Ok(Self::Backups),
            "copies" => Ok(Self::Copies),
            "manual" => Ok(Self::Manual),
            _ => Err(format!("{text:?} is none of \"backups\", \"copies\" and \"manual\"")),
        }
    }
}

/// The digest of a plan: 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanDigest(String);

impl PlanDigest {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlanDigest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit()) {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(format!("{text:?} is not the digest of a plan (64 hexadecimal digits)")),
        }
    }
}

impl Input {
    /// Reads the input of the function that removes these points.
    pub(crate) fn parse(value: &Value, removes: Removes) -> Result<Self, Refusal> {
        if event::is_envelope(value) {
            return event(value, removes);
        }
        let mut request = Request::of(value)?;
        let how = How { dry_run: request.flag("dry_run"), after: request.parsed("next") };
        let input = if request.raw("remove").is_some() {
            Removal::read(&mut request, removes).map(|removal| Self::Remove { removal, how })
        } else if removes == Removes::Manual {
            request.missing("remove", "this function removes manual backups by hand, and does nothing else");
            None
        } else if request.raw("confirm").is_some() {
            let digest = request.parsed("confirm");
            digest.map(|digest| Self::Confirm { digest, how })
        } else {
            Some(Self::Prune { table: request.parsed("table"), how })
        };
        request.finish()?;
        // What cannot be read has been refused.
        input.ok_or_else(|| Refusal::new(ErrorType::InvalidRequest, "cannot be read"))
    }
}

/// Sessions that end, the daily schedule, and a run that goes on. Nothing happens of itself to manual backups.
fn event(value: &Value, removes: Removes) -> Result<Input, Refusal> {
    Ok(match event::parse(value)? {
        _ if removes == Removes::Manual => Input::NotOurs,
        Event::SessionFinished(_) => Input::Due,
        Event::NotOurs(other) if other.source == "aws.events" => Input::Due,
        Event::PruneContinued(continued) => Input::Continued(continued),
        _ => Input::NotOurs,
    })
}

impl Removal {
    fn read(request: &mut Request<'_>, removes: Removes) -> Option<Self> {
        let outer = request.flag("include_last");
        let confirm = request.parsed("confirm");
        let (of, inner) = request.object("remove", |remove| {
            // It belongs to the removal; beside it, it is understood as well.
            let include_last = remove.flag("include_last");
            Of::read(remove, removes).map(|of| (of, include_last))
        })?;
        Some(Self { of, include_last: outer || inner, confirm })
    }
}

impl Of {
    fn read(remove: &mut Request<'_>, removes: Removes) -> Option<Self> {
        if remove.raw("recovery_point").is_some() {
            return remove.parsed("recovery_point").map(Self::Point);
        }
        let table = remove.required("table", "name a table, or a recovery_point");
        let what: Option<What> = remove.required("what", "say \"backups\", \"copies\" or \"manual\"");
        let elsewhere = match (removes, what) {
            (Removes::Chains, Some(What::Manual)) => Some("dynachain-manual-removal"),
            (Removes::Manual, Some(What::Backups | What::Copies)) => Some("dynachain-retention-prune"),
            _ => None,
        };
        if let Some(function) = elsewhere {
            remove.problem(
                "what",
                "$.remove.what",
                format!("is for {function}: this function's role may not"),
            );
        }
        Some(Self::Table { table: table?, what: what? })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const POINT: &str = "arn:aws:backup:eu-central-1:111122223333:recovery-point:0b2f";

    fn chains(value: &Value) -> Result<Input, Refusal> {
        Input::parse(value, Removes::Chains)
    }

    #[test]
    fn each_form_of_request_is_told_apart() {
        let how = How::default;
        let tried = How { dry_run: true, after: None };
        let table = TableRef::Name("orders".parse().unwrap());
        assert_eq!(chains(&json!({})), Ok(Input::Prune { table: None, how: how() }));
        assert_eq!(
            chains(&json!({"table": "orders", "dry_run": true})),
            Ok(Input::Prune { table: Some(table.clone()), how: tried.clone() })
        );
        let digest: PlanDigest = DIGEST.parse().unwrap();
        assert_eq!(
            chains(&json!({"confirm": DIGEST.to_uppercase()})),
            Ok(Input::Confirm { digest: digest.clone(), how: how() })
        );
        let removal =
            Removal { of: Of::Table { table, what: What::Copies }, include_last: false, confirm: None };
        assert_eq!(
            chains(&json!({"remove": {"table": "orders", "what": "copies"}})),
            Ok(Input::Remove { removal, how: how() })
        );
        let removal =
            Removal { of: Of::Point(POINT.parse().unwrap()), include_last: true, confirm: Some(digest) };
        for request in [
            json!({"remove": {"recovery_point": POINT}, "include_last": true, "confirm": DIGEST, "dry_run": true}),
            json!({"remove": {"recovery_point": POINT, "include_last": true}, "confirm": DIGEST, "dry_run": true}),
        ] {
            assert_eq!(chains(&request), Ok(Input::Remove { removal: removal.clone(), how: tried.clone() }));
        }
    }

    #[rstest]
    #[case(json!({"tabel": "orders"}), "$.tabel: is unknown")]
    #[case(json!({"table": "a b"}), "$.table: \"a b\" is not a table name")]
    #[case(json!({"confirm": "yes"}), "$.confirm: \"yes\" is not the digest of a plan")]
    #[case(json!({"confirm": DIGEST, "table": "orders"}), "$.table: is unknown")]
    #[case(json!({"include_last": true}), "$.include_last: is unknown")]
    #[case(json!({"remove": {}}), "$.remove.table: is missing: name a table, or a recovery_point")]
    #[case(json!({"remove": {"table": "orders"}}), "$.remove.what: is missing")]
    #[case(json!({"remove": {"table": "orders", "what": "all"}}), "$.remove.what: \"all\" is none of")]
    #[case(json!({"remove": {"table": "orders", "what": "manual"}}), "$.remove.what: is for dynachain-manual-removal")]
    #[case(json!({"remove": {"recovery_point": POINT, "table": "orders"}}), "$.remove.table: is unknown")]
    #[case(json!({"remove": {"recovery_point": "x"}}), "$.remove.recovery_point: ")]
    #[case(json!({"remove": "orders"}), "$.remove: must be an object")]
    #[case(json!([]), "$: must be a JSON object")]
    fn a_malformed_request_is_refused_with_its_path(#[case] request: Value, #[case] message: &str) {
        let refusal = chains(&request).unwrap_err().to_string();
        assert!(refusal.starts_with(message), "{refusal}");
    }

    #[rstest]
    #[case(json!({}), "$.remove: is missing")]
    #[case(json!({"table": "orders"}), "$.table: is unknown")]
    #[case(json!({"confirm": DIGEST}), "$.confirm: is unknown")]
    #[case(json!({"remove": {"table": "orders", "what": "backups"}}), "$.remove.what: is for dynachain-retention-prune")]
    fn manual_backups_are_removed_by_hand_alone(#[case] request: Value, #[case] message: &str) {
        let refusal = Input::parse(&request, Removes::Manual).unwrap_err().to_string();
        assert!(refusal.starts_with(message), "{refusal}");
    }

    #[test]
    fn events_of_sessions_and_of_the_schedule_want_what_is_due_deleted() {
        let event = |source: &str, kind: &str, detail: Value| json!({"source": source, "detail-type": kind, "detail": detail});
        let daily = event("aws.events", "Scheduled Event", json!({}));
        let finished = event(
            "dynachain",
            "Backup Session Finished",
            json!({
                "session": "orders@2025-01-06T06:00:00Z", "policy": "orders", "scheduled_at": "2025-01-06T06:00:00Z",
                "flags": ["D"], "tables": {"covered": 1, "started": 1, "skipped": 0, "failed": 0}, "duplicate": false,
                "finished": true, "failures": [],
            }),
        );
        let other = event("aws.ec2", "EC2 Instance State-change Notification", json!({}));
        for (event, here, there) in [
            (daily, Input::Due, Input::NotOurs),
            (finished, Input::Due, Input::NotOurs),
            (other, Input::NotOurs, Input::NotOurs),
        ] {
            assert_eq!(chains(&event), Ok(here));
            assert_eq!(
                Input::parse(&event, Removes::Manual),
                Ok(there),
                "nothing happens to manual backups of itself"
            );
        }
    }
}
