use anyhow::{Context as _, Result};

use crate::stack::{Stack, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn more_than_fifty_tags_fail_the_job() -> Result<()> {
    let stack = Stack::start().await?;
    let names: Vec<String> = (0..50).map(|n| format!("tag-{n}")).collect();
    let tags: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "table")).collect();
    let table = stack.table("orders", 1, &tags).await?;
    let over = stack.start_backup(&table).recovery_point_tags("one-more", "x").send().await?;
    stack.pass(120).await;
    let failed = stack.job(over.backup_job_id().context("id")?).await?;
    let message = "The resultant tag set must not have more than 50 user tags.";
    assert_eq!(failed, ("FAILED".to_owned(), message.to_owned()));

    let fits = stack.start_backup(&table).recovery_point_tags("tag-0", "assigned").send().await?;
    stack.pass(120).await;
    let point = fits.recovery_point_arn().context("arn")?;
    assert_eq!(stack.job(fits.backup_job_id().context("id")?).await?.0, "COMPLETED");
    let more = stack.backup.tag_resource().resource_arn(point).tags("one-more", "x").send().await;
    assert_eq!(refusal(more), format!("400 LimitExceededException {message}"));
    stack.backup.tag_resource().resource_arn(point).tags("tag-1", "changed").send().await?;
    stack
        .backup
        .untag_resource()
        .resource_arn(point)
        .tag_key_list("tag-2")
        .tag_key_list("none")
        .send()
        .await?;

    let mut pages = stack.backup.list_tags().resource_arn(point).max_results(20).into_paginator().send();
    let mut all = std::collections::BTreeMap::new();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?.tags.unwrap_or_default();
        sizes.push(page.len());
        all.extend(page);
    }
    assert_eq!(sizes, [20, 20, 9]);
    assert_eq!(
        (all["tag-0"].as_str(), all["tag-1"].as_str(), all.get("tag-2")),
        ("assigned", "changed", None)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_break_a_rule_are_refused() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    let started = stack.start_backup(&table).send().await?;
    stack.pass(120).await;
    let point = started.recovery_point_arn().context("arn")?;
    let tag =
        |key: &str, value: &str| stack.backup.tag_resource().resource_arn(point).tags(key, value).send();
    for (key, value) in
        [("aws:x", "y"), ("", "y"), ("a", "{}"), (&*"k".repeat(129), ""), ("a", &*"v".repeat(257))]
    {
        let refused = refusal(tag(key, value).await);
        assert!(refused.starts_with("400 InvalidParameterValueException"), "{key}: {refused}");
    }
    let missing = point.replace("recovery-point:", "recovery-point:0");
    let none = stack.backup.tag_resource().resource_arn(&missing).tags("a", "b").send().await;
    assert!(refusal(none).starts_with("400 ResourceNotFoundException"));
    let none = stack.backup.list_tags().resource_arn(missing).send().await;
    assert!(refusal(none).starts_with("400 ResourceNotFoundException"));
    Ok(())
}
