//! Lives through the occurrences of a year, one after the other.
//!
//! Reconciliation runs every quarter of an hour while there is something to do, and once more to see that there is not; all
//! its other runs of the year would find the same.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use local_stack::LocalStack;
use serde_json::{Value, json};

use super::oracle::{self, Expected, Occurrence, Silence};
use super::own_function::OwnFunction;
use super::{Figures, POLICY, RETRIES, Year, jobs, table};

/// Longer than any backup job takes.
const JOBS_END_WITHIN: SignedDuration = SignedDuration::from_mins(2);
const RECONCILES_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// A session with two attempts per table is over after far fewer.
const MOST_RECONCILES: usize = 12;
/// Of so many wake-ups one comes twice.
const DOUBLED: u64 = 10;

/// The world, and what must come of it.
#[derive(Debug)]
pub(super) struct Driver<'a> {
    stack: &'a LocalStack,
    function: OwnFunction,
    backup: aws_sdk_backup::Client,
    tables: Vec<String>,
    seed: u64,
    pub(super) expected: Expected,
    pub(super) figures: Figures,
}

impl<'a> Driver<'a> {
    pub(super) async fn new(stack: &'a LocalStack, year: &Year) -> anyhow::Result<Self> {
        let function = OwnFunction::instead_of_the_deployed(stack).await?;
        let control = stack.control();
        control.set_events(&json!({ "lose": 0.05, "double": 0.05, "seed": year.seed })).await?;
        let failing = json!({
            "operation": "StartBackupJob", "probability": year.failing, "seed": year.seed, "effect": "job_failed",
        });
        control.set_faults(&json!([failing])).await?;
        Ok(Self {
            stack,
            function,
            backup: jobs::client(stack).await,
            tables: (0..year.tables).map(table).collect(),
            seed: year.seed,
            expected: Expected::default(),
            figures: Figures::default(),
        })
    }

    /// Every occurrence of the year.
    pub(super) async fn live(&mut self, year: &Year, silences: &[Silence]) -> anyhow::Result<()> {
        for due in oracle::occurrences(year.from, year.until)? {
            self.figures.occurrences += 1;
            let silence = silences.iter().find(|silence| silence.covers(due.at));
            match silence {
                None => self.on_time(&due).await?,
                Some(silence) if silence.swallows(due.at) => {
                    self.figures.owed += 1;
                    self.expected.missed(&due, &self.tables);
                }
                Some(silence) => {
                    let late = if silence.all { silence.until } else { due.at + RECONCILES_EVERY };
                    self.late(&due, late).await?;
                }
            }
        }
        let events = self.stack.control().ask("GET", "/events", None).await?;
        let count = |name: &str| events["counts"][name].as_u64().unwrap_or_default();
        (self.figures.lost_events, self.figures.doubled_events) = (count("lost"), count("doubled"));
        self.figures.carriers = self.expected.carriers;
        Ok(())
    }

    async fn on_time(&mut self, due: &Occurrence) -> anyhow::Result<()> {
        self.stack.jump_to(due.at).await;
        let wake = wake(due.at);
        if self.comes_twice(due.at) {
            self.figures.doubled_wakes += 1;
            let answers = self.function.invoke_twice(&wake).await?;
            let duplicates = answers.iter().filter(|answer| answer["duplicate"] == true).count();
            anyhow::ensure!(duplicates == 1, "{duplicates} of two wake-ups at once were duplicates: {wake}");
        } else {
            let answer = self.function.invoke(wake).await?;
            anyhow::ensure!(answer["duplicate"] == false, "taken for a duplicate: {answer}");
        }
        self.jobs_end().await?;
        self.settle(due, due.at + RECONCILES_EVERY).await
    }

    /// Nothing wakes the function but reconciliation.
    async fn late(&mut self, due: &Occurrence, at: Timestamp) -> anyhow::Result<()> {
        self.figures.late += 1;
        self.stack.jump_to(at).await;
        let done = self.reconcile().await?;
        let session = format!("{POLICY}@{}", due.at);
        anyhow::ensure!(done["caught_up"]["late"] == json!([session]), "not run late: {due:?}, {done}");
        self.jobs_end().await?;
        self.settle(due, at + RECONCILES_EVERY).await
    }

    /// Reconciles until nothing is open, and looks at what came of the session.
    async fn settle(&mut self, due: &Occurrence, mut at: Timestamp) -> anyhow::Result<()> {
        for _ in 0..MOST_RECONCILES {
            self.stack.jump_to(at).await;
            let done = self.reconcile().await?;
            let nothing = json!([]);
            let caught_up = &done["caught_up"];
            anyhow::ensure!(
                caught_up["late"] == nothing && caught_up["owed"] == nothing,
                "made up for twice: {done}"
            );
            if done["open"] == nothing {
                return self.look_at(due).await;
            }
            self.jobs_end().await?;
            at += RECONCILES_EVERY;
        }
        anyhow::bail!("the session of {} does not come to an end", due.at)
    }

    /// One point per table, or a reported failure: what the session says must be what AWS Backup says.
    async fn look_at(&mut self, due: &Occurrence) -> anyhow::Result<()> {
        let (failed, failed_jobs) =
            jobs::failed(&self.backup, due.at, self.tables.len(), RETRIES + 1).await?;
        let told = self.function.invoke(wake(due.at)).await?;
        anyhow::ensure!(told["duplicate"] == true && told["finished"] == true, "not over: {told}");
        let (covered, lost) = (self.tables.len(), failed.len());
        let counts = json!({ "covered": covered, "started": covered - lost, "skipped": 0, "failed": lost });
        anyhow::ensure!(told["tables"] == counts, "{failed:?} failed, but {told}");
        anyhow::ensure!(reported(&told) == failed, "{failed:?} failed, but {told}");
        self.figures.failed += lost;
        self.figures.failed_jobs += failed_jobs;
        self.expected.session(due, &self.tables, &failed);
        Ok(())
    }

    async fn reconcile(&mut self) -> anyhow::Result<Value> {
        self.figures.reconciles += 1;
        let done = self.function.invoke(json!({ "reconcile": true })).await?;
        let nothing = json!([]);
        let well = done["failures"] == nothing && done["caught_up"]["failures"] == nothing;
        anyhow::ensure!(well, "reconciliation has trouble: {done}");
        Ok(done)
    }

    async fn jobs_end(&mut self) -> anyhow::Result<()> {
        self.stack.jump_to(self.stack.now() + JOBS_END_WITHIN).await;
        self.function.take_events().await
    }

    /// Follows from the seed and the moment alone.
    fn comes_twice(&self, at: Timestamp) -> bool {
        let mixed = (self.seed ^ at.as_second().unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32).is_multiple_of(DOUBLED)
    }
}

fn wake(at: Timestamp) -> Value {
    json!({ "policy": POLICY, "scheduled_at": at.to_string() })
}

/// The tables that an answer reports as failed.
fn reported(answer: &Value) -> BTreeSet<String> {
    let details = answer["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let failed = details.iter().filter(|detail| detail["outcome"] == "failed");
    failed
        .filter_map(|detail| detail["table"].as_str().and_then(|arn| arn.rsplit('/').next()))
        .map(str::to_owned)
        .collect()
}
