use anyhow::{Context as _, Result};
use aws_sdk_backup::types::VaultState;

use crate::stack::{Stack, VAULT, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_made_once_per_region_and_goes_only_when_empty() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let key = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1";
    let west = stack.backup_in("eu-west-1");
    let create = || west.create_backup_vault().backup_vault_name(VAULT).encryption_key_arn(key);
    let first = create().creator_request_id("r1").send().await?;
    let again = create().creator_request_id("r1").send().await?;
    assert_eq!(first.creation_date(), again.creation_date());
    let taken = refusal(create().creator_request_id("r2").send().await);
    assert!(taken.starts_with("400 AlreadyExistsException"), "{taken}");

    let vault = west.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!(
        vault.backup_vault_arn(),
        Some("arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain")
    );
    assert_eq!((vault.vault_state(), vault.encryption_key_arn()), (Some(&VaultState::Available), Some(key)));
    assert_eq!((vault.locked(), vault.number_of_recovery_points()), (Some(false), 0));
    west.delete_backup_vault().backup_vault_name(VAULT).send().await?;
    let gone = refusal(west.describe_backup_vault().backup_vault_name(VAULT).send().await);
    assert_eq!(gone, "403 AccessDeniedException Insufficient privileges to perform this action.");

    let started = stack.start_backup(&table).send().await?;
    stack.pass(100).await;
    assert_eq!(stack.job(started.backup_job_id().context("id")?).await?.0, "COMPLETED");
    let full = refusal(stack.backup.delete_backup_vault().backup_vault_name(VAULT).send().await);
    assert!(full.starts_with("400 InvalidRequestException"), "{full}");
    assert_eq!(
        stack.backup.list_backup_vaults().send().await?.backup_vault_list()[0].number_of_recovery_points(),
        1
    );
    Ok(())
}
