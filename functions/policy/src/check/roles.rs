//! What the roles of the stack may do, as the IAM policy simulator sees it.

use std::collections::BTreeSet;

use dynachain::aws::roles::{Denied, Why};
use dynachain::aws::{AwsError, Fault};
use dynachain::permissions::{Permission, Role, Stack, Subjects};
use futures::{StreamExt as _, stream};
use serde_json::json;

use super::finding::Finding;
use crate::Deps;

/// Simulations made side by side; their rate is bounded beside.
const CONCURRENT: usize = 8;
/// How many resources a message names.
const NAMED: usize = 5;

pub(super) async fn check(deps: &Deps, subjects: &Subjects) -> Vec<Finding> {
    // A key that the stack's parameters do not name is missing in the role, and in the statement that remedies it.
    let stack = &deps.stack.with_target_keys(&subjects.keys);
    let mut findings = Vec::new();
    for role in Role::ALL {
        let trusted = deps.roles.trusted_services(stack.role(role)).await;
        let there = trusted.is_ok();
        findings.push(trust(stack, role, trusted));
        if there {
            findings.extend(permissions(deps, stack, role, subjects).await);
        }
    }
    findings
}

/// Whether the service that uses the role may assume it.
fn trust(stack: &Stack, role: Role, trusted: Result<Vec<String>, AwsError>) -> Finding {
    const CHECK: &str = "trust";
    let (arn, service) = (stack.role(role), role.service());
    match trusted {
        Ok(trusted) if trusted.iter().any(|trusted| trusted == service) => {
            Finding::holds(arn, CHECK, format!("{service} may assume the role"))
        }
        Ok(_) => {
            let statement =
                json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"});
            let document = json!({"Version": "2012-10-17", "Statement": [statement]});
            let name = arn.rsplit('/').next().unwrap_or(arn);
            Finding::fails(arn, CHECK, format!("{service} may not assume the role")).run(format!(
                "aws iam update-assume-role-policy --role-name {name} --policy-document '{document}'"
            ))
        }
        Err(error) if error.fault() == Fault::NotFound => {
            let message = "the role does not exist; deploy the stack again";
            Finding::fails(arn, CHECK, message)
        }
        Err(error) => untold(stack, arn, CHECK, &error),
    }
}

async fn permissions(deps: &Deps, stack: &Stack, role: Role, subjects: &Subjects) -> Vec<Finding> {
    let asked = role.permissions(stack).map(|permission| async move {
        let resources = permission.on.needed(stack, subjects);
        let context = permission.context(stack);
        let arn = stack.role(role);
        match deps.roles.denied(arn, permission.actions, &resources, &context).await {
            Ok(denied) => judge(stack, role, permission, &denied),
            Err(error) => vec![untold(stack, arn, &check_of(permission), &error)],
        }
    });
    stream::iter(asked).buffered(CONCURRENT).flat_map(stream::iter).collect().await
}

fn check_of(permission: &Permission) -> String {
    format!("permission:{}", permission.sid)
}

/// What the denials amount to: a finding for each reason.
fn judge(stack: &Stack, role: Role, permission: &Permission, denied: &[Denied]) -> Vec<Finding> {
    if denied.is_empty() {
        let message = format!("may {}", permission.actions.join(", "));
        return vec![Finding::holds(stack.role(role), check_of(permission), message)];
    }
    let reasons: BTreeSet<&Why> = denied.iter().map(|denied| &denied.why).collect();
    let of = |why: &Why| denied.iter().filter(|denied| denied.why == *why).collect::<Vec<_>>();
    reasons.into_iter().map(|why| refused(stack, stack.role(role), permission, why, &of(why))).collect()
}

/// The finding about actions that are denied for one reason.
fn refused(stack: &Stack, arn: &str, permission: &Permission, why: &Why, denied: &[&Denied]) -> Finding {
    let check = check_of(permission);
    let is_denied = |action: &&str| denied.iter().any(|denied| denied.action == **action);
    let actions: Vec<&str> = permission.actions.iter().copied().filter(is_denied).collect();
    let what = format!("{} on {}", actions.join(", "), listed(denied));
    match why {
        Why::NotAllowed => {
            let message = format!("may not {what}; add the statement to its policy");
            Finding::fails(arn, check, message).allow(permission.statement(stack, &actions))
        }
        Why::Depends(keys) => {
            let message = format!("whether it may {what} depends on {}", keys.join(", "));
            Finding::unknown(arn, check, message)
        }
        Why::Forbidden => {
            let message =
                format!("is denied {what} by a statement of its own; the command shows which, remove that");
            Finding::fails(arn, check, message).run(format!(
                "aws iam simulate-principal-policy --policy-source-arn {arn} --action-names {} --resource-arns {} \
                 --query 'EvaluationResults[].MatchedStatements[]'",
                actions.join(" "),
                resources(denied).into_iter().take(NAMED).collect::<Vec<_>>().join(" ")
            ))
        }
        Why::Organization => {
            let message =
                format!("is denied {what} by a service control policy; have the organization allow it");
            Finding::fails(arn, check, message)
        }
    }
}

/// The resources of the denials, each once.
fn resources<'a>(denied: &[&'a Denied]) -> BTreeSet<&'a str> {
    denied.iter().flat_map(|denied| &denied.resources).map(String::as_str).collect()
}

/// The resources, cut when there are many.
fn listed(denied: &[&Denied]) -> String {
    let all = resources(denied);
    let named = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// A role that could not be looked at, with the statement that lets this function look.
fn untold(stack: &Stack, arn: &str, check: &str, error: &AwsError) -> Finding {
    let finding = Finding::untold(arn, check, error);
    let look = Role::Policy.permissions(stack).find(|permission| permission.sid == "LookAtRoles");
    match look.filter(|_| error.fault() == Fault::AccessDenied) {
        Some(look) => finding.allow(look.statement(stack, look.actions)),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Remedy;

    fn stack() -> Stack {
        let role = |role: Role| (role, format!("arn:aws:iam::111122223333:role/{}", role.logical_id()));
        Stack {
            region: "eu-central-1".to_owned(),
            account: "111122223333".to_owned(),
            vault: "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap(),
            key: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1".parse().unwrap(),
            catalog: "dynachain".to_owned(),
            schedule_group: "dynachain".to_owned(),
            session_function: "arn:aws:lambda:eu-central-1:111122223333:function:f".to_owned(),
            schedule_queue: "arn:aws:sqs:eu-central-1:111122223333:s".to_owned(),
            invocation_queue: "arn:aws:sqs:eu-central-1:111122223333:i".to_owned(),
            roles: Role::ALL.map(role).into(),
            manages_backup_settings: true,
            target_keys: vec![],
        }
    }

    fn start_backups(denied: &[(&str, Why)]) -> Vec<Finding> {
        let stack = stack();
        let permission = Role::BackupSession
            .permissions(&stack)
            .find(|permission| permission.sid == "StartBackups")
            .unwrap();
        let denied: Vec<Denied> = denied
            .iter()
            .map(|(action, why)| Denied {
                action: (*action).to_owned(),
                resources: vec!["vault".to_owned()],
                why: why.clone(),
            })
            .collect();
        judge(&stack, Role::BackupSession, permission, &denied)
    }

    #[test]
    fn what_is_missing_comes_as_a_statement_with_just_that() {
        let [finding] = &start_backups(&[("backup:StartBackupJob", Why::NotAllowed)])[..] else {
            panic!("one")
        };
        assert_eq!((finding.check.as_str(), finding.ok), ("permission:StartBackups", Some(false)));
        assert!(finding.message.starts_with("may not backup:StartBackupJob on vault"), "{}", finding.message);
        let Some(Remedy::Statement(statement)) = &finding.remedy else { panic!("a statement") };
        assert_eq!(statement["Action"], json!(["backup:StartBackupJob"]));
        let vaults = "arn:aws:backup:eu-central-1:111122223333:backup-vault:*";
        assert_eq!(statement["Resource"], json!([vaults]));
    }

    #[test]
    fn each_reason_is_a_finding_of_its_own() {
        let both =
            [("backup:DescribeBackupVault", Why::NotAllowed), ("backup:StartBackupJob", Why::Forbidden)];
        let [missing, forbidden] = &start_backups(&both)[..] else { panic!("two") };
        assert!(missing.message.starts_with("may not backup:DescribeBackupVault"), "{}", missing.message);
        assert!(forbidden.message.starts_with("is denied backup:StartBackupJob"), "{}", forbidden.message);
        assert!(matches!(forbidden.remedy, Some(Remedy::Command(_))));
    }

    #[test]
    fn a_statement_is_offered_only_where_it_helps() {
        let why = |why: Why| start_backups(&[("backup:StartBackupJob", why)]).remove(0);
        let organization = why(Why::Organization);
        assert_eq!((organization.ok, organization.remedy), (Some(false), None));
        let depends = why(Why::Depends(vec!["aws:SourceIp".to_owned()]));
        assert_eq!((depends.ok, depends.remedy), (None, None));
        assert_eq!(start_backups(&[])[0].ok, Some(true));
    }

    #[test]
    fn a_role_must_trust_its_service() {
        let trust = |services: &[&str]| {
            let services = services.iter().map(|service| (*service).to_owned()).collect();
            trust(&stack(), Role::Backup, Ok(services))
        };
        assert_eq!(trust(&["backup.amazonaws.com"]).ok, Some(true));
        let finding = trust(&["lambda.amazonaws.com"]);
        let Some(Remedy::Command(command)) = finding.remedy else { panic!("a command") };
        assert!(
            command.starts_with("aws iam update-assume-role-policy --role-name BackupRole "),
            "{command}"
        );
    }

    #[test]
    fn a_role_that_may_not_be_looked_at_says_how_to_look() {
        let denied = AwsError::refused("SimulatePrincipalPolicy", "AccessDenied", "no");
        let finding = untold(&stack(), "role", "permission:Log", &denied);
        assert_eq!(finding.ok, None);
        let Some(Remedy::Statement(statement)) = finding.remedy else { panic!("a statement") };
        assert_eq!(statement["Action"], json!(["iam:GetRole", "iam:SimulatePrincipalPolicy"]));
        let gone = AwsError::refused("GetRole", "NoSuchEntity", "no");
        assert_eq!(trust(&stack(), Role::Backup, Err(gone)).ok, Some(false));
    }
}
