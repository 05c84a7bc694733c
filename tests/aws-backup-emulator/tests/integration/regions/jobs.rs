//! Copies, restores and lifecycles while a Region is off.

use super::*;
use crate::copies::{self, Scene};
use crate::ends::{DAY, lifecycle, status, with_point};
use crate::restores;

async fn west(stack: &Stack, available: bool) -> Result<()> {
    let set = format!(r#"{{"available": {available}}}"#);
    stack.control("PUT", &format!("/regions/{ELSEWHERE}"), &set).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_waits_while_the_region_of_its_destination_is_off() -> Result<()> {
    let scene = Scene::start().await?;
    let state = |job: &aws_sdk_backup::types::CopyJob| copies::ending(job).0.to_owned();
    // One that waits to start, and one that runs.
    for (before, meanwhile) in [(0, "CREATED"), (20, "RUNNING")] {
        let id = scene.copy().send().await?.copy_job_id.context("id")?;
        scene.stack.pass(before).await;
        west(&scene.stack, false).await?;
        scene.stack.pass(3600).await;
        assert_eq!(state(&scene.job(&id).await?), meanwhile);
        west(&scene.stack, true).await?;
        scene.stack.pass(100).await;
        assert_eq!(state(&scene.job(&id).await?), "COMPLETED", "{meanwhile}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_stands_still_while_the_region_of_its_source_is_off() -> Result<()> {
    let scene = Scene::start().await?;
    let id = scene.copy().send().await?.copy_job_id.context("id")?;
    scene.stack.pass(20).await;
    switch(&scene.stack, false).await?;
    scene.stack.pass(3600).await;
    switch(&scene.stack, true).await?;
    assert_eq!(copies::ending(&scene.job(&id).await?).0, "RUNNING");
    scene.stack.pass(60).await;
    assert_eq!(copies::ending(&scene.job(&id).await?).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_stands_still_while_its_region_is_off() -> Result<()> {
    let (stack, point) = restores::backed_up().await?;
    let id = restores::start(restores::restore(&stack, &point)).await?;
    stack.pass(20).await;
    switch(&stack, false).await?;
    stack.pass(3600).await;
    switch(&stack, true).await?;
    assert_eq!(restores::outcome(&restores::job(&stack, &id).await?).0, "RUNNING");
    stack.pass(60).await;
    assert_eq!(restores::outcome(&restores::job(&stack, &id).await?), ("COMPLETED", ""));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_whose_end_comes_while_its_region_is_off_goes_when_it_is_back() -> Result<()> {
    let (stack, point) = with_point(Some(lifecycle(0, 35))).await?;
    switch(&stack, false).await?;
    stack.pass(40 * DAY).await;
    switch(&stack, true).await?;
    assert!(status(&stack, &point).await?.is_some());
    stack.pass(120).await;
    assert_eq!(status(&stack, &point).await?, None);
    Ok(())
}
