//! Many callers at once, who mean each other no good, on a clock that jumps in a Region that goes on and off.

use anyhow::{Context as _, Result, ensure};
use aws_sdk_backup::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_backup::types::Lifecycle;
use aws_sdk_dynamodb::types::TableStatus;
use futures::future::try_join_all;

use crate::copies::Scene;
use crate::restores::{RESTORE_POLICY, RESTORE_ROLE};
use crate::stack::{Stack, VAULT};

/// Callers at once, and what each of them does.
const CALLERS: u64 = 6;
const STEPS: u64 = 40;
const DAY: i64 = 24 * 3600;

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A refusal is as good as a success, but neither a failure of the emulator nor silence is; a Region that is off is no
/// failure.
fn sound<T, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E, aws_sdk_backup::config::http::HttpResponse>>,
) -> Result<()> {
    match result {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(refused)) => {
            let status = refused.raw().status().as_u16();
            ensure!(status < 500 || status == 503, "{status}: {:?}", refused.err());
            Ok(())
        }
        Err(other) => anyhow::bail!("no answer: {other:?}"),
    }
}

/// The points of the home vault, by ARN and status, while its Region is on.
async fn points(stack: &Stack) -> Vec<(String, String)> {
    let list = stack.backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).max_results(1000);
    let points = list.send().await.ok().and_then(|page| page.recovery_points).unwrap_or_default();
    let told = points.into_iter().filter_map(|point| {
        let status = point.status()?.as_str().to_owned();
        Some((point.recovery_point_arn?, status))
    });
    told.collect()
}

/// One thing that a caller does.
async fn step(scene: &Scene, numbers: &mut Numbers) -> Result<()> {
    let (stack, backup) = (&scene.stack, &scene.stack.backup);
    let points = points(stack).await;
    let chosen = usize::try_from(numbers.below(points.len().max(1).try_into()?))?;
    let point = points.get(chosen).map_or(scene.point.as_str(), |(arn, _)| arn.as_str());
    match numbers.below(12) {
        0 | 1 => sound(stack.start_backup(&scene.table).send().await),
        2 | 3 => sound(scene.copy().recovery_point_arn(point).send().await),
        4 => {
            let name = format!("restored-{}", numbers.below(3));
            let restore = backup.start_restore_job().recovery_point_arn(point).iam_role_arn(RESTORE_ROLE);
            sound(restore.metadata("targetTableName", name).send().await)
        }
        5 | 6 => {
            let delete = backup.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn(point);
            sound(delete.send().await)
        }
        7 => {
            let lifecycle = Lifecycle::builder().delete_after_days(1 + i64::try_from(numbers.below(3))?);
            let update = backup.update_recovery_point_lifecycle().backup_vault_name(VAULT);
            sound(update.recovery_point_arn(point).lifecycle(lifecycle.build()).send().await)
        }
        8 => {
            let jobs = backup.list_backup_jobs().max_results(1).send().await.ok();
            let job = jobs.and_then(|jobs| jobs.backup_jobs?.pop()?.backup_job_id);
            let job = job.unwrap_or_else(|| "none".to_owned());
            sound(backup.stop_backup_job().backup_job_id(job).send().await)
        }
        9 => hold(stack).await,
        10 => {
            let available = numbers.below(4) > 0;
            let region = ["eu-central-1", "eu-west-1"][usize::try_from(numbers.below(2))?];
            let body = format!(r#"{{"available": {available}}}"#);
            stack.control("PUT", &format!("/regions/{region}"), &body).await.map(|_| ())
        }
        _ => {
            stack.pass(i64::try_from(numbers.below(2 * 3600))?).await;
            Ok(())
        }
    }
}

/// Ends every hold that can be ended, or places one.
async fn hold(stack: &Stack) -> Result<()> {
    let holds = stack.backup.list_legal_holds().send().await.ok().and_then(|page| page.legal_holds);
    for id in holds.unwrap_or_default().into_iter().filter_map(|hold| hold.legal_hold_id) {
        let cancel = stack.backup.cancel_legal_hold().legal_hold_id(id).cancel_description("over");
        sound(cancel.retain_record_in_days(0).send().await)?;
    }
    sound(stack.backup.create_legal_hold().title("case").description("42").send().await)
}

/// The states of all jobs.
async fn states(stack: &Stack) -> Result<Vec<String>> {
    let backups = stack.backup.list_backup_jobs().max_results(1000).send().await?;
    let copies = stack.backup.list_copy_jobs().max_results(1000).send().await?;
    let restores = stack.backup.list_restore_jobs().max_results(1000).send().await?;
    let mut states = Vec::new();
    states.extend(backups.backup_jobs().iter().filter_map(|job| Some(job.state()?.as_str().to_owned())));
    states.extend(copies.copy_jobs().iter().filter_map(|job| Some(job.state()?.as_str().to_owned())));
    states.extend(restores.restore_jobs().iter().filter_map(|job| Some(job.status()?.as_str().to_owned())));
    Ok(states)
}

/// Every table but the source is one that a completed restore has made, and can be used.
async fn no_table_is_left_over(stack: &Stack) -> Result<()> {
    let restores = stack.backup.list_restore_jobs().max_results(1000).send().await?;
    let made: Vec<&str> =
        restores.restore_jobs().iter().filter_map(|job| job.created_resource_arn()).collect();
    let tables = stack.dynamodb.list_tables().send().await?.table_names.unwrap_or_default();
    for name in tables.iter().filter(|name| *name != "orders") {
        let table = stack.dynamodb.describe_table().table_name(name).send().await?.table.context("table")?;
        assert_eq!(table.table_status(), Some(&TableStatus::Active), "{name}");
        assert!(table.table_arn().is_some_and(|arn| made.contains(&arn)), "{name} is of none of {made:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_at_once_every_job_ends_and_no_point_stays_half_done() -> Result<()> {
    let scene = Scene::start().await?;
    let stack = &scene.stack;
    stack.role("restore", r#"{"Service":"backup.amazonaws.com"}"#, RESTORE_POLICY).await?;
    try_join_all((0..CALLERS).map(|caller| {
        let (scene, mut numbers) = (&scene, Numbers(caller));
        async move {
            for _ in 0..STEPS {
                step(scene, &mut numbers).await?;
            }
            anyhow::Ok(())
        }
    }))
    .await?;
    for region in ["eu-central-1", "eu-west-1"] {
        stack.control("PUT", &format!("/regions/{region}"), r#"{"available": true}"#).await?;
    }
    stack.pass(2 * DAY).await;
    let states = states(stack).await?;
    assert!(states.len() > 10, "{states:?}");
    let ends = ["COMPLETED", "FAILED", "EXPIRED", "ABORTED"];
    assert!(states.iter().all(|state| ends.contains(&state.as_str())), "{states:?}");
    assert!(states.iter().any(|state| state == "COMPLETED"), "{states:?}");
    no_table_is_left_over(stack).await?;
    let points = points(stack).await;
    assert!(
        points.iter().all(|(_, status)| ["COMPLETED", "EXPIRED"].contains(&status.as_str())),
        "{points:?}"
    );
    let west = scene.west.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await?;
    for copy in west.recovery_points() {
        let status = copy.status().context("a copy without a status")?.as_str();
        assert_eq!(status, "COMPLETED");
    }
    Ok(())
}
