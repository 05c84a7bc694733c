//! Access policies of vaults: each test is one row of `docs/emulator.md`.

use anyhow::{Context as _, Result};
use aws_sdk_backup::Client;

use crate::stack::{BACKUP_ROLE, Stack, VAULT, refusal};

/// A vault with one point in it.
struct Scene {
    stack: Stack,
    table: String,
    point: String,
}

impl Scene {
    async fn start() -> Result<Self> {
        let stack = Stack::start().await?;
        let table = stack.table("orders", 1, &[]).await?;
        let started = stack.start_backup(&table).send().await?;
        stack.pass(100).await;
        Ok(Self { stack, table, point: started.recovery_point_arn.context("arn")? })
    }

    /// Gives the vault a policy of one statement.
    async fn policy(&self, effect: &str, principal: &str, actions: &str) -> Result<String> {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{principal},"Action":{actions},"Resource":"*"}}]}}"#
        );
        let put = self.stack.backup.put_backup_vault_access_policy().backup_vault_name(VAULT);
        put.policy(&policy).send().await?;
        Ok(policy)
    }

    /// A client of a role with one statement.
    async fn role(&self, name: &str, action: &str) -> Result<Client> {
        let statement = format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*"}}"#);
        self.stack.caller(name, &statement).await?;
        self.stack.backup_with(name).await
    }

    async fn describe(&self, client: &Client) -> String {
        let describe = client.describe_recovery_point().backup_vault_name(VAULT);
        refusal(describe.recovery_point_arn(&self.point).send().await)
    }
}

const ALLOWED: &str = "no refusal at all";

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_policy_is_given_back_as_it_was_put() -> Result<()> {
    let scene = Scene::start().await?;
    scene.policy("Deny", "\"*\"", "\"backup:StartBackupJob\"").await?;
    let policy = scene.policy("Deny", "\"*\"", "\"backup:DeleteRecoveryPoint\"").await?;
    let get = scene.stack.backup.get_backup_vault_access_policy().backup_vault_name(VAULT).send().await?;
    assert_eq!(get.policy(), Some(&*policy));
    assert_eq!(get.backup_vault_name(), Some(VAULT));
    let arn = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
    assert_eq!(get.backup_vault_arn(), Some(arn));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_without_a_policy_has_none_to_give_or_to_delete() -> Result<()> {
    let scene = Scene::start().await?;
    let get = || scene.stack.backup.get_backup_vault_access_policy().backup_vault_name(VAULT).send();
    let delete = || scene.stack.backup.delete_backup_vault_access_policy().backup_vault_name(VAULT).send();
    let none = "400 ResourceNotFoundException Backup Vault \
        arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain has no associated POLICY";
    assert_eq!(refusal(get().await), none);
    assert_eq!(refusal(delete().await), none);
    scene.policy("Deny", "\"*\"", "\"backup:DescribeRecoveryPoint\"").await?;
    delete().await?;
    assert_eq!(refusal(get().await), none);
    assert_eq!(scene.describe(&scene.stack.backup).await, ALLOWED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_policy_needs_a_document_and_a_vault() -> Result<()> {
    let stack = Stack::start().await?;
    let put = |vault: &str, policy: Option<&str>| {
        let put = stack.backup.put_backup_vault_access_policy().backup_vault_name(vault);
        put.set_policy(policy.map(str::to_owned)).send()
    };
    let missing = refusal(put(VAULT, None).await);
    assert_eq!(missing, "400 MissingParameterValueException Missing required parameter: Policy");
    let unreadable = refusal(put(VAULT, Some("{")).await);
    assert!(unreadable.starts_with("400 InvalidParameterValueException"), "{unreadable}");
    let policy =
        r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"backup:ListTags","Resource":"*"}}"#;
    let elsewhere = refusal(put("elsewhere", Some(policy)).await);
    assert!(elsewhere.starts_with("403 AccessDeniedException Insufficient privileges"), "{elsewhere}");
    let name = refusal(put("a.b", Some(policy)).await);
    assert!(name.starts_with("400 InvalidParameterValueException"), "{name}");
    put(VAULT, Some(policy)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deny_in_a_vault_policy_wins_over_what_a_role_is_allowed() -> Result<()> {
    let scene = Scene::start().await?;
    let reader = scene.role("reader", "backup:*").await?;
    let other = scene.role("other", "backup:*").await?;
    let named = r#"{"AWS":"arn:aws:iam::111122223333:role/reader"}"#;
    scene.policy("Deny", named, r#"["backup:DescribeRecoveryPoint","backup:StartBackupJob"]"#).await?;
    let refused = scene.describe(&reader).await;
    assert!(refused.starts_with("403 AccessDeniedException"), "{refused}");
    assert!(refused.ends_with("with an explicit deny in a resource-based policy"), "{refused}");
    let start = reader.start_backup_job().backup_vault_name(VAULT).resource_arn(&scene.table);
    let refused = refusal(start.iam_role_arn(BACKUP_ROLE).send().await);
    assert!(refused.contains("backup:StartBackupJob"), "{refused}");
    assert_eq!(scene.describe(&other).await, ALLOWED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deny_in_a_vault_policy_binds_the_root_too() -> Result<()> {
    let scene = Scene::start().await?;
    let actions = r#"["backup:DescribeBackupVault","backup:DeleteBackupVaultAccessPolicy"]"#;
    scene.policy("Deny", "\"*\"", actions).await?;
    let root = &scene.stack.backup;
    let describe = refusal(root.describe_backup_vault().backup_vault_name(VAULT).send().await);
    assert!(describe.starts_with("403 AccessDeniedException"), "{describe}");
    let delete = refusal(root.delete_backup_vault_access_policy().backup_vault_name(VAULT).send().await);
    assert!(delete.starts_with("403 AccessDeniedException"), "{delete}");
    assert_eq!(scene.describe(root).await, ALLOWED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_policy_covers_the_points_in_its_vault_and_no_others() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.backup.create_backup_vault().backup_vault_name("second").send().await?;
    let started = scene.stack.start_backup(&scene.table).backup_vault_name("second").send().await?;
    scene.stack.pass(100).await;
    let other = started.recovery_point_arn.context("arn")?;
    scene.policy("Deny", "\"*\"", r#"["backup:TagResource","backup:ListTags"]"#).await?;
    let tag = |point: &str| scene.stack.backup.tag_resource().resource_arn(point).tags("a", "b").send();
    assert!(refusal(tag(&scene.point).await).starts_with("403 AccessDeniedException"));
    tag(&other).await?;
    let list = |arn: &str| scene.stack.backup.list_tags().resource_arn(arn).send();
    let vault = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
    for arn in [vault, &*scene.point] {
        assert!(refusal(list(arn).await).starts_with("403 AccessDeniedException"), "{arn}");
    }
    list(&other).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allow_for_a_role_in_a_vault_policy_adds_to_its_identity_policies() -> Result<()> {
    let scene = Scene::start().await?;
    let reader = scene.role("reader", "backup:ListTags").await?;
    let other = scene.role("other", "backup:ListTags").await?;
    let named = r#"{"AWS":"arn:aws:iam::111122223333:role/reader"}"#;
    scene.policy("Allow", named, "\"backup:DescribeRecoveryPoint\"").await?;
    assert_eq!(scene.describe(&reader).await, ALLOWED);
    assert!(scene.describe(&other).await.starts_with("403 AccessDeniedException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allow_for_the_account_in_a_vault_policy_gives_its_roles_nothing() -> Result<()> {
    let scene = Scene::start().await?;
    let reader = scene.role("reader", "backup:ListTags").await?;
    let account = r#"{"AWS":"arn:aws:iam::111122223333:root"}"#;
    scene.policy("Allow", account, "\"backup:DescribeRecoveryPoint\"").await?;
    assert!(scene.describe(&reader).await.starts_with("403 AccessDeniedException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copys_role_is_held_to_the_policies_of_both_vaults() -> Result<()> {
    let scene = Scene::start().await?;
    let statements = r#"{"Effect":"Allow","Action":["backup:Copy*","backup:TagResource"],"Resource":"*"}"#;
    scene.stack.allow("backup", &format!(r#"{{"Statement":[{statements}]}}"#)).await?;
    scene.stack.backup.create_backup_vault().backup_vault_name("second").send().await?;
    let second = "arn:aws:backup:eu-central-1:111122223333:backup-vault:second";
    let home = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
    let copy = async |point: &str, from: &str, to: &str| -> Result<aws_sdk_backup::types::CopyJob> {
        let copy =
            scene.stack.backup.start_copy_job().recovery_point_arn(point).source_backup_vault_name(from);
        let started = copy.destination_backup_vault_arn(to).iam_role_arn(BACKUP_ROLE).send().await?;
        scene.stack.pass(100).await;
        let id = started.copy_job_id.context("id")?;
        scene.stack.backup.describe_copy_job().copy_job_id(id).send().await?.copy_job.context("job")
    };
    let copied =
        copy(&scene.point, VAULT, second).await?.destination_recovery_point_arn.context("no copy")?;
    for (action, point, from, to) in [
        ("backup:CopyFromBackupVault", &*scene.point, VAULT, second),
        ("backup:CopyIntoBackupVault", &*copied, "second", home),
    ] {
        scene.policy("Deny", "\"*\"", &format!("\"{action}\"")).await?;
        let job = copy(point, from, to).await?;
        assert_eq!(job.message_category(), Some("ACCESS_DENIED"));
        let message = job.status_message().unwrap_or_default();
        assert!(message.contains(action) && message.ends_with("in a resource-based policy"), "{message}");
    }
    Ok(())
}
