//! A year of sessions on the local AWS: the functions run in this process, the clock is the emulated one.
//!
//! Jobs fail, events are lost and doubled, wake-ups come twice, the scheduler falls silent. At its end an oracle that shares
//! no code with the product says which points there must be and which flags each must have.

mod driver;
mod jobs;
mod oracle;
mod own_function;
mod vault;

use std::fmt;
use std::time::Instant;

use anyhow::Context as _;
use jiff::civil::{Date, date};
use local_stack::{LocalStack, Options, SOURCE_REGION};
use serde_json::{Value, json};

use crate::tables::create_plain;
use driver::Driver;
use oracle::Silence;

/// The policy, and the start of its tables' names.
const POLICY: &str = "year";
/// Further attempts at a table: with one, some tables fail for good, and flags are lost.
const RETRIES: usize = 1;

/// How much of a year, over how many tables.
#[derive(Clone, Copy, Debug)]
pub struct Year {
    /// Tables that the policy covers.
    pub tables: usize,
    /// The first day, in Berlin.
    pub from: Date,
    /// The day after the last one.
    pub until: Date,
    /// What fails, is lost and comes twice follows from it.
    pub seed: u64,
    /// The share of backup jobs that fail.
    pub failing: f64,
}

impl Year {
    /// The whole of 2027 over 20 tables; one job in twenty fails.
    pub fn whole(seed: u64) -> Self {
        Self { tables: 20, from: date(2027, 1, 1), until: date(2028, 1, 1), seed, failing: 0.05 }
    }
}

/// What a year came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Moments at which the policy was due.
    pub occurrences: usize,
    /// Those that got no session, and whose flags were owed.
    pub owed: usize,
    /// Those that were run late.
    pub late: usize,
    /// Points in the vault.
    pub points: usize,
    /// Points that carry flags of others that were lost.
    pub carriers: usize,
    /// Tables of sessions that were reported as failed.
    pub failed: usize,
    /// Backup jobs that failed.
    pub failed_jobs: usize,
    /// Events of AWS Backup that were lost.
    pub lost_events: u64,
    /// Events of AWS Backup that came twice.
    pub doubled_events: u64,
    /// Wake-ups of the scheduler that came twice at once.
    pub doubled_wakes: usize,
    /// Reconciliations.
    pub reconciles: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("occurrences", self.occurrences),
            ("  run late", self.late),
            ("  too old to be run, their flags owed", self.owed),
            ("points", self.points),
            ("  that carry lost flags of others", self.carriers),
            ("tables reported as failed", self.failed),
            ("backup jobs failed", self.failed_jobs),
            ("wake-ups doubled", self.doubled_wakes),
            ("reconciliations", self.reconciles),
        ];
        for (what, count) in rows {
            writeln!(f, "{what:<44}{count:>8}")?;
        }
        writeln!(f, "{:<44}{:>8}", "events lost", self.lost_events)?;
        write!(f, "{:<44}{:>8}", "events doubled", self.doubled_events)
    }
}

/// Lives through a year and holds it against the oracle.
///
/// # Errors
/// When a session, a point or a flag is not as it must be; the message has the seed.
pub async fn live(year: Year) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let outcome = Box::pin(lived(&year)).await;
    outcome.with_context(|| format!("{year:?}, after {:.0?}", began.elapsed()))
}

async fn lived(year: &Year) -> anyhow::Result<Figures> {
    // For the report, which reads the tags of all points.
    let wide = [("ListRate", "1000"), ("DescribeRate", "1000")];
    let options = Options {
        now: Some(oracle::moment(year.from, 0)?),
        speed: 0.0,
        parameters: wide.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        target_regions: Vec::new(),
        ..Options::default()
    };
    let stack = LocalStack::start(options).await?;
    let client = aws_sdk_dynamodb::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    for i in 0..year.tables {
        create_plain(&client, &table(i)).await?;
    }
    stack.invoke(SOURCE_REGION, "policy", &json!({ "apply": policy() })).await?;
    let mut driver = Driver::new(&stack, year).await?;
    let silences = Silence::of_the_year()?;
    driver.live(year, &silences).await?;
    let figures = vault::compare(&stack, &driver.expected, driver.figures).await?;
    stack.stop().await;
    Ok(figures)
}

fn table(i: usize) -> String {
    format!("{POLICY}-{i:02}")
}

fn policy() -> Value {
    let months = ["january", "march", "may", "july", "september", "november"];
    json!({
        "name": POLICY, "timezone": "Europe/Berlin", "scope": { "tables": [format!("{POLICY}-*")] },
        "schedules": {
            "daily": { "at": ["07:00", "11:00"], "on": "every day", "keep": { "days": 3 } },
            "weekly": { "at": "07:00", "on": ["monday"], "keep": { "days": 14 } },
            "monthly": { "at": "07:00", "on": "first monday", "months": months, "keep": { "months": 6 } },
            "yearly": { "at": "07:00", "on": "first monday", "month": "january", "keep": { "years": 2 } },
        },
        "retries": RETRIES,
    })
}
