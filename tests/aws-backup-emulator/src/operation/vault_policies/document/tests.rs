use rstest::rstest;
use serde_json::json;

use super::*;

const ACCOUNT: &str = "111122223333";

/// A policy that is in order but for the members of its statement that are given.
fn policy(change: &Value) -> String {
    let mut statement = json!({
        "Effect": "Deny",
        "Principal": "*",
        "Action": "backup:DeleteRecoveryPoint",
        "Resource": "*",
    });
    for (name, value) in change.as_object().unwrap() {
        statement[name] = value.clone();
        if value.is_null() {
            statement.as_object_mut().unwrap().remove(name);
        }
    }
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn problem(document: impl Into<String>) -> String {
    read(document.into(), ACCOUNT).map(|_| "none".to_owned()).unwrap_or_else(|problem| problem)
}

#[rstest]
#[case::no_json("{", "not valid JSON")]
#[case::no_object("[]", "not a JSON object")]
#[case::no_statement(r#"{"Version":"2012-10-17"}"#, "no Statement")]
#[case::empty(r#"{"Statement":[]}"#, "no Statement")]
#[case::version(r#"{"Version":"2020-01-01","Statement":{}}"#, "unsupported Version")]
#[case::element(r#"{"Statements":[]}"#, "unsupported element: Statements")]
#[case::statement(r#"{"Statement":["x"]}"#, "not a JSON object")]
fn a_vault_policy_must_be_a_policy_document(#[case] document: &str, #[case] says: &str) {
    assert!(problem(document).contains(says), "{}", problem(document));
}

#[rstest]
#[case::effect(json!({"Effect": "Permit"}), "no Effect")]
#[case::no_principal(json!({"Principal": null}), "no Principal")]
#[case::a_strange_principal(json!({"Principal": {"AWS": "me"}}), "invalid Principal")]
#[case::a_wildcard_in_a_principal(json!({"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}), "invalid Principal")]
#[case::another_kind(json!({"Principal": {"Federated": "x"}}), "invalid Principal")]
#[case::nobody(json!({"Principal": {"AWS": []}}), "invalid Principal")]
#[case::no_resource(json!({"Resource": null}), "either Resource or NotResource")]
#[case::both_resources(json!({"NotResource": "*"}), "either Resource or NotResource")]
#[case::no_action(json!({"Action": null}), "no Action")]
#[case::condition(json!({"Condition": "x"}), "no proper Condition")]
#[case::not_action(json!({"NotAction": "backup:ListTags"}), "unsupported element: NotAction")]
#[case::not_principal(json!({"NotPrincipal": "*"}), "unsupported element: NotPrincipal")]
fn a_statement_of_a_vault_policy_must_have_all_its_elements(#[case] change: Value, #[case] says: &str) {
    let problem = problem(policy(&change));
    assert!(problem.contains(says), "{problem}");
}

#[rstest]
#[case("*")]
#[case("backup:*")]
#[case("backup:Delete*")]
#[case("backup:DeleteRecoveryPoin?")]
fn a_vault_policy_with_a_wildcard_in_an_action_is_refused(#[case] action: &str) {
    let problem = problem(policy(&json!({ "Action": ["backup:ListTags", action] })));
    assert!(problem.contains("wildcard"), "{problem}");
}

#[rstest]
#[case("s3:GetObject")]
#[case("DeleteRecoveryPoint")]
#[case("backup:")]
#[case("bäckup:ListTags")]
fn a_vault_policy_has_actions_of_aws_backup_only(#[case] action: &str) {
    let problem = problem(policy(&json!({ "Action": action })));
    assert!(problem.contains("not one of AWS Backup"), "{problem}");
}

#[rstest]
#[case::another_account(json!({"AWS": "999999999999"}), "backup:StartCopyJob", false)]
#[case::a_role_of_another(json!({"AWS": ["111122223333", "arn:aws:iam::999999999999:role/r"]}), "backup:StartCopyJob", false)]
#[case::everybody(json!("*"), "backup:DeleteBackupVaultAccessPolicy", false)]
#[case::everybody_of_aws(json!({"AWS": "*"}), "backup:DeleteBackupVaultAccessPolicy", false)]
#[case::copies_of_another(json!({"AWS": "arn:aws:iam::999999999999:root"}), "backup:CopyIntoBackupVault", true)]
#[case::copies_of_everybody(json!("*"), "backup:CopyIntoBackupVault", true)]
#[case::the_own_account(json!({"AWS": "arn:aws:iam::111122223333:root"}), "backup:StartCopyJob", true)]
#[case::an_own_role(json!({"AWS": "arn:aws:iam::111122223333:role/r"}), "backup:StartCopyJob", true)]
#[case::a_service(json!({"Service": "backup.amazonaws.com"}), "backup:StartCopyJob", true)]
fn a_vault_policy_can_allow_other_accounts_nothing_but_copies_into_the_vault(
    #[case] principal: Value,
    #[case] action: &str,
    #[case] good: bool,
) {
    let problem = problem(policy(&json!({ "Effect": "Allow", "Principal": principal, "Action": action })));
    assert_eq!(problem == "none", good, "{problem}");
    assert!(good || problem.contains("due to cross-account sharing restrictions"), "{problem}");
}

#[test]
fn a_vault_policy_has_at_most_20_480_bytes() {
    let sized = |bytes: usize| {
        let mut document = policy(&json!({}));
        document.insert_str(1, &" ".repeat(bytes - document.len()));
        document
    };
    assert_eq!(problem(sized(20_480)), "none");
    assert!(problem(sized(20_481)).contains("larger than"));
}
