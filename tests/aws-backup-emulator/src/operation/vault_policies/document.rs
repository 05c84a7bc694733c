//! A policy document, held against what a vault's policy may say (AWS Backup Developer Guide, "Vault access policies").

use crate::operation::vaults::is_account;
use serde_json::{Map, Value};

use crate::iam::Policy;
use crate::state::vault_policy::VaultPolicy;

/// No document tells a limit; this is that of an S3 bucket's policy.
const LARGEST: usize = 20 * 1024;
/// What another account may be allowed, and nothing else.
const SHARED: &str = "backup:CopyIntoBackupVault";

/// A policy for a vault of this account.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn read(document: String, account: &str) -> Result<VaultPolicy, String> {
    if document.len() > LARGEST {
        return Err(format!("The policy is larger than {LARGEST} bytes."));
    }
    let parsed: Value =
        serde_json::from_str(&document).map_err(|error| format!("The policy is not valid JSON: {error}"))?;
    let members = parsed.as_object().ok_or("The policy is not a JSON object.")?;
    check_members(members, &["Version", "Id", "Statement"])?;
    if !matches!(members.get("Version").map(Value::as_str), None | Some(Some("2012-10-17" | "2008-10-17"))) {
        return Err("The policy has an unsupported Version.".to_owned());
    }
    let statements = match members.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Err("The policy has no Statement.".to_owned()),
    };
    statements.into_iter().try_for_each(|statement| check_statement(statement, account))?;
    let policy: Policy = document.parse().map_err(|error| format!("{error}"))?;
    Ok(VaultPolicy::new(document, policy))
}

fn check_members(members: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match members.keys().find(|member| !known.contains(&member.as_str())) {
        Some(strange) => Err(format!("The policy has an unsupported element: {strange}")),
        None => Ok(()),
    }
}

fn check_statement(statement: &Value, account: &str) -> Result<(), String> {
    let members = statement.as_object().ok_or("A Statement is not a JSON object.")?;
    let known = ["Sid", "Effect", "Principal", "Action", "Resource", "NotResource", "Condition"];
    check_members(members, &known)?;
    let allows = match members.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("A Statement has no Effect of Allow or Deny.".to_owned()),
    };
    if members.get("Sid").is_some_and(|sid| !sid.is_string()) {
        return Err("A Statement has a Sid that is not a string.".to_owned());
    }
    let actions = texts(members.get("Action")).ok_or("A Statement has no Action.")?;
    actions.iter().try_for_each(|action| check_action(action))?;
    let (resource, other) = (members.get("Resource"), members.get("NotResource"));
    if resource.is_some() == other.is_some() || texts(resource.or(other)).is_none() {
        return Err("A Statement needs either Resource or NotResource.".to_owned());
    }
    let shared = check_principal(members.get("Principal"), account)?;
    if allows && shared && actions.iter().any(|action| !action.eq_ignore_ascii_case(SHARED)) {
        return Err(
            "The specified policy cannot be added to the vault due to cross-account sharing restrictions. \
                    Amend the policy or the vault's settings, then retry request"
                .to_owned(),
        );
    }
    Ok(())
}

/// A string or a list of some.
fn texts(value: Option<&Value>) -> Option<Vec<&str>> {
    match value? {
        Value::String(text) => Some(vec![text]),
        Value::Array(values) if !values.is_empty() => values.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn check_action(action: &str) -> Result<(), String> {
    if action.contains(['*', '?']) {
        return Err(format!("The policy has a wildcard in an Action: {action}"));
    }
    let name = action.get(..7).filter(|prefix| prefix.eq_ignore_ascii_case("backup:")).map(|_| &action[7..]);
    match name {
        Some(name) if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()) => Ok(()),
        _ => Err(format!("The policy has an Action that is not one of AWS Backup: {action}")),
    }
}

/// Is somebody else named than the account itself and what is in it?
fn check_principal(principal: Option<&Value>, account: &str) -> Result<bool, String> {
    let invalid = |what: &str| format!("The policy has an invalid Principal: {what}");
    let kinds = match principal {
        Some(Value::String(all)) if all == "*" => return Ok(true),
        Some(Value::Object(kinds)) if !kinds.is_empty() => kinds,
        Some(other) => return Err(invalid(&other.to_string())),
        None => return Err("A Statement has no Principal.".to_owned()),
    };
    let mut shared = false;
    for (kind, names) in kinds {
        let names = texts(Some(names)).ok_or_else(|| invalid(kind))?;
        match kind.as_str() {
            "AWS" => {
                for name in names {
                    let owner = account_of(name).ok_or_else(|| invalid(name))?;
                    shared |= owner != account;
                }
            }
            "Service" => {}
            other => return Err(invalid(other)),
        }
    }
    Ok(shared)
}

/// The account of a principal, `*` for all.
fn account_of(name: &str) -> Option<&str> {
    let is_account = |text: &&str| is_account(text);
    if name == "*" {
        return Some(name);
    }
    let parts: Vec<&str> = name.splitn(6, ':').collect();
    let ["arn", _, service, "", account, resource] = parts.as_slice() else {
        return Some(name).filter(is_account);
    };
    let kind = match *service {
        "iam" => *resource == "root" || resource.starts_with("role/") || resource.starts_with("user/"),
        "sts" => resource.starts_with("assumed-role/"),
        _ => false,
    };
    (kind && !resource.contains(['*', '?'])).then_some(*account).filter(is_account)
}

#[cfg(test)]
mod tests;
