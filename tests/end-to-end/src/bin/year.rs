//! `make bench PARTS=year`: a year of sessions over 20 tables, held against an oracle.
//!
//! `SEED`, `TABLES`, `FROM` and `UNTIL` (dates, the last day excluded) choose another one.

use std::io::Write as _;
use std::str::FromStr;
use std::time::Instant;

use anyhow::Context as _;
use end_to_end::year::{Year, live};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let whole = Year::whole(variable("SEED", 2027)?);
    let year = Year {
        tables: variable("TABLES", whole.tables)?,
        from: variable("FROM", whole.from)?,
        until: variable("UNTIL", whole.until)?,
        ..whole
    };
    let began = Instant::now();
    let figures = live(year).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{} tables from {} until {}, seed {}", year.tables, year.from, year.until, year.seed)?;
    writeln!(out, "{figures}")?;
    writeln!(out, "{:<44}{:>8.0} s", "lived through in", began.elapsed().as_secs_f64())?;
    Ok(())
}

fn variable<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    name: &str,
    otherwise: T,
) -> anyhow::Result<T> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name}={text}: cannot be read")),
        Err(_) => Ok(otherwise),
    }
}
