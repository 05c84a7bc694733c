//! What a copy is.

use super::*;

fn days(days: i64) -> Lifecycle {
    Lifecycle::builder().delete_after_days(days).build()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_an_arn_of_its_own_in_the_destination_region() -> Result<()> {
    let scene = Scene::start().await?;
    let copy = scene.copy_arn().await?;
    assert!(copy.starts_with("arn:aws:backup:eu-west-1:111122223333:recovery-point:"), "{copy}");
    assert_ne!(copy.rsplit(':').next(), scene.point.rsplit(':').next());
    let described = scene.in_west(&copy).await?;
    assert_eq!((described.backup_vault_arn(), described.recovery_point_arn()), (Some(WEST), Some(&*copy)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_still_of_the_source_table() -> Result<()> {
    let scene = Scene::start().await?;
    let copy = scene.copy_arn().await?;
    assert_eq!(scene.in_west(&copy).await?.resource_arn(), Some(&*scene.table));
    let list = scene.west.list_recovery_points_by_backup_vault().backup_vault_name(VAULT);
    let listed = list.by_resource_arn(&scene.table).send().await?;
    assert_eq!(listed.recovery_points()[0].recovery_point_arn(), Some(&*copy));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_keeps_its_sources_creation_date() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.pass(3600).await;
    let copy = scene.in_west(&scene.copy_arn().await?).await?;
    let source = scene.source().await?;
    assert_eq!(copy.creation_date(), source.creation_date());
    assert!(copy.completion_date() > source.completion_date());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_names_the_vault_that_it_was_copied_from() -> Result<()> {
    let scene = Scene::start().await?;
    let copy = scene.in_west(&scene.copy_arn().await?).await?;
    let home = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
    assert_eq!(copy.source_backup_vault_arn(), Some(home));
    assert_eq!(scene.source().await?.source_backup_vault_arn(), None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_encrypted_with_the_key_of_the_destination_vault() -> Result<()> {
    let scene = Scene::start().await?;
    let copy = scene.in_west(&scene.copy_arn().await?).await?;
    let vault = scene.west.describe_backup_vault().backup_vault_name(VAULT).send().await?;
    assert_eq!(copy.encryption_key_arn(), vault.encryption_key_arn());
    assert_ne!(copy.encryption_key_arn(), scene.source().await?.encryption_key_arn());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_holds_all_items_of_its_source() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.fill("orders", 10..20, 10).await?;
    let copy = scene.copy_arn().await?;
    assert!(hold_the_same(&scene, &copy));
    let size = scene.in_west(&copy).await?.backup_size_in_bytes();
    assert_eq!(size, scene.source().await?.backup_size_in_bytes());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_the_tags_that_its_source_has_when_its_job_begins_to_run() -> Result<()> {
    let scene = Scene::start().await?;
    let tag = |key: &str| scene.stack.backup.tag_resource().resource_arn(&scene.point).tags(key, "x").send();
    let id = scene.copy().send().await?.copy_job_id.context("id")?;
    tag("before").await?;
    scene.stack.pass(30).await;
    assert_eq!(ending(&scene.job(&id).await?).0, "RUNNING");
    tag("after").await?;
    scene.stack.pass(100).await;
    let copy = scene.job(&id).await?.destination_recovery_point_arn.context("no copy")?;
    let tags = scene.west.list_tags().resource_arn(copy).send().await?.tags.context("tags")?;
    let mut tags: Vec<(&str, &str)> =
        tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    tags.sort_unstable();
    assert_eq!(tags, [("a", "b"), ("before", "x"), ("team", "shop")]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retention_of_a_copy_counts_from_its_sources_creation() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.pass(10 * 24 * 3600).await;
    let copy = scene.copied(scene.copy().lifecycle(days(100))).await?;
    let copy = scene.in_west(copy.destination_recovery_point_arn().context("no copy")?).await?;
    let end = copy.calculated_lifecycle().and_then(|calculated| calculated.delete_at()).context("end")?;
    let created = scene.source().await?.creation_date.context("date")?;
    assert_eq!(end.secs(), created.secs() + 100 * 24 * 3600);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_retention_is_over_already_is_made_and_is_due_for_deletion() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.pass(10 * 24 * 3600).await;
    let id = scene.copy().lifecycle(days(5)).send().await?.copy_job_id.context("id")?;
    scene.stack.pass(30).await;
    let list = scene.west.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await?;
    let copy = list.recovery_points().first().context("no copy")?;
    let end = copy.calculated_lifecycle().and_then(|calculated| calculated.delete_at()).context("end")?;
    assert!(end.secs() < scene.stack.now().as_second());
    scene.stack.pass(60).await;
    assert_eq!(ending(&scene.job(&id).await?).0, "COMPLETED");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_in_its_vault_with_status_creating_while_its_job_runs() -> Result<()> {
    let scene = Scene::start().await?;
    let statuses = async || -> Result<Vec<String>> {
        let list = scene.west.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await?;
        let statuses = list.recovery_points().iter().filter_map(|point| point.status());
        Ok(statuses.map(|status| status.as_str().to_owned()).collect())
    };
    scene.copy().send().await?;
    assert!(statuses().await?.is_empty());
    scene.stack.pass(30).await;
    assert_eq!(statuses().await?, ["CREATING"]);
    scene.stack.pass(60).await;
    assert_eq!(statuses().await?, ["COMPLETED"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_can_be_copied_to_another_vault_of_its_region() -> Result<()> {
    let scene = Scene::start().await?;
    scene.stack.backup.create_backup_vault().backup_vault_name("second").send().await?;
    let second = "arn:aws:backup:eu-central-1:111122223333:backup-vault:second";
    let job = scene.copied(scene.copy().destination_backup_vault_arn(second)).await?;
    let copy = job.destination_recovery_point_arn().context("no copy")?;
    assert!(copy.starts_with("arn:aws:backup:eu-central-1:"), "{copy}");
    let points = scene.stack.backup.list_recovery_points_by_resource().resource_arn(&scene.table);
    assert_eq!(points.send().await?.recovery_points().len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_can_be_copied_in_its_turn() -> Result<()> {
    let scene = Scene::start().await?;
    let copy = scene.copy_arn().await?;
    let north = scene.stack.backup_in("eu-north-1");
    north.create_backup_vault().backup_vault_name(VAULT).send().await?;
    let to = "arn:aws:backup:eu-north-1:111122223333:backup-vault:dynachain";
    let again = scene.west.start_copy_job().recovery_point_arn(&copy).source_backup_vault_name(VAULT);
    again.destination_backup_vault_arn(to).iam_role_arn(BACKUP_ROLE).send().await?;
    scene.stack.pass(100).await;
    let list = north.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await?;
    let second = list.recovery_points().first().context("no second copy")?;
    assert_eq!(second.creation_date(), scene.source().await?.creation_date());
    assert_eq!(second.source_backup_vault_arn(), Some(WEST));
    assert_eq!(second.resource_arn(), Some(&*scene.table));
    Ok(())
}
