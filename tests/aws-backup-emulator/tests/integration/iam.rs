use anyhow::{Context as _, Result};

use crate::stack::{BACKUP_ROLE, Stack, VAULT, refusal};

const START: &str = r#"{"Effect":"Allow","Action":"backup:StartBackupJob","Resource":"arn:aws:backup:*:*:backup-vault:dynachain"}"#;
const PASS: &str = r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/backup",
    "Condition":{"StringEquals":{"iam:PassedToService":"backup.amazonaws.com"}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_role_may_do_what_its_policies_allow_and_no_more() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.caller("starter", &format!("{START},{PASS}")).await?;
    let caller = stack.backup_with("starter").await?;
    let start = |vault: &str| {
        caller
            .start_backup_job()
            .backup_vault_name(vault)
            .resource_arn(&table)
            .iam_role_arn(BACKUP_ROLE)
            .send()
    };
    let started = start(VAULT).await?;
    let elsewhere = refusal(start("another").await);
    let vault = "arn:aws:backup:eu-central-1:111122223333:backup-vault:another";
    assert!(elsewhere.contains(&format!("backup:StartBackupJob on resource: {vault}")), "{elsewhere}");
    let describe =
        caller.describe_backup_job().backup_job_id(started.backup_job_id().context("id")?).send().await;
    assert!(refusal(describe).contains("backup:DescribeBackupJob on resource: *"));
    assert_eq!(stack.backup.list_backup_jobs().send().await?.backup_jobs().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_a_backup_job_needs_iam_passrole_on_its_role() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.caller("starter", START).await?;
    let caller = stack.backup_with("starter").await?;
    let start = |role: &str| {
        caller.start_backup_job().backup_vault_name(VAULT).resource_arn(&table).iam_role_arn(role).send()
    };
    let denied = refusal(start(BACKUP_ROLE).await);
    assert!(denied.contains(&format!("iam:PassRole on resource: {BACKUP_ROLE}")), "{denied}");
    stack.allow("starter", &format!(r#"{{"Statement":[{START},{PASS}]}}"#)).await?;
    start(BACKUP_ROLE).await?;
    let other_role = refusal(start("arn:aws:iam::111122223333:role/starter").await);
    assert!(other_role.contains("iam:PassRole"), "{other_role}");
    let elsewhere = PASS.replace("backup.amazonaws.com", "lambda.amazonaws.com");
    stack.allow("starter", &format!(r#"{{"Statement":[{START},{elsewhere}]}}"#)).await?;
    assert!(refusal(start(BACKUP_ROLE).await).contains("iam:PassRole"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_caller_the_action_and_the_resource() -> Result<()> {
    let stack = Stack::start().await?;
    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:List*","Resource":"*"}"#).await?;
    let caller = stack.backup_with("lister").await?;
    let denied = refusal(caller.delete_backup_vault().backup_vault_name(VAULT).send().await);
    let expected = "403 AccessDeniedException User: arn:aws:sts::111122223333:assumed-role/lister/test is not \
        authorized to perform: backup:DeleteBackupVault on resource: \
        arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain because no identity-based policy allows the \
        backup:DeleteBackupVault action";
    assert_eq!(denied, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_a_vault_needs_backup_storage_mountcapsule() -> Result<()> {
    let stack = Stack::start().await?;
    let create = r#"{"Effect":"Allow","Action":"backup:CreateBackupVault","Resource":"*"}"#;
    stack.caller("maker", create).await?;
    let caller = stack.backup_with("maker").await?;
    let make = || caller.create_backup_vault().backup_vault_name("other").send();
    let denied = refusal(make().await);
    assert!(denied.contains("backup-storage:MountCapsule"), "{denied}");
    let mount = r#"{"Effect":"Allow","Action":"backup-storage:MountCapsule","Resource":"*"}"#;
    stack.allow("maker", &format!(r#"{{"Statement":[{create},{mount}]}}"#)).await?;
    make().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_tags_looks_at_the_point_and_at_the_request() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let mut points = Vec::new();
    for kind in ["chain", "manual"] {
        let started =
            stack.start_backup(&table).recovery_point_tags("dynachain:managed", kind).send().await?;
        points.push(started.recovery_point_arn.context("arn")?);
        stack.pass(100).await;
    }
    let tag = r#"{"Effect":"Allow","Action":"backup:TagResource","Resource":"arn:aws:backup:*:*:recovery-point:*",
        "Condition":{"StringEquals":{"aws:ResourceTag/dynachain:managed":"chain"},
                     "ForAllValues:StringLike":{"aws:TagKeys":"dynachain:*"}}}"#;
    stack.caller("tagger", tag).await?;
    let caller = stack.backup_with("tagger").await?;
    let tag = |point: &str, key: &str| caller.tag_resource().resource_arn(point).tags(key, "x").send();
    tag(&points[0], "dynachain:config:1").await?;
    assert!(refusal(tag(&points[1], "dynachain:config:1").await).starts_with("403 AccessDeniedException"));
    assert!(refusal(tag(&points[0], "team").await).starts_with("403 AccessDeniedException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_credentials_is_a_missingauthenticationtokenexception() -> Result<()> {
    let stack = Stack::start().await?;
    let answer = crate::stack::http(stack.emulator.backup_endpoint(), "GET", "/backup-vaults/", "").await?;
    assert!(answer.starts_with("HTTP/1.0 403 Forbidden"), "{answer}");
    assert!(answer.contains("x-amzn-errortype: MissingAuthenticationTokenException"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_nobody_knows_is_an_unrecognizedclientexception() -> Result<()> {
    let stack = Stack::start().await?;
    let unknown = stack.backup_as("AKIAUNKNOWN000000000", None).list_backup_vaults().send().await;
    assert!(refusal(unknown).starts_with("403 UnrecognizedClientException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_key_without_its_token_is_an_unrecognizedclientexception() -> Result<()> {
    let stack = Stack::start().await?;
    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:List*","Resource":"*"}"#).await?;
    let (key, token) = stack.session("lister").await?;
    assert!(stack.backup_as(&key, Some(&token)).list_backup_vaults().send().await.is_ok());
    for wrong in [None, Some("stale")] {
        let refused = refusal(stack.backup_as(&key, wrong).list_backup_vaults().send().await);
        assert!(refused.starts_with("403 UnrecognizedClientException"), "{refused}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_are_not_verified() -> Result<()> {
    let stack = Stack::start().await?;
    // A signature of zeros.
    let answer = stack.raw("GET", "/backup-vaults/", "").await?;
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_iam_user_is_denied() -> Result<()> {
    let stack = Stack::start().await?;
    stack.iam.create_user().user_name("anna").send().await?;
    let all = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    stack.iam.put_user_policy().user_name("anna").policy_name("all").policy_document(all).send().await?;
    let made = stack.iam.create_access_key().user_name("anna").send().await?;
    let key = made.access_key.context("no key")?.access_key_id;
    let denied = refusal(stack.backup_as(&key, None).list_backup_vaults().send().await);
    assert!(denied.starts_with("403 AccessDeniedException"), "{denied}");
    assert!(denied.ends_with("because only roles and the account's root are emulated"), "{denied}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_account_has_its_own_vaults_and_jobs() -> Result<()> {
    let stack = Stack::start().await?;
    let other = stack.backup_as("444455556666", None);
    assert!(other.list_backup_vaults().send().await?.backup_vault_list().is_empty());
    let made = other.create_backup_vault().backup_vault_name(VAULT).send().await?;
    let arn = "arn:aws:backup:eu-central-1:444455556666:backup-vault:dynachain";
    assert_eq!(made.backup_vault_arn(), Some(arn));
    assert_eq!(stack.backup.list_backup_vaults().send().await?.backup_vault_list().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_policy_counts_as_an_inline_one() -> Result<()> {
    let stack = Stack::start().await?;
    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:*","Resource":"*"}"#).await?;
    let caller = stack.backup_with("lister").await?;
    caller.describe_region_settings().send().await?;
    let never = r#"{"Statement":[{"Effect":"Deny","Action":"backup:Describe*","Resource":"*"}]}"#;
    let arn = policy(&stack, "never", never).await?;
    stack.iam.attach_role_policy().role_name("lister").policy_arn(arn).send().await?;
    stack.emulator.forget_callers();
    let denied = refusal(caller.describe_region_settings().send().await);
    assert!(denied.ends_with("with an explicit deny in an identity-based policy"), "{denied}");
    caller.list_backup_vaults().send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_permissions_boundary_of_a_role_counts() -> Result<()> {
    let stack = Stack::start().await?;
    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:*","Resource":"*"}"#).await?;
    let caller = stack.backup_with("lister").await?;
    let lists = r#"{"Statement":[{"Effect":"Allow","Action":"backup:ListBackup*","Resource":"*"}]}"#;
    let arn = policy(&stack, "lists", lists).await?;
    stack.iam.put_role_permissions_boundary().role_name("lister").permissions_boundary(arn).send().await?;
    stack.emulator.forget_callers();
    caller.list_backup_vaults().send().await?;
    let beyond = refusal(caller.describe_region_settings().send().await);
    assert!(beyond.starts_with("403 AccessDeniedException"), "{beyond}");
    Ok(())
}

/// A managed policy; its ARN.
async fn policy(stack: &Stack, name: &str, document: &str) -> Result<String> {
    let made = stack.iam.create_policy().policy_name(name).policy_document(document).send().await?;
    made.policy.and_then(|policy| policy.arn).context("a policy without an ARN")
}
