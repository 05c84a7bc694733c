//! Conditions and dependent actions, with roles that have been assumed.

use anyhow::{Context as _, Result};

use crate::stack::{BACKUP_ROLE, Stack, VAULT, refusal};

const PASS: &str =
    r#"{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/backup"}"#;

/// What a call is refused for: `backup:TagResource`.
fn denied(refusal: &str) -> &str {
    let refused = refusal.strip_prefix("403 AccessDeniedException User: ");
    let action = refused.and_then(|rest| rest.split_once("is not authorized to perform: "));
    action.and_then(|(_, rest)| rest.split(' ').next()).unwrap_or(refusal)
}

/// A point with one tag.
async fn point(stack: &Stack, table: &str, key: &str, value: &str) -> Result<String> {
    let started = stack.start_backup(table).recovery_point_tags(key, value).send().await?;
    stack.pass(100).await;
    started.recovery_point_arn.context("arn")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_may_be_limited_to_points_that_carry_a_tag() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let chain = point(&stack, &table, "dynachain:managed", "chain").await?;
    let manual = point(&stack, &table, "dynachain:managed", "manual").await?;
    let kept = point(&stack, &table, "dynachain:keep", "").await?;
    let read = r#"{"Effect":"Allow","Action":["backup:DescribeRecoveryPoint","backup:UntagResource"],
        "Resource":"arn:aws:backup:*:*:recovery-point:*",
        "Condition":{"StringEquals":{"aws:ResourceTag/dynachain:managed":"chain"}}},
        {"Effect":"Deny","Action":"backup:*","Resource":"*","Condition":{"Null":{"aws:ResourceTag/dynachain:keep":"false"}}}"#;
    stack.caller("reader", read).await?;
    let caller = stack.backup_with("reader").await?;
    let describe = |point: &str| {
        caller.describe_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point).send()
    };
    describe(&chain).await?;
    assert_eq!(denied(&refusal(describe(&manual).await)), "backup:DescribeRecoveryPoint");
    let explicit = refusal(describe(&kept).await);
    assert!(explicit.ends_with("with an explicit deny in an identity-based policy"), "{explicit}");
    // What is tagged now counts at once.
    stack.backup.tag_resource().resource_arn(&manual).tags("dynachain:managed", "chain").send().await?;
    describe(&manual).await?;
    stack.backup.tag_resource().resource_arn(&manual).tags("dynachain:keep", "").send().await?;
    assert_eq!(denied(&refusal(describe(&manual).await)), "backup:DescribeRecoveryPoint");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_may_be_limited_to_certain_tags_in_its_requests() -> Result<()> {
    let stack = Stack::start().await?;
    let vault = format!("arn:aws:backup:eu-central-1:111122223333:backup-vault:{VAULT}");
    let tagging = r#"{"Effect":"Allow","Action":"backup:TagResource","Resource":"*",
        "Condition":{"StringLike":{"aws:RequestTag/team":"shop-*"},
                     "ForAllValues:StringEquals":{"aws:TagKeys":["team","year"]}}},
        {"Effect":"Allow","Action":"backup:UntagResource","Resource":"*",
         "Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":"year"}}}"#;
    stack.caller("tagger", tagging).await?;
    let caller = stack.backup_with("tagger").await?;
    let tag = |more: &str, team: &str| {
        caller.tag_resource().resource_arn(&vault).tags("team", team).tags(more, "2025").send()
    };
    tag("year", "shop-1").await?;
    assert_eq!(denied(&refusal(tag("year", "law").await)), "backup:TagResource");
    assert_eq!(denied(&refusal(tag("owner", "shop-1").await)), "backup:TagResource");
    let untag = |key: &str| caller.untag_resource().resource_arn(&vault).tag_key_list(key).send();
    untag("year").await?;
    assert_eq!(denied(&refusal(untag("team").await)), "backup:UntagResource");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_may_be_limited_to_vaults_that_carry_a_tag() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    for team in ["shop", "law"] {
        stack
            .backup
            .create_backup_vault()
            .backup_vault_name(team)
            .backup_vault_tags("team", team)
            .send()
            .await?;
    }
    let start = r#"{"Effect":"Allow","Action":"backup:StartBackupJob","Resource":"arn:aws:backup:*:*:backup-vault:*",
        "Condition":{"StringEqualsIfExists":{"aws:ResourceTag/team":"shop"}}}"#;
    stack.caller("starter", &format!("{start},{PASS}")).await?;
    let caller = stack.backup_with("starter").await?;
    let start = |vault: &str| {
        caller
            .start_backup_job()
            .backup_vault_name(vault)
            .resource_arn(&table)
            .iam_role_arn(BACKUP_ROLE)
            .send()
    };
    start("shop").await?;
    start(VAULT).await?;
    assert_eq!(denied(&refusal(start("law").await)), "backup:StartBackupJob");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn startbackupjob_has_no_condition_keys_for_the_tags_it_is_given() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let start = |condition: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"backup:StartBackupJob","Resource":"*","Condition":{condition}}},{PASS}"#
        )
    };
    stack.caller("starter", &start(r#"{"StringEquals":{"aws:RequestTag/team":"shop"}}"#)).await?;
    let caller = stack.backup_with("starter").await?;
    let send = || {
        let job =
            caller.start_backup_job().backup_vault_name(VAULT).resource_arn(&table).iam_role_arn(BACKUP_ROLE);
        job.recovery_point_tags("team", "shop").send()
    };
    assert_eq!(denied(&refusal(send().await)), "backup:StartBackupJob");
    let absent = start(r#"{"Null":{"aws:TagKeys":"true"}}"#);
    stack.allow("starter", &format!(r#"{{"Statement":[{absent}]}}"#)).await?;
    send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn making_a_vault_or_a_hold_with_tags_needs_tagresource_on_it_as_well() -> Result<()> {
    let stack = Stack::start().await?;
    let make = r#"{"Effect":"Allow","Resource":"*",
        "Action":["backup:CreateBackupVault","backup:CreateLegalHold","backup-storage:MountCapsule"]}"#;
    let tag = r#"{"Effect":"Allow","Action":"backup:TagResource","Condition":{"StringEquals":{"aws:RequestTag/team":"shop"}},
        "Resource":["arn:aws:backup:*:*:backup-vault:*","arn:aws:backup:*:*:legal-hold:*"]}"#;
    stack.caller("maker", make).await?;
    let caller = stack.backup_with("maker").await?;
    let vault = |name: &str| caller.create_backup_vault().backup_vault_name(name);
    let hold = || caller.create_legal_hold().title("case").description("42");
    vault("plain").send().await?;
    hold().send().await?;
    for refused in [
        refusal(vault("tagged").backup_vault_tags("team", "shop").send().await),
        refusal(hold().tags("team", "shop").send().await),
    ] {
        assert_eq!(denied(&refused), "backup:TagResource");
    }
    stack.allow("maker", &format!(r#"{{"Statement":[{make},{tag}]}}"#)).await?;
    vault("tagged").backup_vault_tags("team", "shop").send().await?;
    hold().tags("team", "shop").send().await?;
    let other = refusal(vault("other").backup_vault_tags("team", "law").send().await);
    assert_eq!(denied(&other), "backup:TagResource");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_with_a_customers_key_needs_the_callers_permissions_for_the_key() -> Result<()> {
    let stack = Stack::start().await?;
    let make = r#"{"Effect":"Allow","Resource":"*","Action":["backup:CreateBackupVault","backup-storage:MountCapsule"]}"#;
    let kms = |actions: &str| {
        format!(
            r#"{{"Effect":"Allow","Resource":"arn:aws:kms:*:*:key/ab","Action":[{actions}],
                "Condition":{{"StringEquals":{{"kms:ViaService":"backup.eu-central-1.amazonaws.com"}}}}}}"#
        )
    };
    let all = ["DescribeKey", "CreateGrant", "GenerateDataKey", "Decrypt", "RetireGrant"];
    stack.caller("maker", make).await?;
    let caller = stack.backup_with("maker").await?;
    let create = || {
        let key = "arn:aws:kms:eu-central-1:111122223333:key/ab";
        caller.create_backup_vault().backup_vault_name("secret").encryption_key_arn(key).send()
    };
    assert_eq!(denied(&refusal(create().await)), "kms:DescribeKey");
    for lacking in all {
        let others = all.iter().filter(|action| **action != lacking);
        let others: Vec<String> = others.map(|action| format!(r#""kms:{action}""#)).collect();
        stack.allow("maker", &format!(r#"{{"Statement":[{make},{}]}}"#, kms(&others.join(",")))).await?;
        assert_eq!(denied(&refusal(create().await)), format!("kms:{lacking}"));
    }
    stack.allow("maker", &format!(r#"{{"Statement":[{make},{}]}}"#, kms(r#""kms:*""#))).await?;
    create().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_says_whether_a_policy_or_a_boundary_is_the_reason() -> Result<()> {
    let stack = Stack::start().await?;
    let allow = r#"{"Effect":"Allow","Action":["backup:ListTags","backup:List*Vaults","backup:ListLegalHolds"],"Resource":"*"}"#;
    let deny = r#"{"Effect":"Deny","Action":"backup:ListBackupJobs","Resource":"*"}"#;
    stack.caller("lister", &format!("{allow},{deny}")).await?;
    let boundary = r#"{"Statement":[{"Effect":"Allow","Action":"backup:List*Vaults","Resource":"*"},
        {"Effect":"Deny","Action":"backup:ListLegalHolds","Resource":"*"}]}"#;
    let made = stack.iam.create_policy().policy_name("bounds").policy_document(boundary).send().await?;
    let arn = made.policy.and_then(|policy| policy.arn).context("arn")?;
    stack.iam.put_role_permissions_boundary().role_name("lister").permissions_boundary(arn).send().await?;
    let caller = stack.backup_with("lister").await?;
    caller.list_backup_vaults().send().await?;
    let vault = format!("arn:aws:backup:eu-central-1:111122223333:backup-vault:{VAULT}");
    for (refused, reason) in [
        (
            refusal(caller.list_protected_resources().send().await),
            "because no identity-based policy allows the backup:ListProtectedResources action",
        ),
        (
            refusal(caller.list_backup_jobs().send().await),
            "with an explicit deny in an identity-based policy",
        ),
        (
            refusal(caller.list_tags().resource_arn(&vault).send().await),
            "because no permissions boundary allows the backup:ListTags action",
        ),
        (refusal(caller.list_legal_holds().send().await), "with an explicit deny in a permissions boundary"),
    ] {
        assert!(
            refused.starts_with("403 AccessDeniedException User: ") && refused.ends_with(reason),
            "{refused}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prune_role_deletes_the_points_of_a_chain_and_is_denied_all_others() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let chain = point(&stack, &table, "dynachain:managed", "chain").await?;
    let manual = point(&stack, &table, "dynachain:managed", "manual").await?;
    let prune = r#"{"Effect":"Allow","Action":"backup:DeleteRecoveryPoint","Resource":"arn:aws:backup:*:*:recovery-point:*",
        "Condition":{"StringEquals":{"aws:ResourceTag/dynachain:managed":"chain"}}},
        {"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"*"}"#;
    stack.caller("prune", prune).await?;
    let caller = stack.backup_with("prune").await?;
    let delete = |point: &str| {
        caller.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point).send()
    };
    assert_eq!(denied(&refusal(delete(&manual).await)), "backup:DeleteRecoveryPoint");
    delete(&chain).await?;
    stack.pass(60).await;
    let left = stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await?;
    let left: Vec<_> = left.recovery_points().iter().filter_map(|point| point.recovery_point_arn()).collect();
    assert_eq!(left, [manual]);
    Ok(())
}
