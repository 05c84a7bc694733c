use anyhow::{Context as _, Result};

use crate::stack::{BACKUP_ROLE, REGION, Stack, VAULT, refusal};

const START: &str = r#"{"Effect":"Allow","Action":"backup:StartBackupJob","Resource":"arn:aws:backup:*:*:backup-vault:dynachain"}"#;
const PASS: &str = r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/backup",
    "Condition":{"StringEquals":{"iam:PassedToService":"backup.amazonaws.com"}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_role_may_do_what_its_policies_allow_and_no_more() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.caller("starter", START).await?;
    let caller = stack.backup_with("starter").await?;
    let start = |vault: &str, role: &str| {
        caller.start_backup_job().backup_vault_name(vault).resource_arn(&table).iam_role_arn(role).send()
    };
    let denied = refusal(start(VAULT, BACKUP_ROLE).await);
    let expected = "403 AccessDeniedException User: arn:aws:sts::111122223333:assumed-role/starter/test is not \
        authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/backup because no identity-based \
        policy allows the iam:PassRole action";
    assert_eq!(denied, expected);

    stack.allow("starter", &format!(r#"{{"Statement":[{START},{PASS}]}}"#)).await?;
    let started = start(VAULT, BACKUP_ROLE).await?;
    let elsewhere = refusal(start("another", BACKUP_ROLE).await);
    assert!(
        elsewhere.contains(
            "backup:StartBackupJob on resource: arn:aws:backup:eu-central-1:111122223333:backup-vault:another"
        ),
        "{elsewhere}"
    );
    let other_role = refusal(start(VAULT, "arn:aws:iam::111122223333:role/starter").await);
    assert!(other_role.contains("iam:PassRole"), "{other_role}");
    let describe =
        caller.describe_backup_job().backup_job_id(started.backup_job_id().context("id")?).send().await;
    assert!(refusal(describe).contains("backup:DescribeBackupJob on resource: *"));
    assert_eq!(stack.backup.list_backup_jobs().send().await?.backup_jobs().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tag_conditions_look_at_the_point_and_at_the_request() -> Result<()> {
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
async fn a_backup_role_that_lacks_a_permission_fails_the_job() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let without = crate::stack::BACKUP_POLICY.replace("\"dynamodb:ListTagsOfResource\",", "");
    stack.allow("backup", &without).await?;
    stack.role("untrusting", r#"{"Service":"lambda.amazonaws.com"}"#, crate::stack::BACKUP_POLICY).await?;
    let lacking = stack.start_backup(&table).send().await?;
    let untrusting = "arn:aws:iam::111122223333:role/untrusting";
    let untrusted = stack.start_backup(&table).iam_role_arn(untrusting).send().await?;
    // One after the other, as they are of one table.
    stack.pass(700).await;
    let (state, message) = stack.job(lacking.backup_job_id().context("id")?).await?;
    assert_eq!(state, "FAILED");
    let wanted = format!("is not authorized to perform: dynamodb:ListTagsOfResource on resource: {table}");
    assert!(message.contains(&wanted), "{message}");
    let (state, message) = stack.job(untrusted.backup_job_id().context("id")?).await?;
    assert_eq!(
        (state.as_str(), message),
        ("FAILED", format!("IAM Role {untrusting} cannot be assumed by AWS Backup"))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_nobody_knows_is_refused() -> Result<()> {
    let stack = Stack::start().await?;
    let unknown = stack.backup_as("AKIAUNKNOWN000000000", None).list_backup_vaults().send().await;
    assert!(refusal(unknown).starts_with("403 UnrecognizedClientException"));
    let answer = crate::stack::http(stack.emulator.backup_endpoint(), "GET", "/backup-vaults/", "").await?;
    assert!(answer.starts_with("HTTP/1.0 403 Forbidden"), "{answer}");
    assert!(answer.contains("x-amzn-errortype: MissingAuthenticationTokenException"), "{answer}");
    // Another account, by its number, has a world of its own.
    let other = stack.backup_as("444455556666", None);
    assert!(other.list_backup_vaults().send().await?.backup_vault_list().is_empty());

    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:ListBackupVaults","Resource":"*"}"#).await?;
    let vaults = stack.backup_with("lister").await?.list_backup_vaults().send().await?;
    assert_eq!(vaults.backup_vault_list().len(), 1);
    let calls = stack.control("GET", "/calls", "").await?;
    let last = calls["calls"].as_array().and_then(|calls| calls.last()).context("no calls")?;
    assert_eq!(last["principal"], "arn:aws:sts::111122223333:assumed-role/lister/test");
    assert_eq!((&last["operation"], &last["region"]), (&"ListBackupVaults".into(), &REGION.into()));
    assert_eq!((&last["outcome"], &last["time"]), (&"200".into(), &"2025-01-06T06:00:00.000Z".into()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_key_without_its_token_is_refused() -> Result<()> {
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
async fn an_attached_policy_and_a_boundary_count_as_well() -> Result<()> {
    let stack = Stack::start().await?;
    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:*","Resource":"*"}"#).await?;
    let caller = stack.backup_with("lister").await?;
    caller.describe_region_settings().send().await?;
    let never = r#"{"Statement":[{"Effect":"Deny","Action":"backup:Describe*","Resource":"*"}]}"#;
    let made = stack.iam.create_policy().policy_name("never").policy_document(never).send().await?;
    let arn = made.policy.and_then(|policy| policy.arn).context("arn")?;
    stack.iam.attach_role_policy().role_name("lister").policy_arn(arn).send().await?;
    let lists = r#"{"Statement":[{"Effect":"Allow","Action":"backup:ListBackup*","Resource":"*"}]}"#;
    let made = stack.iam.create_policy().policy_name("lists").policy_document(lists).send().await?;
    let arn = made.policy.and_then(|policy| policy.arn).context("arn")?;
    stack.iam.put_role_permissions_boundary().role_name("lister").permissions_boundary(arn).send().await?;
    stack.emulator.forget_callers();
    let denied = refusal(caller.describe_region_settings().send().await);
    assert!(denied.ends_with("with an explicit deny in an identity-based policy"), "{denied}");
    caller.list_backup_vaults().send().await?;
    let beyond = refusal(
        caller
            .list_tags()
            .resource_arn("arn:aws:backup:eu-central-1:111122223333:recovery-point:a")
            .send()
            .await,
    );
    assert!(beyond.starts_with("403 AccessDeniedException"), "{beyond}");
    Ok(())
}
