//! `make bench PARTS=prune`: what a run of retention costs over a vault that is full.
//!
//! Points are made without a backup and sealed as sessions seal them: 100,000 of 1,000 tables (`POINTS`, `TABLES` for other
//! numbers), every tenth due. The first run reads all tags, the second is the everyday one, with the points that came of age
//! since. Then the planner alone, over a million points.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use dynachain::chain::{Flag, ListedPoint, Reading, RestorePoint};
use dynachain::id::TableArn;
use dynachain::retention::{Decision, Facts, Keep, KnownCopies, plan};
use end_to_end::processes::of_function;
use end_to_end::retention::starts_by_itself;
use end_to_end::seeding::Seeder;
use end_to_end::tables::s;
use jiff::{SignedDuration, Timestamp};
use local_stack::{ACCOUNT, LocalStack, Options, SOURCE_REGION};
use serde_json::{Value, json};

/// The first day of the points; each table has one a day.
const FROM: &str = "2026-01-01T06:00:00Z";
/// The planner's points.
const MILLION: usize = 1_000_000;
/// Points of a table that the planner gets.
const OF_A_TABLE: usize = 100;
const POLL: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let tables = number("TABLES", 1_000)?;
    let points = number("POINTS", 100_000)?;
    vault(tables, points / tables).await?;
    planner()
}

fn number(name: &str, default: usize) -> anyhow::Result<usize> {
    match std::env::var(name) {
        Ok(n) => n.parse().with_context(|| format!("{name}={n}: not a number")),
        Err(_) => Ok(default),
    }
}

fn table(n: usize) -> anyhow::Result<TableArn> {
    Ok(format!("arn:aws:dynamodb:{SOURCE_REGION}:{ACCOUNT}:table/full-{n:05}").parse()?)
}

async fn vault(tables: usize, days: usize) -> anyhow::Result<()> {
    let days_ago = i64::try_from(days)?;
    let now: Timestamp = FROM.parse::<Timestamp>()? + SignedDuration::from_hours(24 * days_ago);
    let wide =
        [("ListRate", "1000"), ("DescribeRate", "1000"), ("DeleteRate", "1000"), ("TableReadRate", "1000")];
    let options = Options {
        now: Some(now),
        speed: 0.0,
        parameters: [&wide[..], &[("MaxDeletes", "1000000")]]
            .concat()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        target_regions: Vec::new(),
        ..Options::default()
    };
    let stack = LocalStack::start(options).await?;
    starts_by_itself(&stack, false).await?;
    let began = Instant::now();
    seed(&stack, tables, days).await?;
    say(&format!("{:<52}{:>10}", "recovery points", tables * days))?;
    say(&format!("{:<52}{tables:>10}", "tables"))?;
    say(&format!("{:<52}{:>10.0} s", "made in", began.elapsed().as_secs_f64()))?;
    measured(&stack, "the first run: no point is known").await?;
    // A day later each table has one more point that is due.
    stack.jump_to(now + SignedDuration::from_hours(24)).await;
    measured(&stack, "a day later").await?;
    stack.stop().await;
    Ok(())
}

/// One point a day of every table; every tenth of them is due when the last day is over.
async fn seed(stack: &LocalStack, tables: usize, days: usize) -> anyhow::Result<()> {
    let seeder = Seeder::new(stack, SOURCE_REGION, &table(0)?).await?;
    let keep = u32::try_from(days - days / 10)?;
    let from: Timestamp = FROM.parse()?;
    for n in 0..tables {
        let of = table(n)?;
        let seeds = (0..days).map(|day| {
            let scheduled_at = from + SignedDuration::from_hours(24 * i64::try_from(day)?);
            seeder.seed(&of, &seeder.core(scheduled_at, &[(Flag::D, Keep::Days(keep))])?)
        });
        seeder.make(&seeds.collect::<anyhow::Result<Vec<_>>>()?).await?;
    }
    Ok(())
}

async fn measured(stack: &LocalStack, what: &str) -> anyhow::Result<()> {
    stack.control().ask("DELETE", "/calls", None).await?;
    let before = stack.other_calls().await?;
    let (peak, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let began = Instant::now();
    let watch = async {
        while !over.load(Ordering::Relaxed) {
            let most = of_function(stack, "retention-prune")?.iter().map(|process| process.kibibytes).max();
            peak.fetch_max(most.unwrap_or_default(), Ordering::Relaxed);
            // The memory of another process is a figure of the moment: a sample now and then.
            tokio::time::sleep(POLL).await;
        }
        anyhow::Ok(())
    };
    let run = async {
        let answer = whole_run(stack).await;
        over.store(true, Ordering::Relaxed);
        answer
    };
    let (answer, ()) = tokio::try_join!(run, watch)?;
    say(&format!("\n{what}:"))?;
    say(&format!("{:<52}{:>10.1} s", "  done after", began.elapsed().as_secs_f64()))?;
    let whole = if answer["finished"] == true { "yes" } else { "no" };
    say(&format!("{:<52}{whole:>10}", "  in one invocation"))?;
    let failed = answer["failures"].as_array().map_or(0, Vec::len);
    anyhow::ensure!(failed == 0, "{failed} failures, the first: {}", answer["failures"][0]);
    for (operation, count) in calls(stack).await? {
        say(&format!("  {operation:<50}{count:>10}"))?;
    }
    for (operation, count) in stack.other_calls().await? {
        let made = count - before.get(&operation).copied().unwrap_or_default();
        if made > 0 {
            say(&format!("  {operation:<50}{made:>10}"))?;
        }
    }
    let mebibytes = peak.load(Ordering::Relaxed) / 1024;
    say(&format!("{:<52}{mebibytes:>10} MiB", "  peak memory of the function"))?;
    anyhow::ensure!(mebibytes <= 256, "more than 256 MiB");
    Ok(())
}

/// A run with all the invocations that it takes; the first one's answer. A vault that nobody holds any more is done with.
async fn whole_run(stack: &LocalStack) -> anyhow::Result<Value> {
    starts_by_itself(stack, true).await?;
    let answer = stack.invoke(SOURCE_REGION, "retention-prune", &json!({})).await?;
    let client = aws_sdk_dynamodb::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    let vault = answer["vault"].as_str().unwrap_or_default();
    loop {
        let lock = client.get_item().table_name("dynachain").consistent_read(true);
        let lock = lock.key("pk", s(format!("PRUNE#{vault}"))).key("sk", s("LOCK"));
        if lock.send().await.context("the lock")?.item.is_none() {
            break;
        }
        // Further invocations are started by events, and give their answers to nobody: the lock tells when the last is over.
        tokio::time::sleep(POLL).await;
    }
    starts_by_itself(stack, false).await?;
    Ok(answer)
}

/// The calls that the function has made to AWS Backup, by operation.
async fn calls(stack: &LocalStack) -> anyhow::Result<BTreeMap<String, u64>> {
    let counted = stack.control().ask("GET", "/calls?principal=*dynachain-retention-prune", None).await?;
    Ok(serde_json::from_value(counted["counts"].clone())?)
}

/// The planner over a million points, as many at a time as a run gives it.
fn planner() -> anyhow::Result<()> {
    let (held, copies) = (HashSet::new(), KnownCopies::default());
    let facts = Facts { locked: false, held: &held, copies: &copies };
    let now: Timestamp = "2027-01-04T06:00:00Z".parse()?;
    let (mut took, mut due) = (Duration::ZERO, 0);
    for n in 0..MILLION / OF_A_TABLE {
        let points = of_table(n, now)?;
        let began = Instant::now();
        let verdicts = plan(&points, &facts, now);
        took += began.elapsed();
        due += verdicts.iter().filter(|verdict| verdict.decision == Decision::Delete).count();
    }
    say(&format!("\n{:<52}{MILLION:>10}", "the planner alone, points"))?;
    say(&format!("{:<52}{due:>10}", "  that are due"))?;
    say(&format!("{:<52}{:>10.2} s", "  planned in", took.as_secs_f64()))
}

fn of_table(n: usize, now: Timestamp) -> anyhow::Result<Vec<RestorePoint>> {
    let table = table(n)?;
    let vault = format!("arn:aws:backup:{SOURCE_REGION}:{ACCOUNT}:backup-vault:dynachain").parse()?;
    (0..OF_A_TABLE)
        .map(|day| {
            let scheduled_at = now - SignedDuration::from_hours(24 * i64::try_from(day)?);
            let core = end_to_end::seeding::core(&vault, scheduled_at, &[(Flag::D, Keep::Days(90))])?;
            let listed = ListedPoint {
                arn: format!("arn:aws:backup:{SOURCE_REGION}:{ACCOUNT}:recovery-point:{n:08}-{day:04}")
                    .parse()?,
                table: table.clone(),
                vault: vault.clone(),
                created_at: core.started_at,
                status: "COMPLETED".to_owned(),
                size_bytes: None,
            };
            Ok(RestorePoint::identify(listed, Reading::Opened(Box::new(core))))
        })
        .collect()
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output")
}
