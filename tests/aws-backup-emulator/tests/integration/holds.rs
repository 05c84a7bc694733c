use anyhow::{Context as _, Result};
use aws_sdk_backup::operation::create_legal_hold::CreateLegalHoldOutput;
use aws_sdk_backup::operation::get_legal_hold::GetLegalHoldOutput;
use aws_sdk_backup::types::{LegalHoldStatus, RecoveryPointSelection};

use crate::stack::{Stack, VAULT, refusal};

/// A hold on a vault, as `CreateLegalHold` answers it.
async fn hold_on(stack: &Stack, vault: &str) -> Result<CreateLegalHoldOutput> {
    let selection = RecoveryPointSelection::builder().vault_names(vault).build();
    let hold = stack.backup.create_legal_hold().title("case").description("42");
    Ok(hold.recovery_point_selection(selection).send().await?)
}

async fn get(stack: &Stack, id: &str) -> Result<GetLegalHoldOutput> {
    Ok(stack.backup.get_legal_hold().legal_hold_id(id).send().await?)
}

fn id(hold: &CreateLegalHoldOutput) -> Result<&str> {
    hold.legal_hold_id().context("a hold without an id")
}

/// A hold in force on the vault, and the points that were in it, newest first.
async fn active(stack: &Stack, points: usize) -> Result<(CreateLegalHoldOutput, Vec<String>)> {
    let table = stack.table("orders", 1, &[]).await?;
    let mut made = Vec::new();
    for _ in 0..points {
        let started = stack.start_backup(&table).send().await?;
        made.push(started.recovery_point_arn.context("arn")?);
        stack.pass(100).await;
    }
    made.reverse();
    let hold = hold_on(stack, VAULT).await?;
    stack.pass(5).await;
    Ok((hold, made))
}

async fn points(stack: &Stack, hold: &str) -> Result<Vec<String>> {
    let mut pages = stack
        .backup
        .list_recovery_points_by_legal_hold()
        .legal_hold_id(hold)
        .max_results(2)
        .into_paginator()
        .send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page?.recovery_points.unwrap_or_default();
        anyhow::ensure!(page.len() <= 2, "a page of {}", page.len());
        arns.extend(page.into_iter().filter_map(|point| point.recovery_point_arn));
    }
    Ok(arns)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_creating_then_active_then_canceling_then_canceled() -> Result<()> {
    let stack = Stack::start().await?;
    let hold = hold_on(&stack, VAULT).await?;
    let id = id(&hold)?;
    assert_eq!(
        hold.legal_hold_arn(),
        Some(&*format!("arn:aws:backup:eu-central-1:111122223333:legal-hold:{id}"))
    );
    assert_eq!((hold.status(), hold.title()), (Some(&LegalHoldStatus::Creating), Some("case")));
    assert_eq!(
        hold.recovery_point_selection().map(|s| s.vault_names().to_vec()),
        Some(vec![VAULT.to_owned()])
    );
    stack.pass(4).await;
    assert_eq!(get(&stack, id).await?.status(), Some(&LegalHoldStatus::Creating));
    stack.pass(1).await;
    let active = get(&stack, id).await?;
    assert_eq!((active.status(), active.description()), (Some(&LegalHoldStatus::Active), Some("42")));
    assert_eq!((active.cancellation_date(), active.cancel_description()), (None, None));
    stack.backup.cancel_legal_hold().legal_hold_id(id).cancel_description("closed").send().await?;
    let ending = get(&stack, id).await?;
    assert_eq!(
        (ending.status(), ending.cancel_description()),
        (Some(&LegalHoldStatus::Canceling), Some("closed"))
    );
    assert_eq!(ending.cancellation_date(), None);
    stack.pass(5).await;
    let ended = get(&stack, id).await?;
    assert_eq!(ended.status(), Some(&LegalHoldStatus::Canceled));
    assert_eq!(
        ended.cancellation_date().map(aws_sdk_backup::primitives::DateTime::secs),
        Some(stack.now().as_second())
    );
    assert_eq!(ended.retain_record_until(), None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_are_listed_whatever_their_status_newest_first() -> Result<()> {
    let stack = Stack::start().await?;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(id(&hold_on(&stack, VAULT).await?)?.to_owned());
        stack.pass(5).await;
    }
    stack.backup.cancel_legal_hold().legal_hold_id(&made[0]).cancel_description("closed").send().await?;
    stack.pass(5).await;
    let mut pages = stack.backup.list_legal_holds().max_results(2).into_paginator().items().send();
    let mut listed = Vec::new();
    while let Some(hold) = pages.next().await {
        let hold = hold?;
        listed.push((hold.legal_hold_id.context("id")?, hold.status.context("status")?));
    }
    let of = |n: usize, status| (made[n].clone(), status);
    let wanted =
        [of(2, LegalHoldStatus::Active), of(1, LegalHoldStatus::Active), of(0, LegalHoldStatus::Canceled)];
    assert_eq!(listed, wanted);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_points_of_a_hold_are_listed_page_by_page() -> Result<()> {
    let stack = Stack::start().await?;
    let (hold, made) = active(&stack, 3).await?;
    let later = stack.start_backup("arn:aws:dynamodb:eu-central-1:111122223333:table/orders").send().await?;
    stack.pass(100).await;
    assert_eq!(points(&stack, id(&hold)?).await?, made);
    assert!(!made.contains(&later.recovery_point_arn.context("arn")?));
    let list = stack.backup.list_recovery_points_by_legal_hold().legal_hold_id(id(&hold)?);
    let forged = refusal(list.next_token("bGlzdAph").send().await);
    assert!(forged.starts_with("400 InvalidParameterValueException"), "{forged}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_hold_still_lists_its_points() -> Result<()> {
    let stack = Stack::start().await?;
    let (hold, made) = active(&stack, 1).await?;
    stack.backup.cancel_legal_hold().legal_hold_id(id(&hold)?).cancel_description("closed").send().await?;
    stack.pass(5).await;
    assert_eq!(points(&stack, id(&hold)?).await?, made);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_may_name_a_vault_that_does_not_exist() -> Result<()> {
    let stack = Stack::start().await?;
    let hold = hold_on(&stack, "missing").await?;
    assert!(points(&stack, id(&hold)?).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn listing_the_points_of_a_missing_hold_is_a_bad_value() -> Result<()> {
    let stack = Stack::start().await?;
    let refused =
        refusal(stack.backup.list_recovery_points_by_legal_hold().legal_hold_id("missing").send().await);
    assert_eq!(refused, "400 InvalidParameterValueException Invalid legal hold id: missing");
    let get = refusal(stack.backup.get_legal_hold().legal_hold_id("missing").send().await);
    assert!(get.starts_with("400 ResourceNotFoundException"), "{get}");
    let cancel = stack.backup.cancel_legal_hold().legal_hold_id("missing").cancel_description("x");
    assert!(refusal(cancel.send().await).starts_with("400 ResourceNotFoundException"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_idempotency_token_answers_with_the_first_hold() -> Result<()> {
    let stack = Stack::start().await?;
    let create = |title: &str| {
        stack.backup.create_legal_hold().title(title).description("42").idempotency_token("t").send()
    };
    let first = create("first").await?;
    let again = create("second").await?;
    assert_eq!((again.legal_hold_id(), again.title()), (first.legal_hold_id(), Some("first")));
    assert_eq!(stack.backup.list_legal_holds().send().await?.legal_holds().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_is_not_active_cannot_be_cancelled() -> Result<()> {
    let stack = Stack::start().await?;
    let hold = hold_on(&stack, VAULT).await?;
    let cancel = || {
        stack.backup.cancel_legal_hold().legal_hold_id(hold.legal_hold_id().unwrap()).cancel_description("x")
    };
    let mut refused = vec![refusal(cancel().send().await)];
    stack.pass(5).await;
    cancel().send().await?;
    refused.push(refusal(cancel().send().await));
    stack.pass(5).await;
    refused.push(refusal(cancel().send().await));
    for (refusal, status) in refused.iter().zip(["CREATING", "CANCELING", "CANCELED"]) {
        let wanted = format!("is {status} and cannot be cancelled.");
        assert!(
            refusal.starts_with("400 InvalidResourceStateException") && refusal.ends_with(&wanted),
            "{refusal}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_cancelled_hold_goes_after_the_days_to_retain_it() -> Result<()> {
    let stack = Stack::start().await?;
    let (hold, _) = active(&stack, 0).await?;
    let (id, arn) = (id(&hold)?, hold.legal_hold_arn().context("arn")?);
    let cancel = stack.backup.cancel_legal_hold().legal_hold_id(id).cancel_description("closed");
    cancel.retain_record_in_days(30).send().await?;
    stack.pass(5).await;
    let until = get(&stack, id).await?.retain_record_until().context("until")?.secs();
    assert_eq!(until - stack.now().as_second(), 30 * 86_400);
    stack.pass(30 * 86_400 - 1).await;
    get(&stack, id).await?;
    stack.pass(1).await;
    let gone = refusal(stack.backup.get_legal_hold().legal_hold_id(id).send().await);
    assert!(gone.starts_with("400 ResourceNotFoundException"), "{gone}");
    assert!(stack.backup.list_legal_holds().send().await?.legal_holds().is_empty());
    assert!(
        refusal(stack.backup.list_tags().resource_arn(arn).send().await).starts_with("400 ResourceNotFound")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_days_to_retain_it_the_record_of_a_cancelled_hold_stays() -> Result<()> {
    let stack = Stack::start().await?;
    let (hold, _) = active(&stack, 0).await?;
    stack.backup.cancel_legal_hold().legal_hold_id(id(&hold)?).cancel_description("closed").send().await?;
    stack.pass(40_000 * 86_400).await;
    assert_eq!(get(&stack, id(&hold)?).await?.status(), Some(&LegalHoldStatus::Canceled));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_has_tags_that_can_be_listed_added_and_removed() -> Result<()> {
    let stack = Stack::start().await?;
    let hold =
        stack.backup.create_legal_hold().title("case").description("42").tags("team", "law").send().await?;
    let arn = hold.legal_hold_arn().context("arn")?;
    stack.backup.tag_resource().resource_arn(arn).tags("year", "2025").send().await?;
    stack.backup.untag_resource().resource_arn(arn).tag_key_list("team").send().await?;
    let tags = stack.backup.list_tags().resource_arn(arn).send().await?.tags.context("tags")?;
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("year".to_owned(), "2025".to_owned())]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_a_hold_answers_201() -> Result<()> {
    let stack = Stack::start().await?;
    let (hold, _) = active(&stack, 0).await?;
    stack.control("DELETE", "/calls", "").await?;
    stack.backup.cancel_legal_hold().legal_hold_id(id(&hold)?).cancel_description("closed").send().await?;
    assert_eq!(stack.calls().await?, ["CancelLegalHold 201"]);
    Ok(())
}
