//! The copies: followed until they are there, shown beside the regular chains, and told by the targets alone.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use dynachain::id::VaultArn;
use local_stack::{ACCOUNT, LocalStack, SOURCE_REGION, TARGET_REGION, THIRD_REGION};
use serde_json::{Value, json};

use crate::screen::{Cell, Screen, Style};
use crate::show::{list, text};
use crate::steps::{SPEED, report};

/// All Regions, the source first.
const REGIONS: [&str; 3] = [SOURCE_REGION, TARGET_REGION, THIRD_REGION];
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// What the demo's policy copies, and for how long.
pub(crate) fn targets() -> Value {
    let target = |region: &str, keep: Value| json!({ "vault": format!("arn:aws:backup:{region}:{ACCOUNT}:backup-vault:dynachain"), "keep": keep });
    json!([
        target(TARGET_REGION, json!({ "weekly": { "days": 30 }, "monthly": { "months": 12 } })),
        target(THIRD_REGION, json!({ "monthly": { "years": 7 } })),
    ])
}

/// Follows the copies that completed backups have set off, until none is missing.
pub(crate) async fn follow(stack: &LocalStack, screen: &Screen) -> anyhow::Result<()> {
    screen.step(
        "Copies to two Regions: dynachain-backup-copy queues and dispatches them as backups complete",
    )?;
    stack.timeline().set_speed(SPEED).await?;
    loop {
        let report = report(stack, SOURCE_REGION).await?;
        let count = |member: &str| -> u64 {
            list(&report["copies"]).iter().filter_map(|copies| copies[member].as_u64()).sum()
        };
        let (usable, missing) = (count("usable"), count("missing_count"));
        anyhow::ensure!(usable + missing > 0, "nothing is to be copied");
        if missing == 0 {
            screen.end_progress()?;
            stack.timeline().set_speed(0.0).await?;
            screen.say(&format!("  {} usable", screen.styled(&format!("{usable} copies"), Style::Green)))?;
            return standing(screen, &report);
        }
        screen.progress(&format!("  {usable} of {} copies usable", usable + missing))?;
        // What is shown is how they come about on the running clock, as a user would look at it.
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// How each target stands, a row a table and target.
fn standing(screen: &Screen, report: &Value) -> anyhow::Result<()> {
    let row = |copies: &Value| -> Vec<Cell> {
        let region = text(&copies["target"]).parse::<VaultArn>().map(|vault| vault.region().to_owned());
        let lag = copies["lag_seconds"].as_i64().map_or_else(|| "–".to_owned(), |lag| format!("{lag} s"));
        vec![
            (name_of(&copies["table"]), Style::Bold),
            (region.unwrap_or_default(), Style::Plain),
            (text(&copies["usable"]), Style::Green),
            (text(&copies["missing_count"]), Style::Plain),
            (lag, Style::Plain),
        ]
    };
    let rows: Vec<_> = list(&report["copies"]).iter().map(row).collect();
    screen.table(&["table", "target", "usable", "missing", "point made → copy usable"], &rows)
}

/// Regular and copy chains side by side: a row a restore point, a column a Region's vault.
pub(crate) async fn side_by_side(stack: &LocalStack, screen: &Screen) -> anyhow::Result<()> {
    screen.step("Regular and copy chains side by side, each as its own Region's report tells it")?;
    let mut rows: BTreeMap<(String, String), [String; 3]> = BTreeMap::new();
    for (column, region) in REGIONS.into_iter().enumerate() {
        for chain in list(&report(stack, region).await?["chains"]) {
            for point in list(&chain["points"]) {
                let place = (name_of(&point["table"]), text(&point["scheduled_at"]));
                rows.entry(place).or_default()[column] = cell(point);
            }
        }
    }
    let titles = REGIONS
        .map(|region| if region == SOURCE_REGION { "regular" } else { "copy" }.to_owned() + ", " + region);
    let [regular, west, north] = &titles;
    let rows: Vec<Vec<Cell>> = rows
        .into_iter()
        .map(|((table, scheduled), cells)| {
            let cells = cells.map(|cell| if cell.is_empty() { "–".to_owned() } else { cell });
            let [regular, west, north] = cells;
            vec![
                (table, Style::Bold),
                (scheduled, Style::Plain),
                (regular, Style::Yellow),
                (west, Style::Blue),
                (north, Style::Blue),
            ]
        })
        .collect();
    screen.table(&["table", "scheduled", regular, west, north], &rows)
}

/// A point's flags and its end.
fn cell(point: &Value) -> String {
    let flags = list(&point["flags"]).iter().map(text).collect::<Vec<_>>().join(" ");
    let expires = text(&point["expires_at"]);
    let day = expires.split('T').next().unwrap_or_default();
    let until = format!("until {day}");
    if flags.is_empty() { until } else { format!("{flags} {until}") }
}

/// The source Region goes off, and the targets go on telling their chains.
pub(crate) async fn without_the_source(stack: &LocalStack, screen: &Screen) -> anyhow::Result<()> {
    screen.step("The source Region is lost: every call there is refused")?;
    let mut before = Vec::new();
    for region in [TARGET_REGION, THIRD_REGION] {
        before.push(report(stack, region).await?["chains"].clone());
    }
    stack.control().set_region(SOURCE_REGION, false).await?;
    let refused = stack.invoke(SOURCE_REGION, "chain-report", &json!({})).await;
    anyhow::ensure!(refused.is_err(), "the source Region still answers");
    for (region, before) in [TARGET_REGION, THIRD_REGION].into_iter().zip(&before) {
        // Made anew from the vault there, and from nothing else.
        let rebuilt = stack.invoke(region, "chain-report", &json!({ "rebuild": true })).await?;
        anyhow::ensure!(rebuilt["chains"] == *before, "{region} tells other chains");
        let chains = list(&rebuilt["chains"]);
        let newest =
            chains.first().and_then(|chain| chain["rpo_seconds"].as_u64()).context("no usable copy")?;
        screen.say(&format!(
            "  {region} tells its {} copy chains as before, from the tags of its own points; the newest copies are {} old",
            chains.len(),
            hours(newest)
        ))?;
    }
    stack.control().set_region(SOURCE_REGION, true).await
}

fn hours(seconds: u64) -> String {
    format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60)
}

/// The name of the table in an ARN.
fn name_of(arn: &Value) -> String {
    text(arn).rsplit('/').next().unwrap_or_default().to_owned()
}
