//! `make bench-emulator`: the emulator with a million recovery points in one vault, alone: how often it serves each call,
//! as a multiple of AWS Backup's own limits, and how much memory it takes.

mod client;
mod local_aws;

use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use aws_backup_emulator::{Emulator, Settings};
use client::{Connection, REGION, Request};
use jiff::{SignedDuration, Timestamp};
use local_aws::ACCOUNT;
use serde_json::{Value, json};

const DEFAULT_TABLES: usize = 10_000;
const POINTS_PER_TABLE: usize = 100;
const CONNECTIONS: usize = 4;
const NOW: &str = "2025-06-01T00:00:00Z";
/// Points that hold tags, to see what those take.
const TAGGED: usize = 20_000;
/// As which the points are deleted: a role of another account needs no IAM here.
const ROLE: &str =
    "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
/// AWS Backup's limits per second, account and Region (AWS General Reference, "AWS Backup endpoints and quotas").
const LIST: f64 = 20.0;
const DESCRIBE: f64 = 15.0;
const DELETE: f64 = 10.0;
const START: f64 = 5.0;
const ALL: f64 = 50.0;

#[tokio::main]
async fn main() -> Result<()> {
    let tables = match std::env::var("TABLES") {
        Ok(n) => n.parse().with_context(|| format!("TABLES={n}: not a number"))?,
        Err(_) => DEFAULT_TABLES,
    };
    let emulator = Emulator::start(Settings {
        aws_endpoint: local_aws::start().await?,
        account: ACCOUNT.to_owned(),
        backup_port: 0,
        control_port: 0,
        now: Some(NOW.parse()?),
    })
    .await?;
    emulator.timeline().set_speed(0.0).await?;
    emulator.timeline().advance_to(NOW.parse()?).await;
    let bench = Bench { emulator, tables };
    bench.fill().await?;
    bench.lists().await?;
    bench.points().await?;
    bench.starts().await?;
    bench.jump().await?;
    bench.emulator.stop().await;
    Ok(())
}

struct Bench {
    emulator: Emulator,
    tables: usize,
}

impl Bench {
    async fn one(&self, request: Request) -> Result<Value> {
        let answer = Connection::to(self.emulator.backup_endpoint()).await?.call(&request).await?;
        Ok(if answer.is_empty() { Value::Null } else { serde_json::from_str(&answer)? })
    }

    async fn make(&self, batches: &[Value]) -> Result<()> {
        let request = Request::new("POST", "/points").with(Value::from(batches).to_string());
        Connection::to(self.emulator.control_endpoint()).await?.call(&request).await?;
        Ok(())
    }

    async fn fill(&self) -> Result<()> {
        for vault in ["full", "tagged"] {
            self.one(Request::new("PUT", format!("/backup-vaults/{vault}"))).await?;
        }
        let (began, before) = (Instant::now(), resident()?);
        let day = 24 * 60 * 60;
        let first: Timestamp = NOW.parse::<Timestamp>()? - SignedDuration::from_hours(101 * 24);
        for tables in (0..self.tables).collect::<Vec<_>>().chunks(1000) {
            let batches = tables.iter().map(|table| {
                let from = first + SignedDuration::from_secs(i64::try_from(*table)?);
                Ok(json!({
                    "region": REGION, "vault": "full", "table": arn(*table), "role": ROLE,
                    "created": { "from": from, "every_seconds": day, "count": POINTS_PER_TABLE },
                    "lifecycle": { "delete_after_days": 365 },
                }))
            });
            self.make(&batches.collect::<Result<Vec<_>>>()?).await?;
        }
        let points = self.tables * POINTS_PER_TABLE;
        say(&format!("{points} recovery points of {} tables made in {:.0} s", self.tables, seconds(began)))?;
        let full = resident()?;
        say(&format!(
            "memory: {} MB before, {} MB after: {} bytes a point",
            before >> 20,
            full >> 20,
            (full - before) / points
        ))?;
        let tags: Value = (0..8)
            .map(|n| (format!("dynachain:core:{n}"), Value::from("x".repeat(250))))
            .collect::<serde_json::Map<_, _>>()
            .into();
        self.make(&[json!({
            "region": REGION, "vault": "tagged", "table": arn(0), "role": ROLE, "tags": tags,
            "created": { "from": first, "every_seconds": 1, "count": TAGGED },
        })])
        .await?;
        say(&format!("with 8 tags of 250 bytes: {} bytes a point\n", (resident()? - full) / TAGGED))
    }

    async fn lists(&self) -> Result<()> {
        let vault = "/backup-vaults/full/recovery-points";
        let (pages, middle) = self.walk(vault).await?;
        say(&format!("the whole vault walked through in {pages} pages of 1000"))?;
        let older = "createdBefore=2025-03-01T00%3A00%3A00Z&createdAfter=2025-02-28T12%3A00%3A00Z";
        for (name, path, times) in [
            ("pages of 100 from the front", format!("{vault}?maxResults=100"), 4_000),
            ("pages of 100 from the middle", format!("{vault}?maxResults=100&nextToken={middle}"), 4_000),
            ("pages of 100 of a time long ago", format!("{vault}?maxResults=100&{older}"), 4_000),
            ("pages of 100 of one table", format!("{vault}?resourceArn={}", encoded(&arn(7))), 4_000),
            ("pages of 1000 from the middle", format!("{vault}?maxResults=1000&nextToken={middle}"), 400),
            ("pages of 100 protected resources", "/resources?maxResults=100".to_owned(), 4_000),
        ] {
            self.rate(name, LIST, vec![Request::new("GET", path); times]).await?;
        }
        Ok(())
    }

    /// How many pages the vault has, and the token to its middle.
    async fn walk(&self, vault: &str) -> Result<(usize, String)> {
        let mut connection = Connection::to(self.emulator.backup_endpoint()).await?;
        let (mut tokens, mut points, began) = (vec![String::new()], 0, Instant::now());
        loop {
            let token = tokens.last().filter(|token| !token.is_empty());
            let token = token.map(|token| format!("&nextToken={token}")).unwrap_or_default();
            let page =
                connection.call(&Request::new("GET", format!("{vault}?maxResults=1000{token}"))).await?;
            let page: Value = serde_json::from_str(&page)?;
            points += page["RecoveryPoints"].as_array().map_or(0, Vec::len);
            match page["NextToken"].as_str() {
                Some(token) => tokens.push(token.to_owned()),
                None => break,
            }
        }
        ensure!(points == self.tables * POINTS_PER_TABLE, "{points} points listed");
        let pages = tokens.len();
        line("pages of 1000, one after the other", rate(pages, began), LIST)?;
        Ok((pages, tokens.swap_remove(pages / 2)))
    }

    async fn points(&self) -> Result<()> {
        let some = self.some_points(4_000).await?;
        let each = |request: &dyn Fn(&str) -> Request| some.iter().map(|point| request(point)).collect();
        let path = |point: &str| format!("/backup-vaults/full/recovery-points/{point}");
        self.rate("DescribeRecoveryPoint", DESCRIBE, each(&|point| Request::new("GET", path(point)))).await?;
        self.rate("ListTags", LIST, each(&|point| Request::new("GET", format!("/tags/{point}")))).await?;
        let tags = json!({ "Tags": { "dynachain:marked": "x".repeat(250) } }).to_string();
        let tag = |point: &str| Request::new("POST", format!("/tags/{point}")).with(&*tags);
        self.rate("TagResource", START, each(&tag)).await?;
        let lifecycle = json!({ "Lifecycle": { "DeleteAfterDays": 400 } }).to_string();
        let update = |point: &str| Request::new("POST", path(point)).with(&*lifecycle);
        self.rate("UpdateRecoveryPointLifecycle", START, each(&update)).await?;
        self.rate("DeleteRecoveryPoint", DELETE, each(&|point| Request::new("DELETE", path(point)))).await
    }

    async fn some_points(&self, count: usize) -> Result<Vec<String>> {
        let (mut points, mut table) = (Vec::new(), 0);
        while points.len() < count.min(self.tables * POINTS_PER_TABLE) {
            let path = format!("/resources/{}/recovery-points?maxResults=1000", encoded(&arn(table)));
            let page = self.one(Request::new("GET", path)).await?;
            let found = page["RecoveryPoints"].as_array().context("no points")?;
            let of_vault = found.iter().filter_map(|point| point["RecoveryPointArn"].as_str()).map(encoded);
            // The first table has those with tags as well, in the other vault.
            points.extend(of_vault.filter(|_| table > 0));
            table += 1;
        }
        points.truncate(count);
        Ok(points)
    }

    /// Of tables that do not exist: what the emulator itself does.
    async fn starts(&self) -> Result<()> {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/backup");
        let starts = (0..self.tables).map(|table| {
            let body = json!({ "BackupVaultName": "tagged", "ResourceArn": arn(table), "IamRoleArn": role });
            Request::new("PUT", "/backup-jobs").with(body.to_string())
        });
        self.rate("StartBackupJob", START, starts.collect()).await
    }

    async fn jump(&self) -> Result<()> {
        let before = self.left().await?;
        let began = Instant::now();
        let timeline = self.emulator.timeline();
        timeline.advance_to(timeline.now() + SignedDuration::from_hours(401 * 24)).await;
        let (left, took) = (self.left().await?, seconds(began));
        ensure!(left == 0, "{left} points outlived their end");
        say(&format!("\na jump over the end of {before} points and of all jobs: {took:.0} s"))
    }

    async fn left(&self) -> Result<i64> {
        let vault = self.one(Request::new("GET", "/backup-vaults/full")).await?;
        vault["NumberOfRecoveryPoints"].as_i64().context("no number")
    }

    /// Serves all requests over a few connections and says how many a second that were.
    async fn rate(&self, name: &str, limit: f64, requests: Vec<Request>) -> Result<()> {
        let (count, began) = (requests.len(), Instant::now());
        let clients = requests.chunks(count.div_ceil(CONNECTIONS)).map(|requests| async move {
            let mut connection = Connection::to(self.emulator.backup_endpoint()).await?;
            for request in requests {
                connection.call(request).await?;
            }
            anyhow::Ok(())
        });
        futures::future::try_join_all(clients).await?;
        line(name, rate(count, began), limit)
    }
}

fn arn(table: usize) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/bench-{table:05}")
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

fn rate(count: usize, since: Instant) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from) / seconds(since)
}

/// A rate beside AWS's own limit of this call and of all calls together, whichever is lower.
fn line(name: &str, rate: f64, limit: f64) -> Result<()> {
    let limit = limit.min(ALL);
    say(&format!("{name:<44}{rate:>8.0} a second{:>8.0} times AWS's limit", rate / limit))
}

/// Resident memory in bytes.
fn resident() -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: usize = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes << 10)
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("standard output")
}
