mod jobs;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::stack::{Stack, VAULT, refusal};

async fn set(stack: &Stack, faults: &str) -> Result<()> {
    let set = stack.control("PUT", "/faults", faults).await?;
    anyhow::ensure!(set.is_array(), "{set}");
    Ok(())
}

async fn strikes(stack: &Stack) -> Result<Vec<u64>> {
    let faults = stack.control("GET", "/faults", "").await?;
    Ok(faults.as_array().context("no list")?.iter().filter_map(|fault| fault["struck"].as_u64()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_throttles_fails_or_denies_a_call() -> Result<()> {
    let stack = Stack::start().await?;
    stack.caller("lister", r#"{"Effect":"Allow","Action":"backup:*","Resource":"*"}"#).await?;
    let caller = stack.backup_with("lister").await?;
    set(
        &stack,
        r#"[{"operation": "ListBackupVaults", "principal": "lister", "count": 1, "effect": "throttle"},
            {"operation": "List*", "principal": "lister", "count": 1, "effect": "error500"},
            {"operation": "*", "principal": "lister", "count": 1, "effect": "access_denied"}]"#,
    )
    .await?;
    stack.backup.list_backup_vaults().send().await?;
    let mut refused = Vec::new();
    for _ in 0..3 {
        refused.push(refusal(caller.list_backup_vaults().send().await));
    }
    assert_eq!(refused[0], "400 ThrottlingException Rate exceeded");
    assert!(refused[1].starts_with("500 ServiceUnavailableException "), "{}", refused[1]);
    let denied = "403 AccessDeniedException User: arn:aws:sts::111122223333:assumed-role/lister/test is not authorized to \
                  perform: backup:ListBackupVaults";
    assert_eq!(refused[2], denied);
    caller.list_backup_vaults().send().await?;
    assert_eq!(strikes(&stack).await?, [1, 1, 1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_call_is_answered_so_much_later_in_real_time() -> Result<()> {
    let stack = Stack::start().await?;
    set(
        &stack,
        r#"[{"operation": "ListBackupVaults", "count": 1, "effect": "delay", "seconds": 0.01},
            {"operation": "ListBackupVaults", "effect": "delay", "seconds": 300}]"#,
    )
    .await?;
    assert_eq!(stack.backup.list_backup_vaults().send().await?.backup_vault_list().len(), 1);
    let late = tokio::spawn(stack.backup.list_backup_vaults().send());
    while strikes(&stack).await? != [1, 1] {
        tokio::task::yield_now().await;
    }
    stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert!(!late.is_finished());
    late.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_call_gets_no_answer_and_has_all_of_its_effect_or_none() -> Result<()> {
    let stack = Stack::start().await?;
    set(
        &stack,
        r#"[{"operation": "CreateBackupVault", "count": 1, "effect": "drop_before"},
            {"operation": "CreateBackupVault", "count": 1, "effect": "drop_after"}]"#,
    )
    .await?;
    stack.control("DELETE", "/calls", "").await?;
    for there in [1, 2] {
        let error = stack.backup.create_backup_vault().backup_vault_name("another").send().await.unwrap_err();
        assert!(matches!(error, aws_sdk_backup::error::SdkError::DispatchFailure(_)), "{error:?}");
        // The next call finds a connection that works.
        let vaults = stack.backup.list_backup_vaults().send().await?;
        assert_eq!(vaults.backup_vault_list().len(), there);
    }
    let calls = stack.calls().await?;
    assert_eq!(calls[0], "CreateBackupVault dropped before");
    assert_eq!(calls[2], "CreateBackupVault dropped after 200");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_ends_as_a_fault_says_when_its_time_has_come() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    set(
        &stack,
        r#"[{"operation": "StartBackupJob", "count": 1, "effect": "job_failed"},
            {"operation": "StartBackupJob", "count": 1, "effect": "job_expired"},
            {"operation": "*", "count": 1, "effect": "job_aborted"},
            {"operation": "StartBackupJob", "count": 1, "effect": "job_failed",
             "message": "Table not found.", "category": "RESOURCE_NOT_FOUND"}]"#,
    )
    .await?;
    for (state, message, category) in [
        ("FAILED", "Backup job encountered a fatal error.", "FATAL_ERROR"),
        ("EXPIRED", "Backup job expired before completion.", "JOB_EXPIRED"),
        ("ABORTED", "Backup job was stopped by user.", "ABORTED"),
        ("FAILED", "Table not found.", "RESOURCE_NOT_FOUND"),
    ] {
        let job = stack.start_backup(&table).send().await?.backup_job_id.context("id")?;
        stack.pass(59).await;
        assert_eq!(stack.job(&job).await?.0, "RUNNING");
        stack.pass(1).await;
        let ended = stack.backup.describe_backup_job().backup_job_id(&job).send().await?;
        assert_eq!(ended.state().map(aws_sdk_backup::types::BackupJobState::as_str), Some(state));
        assert_eq!((ended.status_message(), ended.message_category()), (Some(message), Some(category)));
    }
    let points = stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT);
    assert_eq!(points.send().await?.recovery_points().len(), 0);
    let sound = stack.start_backup(&table).send().await?.backup_job_id.context("id")?;
    stack.pass(60).await;
    assert_eq!(stack.job(&sound).await?.0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_job_leaves_a_recovery_point_that_is_partial() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    set(&stack, r#"[{"operation": "StartBackupJob", "effect": "job_partial"}]"#).await?;
    let started = stack.start_backup(&table).send().await?;
    stack.pass(60).await;
    assert_eq!(stack.job(started.backup_job_id().context("id")?).await?.0, "PARTIAL");
    let point = stack.backup.describe_recovery_point().backup_vault_name(VAULT);
    let point = point.set_recovery_point_arn(started.recovery_point_arn).send().await?;
    assert_eq!(point.status(), Some(&aws_sdk_backup::types::RecoveryPointStatus::Partial));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_idempotency_token_uses_up_no_ending() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    set(
        &stack,
        r#"[{"operation": "StartBackupJob", "count": 1, "effect": "drop_after"},
            {"operation": "StartBackupJob", "count": 2, "effect": "job_failed"}]"#,
    )
    .await?;
    let start = || stack.start_backup(&table).idempotency_token("once").send();
    start().await.unwrap_err();
    let (first, second) = (start().await?, start().await?);
    assert_eq!(first.backup_job_id(), second.backup_job_id());
    assert_eq!(strikes(&stack).await?, [1, 1]);
    stack.pass(60).await;
    assert_eq!(stack.job(first.backup_job_id().context("id")?).await?.0, "FAILED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_make_no_sense_are_refused_all_at_once() -> Result<()> {
    let stack = Stack::start().await?;
    let refused = stack
        .refused(
            "PUT",
            "/faults",
            r#"[{"operation": "ListTags", "effect": "throttle"},
                {"operation": "ListTag", "effect": "throttle", "count": 0},
                {"operation": "*", "effect": "explode"},
                {"operation": "*", "effect": "delay"},
                {"operation": "*", "effect": "delay", "seconds": 301},
                {"operation": "*", "effect": "throttle", "seconds": 1, "message": "slow"},
                {"operation": "*", "effect": "throttle", "count": 1, "probability": 0.5},
                {"operation": "*", "effect": "throttle", "probability": 1.5},
                {"operation": "ListTags", "effect": "job_failed"},
                {"operation": "*", "effect": "job_failed", "category": "BAD_LUCK"},
                {"operation": "*"},
                {"operation": "*", "effect": "throttle", "chance": 1}]"#,
        )
        .await?;
    for problem in [
        "[1]: count must be at least 1",
        "[1]: ListTag is no operation",
        "[2]: effect must be one of throttle,",
        "[3]: a delay needs seconds, more than 0 and at most 300",
        "[4]: a delay needs seconds",
        "[5]: seconds does not go with throttle",
        "[5]: message does not go with throttle",
        "[6]: count and probability exclude each other",
        "[7]: probability must be from 0 to 1, not 1.5",
        "[8]: job_failed does not happen to ListTags",
        "[9]: category must be one of ABORTED,",
        "[10]: missing field `effect`",
        "[11]: unknown field `chance`",
    ] {
        assert!(refused.contains(problem), "{problem}: {refused}");
    }
    assert!(!refused.contains("[0]"), "{refused}");
    assert_eq!(stack.control("GET", "/faults", "").await?, json!([]));
    Ok(())
}
