//! A change of the points of some vaults: planned as a whole, and carried out table by table, in as many invocations as it
//! takes.

use std::collections::{BTreeSet, VecDeque};

use dynachain::chain::RestorePoint;
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, TableArn, VaultArn};
use dynachain::invocation::Invocation;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Failure, LIMIT, Line};
use crate::change::Change;
use crate::edit::edit;
use crate::plan::{Edit, Plan, deletable};
use crate::site::Site;

/// Points that are edited at the same time; the rate of calls is limited on its own.
const CONCURRENT: usize = 4;

/// A plan that is carried out, and how far that has come; kept in the catalog between two invocations.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    change: Change,
    /// The moment of the plan, UTC. Points are judged by it however long the work takes: what the plan did not call deletable
    /// does not become so by time passing.
    pub(crate) planned_at: Timestamp,
    pub(crate) digest: String,
    /// How many points are in the plan.
    points: usize,
    /// Those of them that become deletable.
    agreed: BTreeSet<RecoveryPointArn>,
    /// What is still to be done when an invocation is over.
    pub(crate) left: Vec<Left>,
    pub(crate) edited: usize,
    /// Points that could not be edited: they are not tried again.
    pub(crate) failed: BTreeSet<RecoveryPointArn>,
    /// The first so many troubles.
    failures: Vec<Failure>,
}

/// The tables of a vault that are still to be done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Left {
    pub(crate) vault: VaultArn,
    pub(crate) tables: VecDeque<TableArn>,
}

impl Work {
    /// Carries out a plan of which nothing was done yet.
    pub(crate) fn new(change: Change, plan: &Answer, lines: &[Line]) -> Self {
        Self {
            change,
            planned_at: plan.now,
            digest: plan.digest.clone(),
            points: plan.points_count,
            agreed: deletable(lines).into_iter().cloned().collect(),
            left: Vec::new(),
            edited: 0,
            failed: BTreeSet::new(),
            failures: Vec::new(),
        }
    }

    /// Edits the points of a vault's tables as long as there is time; what there was no time for is left.
    ///
    /// # Errors
    /// When the vault or its catalog is out of reach; its tables are left then.
    pub(crate) async fn carry_out(
        &mut self,
        mut site: Site,
        invocation: &Invocation,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let outcome = self.tables(&mut site, invocation, now).await;
        if !site.tables.is_empty() {
            self.left.push(Left { vault: site.place.vault, tables: site.tables });
        }
        outcome
    }

    async fn tables(
        &mut self,
        site: &mut Site,
        invocation: &Invocation,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        while let Some(table) = site.tables.front() {
            if !invocation.has_time() {
                return Ok(());
            }
            let plan = plan(&self.change, site, table).await?;
            match deletable(&plan.lines).into_iter().find(|point| !self.agreed.contains(*point)) {
                Some(point) => self.note(changed(site, table, point)),
                None => {
                    if !self.edit_all(site, plan.edits, invocation, now).await {
                        return Ok(());
                    }
                }
            }
            site.tables.pop_front();
        }
        Ok(())
    }

    /// Edits points of one table; false when time is up.
    async fn edit_all(
        &mut self,
        site: &Site,
        edits: Vec<Edit>,
        invocation: &Invocation,
        now: Timestamp,
    ) -> bool {
        let edits: Vec<_> =
            edits.into_iter().filter(|edit| !self.failed.contains(&edit.before.listed.arn)).collect();
        let mut outcomes =
            stream::iter(edits)
                .map(|one| async move {
                    if !invocation.has_time() {
                        return None;
                    }
                    let outcome = edit(&site.place, &one, now).await;
                    Some(outcome.map_err(|trouble| {
                        (Failure::at(&one.before.listed, &trouble), one.before.listed.arn)
                    }))
                })
                .buffer_unordered(CONCURRENT);
        let mut in_time = true;
        while let Some(outcome) = outcomes.next().await {
            match outcome {
                None => in_time = false,
                Some(Ok(())) => self.edited += 1,
                Some(Err((failure, point))) => {
                    self.failed.insert(point);
                    self.note(failure);
                }
            }
        }
        in_time
    }

    /// Takes down what could not be done.
    pub(crate) fn note(&mut self, failure: Failure) {
        tracing::warn!(?failure, "not edited");
        if self.failures.len() < LIMIT {
            self.failures.push(failure);
        }
    }

    /// How much is done, to be compared.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.edited + self.failed.len(), self.left.iter().map(|left| left.tables.len()).sum())
    }

    /// What an invocation answers: the plan, and how far it is carried out.
    pub(crate) fn answer_to(&self, plan: Answer) -> Answer {
        let failures = plan.failures.into_iter().chain(self.failures.clone()).collect();
        Answer { edited: self.edited, finished: self.left.is_empty(), failures, ..plan }
    }

    /// The plan's figures, for an invocation that goes on: nobody looks through its points again.
    pub(crate) fn plan(&self) -> Answer {
        Answer {
            digest: self.digest.clone(),
            points_count: self.points,
            deletable: self.agreed.len(),
            ..Answer::empty(self.planned_at)
        }
    }
}

/// The lines of the whole plan, table by table: nothing else stays in memory.
///
/// # Errors
/// When a vault or its catalog is out of reach.
pub(crate) async fn lines(change: &Change, sites: &[Site]) -> Result<Vec<Line>, Refusal> {
    let mut lines = Vec::new();
    for site in sites {
        for table in &site.tables {
            lines.extend(plan(change, site, table).await?.lines);
        }
    }
    Ok(lines)
}

async fn plan(change: &Change, site: &Site, table: &TableArn) -> Result<Plan, Refusal> {
    let listed = site.place.of_table(table).await?;
    let points = site.place.points.identify(listed, &site.place.catalog.points()).await?;
    let after: Vec<RestorePoint> = points.iter().map(|point| change.applied(point)).collect();
    let mut copies = site.judge.copies(&points).await?;
    copies.merge(site.judge.copies(&after).await?);
    Ok(Plan::of(&points, &after, &site.judge, &copies))
}

/// A point would become deletable now, and did not in the plan that was agreed to.
fn changed(site: &Site, table: &TableArn, point: &RecoveryPointArn) -> Failure {
    let message =
        format!("{point} would become deletable now, and did not when the plan was made; ask again");
    Failure {
        table: Some(table.clone()),
        recovery_point: None,
        vault: site.place.vault.clone(),
        reason: "changed".to_owned(),
        message,
    }
}
