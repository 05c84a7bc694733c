//! `make bench`: what a session costs. Counts and ratios first: this is what carries over to a real account.
//!
//! A session over plain tables on the local AWS, client-side rates opened wide: calls to AWS Backup per table by operation,
//! and how the wall time compares with the time that AWS's own start rate alone would take.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use anyhow::Context as _;
use end_to_end::tables;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use local_stack::{LocalStack, Options, SOURCE_REGION};
use serde_json::json;

/// AWS Backup's own limit of `StartBackupJob` calls a second.
const START_RATE: f64 = 5.0;
const DEFAULT_TABLES: u32 = 100;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let n = match std::env::var("TABLES") {
        Ok(n) => n.parse().with_context(|| format!("TABLES={n}: not a number"))?,
        Err(_) => DEFAULT_TABLES,
    };
    let wide =
        [("StartRate", "100"), ("TableReadRate", "1000"), ("DescribeRate", "1000"), ("ListRate", "1000")];
    let parameters = wide.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let began = Instant::now();
    let stack = LocalStack::start(Options {
        speed: 0.0,
        parameters,
        target_regions: Vec::new(),
        ..Options::default()
    })
    .await?;
    say(&format!("{:<44}{:>8.1} s", "local AWS up and stack deployed", began.elapsed().as_secs_f64()))?;
    make_tables(&stack, n).await?;
    session(&stack, n).await?;
    stack.stop().await;
    Ok(())
}

async fn make_tables(stack: &LocalStack, n: u32) -> anyhow::Result<()> {
    let client = aws_sdk_dynamodb::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    stream::iter(0..n)
        .map(Ok)
        .try_for_each_concurrent(8, |i| {
            let client = &client;
            async move { tables::create_plain(client, &format!("bench-{i:05}")).await }
        })
        .await
}

async fn session(stack: &LocalStack, n: u32) -> anyhow::Result<()> {
    let policy = json!({
        "name": "bench", "scope": { "tables": ["bench-*"] },
        "schedules": { "daily": { "at": "07:00", "on": "every day", "keep": { "days": 3 } } },
    });
    stack.invoke(SOURCE_REGION, "policy", &json!({ "apply": policy })).await?;
    let before = calls(stack).await?;
    let began = Instant::now();
    let answer = stack.invoke(SOURCE_REGION, "backup-session", &json!({ "policy": "bench" })).await?;
    let starting = began.elapsed().as_secs_f64();
    anyhow::ensure!(answer["tables"]["started"] == n, "not every table was started: {}", answer["tables"]);
    stack.jump_to(stack.now().checked_add(jiff::SignedDuration::from_hours(1))?).await;
    let all = began.elapsed().as_secs_f64();
    let report = stack.invoke(SOURCE_REGION, "chain-report", &json!({})).await?;
    let chains = report["chains"].as_array().map_or(0, Vec::len);
    anyhow::ensure!(chains == usize::try_from(n)?, "{chains} chains of {n} tables");

    let tables = f64::from(n);
    say(&format!("{:<44}{n:>8}", "tables"))?;
    say(&format!("{:<44}{starting:>8.1} s", "all backups started after"))?;
    say(&format!(
        "{:<44}{:>8.2}",
        "  of what AWS's own start rate would take",
        starting / (tables / START_RATE)
    ))?;
    say(&format!("{:<44}{all:>8.1} s", "every job settled, session finished after"))?;
    say("\ncalls to AWS Backup per table, of the function alone:")?;
    for (operation, count) in calls(stack).await? {
        let made = count - before.get(&operation).copied().unwrap_or_default();
        if made > 0 {
            say(&format!("  {operation:<42}{:>8.2}", f64::from(made) / tables))?;
        }
    }
    Ok(())
}

/// The calls that `backup-session` has made to AWS Backup so far, by operation.
async fn calls(stack: &LocalStack) -> anyhow::Result<BTreeMap<String, u32>> {
    let mut found = BTreeMap::new();
    for call in stack.calls().await? {
        let ours = call["principal"].as_str().is_some_and(|who| who.ends_with("/dynachain-backup-session"));
        if let (true, Some(operation)) = (ours, call["operation"].as_str()) {
            *found.entry(operation.to_owned()).or_default() += 1;
        }
    }
    Ok(found)
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output")
}
