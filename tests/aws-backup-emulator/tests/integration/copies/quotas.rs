//! How many copies there may be at once.

use serde_json::json;

use super::*;
use crate::stack::refusal;

#[tokio::test(flavor = "multi_thread")]
async fn more_copies_than_the_quotas_allow_are_refused_until_some_have_ended() -> Result<()> {
    let scene = Scene::start().await?;
    let set = scene.stack.control("PUT", "/quotas", r#"{"concurrent_copies": 2}"#).await?;
    assert_eq!(set, json!({ "concurrent_copies": 2 }));
    for _ in 0..5 {
        scene.copy().send().await?;
    }
    let refused = refusal(scene.copy().send().await);
    assert!(refused.starts_with("400 LimitExceededException"), "{refused}");
    scene.stack.backup.create_backup_vault().backup_vault_name("second").send().await?;
    let second = "arn:aws:backup:eu-central-1:111122223333:backup-vault:second";
    scene.copy().destination_backup_vault_arn(second).send().await?;
    scene.stack.pass(3 * 3600).await;
    scene.copy().send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_of_concurrent_copies_can_be_set_and_is_reset_with_the_rest() -> Result<()> {
    let stack = Stack::start().await?;
    assert_eq!(stack.control("GET", "/quotas", "").await?, json!({ "concurrent_copies": 100 }));
    stack.control("PUT", "/quotas", r#"{"concurrent_copies": 5}"#).await?;
    assert_eq!(stack.control("GET", "/quotas", "").await?, json!({ "concurrent_copies": 5 }));
    for wrong in [r#"{"concurrent_copies": -1}"#, r#"{"copies": 5}"#, "5"] {
        let answer = stack.control("PUT", "/quotas", wrong).await?;
        assert!(answer["error"].is_string(), "{wrong}: {answer}");
    }
    stack.control("DELETE", "/", "").await?;
    assert_eq!(stack.control("GET", "/quotas", "").await?, json!({ "concurrent_copies": 100 }));
    Ok(())
}
