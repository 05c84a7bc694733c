use std::collections::{BTreeMap, HashMap};

use anyhow::{Context as _, Result};

use crate::stack::{Stack, VAULT, refusal};

const TOO_MANY: &str = "The resultant tag set must not have more than 50 user tags.";

/// A local AWS and a table with so many tags, `tag-00` and so on, each `table`.
async fn tagged_table(tags: usize) -> Result<(Stack, String)> {
    let stack = Stack::start().await?;
    let names: Vec<String> = (0..tags).map(|n| format!("tag-{n:02}")).collect();
    let tags: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "table")).collect();
    let table = stack.table("orders", 1, &tags).await?;
    Ok((stack, table))
}

/// A local AWS and a point of a table with so many tags.
async fn tagged_point(tags: usize) -> Result<(Stack, String)> {
    let (stack, table) = tagged_table(tags).await?;
    let (_, point) = stack.backed_up(&table).await?;
    Ok((stack, point))
}

async fn tags(stack: &Stack, arn: &str) -> Result<HashMap<String, String>> {
    stack.backup.list_tags().resource_arn(arn).send().await?.tags.context("no tags")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_has_the_tags_of_its_table() -> Result<()> {
    let (stack, point) = tagged_point(2).await?;
    let tags = tags(&stack, &point).await?;
    assert_eq!((tags.len(), tags["tag-00"].as_str(), tags["tag-01"].as_str()), (2, "table", "table"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_assigned_at_the_start_wins_over_one_of_the_table() -> Result<()> {
    let (stack, table) = tagged_table(2).await?;
    let started = stack.start_backup(&table).recovery_point_tags("tag-00", "assigned").send().await?;
    stack.pass(100).await;
    let tags = tags(&stack, started.recovery_point_arn().context("arn")?).await?;
    assert_eq!((tags.len(), tags["tag-00"].as_str(), tags["tag-01"].as_str()), (2, "assigned", "table"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_50_tags_of_table_and_request_together_fail_the_job() -> Result<()> {
    let (stack, table) = tagged_table(50).await?;
    let over = stack.start_backup(&table).recovery_point_tags("one-more", "x").send().await?;
    stack.pass(100).await;
    let failed = stack.job(over.backup_job_id().context("id")?).await?;
    assert_eq!(failed, ("FAILED".to_owned(), TOO_MANY.to_owned()));
    let fits = stack.start_backup(&table).recovery_point_tags("tag-00", "assigned").send().await?;
    stack.pass(100).await;
    assert_eq!(stack.job(fits.backup_job_id().context("id")?).await?.0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_10_assigned_tags_are_accepted_and_kept() -> Result<()> {
    let (stack, table) = tagged_table(0).await?;
    let assigned = (0..11).map(|n| (format!("tag-{n:02}"), "x".to_owned())).collect();
    let started = stack.start_backup(&table).set_recovery_point_tags(Some(assigned)).send().await?;
    stack.pass(100).await;
    assert_eq!(tags(&stack, started.recovery_point_arn().context("arn")?).await?.len(), 11);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_50_assigned_tags_are_accepted_and_fail_the_job() -> Result<()> {
    let (stack, table) = tagged_table(0).await?;
    let tags = (0..51).map(|n| (format!("tag-{n}"), "x".to_owned())).collect();
    let over = stack.start_backup(&table).set_recovery_point_tags(Some(tags)).send().await?;
    stack.pass(100).await;
    let failed = stack.job(over.backup_job_id().context("id")?).await?;
    assert_eq!(failed, ("FAILED".to_owned(), "More than 50 tags specified".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_added_to_a_point_beyond_50_are_a_limitexceededexception() -> Result<()> {
    let (stack, point) = tagged_point(50).await?;
    let more = stack.backup.tag_resource().resource_arn(&point).tags("one-more", "x").send().await;
    assert_eq!(refusal(more), format!("400 LimitExceededException {TOO_MANY}"));
    assert!(!tags(&stack, &point).await?.contains_key("one-more"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn added_tags_replace_those_of_the_same_key_and_leave_the_others() -> Result<()> {
    let (stack, point) = tagged_point(2).await?;
    let add = stack.backup.tag_resource().resource_arn(&point).tags("tag-00", "new").tags("third", "");
    add.send().await?;
    let tags = tags(&stack, &point).await?;
    assert_eq!(tags.len(), 3);
    assert_eq!(
        (tags["tag-00"].as_str(), tags["tag-01"].as_str(), tags["third"].as_str()),
        ("new", "table", "")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_tag_that_is_not_there_changes_nothing() -> Result<()> {
    let (stack, point) = tagged_point(3).await?;
    let remove =
        stack.backup.untag_resource().resource_arn(&point).tag_key_list("tag-00").tag_key_list("none");
    remove.send().await?;
    let tags = tags(&stack, &point).await?;
    assert_eq!((tags.len(), tags.contains_key("tag-00")), (2, false));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_listed_by_key_in_pages() -> Result<()> {
    let (stack, point) = tagged_point(50).await?;
    let mut pages = stack.backup.list_tags().resource_arn(point).max_results(20).into_paginator().send();
    let (mut all, mut sizes) = (BTreeMap::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page: BTreeMap<_, _> = page?.tags.unwrap_or_default().into_iter().collect();
        let last = all.last_key_value().map(|(key, _): (&String, _)| key.clone()).unwrap_or_default();
        assert!(page.first_key_value().is_some_and(|(key, _)| *key > last), "{page:?}");
        sizes.push(page.len());
        all.extend(page);
    }
    assert_eq!((sizes.as_slice(), all.len()), ([20, 20, 10].as_slice(), 50));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn added_tags_that_break_a_rule_are_an_invalidparametervalueexception() -> Result<()> {
    let (stack, point) = tagged_point(0).await?;
    let tag =
        |key: &str, value: &str| stack.backup.tag_resource().resource_arn(&point).tags(key, value).send();
    for (key, value) in
        [("aws:x", "y"), ("", "y"), ("a", "{}"), (&*"k".repeat(129), ""), ("a", &*"v".repeat(257))]
    {
        let refused = refusal(tag(key, value).await);
        assert!(refused.starts_with("400 InvalidParameterValueException"), "{key}: {refused}");
    }
    let none = stack.backup.tag_resource().resource_arn(&point).set_tags(Some(HashMap::new())).send().await;
    assert!(refusal(none).starts_with("400 InvalidParameterValueException"));
    let untag = stack.backup.untag_resource().resource_arn(&point).tag_key_list("aws:x").send().await;
    assert!(refusal(untag).starts_with("400 InvalidParameterValueException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tagging_without_tags_or_keys_is_a_missingparametervalueexception() -> Result<()> {
    let stack = Stack::start().await?;
    for path in ["tags", "untag"] {
        let vault = "arn%3Aaws%3Abackup%3Aeu-central-1%3A111122223333%3Abackup-vault%3Adynachain";
        let answer = stack.raw("POST", &format!("/{path}/{vault}"), "{}").await?;
        assert!(answer.contains("x-amzn-errortype: MissingParameterValueException"), "{path}: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_a_point_that_is_being_created_cannot_be_changed() -> Result<()> {
    let (stack, table) = tagged_table(1).await?;
    let started = stack.start_backup(&table).send().await?;
    stack.pass(20).await;
    let point = started.recovery_point_arn().context("arn")?;
    let tag = || stack.backup.tag_resource().resource_arn(point).tags("late", "x").send();
    let untag = || stack.backup.untag_resource().resource_arn(point).tag_key_list("tag-00").send();
    for refused in [refusal(tag().await), refusal(untag().await)] {
        assert!(refused.starts_with("400 InvalidParameterValueException"), "{refused}");
    }
    stack.pass(80).await;
    tag().await?;
    untag().await?;
    assert_eq!(tags(&stack, point).await?.into_keys().collect::<Vec<_>>(), ["late"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_arns_of_aws_backup_have_tags_here() -> Result<()> {
    let (stack, table) = tagged_table(1).await?;
    for arn in [table.as_str(), "orders"] {
        let list = refusal(stack.backup.list_tags().resource_arn(arn).send().await);
        assert!(list.starts_with("400 InvalidParameterValueException"), "{arn}: {list}");
        let tag = refusal(stack.backup.tag_resource().resource_arn(arn).tags("a", "b").send().await);
        assert!(tag.starts_with("400 InvalidParameterValueException"), "{arn}: {tag}");
        let untag = refusal(stack.backup.untag_resource().resource_arn(arn).tag_key_list("a").send().await);
        assert!(untag.starts_with("400 InvalidParameterValueException"), "{arn}: {untag}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_what_does_not_exist_are_a_resourcenotfoundexception() -> Result<()> {
    let stack = Stack::start().await?;
    for resource in ["recovery-point:missing", "backup-vault:missing"] {
        let arn = format!("arn:aws:backup:eu-central-1:111122223333:{resource}");
        let list = refusal(stack.backup.list_tags().resource_arn(&arn).send().await);
        assert!(list.starts_with("400 ResourceNotFoundException"), "{list}");
        let tag = refusal(stack.backup.tag_resource().resource_arn(&arn).tags("a", "b").send().await);
        assert!(tag.starts_with("400 ResourceNotFoundException"), "{tag}");
        let untag = refusal(stack.backup.untag_resource().resource_arn(&arn).tag_key_list("a").send().await);
        assert!(untag.starts_with("400 ResourceNotFoundException"), "{untag}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_has_tags_as_a_point_has() -> Result<()> {
    let stack = Stack::start().await?;
    let made =
        stack.backup.create_backup_vault().backup_vault_name("other").backup_vault_tags("team", "shop");
    let arn = made.send().await?.backup_vault_arn.context("arn")?;
    stack.backup.tag_resource().resource_arn(&arn).tags("stage", "test").send().await?;
    stack.backup.untag_resource().resource_arn(&arn).tag_key_list("team").send().await?;
    assert_eq!(tags(&stack, &arn).await?, HashMap::from([("stage".to_owned(), "test".to_owned())]));
    assert!(!arn.contains(VAULT));
    Ok(())
}
