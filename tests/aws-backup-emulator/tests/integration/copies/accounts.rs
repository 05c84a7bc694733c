//! Copies to another account.

use super::*;

const OTHER: &str = "444455556666";
const THERE: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:vault";
const DENIED: (&str, &str, &str) =
    ("FAILED", "ACCESS_DENIED", "Access Denied trying to call AWS Backup service");

/// A vault of the other account, with a key of its own or AWS Backup's, and a policy.
async fn vault(scene: &Scene, keyed: bool, policy: Option<&str>) -> Result<Client> {
    let there = scene.stack.backup_of(OTHER, "eu-west-1");
    let key = match keyed {
        true => {
            let kms = aws_sdk_kms::Client::new(&scene.stack.config_of(OTHER, "eu-west-1"));
            Some(kms.create_key().send().await?.key_metadata.and_then(|key| key.arn).context("key")?)
        }
        false => None,
    };
    there.create_backup_vault().backup_vault_name("vault").set_encryption_key_arn(key).send().await?;
    if let Some(policy) = policy {
        there.put_backup_vault_access_policy().backup_vault_name("vault").policy(policy).send().await?;
    }
    Ok(there)
}

fn invitation(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},
            "Action":"backup:CopyIntoBackupVault","Resource":"*"}}]}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_another_account_needs_the_policy_of_the_destination_vault_to_allow_it() -> Result<()> {
    let scene = Scene::start().await?;
    let there = vault(&scene, true, None).await?;
    let copy = || scene.copied(scene.copy().destination_backup_vault_arn(THERE));
    assert_eq!(ending(&copy().await?), DENIED);
    let put = async |policy: &str| {
        there.put_backup_vault_access_policy().backup_vault_name("vault").policy(policy).send().await
    };
    put(&invitation(r#"{"AWS":"999999999999"}"#)).await?;
    assert_eq!(ending(&copy().await?), DENIED);
    for principal in
        [r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, r#"{"AWS":"arn:aws:iam::111122223333:role/backup"}"#]
    {
        put(&invitation(principal)).await?;
        assert_eq!(ending(&copy().await?).0, "COMPLETED");
    }
    let points = there.list_recovery_points_by_backup_vault().backup_vault_name("vault").send().await?;
    let point = points.recovery_points().first().context("no copy")?;
    let arn = point.recovery_point_arn().context("arn")?;
    assert!(arn.starts_with("arn:aws:backup:eu-west-1:444455556666:recovery-point:"), "{arn}");
    assert_eq!(point.resource_arn(), Some(&*scene.table));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_another_account_brings_its_tags() -> Result<()> {
    let scene = Scene::start().await?;
    let there = vault(&scene, true, Some(&invitation(r#"{"AWS":"111122223333"}"#))).await?;
    let job = scene.copied(scene.copy().destination_backup_vault_arn(THERE)).await?;
    let copy = job.destination_recovery_point_arn().context("no copy")?;
    let tags = there.list_tags().resource_arn(copy).send().await?.tags.context("tags")?;
    assert_eq!((tags.len(), tags["team"].as_str(), tags["a"].as_str()), (2, "shop", "b"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_another_account_needs_the_role_to_be_allowed_as_well() -> Result<()> {
    let scene = Scene::start().await?;
    vault(&scene, true, Some(&invitation("\"*\""))).await?;
    let own =
        COPY.replacen("arn:aws:backup:*:*:backup-vault:*", "arn:aws:backup:*:111122223333:backup-vault:*", 1);
    scene.stack.allow("backup", &with_backups(&own)).await?;
    let job = scene.copied(scene.copy().destination_backup_vault_arn(THERE)).await?;
    assert_eq!(ending(&job).1, "ACCESS_DENIED");
    assert!(ending(&job).2.contains("backup:CopyIntoBackupVault"), "{job:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_a_vault_that_another_account_does_not_have_is_denied_in_the_same_words() -> Result<()> {
    let scene = Scene::start().await?;
    let job = scene.copied(scene.copy().destination_backup_vault_arn(THERE)).await?;
    assert_eq!(ending(&job), DENIED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_to_another_account_needs_a_destination_vault_with_a_customers_key() -> Result<()> {
    let scene = Scene::start().await?;
    vault(&scene, false, Some(&invitation(r#"{"AWS":"111122223333"}"#))).await?;
    let job = scene.copied(scene.copy().destination_backup_vault_arn(THERE)).await?;
    assert_eq!(ending(&job).1, "ACCESS_DENIED");
    assert!(ending(&job).2.contains("encrypted with the default Backup service managed key"), "{job:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_job_to_another_account_is_known_to_the_account_that_started_it_alone() -> Result<()> {
    let scene = Scene::start().await?;
    let there = vault(&scene, true, Some(&invitation(r#"{"AWS":"111122223333"}"#))).await?;
    assert_eq!(ending(&scene.copied(scene.copy().destination_backup_vault_arn(THERE)).await?).0, "COMPLETED");
    assert!(there.list_copy_jobs().send().await?.copy_jobs().is_empty());
    assert_eq!(scene.stack.backup.list_copy_jobs().send().await?.copy_jobs().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_policy_that_asks_for_an_organization_allows_no_copies() -> Result<()> {
    let scene = Scene::start().await?;
    let condition = r#""Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}"#;
    let policy = invitation("\"*\"").replace(r#""Resource":"*""#, condition);
    vault(&scene, true, Some(&policy)).await?;
    let job = scene.copied(scene.copy().destination_backup_vault_arn(THERE)).await?;
    assert_eq!(ending(&job), DENIED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_another_account_is_copied_back_by_a_role_of_that_account() -> Result<()> {
    let scene = Scene::start().await?;
    let there = vault(&scene, true, Some(&invitation(r#"{"AWS":"111122223333"}"#))).await?;
    let job = scene.copied(scene.copy().destination_backup_vault_arn(THERE)).await?;
    let copy = job.destination_recovery_point_arn().context("no copy")?;
    let iam = aws_sdk_iam::Client::new(&scene.stack.config_of(OTHER, "eu-west-1"));
    let trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    iam.create_role().role_name("returner").assume_role_policy_document(trust).send().await?;
    let policy = format!(r#"{{"Statement":[{COPY}]}}"#);
    iam.put_role_policy().role_name("returner").policy_name("p").policy_document(policy).send().await?;
    let key =
        scene.stack.kms.create_key().send().await?.key_metadata.and_then(|key| key.arn).context("key")?;
    let home = &scene.stack.backup;
    home.create_backup_vault().backup_vault_name("back").encryption_key_arn(key).send().await?;
    let policy = invitation(r#"{"AWS":"444455556666"}"#);
    home.put_backup_vault_access_policy().backup_vault_name("back").policy(policy).send().await?;
    let back = |role: &str| {
        let copy = there.start_copy_job().recovery_point_arn(copy).source_backup_vault_name("vault");
        let to = "arn:aws:backup:eu-central-1:111122223333:backup-vault:back";
        copy.destination_backup_vault_arn(to).iam_role_arn(role).send()
    };
    let refused = crate::stack::refusal(back(BACKUP_ROLE).await);
    assert!(refused.starts_with("403 AccessDeniedException"), "{refused}");
    back("arn:aws:iam::444455556666:role/returner").await?;
    scene.stack.pass(100).await;
    let points = home.list_recovery_points_by_backup_vault().backup_vault_name("back").send().await?;
    let point = points.recovery_points().first().context("nothing came back")?;
    assert_eq!(point.creation_date(), scene.source().await?.creation_date());
    assert_eq!(point.source_backup_vault_arn(), Some(THERE));
    Ok(())
}
