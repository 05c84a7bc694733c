//! `make bench PARTS=copies`: 300 points complete at once, copied five at a time while one job in ten fails, events go astray
//! and the function is killed three times.
//!
//! `TABLES` chooses another number.

use std::io::Write as _;

use anyhow::Context as _;
use end_to_end::copies::{Copied, copy, prepare};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let tables = match std::env::var("TABLES") {
        Ok(n) => n.parse().with_context(|| format!("TABLES={n}: not a number"))?,
        Err(_) => 300,
    };
    let stack = prepare(tables).await?;
    let kills = [tables / 10, tables / 3, tables * 2 / 3];
    let done = Box::pin(copy(&stack, tables, &kills)).await?;
    stack.stop().await;
    anyhow::ensure!(done.killed == kills.len(), "killed {} times of {}", done.killed, kills.len());
    show(&done)
}

fn show(copied: &Copied) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{:<44}{:>8}", "points, each with one usable copy", copied.points)?;
    writeln!(out, "{:<44}{:>8}", "most copy jobs at once", copied.most_at_once)?;
    writeln!(out, "{:<44}{:>8}", "times the function was killed", copied.killed)?;
    writeln!(out, "{:<44}{:>8} min", "all copies usable after, emulated", copied.emulated.as_mins())?;
    writeln!(out, "{:<44}{:>8.1} s", "  in real time", copied.took.as_secs_f64())?;
    writeln!(out, "events: {}", copied.events)?;
    table(&mut out, "copy jobs by their end", &copied.jobs)?;
    table(&mut out, "StartCopyJob by outcome", &copied.starts)?;
    table(&mut out, "calls of the function to AWS Backup", &copied.calls)
}

fn table(
    out: &mut impl std::io::Write,
    title: &str,
    counts: &std::collections::BTreeMap<String, usize>,
) -> anyhow::Result<()> {
    writeln!(out, "\n{title}")?;
    for (name, count) in counts {
        writeln!(out, "  {name:<42}{count:>8}")?;
    }
    Ok(())
}
