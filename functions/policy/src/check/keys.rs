//! The stack's key here and its replicas where copies go, and keys of targets in other accounts.

use dynachain::aws::{AwsError, Fault, KeyState};
use dynachain::id::KeyArn;
use dynachain::policy::{CopyTarget, Document};

use super::finding::Finding;
use crate::Deps;

pub(super) async fn check(deps: &Deps, document: &Document) -> Vec<Finding> {
    let key = &deps.stack.key;
    let here = deps.keys.of(key).await;
    let primary = here.as_ref().ok().and_then(|state| state.primary.clone());
    let mut findings = vec![judge(key, "key", here)];
    for target in &document.copies {
        findings.push(match &target.key {
            Some(key) => elsewhere(target, key, &deps.home.account),
            None => replica(deps, target, primary.as_ref()).await,
        });
    }
    findings
}

/// Metadata that comes with copies is opened by the key's replica there.
async fn replica(deps: &Deps, target: &CopyTarget, primary: Option<&KeyArn>) -> Finding {
    const CHECK: &str = "replica_key";
    let region = target.vault.region();
    let replica = match deps.stack.key.in_region(region) {
        Ok(replica) => replica,
        Err(error) => return Finding::unknown(&target.vault, CHECK, error.to_string()),
    };
    match deps.keys.of(&replica).await {
        Err(error) if error.fault() == Fault::NotFound => {
            let primary = primary.unwrap_or(&deps.stack.key);
            let message = format!(
                "the stack's key has no replica in {region}, so that nobody can read the copies' metadata there; deploy the \
                 stack there, or make one"
            );
            Finding::fails(&replica, CHECK, message).run(format!(
                "aws kms replicate-key --key-id {primary} --replica-region {region} --region {}",
                primary.region()
            ))
        }
        state => judge(&replica, CHECK, state),
    }
}

/// A key of another account: that it is one of the right account and Region has been seen when the policy was applied.
fn elsewhere(target: &CopyTarget, key: &KeyArn, home: &str) -> Finding {
    let message = format!(
        "lies in account {}, where it cannot be seen from here; run the commands there, and see that it is enabled and that \
         its policy allows this account kms:Encrypt (parameter SourceAccounts={home} of the stack there)",
        target.vault.account()
    );
    let policy =
        format!("aws kms get-key-policy --key-id {key} --policy-name default --region {}", key.region());
    Finding::unknown(key, "key", message).run(format!("{} && {policy}", describe(key)))
}

/// How a key stands.
pub(super) fn judge(key: &KeyArn, check: &str, state: Result<KeyState, AwsError>) -> Finding {
    let (id, region) = (key, key.region());
    match state {
        Ok(state) if state.is_enabled() => Finding::holds(key, check, "is enabled"),
        Ok(state) => {
            let message = format!("is {}, so that it cannot be used", state.state);
            let enable = format!("aws kms enable-key --key-id {id} --region {region}");
            match state.state.as_str() {
                "Disabled" => Finding::fails(key, check, message).run(enable),
                "PendingDeletion" | "PendingReplicaDeletion" => Finding::fails(key, check, message)
                    .run(format!("aws kms cancel-key-deletion --key-id {id} --region {region} && {enable}")),
                _ => Finding::fails(key, check, message).run(describe(key)),
            }
        }
        Err(error) if error.fault() == Fault::NotFound => {
            Finding::fails(key, check, "does not exist; without it no restore point's metadata can be read")
        }
        Err(error) => Finding::untold(key, check, &error).run(describe(key)),
    }
}

fn describe(key: &KeyArn) -> String {
    format!("aws kms describe-key --key-id {key} --region {}", key.region())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::check::finding::Remedy;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1";

    #[rstest]
    #[case::enabled("Enabled", Some(true), "")]
    #[case::disabled("Disabled", Some(false), "aws kms enable-key")]
    #[case::pending("PendingDeletion", Some(false), "aws kms cancel-key-deletion")]
    #[case::being_made("Creating", Some(false), "aws kms describe-key")]
    fn only_an_enabled_key_will_do(#[case] state: &str, #[case] ok: Option<bool>, #[case] command: &str) {
        let state = KeyState { state: state.to_owned(), primary: None, aws_managed: false };
        let finding = judge(&KEY.parse().unwrap(), "key", Ok(state));
        assert_eq!((finding.ok, finding.subject.as_str()), (ok, KEY));
        match finding.remedy {
            Some(Remedy::Command(said)) => {
                assert!(said.starts_with(command) && said.ends_with("--region eu-west-1"), "{said}");
            }
            none => assert_eq!((none, command), (None, "")),
        }
    }

    #[test]
    fn a_key_that_cannot_be_seen_is_neither_good_nor_bad() {
        let gone = AwsError::refused("DescribeKey", "NotFoundException", "no such key");
        assert_eq!(judge(&KEY.parse().unwrap(), "key", Err(gone)).ok, Some(false));
        let denied = AwsError::refused("DescribeKey", "AccessDeniedException", "not yours");
        assert_eq!(judge(&KEY.parse().unwrap(), "key", Err(denied)).ok, None);
    }
}
