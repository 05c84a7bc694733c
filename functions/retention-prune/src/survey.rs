//! Looking at a vault, table by table: what is due, and what is so much that it must be confirmed.

use std::collections::BTreeSet;

use dynachain::chain::{ChainKind, ListedPoint, RestorePoint};
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, TableArn};
use dynachain::invocation::Invocation;
use dynachain::retention::{BlockedChain, Decision, Verdict, blocked_chains};
use serde::{Deserialize, Serialize};

use crate::Deps;
use crate::answer::{LIMIT, Page};
use crate::findings::{Finding, Living};
use crate::inventory::Inventory;
use crate::scene::Scene;

/// Tables are looked at together until they have so many points: few requests to the catalog, and little memory.
const GROUP: usize = 1000;
/// Points whose tags may have to be read before the time is looked at again: half a minute at AWS's own rate.
const BETWEEN_LOOKS: usize = 500;

/// What was found so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Survey {
    /// The last table that was looked at.
    until: Option<TableArn>,
    /// Whether all tables were.
    pub(crate) complete: bool,
    /// How many points there are.
    pub(crate) points: u64,
    /// How many of them are protected.
    pub(crate) protected: u64,
    /// How many carry metadata that is not theirs.
    pub(crate) suspect: u64,
    /// The points that are to go.
    pub(crate) due: BTreeSet<RecoveryPointArn>,
    /// Their tables.
    pub(crate) tables: BTreeSet<TableArn>,
    /// Those of them that must be confirmed, for their chains would lose too much.
    pub(crate) spared: BTreeSet<RecoveryPointArn>,
    /// Their chains.
    pub(crate) blocked: Vec<BlockedChain>,
}

/// How a survey is made.
pub(crate) struct Surveyor<'a> {
    pub(crate) deps: &'a Deps,
    pub(crate) scene: &'a Scene,
    pub(crate) living: &'a Living,
    /// Only these points count, when a plan is confirmed.
    pub(crate) only: Option<&'a BTreeSet<RecoveryPointArn>>,
    /// Whether the catalog may remember what was read.
    pub(crate) remembers: bool,
}

/// What a survey shows of what it finds.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) page: Page,
    pub(crate) findings: Vec<Finding>,
}

impl Surveyor<'_> {
    /// Goes on with a survey as long as there is time.
    ///
    /// # Errors
    /// When the catalog is out of reach.
    pub(crate) async fn go_on(
        &self,
        invocation: &Invocation,
        inventory: &Inventory,
        survey: &mut Survey,
        shown: &mut Shown,
    ) -> Result<(), Refusal> {
        for tables in inventory.groups(survey.until.as_ref(), GROUP) {
            let listed: Vec<_> = tables.iter().flat_map(|table| inventory.points(table)).collect();
            let Some(points) = self.identify(invocation, listed).await? else { return Ok(()) };
            let verdicts = self.scene.judge.judge(&points).await?;
            self.note(&points, &verdicts, survey, shown);
            survey.until = tables.last().map(|table| (*table).clone());
        }
        survey.complete = true;
        Ok(())
    }

    /// What the points of some tables are; `None` when time is up. What was read by then is remembered.
    async fn identify(
        &self,
        invocation: &Invocation,
        listed: Vec<ListedPoint>,
    ) -> Result<Option<Vec<RestorePoint>>, Refusal> {
        let catalog = self.deps.catalog.points();
        let mut points = Vec::with_capacity(listed.len());
        for some in listed.chunks(BETWEEN_LOOKS) {
            if !invocation.has_time() {
                return Ok(None);
            }
            points.extend(match self.remembers {
                true => self.deps.points.identify_and_remember(some.to_vec(), &catalog).await?,
                false => self.deps.points.identify(some.to_vec(), &catalog).await?,
            });
        }
        Ok(Some(points))
    }

    fn note(&self, points: &[RestorePoint], verdicts: &[Verdict], survey: &mut Survey, shown: &mut Shown) {
        let counts = |point: &RestorePoint| self.only.is_none_or(|only| only.contains(&point.listed.arn));
        let judged = || points.iter().zip(verdicts.iter().copied()).filter(|(point, _)| counts(point));
        let due: BTreeSet<_> = judged()
            .filter(|(_, verdict)| verdict.decision == Decision::Delete)
            .map(|(point, _)| &point.listed.arn)
            .collect();
        let blocked = blocked_chains(points, &due);
        for (point, verdict) in judged() {
            survey.points += 1;
            survey.protected += u64::from(verdict.decision == Decision::Protected);
            survey.suspect += u64::from(point.chain == ChainKind::Suspect);
            if !due.contains(&point.listed.arn) {
                continue;
            }
            survey.tables.insert(point.listed.table.clone());
            let is_of =
                |chain: &BlockedChain| (&chain.table, chain.chain) == (&point.listed.table, point.chain);
            if blocked.iter().any(is_of) {
                survey.spared.insert(point.listed.arn.clone());
            }
        }
        survey.due.extend(due.into_iter().cloned());
        survey.blocked.extend(blocked);
        let visible = shown.page.add(judged());
        let room = LIMIT.saturating_sub(shown.findings.len());
        shown.findings.extend(self.living.findings(&visible, self.scene.now).into_iter().take(room));
    }
}
