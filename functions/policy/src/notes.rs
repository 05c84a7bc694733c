//! What somebody who applies a policy has to know about its vaults, and the document cannot say.

use dynachain::aws::AwsError;
use dynachain::aws::backup::Vault;
use dynachain::id::VaultArn;
use dynachain::policy::Document;

use crate::Deps;

/// Notes about the stack's vault and the policy's targets, in that order.
pub(crate) async fn of(deps: &Deps, document: &Document) -> Vec<String> {
    let mut notes = Vec::new();
    let targets = document.copies.iter().map(|copy| &copy.vault);
    for vault in std::iter::once(&deps.stack.vault).chain(targets) {
        if vault.account() == deps.home.account {
            notes.extend(about(vault, deps.vault(vault).describe().await, document.keep_last));
        } else {
            notes.push(format!(
                "{vault} lies in account {}: whether it is locked can be seen only there",
                vault.account()
            ));
        }
    }
    notes
}

fn about(vault: &VaultArn, described: Result<Vault, AwsError>, keep_last: u32) -> Option<String> {
    match described {
        Ok(described) if described.locked => Some(format!(
            "{vault} is locked: AWS itself removes its points once their time is over; keep_last ({keep_last}) and restamps \
             do not reach them"
        )),
        Ok(_) => None,
        Err(error) => Some(format!(
            "{vault} could not be looked at, so nobody knows whether it is locked: {}",
            error.summary()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dr";

    fn vault(locked: bool) -> Vault {
        let arn = VAULT.parse().unwrap();
        Vault { arn, key: None, locked, min_retention_days: None, max_retention_days: None }
    }

    #[test]
    fn only_a_locked_vault_is_worth_a_note() {
        let arn = VAULT.parse().unwrap();
        assert_eq!(about(&arn, Ok(vault(false)), 1), None);
        let note = about(&arn, Ok(vault(true)), 3).unwrap();
        assert!(note.starts_with(VAULT) && note.contains("AWS itself removes"), "{note}");
        assert!(note.contains("keep_last (3) and restamps do not reach them"), "{note}");
    }

    #[test]
    fn a_vault_that_cannot_be_looked_at_is_not_passed_over() {
        let error = AwsError::refused("DescribeBackupVault", "AccessDeniedException", "no");
        let note = about(&VAULT.parse().unwrap(), Err(error), 1).unwrap();
        assert!(note.contains("nobody knows whether it is locked"), "{note}");
    }
}
