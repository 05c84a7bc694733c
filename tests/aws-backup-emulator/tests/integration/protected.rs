use anyhow::{Context as _, Result};

use crate::stack::{Stack, VAULT, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_resource_is_listed_with_its_newest_point() -> Result<()> {
    let stack = Stack::start().await?;
    assert!(stack.backup.list_protected_resources().send().await?.results().is_empty());
    let table = stack.table("orders", 1, &[]).await?;
    let mut last = None;
    for _ in 0..2 {
        last = stack.start_backup(&table).send().await?.recovery_point_arn;
        stack.pass(100).await;
    }
    let listed = stack.backup.list_protected_resources().send().await?;
    let [only] = listed.results() else { anyhow::bail!("{listed:?}") };
    assert_eq!((only.resource_arn(), only.resource_name()), (Some(table.as_str()), Some("orders")));
    assert_eq!((only.resource_type(), only.last_recovery_point_arn()), (Some("DynamoDB"), last.as_deref()));
    let point = stack.backup.describe_recovery_point().backup_vault_name(VAULT).set_recovery_point_arn(last);
    let point = point.send().await?;
    assert_eq!(only.last_backup_time(), point.creation_date());
    assert_eq!(only.last_backup_vault_arn(), point.backup_vault_arn());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_stays_protected_when_its_table_is_gone() -> Result<()> {
    let stack = Stack::start().await?;
    let table = stack.table("orders", 1, &[]).await?;
    stack.start_backup(&table).send().await?;
    stack.pass(100).await;
    stack.dynamodb.delete_table().table_name("orders").send().await?;
    let listed = stack.backup.list_protected_resources().send().await?;
    assert_eq!(listed.results().iter().map(|r| r.resource_arn()).collect::<Vec<_>>(), [Some(table.as_str())]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_resources_are_listed_page_by_page_in_the_order_of_their_arns() -> Result<()> {
    let stack = Stack::start().await?;
    let mut tables = Vec::new();
    for name in ["users", "carts", "orders"] {
        let table = stack.table(name, 0, &[]).await?;
        stack.start_backup(&table).send().await?;
        tables.push(table);
    }
    stack.pass(100).await;
    tables.sort();
    let mut pages = stack.backup.list_protected_resources().max_results(2).into_paginator().send();
    let (mut listed, mut sizes) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page?.results.unwrap_or_default();
        sizes.push(page.len());
        for resource in page {
            listed.push(resource.resource_arn.context("arn")?);
        }
    }
    assert_eq!((listed, sizes), (tables, vec![2, 1]));
    let forged = refusal(stack.backup.list_protected_resources().next_token("x").send().await);
    assert!(forged.starts_with("400 InvalidParameterValueException"), "{forged}");
    Ok(())
}
