//! Who may copy: the caller, the passed role, the keys.

use super::*;
use crate::stack::refusal;

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_needs_start_copy_job_on_the_point_and_pass_role() -> Result<()> {
    let scene = Scene::start().await?;
    let start =
        |point: &str| format!(r#"{{"Effect":"Allow","Action":"backup:StartCopyJob","Resource":"{point}"}}"#);
    let pass = r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/backup",
        "Condition":{"StringEquals":{"iam:PassedToService":"backup.amazonaws.com"}}}"#;
    scene.stack.caller("copier", &start("arn:aws:backup:*:*:backup-vault:*")).await?;
    let caller = scene.stack.backup_with("copier").await?;
    let copy = || {
        let copy = caller.start_copy_job().recovery_point_arn(&scene.point).source_backup_vault_name(VAULT);
        copy.destination_backup_vault_arn(WEST).iam_role_arn(BACKUP_ROLE).send()
    };
    let refused = refusal(copy().await);
    let wanted = format!("not authorized to perform: backup:StartCopyJob on resource: {}", scene.point);
    assert!(refused.starts_with("403 AccessDeniedException") && refused.contains(&wanted), "{refused}");
    let statements = start("arn:aws:backup:*:*:recovery-point:*");
    scene.stack.allow("copier", &format!(r#"{{"Statement":[{statements}]}}"#)).await?;
    let refused = refusal(copy().await);
    assert!(refused.contains("not authorized to perform: iam:PassRole"), "{refused}");
    scene.stack.allow("copier", &format!(r#"{{"Statement":[{statements},{pass}]}}"#)).await?;
    copy().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_retention_a_locked_vault_does_not_permit_fails() -> Result<()> {
    let scene = Scene::start().await?;
    let lock = scene.west.put_backup_vault_lock_configuration().backup_vault_name(VAULT);
    lock.min_retention_days(36).send().await?;
    let message = "Copy job failed. The retention specified in the job is not within the range specified for the target \
                   Backup Vault.";
    let inherited = scene.copied(scene.copy()).await?;
    assert_eq!(ending(&inherited), ("FAILED", "INVALID_LIFECYCLE", message));
    let longer = Lifecycle::builder().delete_after_days(36).build();
    let longer = scene.copied(scene.copy().lifecycle(longer)).await?;
    assert_eq!(ending(&longer), ("COMPLETED", "SUCCESS", ""));
    Ok(())
}

/// How a copy ends whose role has these statements.
async fn ends_with(scene: &Scene, statements: &str) -> Result<(String, String)> {
    scene.stack.allow("backup", &with_backups(statements)).await?;
    let job = scene.copied(scene.copy()).await?;
    let (state, category, message) = ending(&job);
    Ok((format!("{state} {category}"), message.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copys_role_needs_copy_from_backup_vault_on_the_point() -> Result<()> {
    let scene = Scene::start().await?;
    let on_the_vault = COPY.replacen("recovery-point:*", "backup-vault:*", 1);
    let (ended, message) = ends_with(&scene, &on_the_vault).await?;
    assert_eq!(ended, "FAILED ACCESS_DENIED");
    let wanted =
        format!("is not authorized to perform: backup:CopyFromBackupVault on resource: {}", scene.point);
    assert!(message.contains(&wanted), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copys_role_needs_copy_into_backup_vault_on_the_destination() -> Result<()> {
    let scene = Scene::start().await?;
    let elsewhere =
        COPY.replacen("arn:aws:backup:*:*:backup-vault:*", "arn:aws:backup:eu-central-1:*:backup-vault:*", 1);
    let (ended, message) = ends_with(&scene, &elsewhere).await?;
    assert_eq!(ended, "FAILED ACCESS_DENIED");
    let wanted = format!("is not authorized to perform: backup:CopyIntoBackupVault on resource: {WEST}");
    assert!(message.contains(&wanted), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copys_role_needs_tag_resource_when_the_source_has_tags() -> Result<()> {
    let scene = Scene::start().await?;
    let policy = with_backups(COPY).replace("backup:TagResource", "backup:ListTags");
    scene.stack.allow("backup", &policy).await?;
    let job = scene.copied(scene.copy()).await?;
    assert_eq!(ending(&job).1, "ACCESS_DENIED");
    assert!(ending(&job).2.contains("is not authorized to perform: backup:TagResource"), "{job:?}");
    let untag = scene.stack.backup.untag_resource().resource_arn(&scene.point);
    untag.tag_key_list("a").tag_key_list("team").send().await?;
    assert_eq!(ending(&scene.copied(scene.copy()).await?).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_copy_targets_names_the_destination_vaults() -> Result<()> {
    let scene = Scene::start().await?;
    let only = |target: &str| {
        format!(
            r#"{COPY},{{"Effect":"Deny","Action":"backup:CopyFromBackupVault","Resource":"*",
                "Condition":{{"ForAllValues:ArnNotLike":{{"backup:CopyTargets":["{target}"]}}}}}}"#
        )
    };
    let (ended, _) = ends_with(&scene, &only("arn:aws:backup:eu-north-1:*:backup-vault:*")).await?;
    assert_eq!(ended, "FAILED ACCESS_DENIED");
    let (ended, _) = ends_with(&scene, &only("arn:aws:backup:eu-west-1:*:backup-vault:dyna*")).await?;
    assert_eq!(ended, "COMPLETED SUCCESS");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copys_role_must_be_there_and_trust_aws_backup() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.role("untrusting", r#"{"Service":"lambda.amazonaws.com"}"#, &with_backups(COPY)).await?;
    for role in ["untrusting", "missing"] {
        let role = format!("arn:aws:iam::111122223333:role/{role}");
        let job = scene.copied(scene.copy().iam_role_arn(&role)).await?;
        let message = format!("IAM Role {role} cannot be assumed by AWS Backup");
        assert_eq!(ending(&job), ("FAILED", "ACCESS_DENIED", &*message));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_fails_when_the_key_of_either_vault_cannot_be_used() -> Result<()> {
    let scene = Scene::start().await?;
    let kms = &scene.stack.kms;
    let key = kms.create_key().send().await?.key_metadata.and_then(|key| key.arn).context("key")?;
    let keyed = scene.stack.backup.create_backup_vault().backup_vault_name("keyed").encryption_key_arn(&key);
    keyed.send().await?;
    let arn = "arn:aws:backup:eu-central-1:111122223333:backup-vault:keyed";
    let into = || scene.copy().destination_backup_vault_arn(arn);
    let copy = scene.copied(into()).await?.destination_recovery_point_arn.context("no copy")?;
    kms.disable_key().key_id(&key).send().await?;
    let message = "KMS key is either disabled or pending deletion or access to KMS key is denied";
    assert_eq!(ending(&scene.copied(into()).await?), ("FAILED", "KMS_KEY_ERROR", message));
    let from = || scene.copy().recovery_point_arn(&copy).source_backup_vault_name("keyed");
    assert_eq!(ending(&scene.copied(from()).await?), ("FAILED", "KMS_KEY_ERROR", message));
    kms.enable_key().key_id(&key).send().await?;
    assert_eq!(ending(&scene.copied(from()).await?).0, "COMPLETED");
    Ok(())
}
