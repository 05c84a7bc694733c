use anyhow::{Context as _, Result};
use aws_sdk_backup::operation::create_backup_vault::CreateBackupVaultError;
use aws_sdk_backup::types::{EncryptionKeyType, VaultState, VaultType};

use crate::stack::{REGION, Stack, VAULT, refusal};

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_vault_of_a_name_is_an_alreadyexistsexception_that_names_the_first() -> Result<()> {
    let stack = Stack::start().await?;
    let create = |request: Option<&str>| {
        let vault = stack.backup.create_backup_vault().backup_vault_name("other");
        vault.set_creator_request_id(request.map(str::to_owned)).send()
    };
    create(Some("r1")).await?;
    let taken = create(Some("r2")).await.unwrap_err().into_service_error();
    let CreateBackupVaultError::AlreadyExistsException(taken) = taken else {
        panic!("{taken:?}");
    };
    assert_eq!(taken.arn(), Some("arn:aws:backup:eu-central-1:111122223333:backup-vault:other"));
    assert_eq!(taken.creator_request_id(), Some("r1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creatorrequestid_makes_no_second_vault() -> Result<()> {
    let stack = Stack::start().await?;
    let create = || stack.backup.create_backup_vault().backup_vault_name("other").creator_request_id("r1");
    let first = create().send().await?;
    stack.pass(60).await;
    let again = create().send().await?;
    assert_eq!(first.creation_date(), again.creation_date());
    assert_eq!(stack.backup.list_backup_vaults().send().await?.backup_vault_list().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_name_key_tag_or_creatorrequestid_of_a_vault_is_refused() -> Result<()> {
    let stack = Stack::start().await?;
    let create = || stack.backup.create_backup_vault().backup_vault_name("other");
    for request in [
        create().backup_vault_name("with.dot"),
        create().encryption_key_arn("alias/key"),
        create().encryption_key_arn("arn:aws:kms:eu-central-1:111122223333:alias/key"),
        create().backup_vault_tags("aws:x", "y"),
        create().creator_request_id("with space"),
        create().creator_request_id("x".repeat(51)),
    ] {
        let refused = refusal(request.send().await);
        assert!(refused.starts_with("400 InvalidParameterValueException"), "{refused}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_is_described_as_it_was_made() -> Result<()> {
    let stack = Stack::start().await?;
    let made = stack.backup.create_backup_vault().backup_vault_name("other").encryption_key_arn(KEY);
    let made = made.creator_request_id("r1").send().await?;
    let vault = stack.backup.describe_backup_vault().backup_vault_name("other").send().await?;
    assert_eq!(
        (vault.backup_vault_name(), vault.backup_vault_arn()),
        (Some("other"), made.backup_vault_arn())
    );
    assert_eq!((vault.creation_date(), vault.creator_request_id()), (made.creation_date(), Some("r1")));
    assert_eq!(
        (vault.vault_type(), vault.vault_state()),
        (Some(&VaultType::BackupVault), Some(&VaultState::Available))
    );
    assert_eq!((vault.locked(), vault.number_of_recovery_points()), (Some(false), 0));
    assert_eq!(vault.encryption_key_arn(), Some(KEY));
    assert_eq!(vault.encryption_key_type(), Some(&EncryptionKeyType::CustomerManagedKmsKey));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_without_a_key_of_the_customer_has_one_of_aws_backup() -> Result<()> {
    let stack = Stack::start().await?;
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    let key = vault.encryption_key_arn().context("no key")?;
    assert!(key.starts_with("arn:aws:kms:eu-central-1:111122223333:key/"), "{key}");
    assert_eq!(vault.encryption_key_type(), None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_with_recovery_points_cannot_be_deleted() -> Result<()> {
    let stack = Stack::start().await?;
    stack.backed_up(&stack.table("orders", 1, &[]).await?).await?;
    let full = refusal(stack.backup.delete_backup_vault().backup_vault_name(VAULT).send().await);
    let message = "Backup vault cannot be deleted because it contains recovery points.";
    assert_eq!(full, format!("400 InvalidRequestException {message}"));
    let answer = stack.raw("DELETE", "/backup-vaults/dynachain", "").await?;
    assert!(answer.contains(r#""Code":"ERROR_9101""#), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_vault_is_deleted_at_once() -> Result<()> {
    let stack = Stack::start().await?;
    stack.backup.delete_backup_vault().backup_vault_name(VAULT).send().await?;
    let gone = refusal(stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await);
    assert_eq!(gone, "403 AccessDeniedException Insufficient privileges to perform this action.");
    assert!(stack.backup.list_backup_vaults().send().await?.backup_vault_list().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_counts_its_recovery_points_whatever_their_status() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.backed_up(&table).await?;
    stack.start_backup(&table).send().await?;
    stack.pass(20).await;
    let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!(vault.number_of_recovery_points(), 2);
    let listed = stack.backup.list_backup_vaults().send().await?;
    assert_eq!(listed.backup_vault_list()[0].number_of_recovery_points(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn vaults_are_listed_by_name_in_pages() -> Result<()> {
    let stack = Stack::start().await?;
    for name in ["zulu", "alpha"] {
        stack.backup.create_backup_vault().backup_vault_name(name).send().await?;
    }
    let first = stack.backup.list_backup_vaults().max_results(2).send().await?;
    let next = first.next_token().context("no next page")?;
    let second = stack.backup.list_backup_vaults().max_results(2).next_token(next).send().await?;
    let vaults = first.backup_vault_list().iter().chain(second.backup_vault_list());
    let names: Vec<_> = vaults.filter_map(|vault| vault.backup_vault_name()).collect();
    assert_eq!(names, ["alpha", VAULT, "zulu"]);
    assert_eq!(second.next_token(), None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn vaults_are_listed_by_type_and_none_is_shared_or_air_gapped() -> Result<()> {
    let stack = Stack::start().await?;
    let count = async |kind: VaultType| -> Result<usize> {
        Ok(stack.backup.list_backup_vaults().by_vault_type(kind).send().await?.backup_vault_list().len())
    };
    assert_eq!(count(VaultType::BackupVault).await?, 1);
    assert_eq!(count(VaultType::LogicallyAirGappedBackupVault).await?, 0);
    assert!(stack.backup.list_backup_vaults().by_shared(true).send().await?.backup_vault_list().is_empty());
    for query in ["vaultType=OTHER", "shared=perhaps"] {
        let wrong = stack.raw("GET", &format!("/backup-vaults/?{query}"), "").await?;
        assert!(wrong.contains("InvalidParameterValueException"), "{query}: {wrong}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_of_another_account_is_as_good_as_none() -> Result<()> {
    let stack = Stack::start().await?;
    let describe = |account: &str| {
        let vault = stack.backup.describe_backup_vault().backup_vault_name(VAULT);
        vault.backup_vault_account_id(account).send()
    };
    describe("111122223333").await?;
    assert!(refusal(describe("444455556666").await).starts_with("403 AccessDeniedException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_has_300_vaults_at_most() -> Result<()> {
    let stack = Stack::start().await?;
    let create = |n: usize| stack.backup.create_backup_vault().backup_vault_name(format!("vault-{n}")).send();
    for n in 1..300 {
        create(n).await?;
    }
    let over = refusal(create(300).await);
    assert!(over.starts_with("400 LimitExceededException"), "{over}");
    let elsewhere = stack.backup_in("eu-west-1").create_backup_vault().backup_vault_name("vault-300");
    elsewhere.send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_region_of_an_account_has_its_own_vaults_and_jobs() -> Result<()> {
    let stack = Stack::start().await?;
    stack.backed_up(&stack.table("orders", 1, &[]).await?).await?;
    let west = stack.backup_in("eu-west-1");
    assert!(west.list_backup_vaults().send().await?.backup_vault_list().is_empty());
    assert!(west.list_backup_jobs().send().await?.backup_jobs().is_empty());
    let made = west.create_backup_vault().backup_vault_name(VAULT).send().await?;
    let arn = made.backup_vault_arn().context("arn")?;
    assert_eq!(arn, "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain");
    assert!(!arn.contains(REGION));
    Ok(())
}
