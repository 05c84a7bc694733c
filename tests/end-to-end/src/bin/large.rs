//! `make bench PARTS=large`: a session over 1,000 tables at tenfold rates, and one whose function is killed three times.
//!
//! `TABLES` chooses another number.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::Context as _;
use end_to_end::large::{Session, prepare, session};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let tables = match std::env::var("TABLES") {
        Ok(n) => n.parse().with_context(|| format!("TABLES={n}: not a number"))?,
        Err(_) => 1_000,
    };
    for kills in [vec![], vec![tables / 6, tables / 3, tables * 2 / 3]] {
        let stack = prepare(tables).await?;
        let done = Box::pin(session(&stack, tables, &kills)).await?;
        stack.stop().await;
        anyhow::ensure!(done.killed == kills.len(), "killed {} times of {}", done.killed, kills.len());
        show(&done)?;
    }
    Ok(())
}

fn show(session: &Session) -> anyhow::Result<()> {
    let ratio = session.started_after.as_secs_f64() / session.at_start_rate.as_secs_f64();
    let mut out = std::io::stdout();
    writeln!(out, "{:<44}{:>8}", "tables, each with one point", session.tables)?;
    writeln!(out, "{:<44}{:>8}", "times the function was killed", session.killed)?;
    writeln!(out, "{:<44}{:>8.1} s", "all backups started after", session.started_after.as_secs_f64())?;
    writeln!(out, "{:<44}{ratio:>8.2}", "  of what the start rate would take")?;
    writeln!(out, "{:<44}{:>8}", "calls that AWS Backup throttled", session.throttled)?;
    writeln!(out, "{:<44}{:>8} MiB", "peak memory of the function", session.peak_kibibytes / 1024)?;
    calls(&mut out, "AWS Backup", &session.backup_calls, session.tables)?;
    calls(&mut out, "DynamoDB, KMS and the like", &session.other_calls, session.tables)
}

fn calls(
    out: &mut impl std::io::Write,
    service: &str,
    calls: &BTreeMap<String, u64>,
    tables: usize,
) -> anyhow::Result<()> {
    writeln!(out, "\ncalls to {service}: in all, and per table")?;
    for (operation, count) in calls {
        let name = operation.rsplit('.').next().unwrap_or(operation);
        let hundredths = count * 100 / u64::try_from(tables)?;
        writeln!(out, "  {name:<42}{count:>8}{:>6}.{:02}", hundredths / 100, hundredths % 100)?;
    }
    Ok(())
}
