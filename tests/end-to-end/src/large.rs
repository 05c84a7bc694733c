//! A session over many tables in the real function, and the same with the function killed on its way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::{TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use local_stack::{LocalStack, Options, SOURCE_REGION};
use serde_json::{Value, json};

use crate::processes::{kill, of_function};
use crate::retention::starts_by_itself;
use crate::tables::create_plain;

const FUNCTION: &str = "backup-session";
/// 07:00 in Berlin on a Tuesday.
const SEVEN: &str = "2027-01-05T06:00:00Z";
/// Reconciliation runs as often.
const STEP: SignedDuration = SignedDuration::from_mins(15);
/// Each kill costs a lease of 16 minutes; this is more than enough for three.
const STEPS: usize = 12;
const POLL: Duration = Duration::from_millis(50);

/// AWS's own rates tenfold, in the emulator and in the stack's settings.
const FACTOR: u32 = 10;
/// AWS Backup's own `StartBackupJob` calls a second.
const START_RATE: u32 = 5;

/// What a session came to.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Its tables.
    pub tables: usize,
    /// From its wake-up until every backup was started.
    pub started_after: Duration,
    /// What `tables` starts take at the start rate.
    pub at_start_rate: Duration,
    /// Calls of the function to AWS Backup, by operation.
    pub backup_calls: BTreeMap<String, u64>,
    /// Calls of functions to other services, by operation.
    pub other_calls: BTreeMap<String, u64>,
    /// Calls that AWS Backup throttled.
    pub throttled: u64,
    /// The most memory that a process of the function was seen with.
    pub peak_kibibytes: u64,
    /// How often the function was killed.
    pub killed: usize,
}

/// A local AWS at tenfold rates with so many plain tables and a policy over them, two minutes before it is due.
///
/// # Errors
/// When anything refuses.
pub async fn prepare(tables: usize) -> anyhow::Result<LocalStack> {
    let rates = [("StartRate", START_RATE), ("ListRate", 20), ("DescribeRate", 15), ("TableReadRate", 10)];
    let options = Options {
        now: Some("2027-01-05T05:58:00Z".parse()?),
        speed: 0.0,
        parameters: rates.map(|(name, rate)| (name.to_owned(), (rate * FACTOR).to_string())).into(),
        target_regions: Vec::new(),
        ..Options::default()
    };
    let stack = LocalStack::start(options).await?;
    starts_by_itself(&stack, false).await?;
    let limits = json!({
        "StartBackupJob": START_RATE * FACTOR, "TagResource": START_RATE * FACTOR, "List*": 20 * FACTOR,
        "Describe*": 15 * FACTOR, "*": 50 * FACTOR,
    });
    stack.control().set_limits(&limits).await?;
    let client = aws_sdk_dynamodb::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    let names = (0..tables).map(|i| Ok(format!("many-{i:05}")));
    stream::iter(names)
        .try_for_each_concurrent(8, |name: String| {
            let client = &client;
            async move { create_plain(client, &name).await }
        })
        .await?;
    let policy = json!({
        "name": "many", "scope": { "tables": ["many-*"] }, "timezone": "Europe/Berlin",
        "schedules": { "daily": { "at": "07:00", "on": "every day", "keep": { "days": 3 } } },
    });
    stack.invoke(SOURCE_REGION, "policy", &json!({ "apply": policy })).await?;
    Ok(stack)
}

/// The session of the policy's moment. The function is killed when it has started so many backups, once for each number.
/// In the end every table has one point and no table two.
///
/// # Errors
/// When the session does not come to that end.
pub async fn session(stack: &LocalStack, tables: usize, kills: &[usize]) -> anyhow::Result<Session> {
    let due: Timestamp = SEVEN.parse()?;
    let before = stack.other_calls().await?;
    let mut session = Session {
        tables,
        at_start_rate: Duration::from_secs(u64::try_from(tables)?) / (START_RATE * FACTOR),
        ..Session::default()
    };
    let began = Instant::now();
    let mut kills = kills.iter();
    let mut next = kills.next();
    // The wake-up itself, then reconciliation: whatever a kill left is gone on with.
    for step in 0..STEPS {
        let moment = due + STEP * i32::try_from(step)?;
        let jump = stack.jump_to(moment);
        futures::pin_mut!(jump);
        loop {
            let over = tokio::time::timeout(POLL, &mut jump).await.is_ok();
            let processes = of_function(stack, FUNCTION)?;
            let most = processes.iter().map(|process| process.kibibytes).max().unwrap_or_default();
            session.peak_kibibytes = session.peak_kibibytes.max(most);
            let started = starts(stack).await?;
            if started < tables {
                session.started_after = began.elapsed();
            }
            if over {
                break;
            }
            if next.is_some_and(|kill_at| started >= *kill_at) {
                processes.iter().try_for_each(|process| kill(*process))?;
                session.killed += 1;
                next = kills.next();
            }
        }
        if finished(stack).await? {
            break;
        }
    }
    count(stack, &mut session, &before).await?;
    one_point_each(stack, tables).await?;
    Ok(session)
}

async fn starts(stack: &LocalStack) -> anyhow::Result<usize> {
    let calls = stack.control().calls("?operation=StartBackupJob").await?;
    Ok(calls.iter().filter(|call| call["outcome"] == "200").count())
}

async fn finished(stack: &LocalStack) -> anyhow::Result<bool> {
    let wake = json!({ "policy": "many", "scheduled_at": SEVEN });
    Ok(stack.invoke(SOURCE_REGION, FUNCTION, &wake).await?["finished"] == true)
}

async fn count(
    stack: &LocalStack,
    session: &mut Session,
    before: &BTreeMap<String, u64>,
) -> anyhow::Result<()> {
    for call in stack.calls().await? {
        let ours = call["principal"].as_str().is_some_and(|who| who.ends_with("/dynachain-backup-session"));
        if let (true, Some(operation)) = (ours, call["operation"].as_str()) {
            *session.backup_calls.entry(operation.to_owned()).or_default() += 1;
            session.throttled += u64::from(call["outcome"] == "400 ThrottlingException");
        }
    }
    for (operation, calls) in stack.other_calls().await? {
        let made = calls - before.get(&operation).copied().unwrap_or_default();
        if made > 0 {
            session.other_calls.insert(operation, made);
        }
    }
    Ok(())
}

/// Of every table one job that completed and one point, by what AWS Backup and the report say.
async fn one_point_each(stack: &LocalStack, tables: usize) -> anyhow::Result<()> {
    let backup = aws_sdk_backup::Client::new(&stack.backup_config(SOURCE_REGION).await);
    let jobs: Vec<_> = backup
        .list_backup_jobs()
        .into_paginator()
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .context("the jobs")?;
    let mut by_table: BTreeMap<&str, usize> = BTreeMap::new();
    for job in &jobs {
        *by_table.entry(job.resource_arn().context("a table")?).or_default() += 1;
    }
    let twice: Vec<_> = by_table.iter().filter(|(_, jobs)| **jobs != 1).collect();
    anyhow::ensure!(twice.is_empty(), "tables with several jobs: {twice:?}");
    anyhow::ensure!(by_table.len() == tables, "jobs of {} tables of {tables}", by_table.len());
    let told =
        stack.invoke(SOURCE_REGION, FUNCTION, &json!({ "policy": "many", "scheduled_at": SEVEN })).await?;
    let counts = json!({ "covered": tables, "started": tables, "skipped": 0, "failed": 0 });
    anyhow::ensure!(told["tables"] == counts && told["finished"] == true, "{}", told["tables"]);
    let report = stack.invoke(SOURCE_REGION, "chain-report", &json!({ "rebuild": true })).await?;
    anyhow::ensure!(report["findings"] == json!([]), "findings: {}", report["findings"]);
    let chains = report["chains"].as_array().map(Vec::as_slice).unwrap_or_default();
    let single = |chain: &&Value| chain["points"].as_array().is_some_and(|points| points.len() == 1);
    let found = chains.iter().filter(single).count();
    anyhow::ensure!(found == tables && chains.len() == tables, "{found} chains with one point of {tables}");
    Ok(())
}
