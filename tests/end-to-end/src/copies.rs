//! Many points that are complete at once, copied through a narrow quota while jobs fail, events go astray and the function is
//! killed: in the end there is one usable copy of each, and never were there more jobs than there may be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_sdk_backup::primitives::DateTime;
use aws_sdk_backup::types::{CopyJob, RecoveryPointByBackupVault};
use futures::{TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use local_stack::{LocalStack, Options, SOURCE_REGION, TARGET_REGION, VAULT};
use serde_json::{Value, json};

use crate::processes::{kill, of_function};
use crate::tables::create_plain;

const FUNCTION: &str = "backup-copy";
/// 07:00 in Berlin on a Tuesday.
const SEVEN: &str = "2027-01-05T06:00:00Z";
/// AWS's quota of copies at a time, as one of its documents has it; the stack's own setting is the same.
const QUOTA: usize = 5;
/// The clock goes on by so much at a time.
const STEP: SignedDuration = SignedDuration::from_mins(5);
/// Longer than even the unluckiest run takes: two days.
const STEPS: usize = 2 * 24 * 12;
const POLL: Duration = Duration::from_millis(50);

/// What it came to.
#[derive(Clone, Debug, Default)]
pub struct Copied {
    /// Points, each with one usable copy in the end.
    pub points: usize,
    /// Copy jobs by their end.
    pub jobs: BTreeMap<String, usize>,
    /// The most jobs that were there at the same moment and had not ended.
    pub most_at_once: usize,
    /// Calls of `StartCopyJob` by outcome; those that repeated a token made no job.
    pub starts: BTreeMap<String, usize>,
    /// The function's calls to AWS Backup, by operation.
    pub calls: BTreeMap<String, usize>,
    /// Events of AWS Backup that got lost, came twice, or came late: as the emulator counts them.
    pub events: Value,
    /// How often the function was killed.
    pub killed: usize,
    /// From the completion of the backups until the last copy was usable, on the emulated clock.
    pub emulated: SignedDuration,
    /// The same on the wall.
    pub took: Duration,
}

/// A local AWS with so many plain tables and a policy that copies them, their backups about to complete all at once.
///
/// # Errors
/// When anything refuses.
pub async fn prepare(tables: usize) -> anyhow::Result<LocalStack> {
    let rates = [("StartRate", 50), ("ListRate", 200), ("DescribeRate", 150), ("TableReadRate", 100)];
    let options = Options {
        now: Some("2027-01-05T05:58:00Z".parse()?),
        speed: 0.0,
        parameters: rates.map(|(name, rate)| (name.to_owned(), rate.to_string())).into(),
        ..Options::default()
    };
    let stack = LocalStack::start(options).await?;
    let client = aws_sdk_dynamodb::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    let names = (0..tables).map(|i| Ok(format!("many-{i:05}")));
    stream::iter(names)
        .try_for_each_concurrent(8, |name: String| {
            let client = &client;
            async move { create_plain(client, &name).await }
        })
        .await?;
    let target = format!("arn:aws:backup:{TARGET_REGION}:{}:backup-vault:{VAULT}", local_stack::ACCOUNT);
    let policy = json!({
        "name": "many", "scope": { "tables": ["many-*"] }, "timezone": "Europe/Berlin", "retries": 10,
        "schedules": { "daily": { "at": "07:00", "on": "every day", "keep": { "days": 3 } } },
        "copies": [{ "vault": target, "keep": { "daily": { "days": 7 } } }],
    });
    stack.invoke(SOURCE_REGION, "policy", &json!({ "apply": policy })).await?;
    stack.jump_to(SEVEN.parse()?).await;
    stack.control().ask("PUT", "/quotas", Some(&json!({ "concurrent_copies": QUOTA }))).await?;
    let faults =
        json!([{ "operation": "StartCopyJob", "probability": 0.1, "seed": 7, "effect": "job_failed" }]);
    stack.control().set_faults(&faults).await?;
    Ok(stack)
}

/// Copies them all. The function is killed when so many copies have been started, once for each number.
///
/// # Errors
/// When it does not come to a good end, or a bound was not kept on the way.
pub async fn copy(stack: &LocalStack, tables: usize, kills: &[usize]) -> anyhow::Result<Copied> {
    let astray = json!({ "lose": 0.1, "double": 0.1, "reorder": 0.1, "spread": 60, "seed": 7 });
    stack.control().set_events(&astray).await?;
    let completed: Timestamp = SEVEN.parse::<Timestamp>()? + SignedDuration::from_mins(1);
    let began = Instant::now();
    let mut copied = Copied { points: tables, ..Copied::default() };
    let mut kills = kills.iter();
    let mut next = kills.next();
    let mut moment = completed;
    for _ in 0..STEPS {
        let jump = stack.jump_to(moment);
        futures::pin_mut!(jump);
        while tokio::time::timeout(POLL, &mut jump).await.is_err() {
            if next.is_none() {
                continue;
            }
            let started = starts(stack).await?.get("200").copied().unwrap_or_default();
            let processes = of_function(stack, FUNCTION)?;
            if next.is_some_and(|kill_at| started >= *kill_at) && !processes.is_empty() {
                processes.iter().try_for_each(|process| kill(*process))?;
                copied.killed += 1;
                next = kills.next();
            }
        }
        if is_over(stack, tables).await? {
            break;
        }
        moment = moment.checked_add(STEP)?;
    }
    copied.took = began.elapsed();
    copied.emulated = stack.now().duration_since(completed);
    copied.events = stack.control().ask("GET", "/events", None).await?;
    count(stack, &mut copied).await?;
    one_copy_each(stack, tables).await?;
    Ok(copied)
}

/// `StartCopyJob` calls by outcome.
async fn starts(stack: &LocalStack) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut starts = BTreeMap::new();
    for call in stack.control().calls("?operation=StartCopyJob").await? {
        *starts.entry(call["outcome"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    Ok(starts)
}

/// Whether every point has a record, and every record is settled.
async fn is_over(stack: &LocalStack, tables: usize) -> anyhow::Result<bool> {
    let states = states(stack).await?;
    Ok(states.iter().all(|(state, _)| ["usable", "given_up", "impossible"].contains(&state.as_str()))
        && states.values().sum::<usize>() == tables)
}

async fn states(stack: &LocalStack) -> anyhow::Result<BTreeMap<String, usize>> {
    let client = aws_sdk_dynamodb::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    let scan = client.scan().table_name("dynachain").consistent_read(true).into_paginator().items().send();
    let mut states = BTreeMap::new();
    for item in scan.collect::<Result<Vec<_>, _>>().await.context("the catalog")? {
        let text =
            |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
        if text("pk").starts_with("COPY#") {
            *states.entry(text("state")).or_default() += 1;
        }
    }
    Ok(states)
}

async fn jobs(stack: &LocalStack) -> anyhow::Result<Vec<CopyJob>> {
    let backup = aws_sdk_backup::Client::new(&stack.backup_config(SOURCE_REGION).await);
    let jobs = backup.list_copy_jobs().into_paginator().items().send();
    jobs.collect::<Result<_, _>>().await.context("the copy jobs")
}

async fn count(stack: &LocalStack, copied: &mut Copied) -> anyhow::Result<()> {
    copied.starts = starts(stack).await?;
    for call in stack.calls().await? {
        let ours = call["principal"].as_str().is_some_and(|who| who.ends_with("/dynachain-backup-copy"));
        if let (true, Some(operation)) =
            (ours && call["operation"] != "DeliverEvent", call["operation"].as_str())
        {
            *copied.calls.entry(operation.to_owned()).or_default() += 1;
        }
    }
    let mut changes = Vec::new();
    for job in jobs(stack).await? {
        let state = job.state().context("a state")?.as_str().to_owned();
        *copied.jobs.entry(state).or_default() += 1;
        let nanos = |time: Option<&DateTime>| time.map(DateTime::as_nanos);
        changes.push((nanos(job.creation_date()).context("a beginning")?, 1_i32));
        changes.push((nanos(job.completion_date()).context("an end")?, -1));
    }
    // Of two at one moment the end comes first: it made the room.
    changes.sort_unstable();
    let mut now = 0;
    for (_, change) in changes {
        now += change;
        copied.most_at_once =
            copied.most_at_once.max(usize::try_from(now).context("no job ends before it begins")?);
    }
    anyhow::ensure!(copied.most_at_once <= QUOTA, "{} jobs at once", copied.most_at_once);
    Ok(())
}

async fn listed(stack: &LocalStack, region: &str) -> anyhow::Result<Vec<RecoveryPointByBackupVault>> {
    let backup = aws_sdk_backup::Client::new(&stack.backup_config(region).await);
    let points = backup.list_recovery_points_by_backup_vault().backup_vault_name(VAULT);
    let points = points.into_paginator().items().send().collect::<Result<_, _>>().await;
    points.with_context(|| format!("the vault in {region}"))
}

/// Of every point one job that completed and one copy, by what AWS Backup says; every copy usable, by what the target Region's
/// own report says from its vault alone; and nothing left to do.
async fn one_copy_each(stack: &LocalStack, tables: usize) -> anyhow::Result<()> {
    let sources = listed(stack, SOURCE_REGION).await?;
    let sources: BTreeSet<_> = sources.iter().filter_map(|point| point.recovery_point_arn()).collect();
    anyhow::ensure!(sources.len() == tables, "{} points of {tables} tables", sources.len());
    let mut completed: BTreeMap<String, usize> = BTreeMap::new();
    for job in jobs(stack).await? {
        let source = job.source_recovery_point_arn().context("a source")?.to_owned();
        anyhow::ensure!(sources.contains(source.as_str()), "a copy of a stranger: {source}");
        let whole = job.state().is_some_and(|state| state.as_str() == "COMPLETED");
        *completed.entry(source).or_default() += usize::from(whole);
    }
    let not_once: Vec<_> = completed.iter().filter(|(_, jobs)| **jobs != 1).collect();
    anyhow::ensure!(not_once.is_empty() && completed.len() == tables, "not copied once: {not_once:?}");
    let copies = listed(stack, TARGET_REGION).await?;
    let of: BTreeSet<_> = copies.iter().filter_map(|copy| copy.resource_arn()).collect();
    anyhow::ensure!(
        copies.len() == tables && of.len() == tables,
        "{} copies of {} tables",
        copies.len(),
        of.len()
    );
    let states = states(stack).await?;
    anyhow::ensure!(states == BTreeMap::from([("usable".to_owned(), tables)]), "{states:?}");

    let report = stack.invoke(TARGET_REGION, "chain-report", &json!({ "rebuild": true })).await?;
    anyhow::ensure!(report["findings"] == json!([]), "findings: {}", report["findings"]);
    let chains = report["chains"].as_array().map(Vec::as_slice).unwrap_or_default();
    let whole = |chain: &&Value| chain["chain"] == "copy" && !chain["newest_usable"].is_null();
    let usable = chains.iter().filter(whole).count();
    anyhow::ensure!(usable == tables && chains.len() == tables, "{usable} usable copies of {tables}");

    let before = jobs(stack).await?.len();
    let idle = stack.invoke(SOURCE_REGION, FUNCTION, &json!({ "reconcile": true })).await?;
    let nothing = json!({ "queued": 0, "started": 0, "running": 0, "settled": 0, "owed": [] });
    anyhow::ensure!(idle == nothing, "something is left to do: {idle}");
    anyhow::ensure!(jobs(stack).await?.len() == before, "a further job");
    Ok(())
}
