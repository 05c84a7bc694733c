//! What the function is invoked with.

use std::str::FromStr;

use dynachain::chain::Flags;
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::{self, Event, ScheduledStart};
use dynachain::id::{PolicyName, TableArn};
use dynachain::policy::parse_keep;
use dynachain::request::{Request, TableRef};
use dynachain::retention::Keep;
use serde_json::Value;

/// One invocation's input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    Scheduled(ScheduledStart, How),
    ByHand(ByHand, How),
    BackupNow { wanted: BackupNow, dry_run: bool },
    Reconcile { dry_run: bool },
    Event(Event),
}

/// A session started by hand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ByHand {
    pub(crate) policy: PolicyName,
    /// Only these of the policy's tables.
    pub(crate) tables: Option<Vec<TableRef>>,
    /// How long the points are kept, without any flag.
    pub(crate) keep: Option<Keep>,
}

impl ByHand {
    fn read(request: &mut Request<'_>) -> Option<Self> {
        let policy = request.required("policy", "name the policy to run");
        let tables = request.parsed_list("tables");
        let keep = keep(request);
        if tables.as_ref().is_some_and(Vec::is_empty) {
            request.problem("tables", "$.tables", "is empty; leave it out for all tables of the policy");
        }
        Some(Self { policy: policy?, tables, keep })
    }
}

/// A manual backup.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BackupNow {
    pub(crate) table: TableRef,
    /// The name of the vault; the stack's own if `None`.
    pub(crate) vault: Option<String>,
}

impl BackupNow {
    fn read(request: &mut Request<'_>) -> Option<Self> {
        let table = request.required("table", "name the table to back up");
        let vault = request.parsed::<VaultName>("vault");
        Some(Self { table: table?, vault: vault.map(|vault| vault.0) })
    }
}

/// The name of a backup vault (AWS Backup API Reference, "CreateBackupVault").
struct VaultName(String);

impl FromStr for VaultName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match (2..=50).contains(&text.len()) && text.chars().all(good) {
            true => Ok(Self(text.to_owned())),
            false => Err(format!(
                "{text:?} is not a vault's name (2 to 50 letters, digits, - and _) in this Region"
            )),
        }
    }
}

/// How a start is to be carried out and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct How {
    pub(crate) dry_run: bool,
    /// Details after this table only.
    pub(crate) after: Option<TableArn>,
}

impl Input {
    pub(crate) fn parse(value: &Value) -> Result<Self, Refusal> {
        if event::is_envelope(value) {
            return event::parse(value).map(Self::Event);
        }
        let mut request = Request::of(value)?;
        if request.raw("reconcile").is_some() {
            return Self::reconcile(request);
        }
        if request.raw("backup_now").is_some() {
            let dry_run = request.flag("dry_run");
            let wanted = request.object("backup_now", BackupNow::read);
            request.finish()?;
            return wanted.map(|wanted| Self::BackupNow { wanted, dry_run }).ok_or_else(unread);
        }
        let how = How { dry_run: request.flag("dry_run"), after: request.parsed("next") };
        let start = if request.raw("scheduled_at").is_some() {
            ScheduledStart::read(&mut request).map(|start| Self::Scheduled(start, how))
        } else {
            ByHand::read(&mut request).map(|start| Self::ByHand(start, how))
        };
        request.finish()?;
        start.ok_or_else(unread)
    }

    fn reconcile(mut request: Request<'_>) -> Result<Self, Refusal> {
        let dry_run = request.flag("dry_run");
        if !request.flag("reconcile") {
            request.problem("reconcile", "$.reconcile", "must be true");
        }
        request.finish()?;
        Ok(Self::Reconcile { dry_run })
    }
}

/// Never the case: what cannot be read has been refused.
fn unread() -> Refusal {
    Refusal::new(ErrorType::InvalidRequest, "cannot be read")
}

fn keep(request: &mut Request<'_>) -> Option<Keep> {
    let value = request.raw("keep")?;
    match parse_keep(value, "$.keep") {
        Ok(keep) => Some(keep),
        Err(problems) => {
            for problem in problems {
                request.problem("keep", &problem.path, problem.message);
            }
            None
        }
    }
}

/// The first of D, W, M, Y that there is: what a session by hand carries.
pub(crate) fn first(flags: Flags) -> Flags {
    flags.iter().take(1).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_form_of_request_is_told_apart() {
        let scheduled = Input::parse(&json!({"policy": "orders", "scheduled_at": "2025-01-06T06:00:00Z"}));
        assert!(matches!(scheduled, Ok(Input::Scheduled(start, _)) if start.policy.as_str() == "orders"));
        let next = "arn:aws:dynamodb:eu-central-1:111122223333:table/users";
        let tried = Input::parse(
            &json!({"policy": "orders", "scheduled_at": "2025-01-06T06:00:00Z", "dry_run": true, "next": next}),
        );
        let how = How { dry_run: true, after: Some(next.parse().unwrap()) };
        assert!(matches!(tried, Ok(Input::Scheduled(_, asked)) if asked == how));
        let by_hand = Input::parse(
            &json!({"policy": "orders", "tables": ["users"], "keep": {"days": 2}, "dry_run": true}),
        );
        let Ok(Input::ByHand(start, how)) = by_hand else { panic!("{by_hand:?}") };
        assert_eq!((start.keep, how.dry_run), (Some(Keep::Days(2)), true));
        assert_eq!(start.tables, Some(vec![TableRef::Name("users".parse().unwrap())]));
        assert_eq!(Input::parse(&json!({"reconcile": true})), Ok(Input::Reconcile { dry_run: false }));
    }

    #[rstest]
    #[case(json!({}), &["$.policy: is missing"])]
    #[case(json!({"policy": "a b"}), &["$.policy: \"a b\" is not a policy name"])]
    #[case(json!({"scheduled_at": "2025-01-06T06:00:00Z"}), &["$.policy: is missing"])]
    #[case(json!({"policy": "p", "scheduled_at": "yesterday"}), &["$.scheduled_at: \"yesterday\" is not a time"])]
    #[case(json!({"policy": "p", "scheduled_at": "2025-01-06T06:00:00Z", "keep": "forever"}), &["$.keep: is unknown"])]
    #[case(json!({"policy": "p", "tables": []}), &["$.tables: is empty"])]
    #[case(json!({"policy": "p", "tables": ["a"], "keep": {"days": 0}, "x": 1}), &["$.tables[0]: ", "$.keep.days: ", "$.x: is unknown"])]
    #[case(json!({"backup_now": {}}), &["$.backup_now.table: is missing"])]
    #[case(json!({"backup_now": {"table": "a", "vault": "x"}, "policy": "p"}), &["$.backup_now.table: ", "$.backup_now.vault: \"x\" is not a vault's name", "$.policy: is unknown"])]
    #[case(json!({"reconcile": false}), &["$.reconcile: must be true"])]
    #[case(json!("orders"), &["$: must be a JSON object"])]
    #[case(json!({"source": "aws.backup", "detail-type": "Backup Job State Change", "detail": {}}), &["$.detail"])]
    fn a_malformed_request_is_refused_with_every_problem(#[case] input: Value, #[case] lines: &[&str]) {
        let refusal = Input::parse(&input).unwrap_err().to_string();
        let said: Vec<_> = refusal.lines().collect();
        assert!(said.len() >= lines.len(), "{refusal}");
        for (said, line) in said.iter().zip(lines) {
            assert!(said.starts_with(line), "{refusal}");
        }
    }

    #[test]
    fn a_session_by_hand_carries_the_first_flag() {
        use dynachain::chain::Flag;
        assert_eq!(first([Flag::M, Flag::W].into_iter().collect()), [Flag::W].into_iter().collect());
        assert_eq!(first(Flags::NONE), Flags::NONE);
    }
}
