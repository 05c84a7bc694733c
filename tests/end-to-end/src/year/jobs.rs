//! What became of a session's jobs, by what AWS Backup says of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use aws_sdk_backup::types::BackupJobState;
use jiff::Timestamp;
use local_stack::{LocalStack, SOURCE_REGION};

/// The tables whose every attempt failed, and how many jobs failed in all. Each other table has one job that completed, and
/// it is the last.
pub(super) async fn failed(
    backup: &aws_sdk_backup::Client,
    since: Timestamp,
    tables: usize,
    attempts: usize,
) -> anyhow::Result<(BTreeSet<String>, usize)> {
    let since = aws_sdk_backup::primitives::DateTime::from_secs(since.as_second() - 1);
    let pages = backup.list_backup_jobs().by_created_after(since).into_paginator().items().send();
    let jobs = pages.collect::<Result<Vec<_>, _>>().await.context("the jobs")?;
    let mut by_table: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for job in jobs {
        let table = job.resource_arn().and_then(|arn| arn.rsplit('/').next()).context("a table")?;
        let (completed, failed) = by_table.entry(table.to_owned()).or_default();
        match job.state() {
            Some(BackupJobState::Completed) => *completed += 1,
            Some(BackupJobState::Failed) => *failed += 1,
            other => anyhow::bail!("a job of {table} is {other:?} when all is over"),
        }
    }
    anyhow::ensure!(by_table.len() == tables, "jobs of {} tables: {by_table:?}", by_table.len());
    let mut lost = BTreeSet::new();
    for (table, (completed, failed)) in &by_table {
        match (*completed, *failed) {
            (1, failed) if failed < attempts => {}
            (0, failed) if failed == attempts => {
                lost.insert(table.clone());
            }
            (completed, failed) => {
                anyhow::bail!("{table}: {completed} jobs completed and {failed} failed in one session");
            }
        }
    }
    Ok((lost, by_table.values().map(|(_, failed)| failed).sum()))
}

/// AWS Backup as the account's root sees it.
pub(super) async fn client(stack: &LocalStack) -> aws_sdk_backup::Client {
    aws_sdk_backup::Client::new(&stack.backup_config(SOURCE_REGION).await)
}
