use anyhow::Result;
use serde_json::json;

use crate::stack::{Stack, VAULT, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_its_limit_is_a_throttlingexception_with_status_400() -> Result<()> {
    let stack = Stack::start().await?;
    stack.control("PUT", "/limits", r#"{"ListBackupVaults": 0.001}"#).await?;
    stack.control("DELETE", "/calls", "").await?;
    stack.backup.list_backup_vaults().send().await?;
    let throttled = refusal(stack.backup.list_backup_vaults().send().await);
    assert_eq!(throttled, "400 ThrottlingException Rate exceeded");
    stack.backup_in("eu-west-1").list_backup_vaults().send().await?;
    stack.backup.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    let calls = stack.calls().await?;
    assert_eq!(calls[..2], ["ListBackupVaults 200", "ListBackupVaults 400 ThrottlingException"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preset_aws_sets_the_rates_that_aws_has() -> Result<()> {
    let stack = Stack::start().await?;
    assert_eq!(stack.control("GET", "/limits", "").await?, json!({}));
    let set =
        stack.control("PUT", "/limits", r#"{"preset": "aws", "TagResource": 1, "List*": null}"#).await?;
    let expected = json!({
        "*": 50.0, "DeleteRecoveryPoint": 10.0, "Describe*": 15.0, "StartBackupJob": 5.0, "StartCopyJob": 5.0,
        "StartRestoreJob": 5.0, "TagResource": 1.0, "UpdateRecoveryPointLifecycle": 5.0,
    });
    assert_eq!((&set, &stack.control("GET", "/limits", "").await?), (&expected, &expected));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_of_unknown_operations_and_rates_that_are_not_positive_are_refused() -> Result<()> {
    let stack = Stack::start().await?;
    let body = r#"{"preset": "fast", "StartBackups": 5, "ListTags": 0, "TagResource": "many", "*": 9}"#;
    let refused = stack.refused("PUT", "/limits", body).await?;
    for problem in [
        r#"preset must be "aws", not "fast""#,
        "StartBackups is no operation",
        "ListTags must be a positive number of calls per second or null, not 0",
        r#"TagResource must be a positive number of calls per second or null, not "many""#,
    ] {
        assert!(refused.contains(problem), "{refused}");
    }
    assert_eq!(stack.control("GET", "/limits", "").await?, json!({}));
    Ok(())
}
