//! A run: it looks at the vault, decides what may go, deletes it, and goes on in further invocations when time is up.

use std::collections::BTreeSet;

use dynachain::catalog::{CONFIRMABLE, Hold};
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::{PruneBlocked, PruneContinued};
use dynachain::id::{RecoveryPointArn, TableArn};
use dynachain::invocation::Invocation;
use dynachain::retention::plan_digest;
use dynachain::telemetry::{Metric, Metrics};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Deps;
use crate::answer::{Answer, Blocked, LIMIT, Page};
use crate::deletion::Deletion;
use crate::deps::Removes;
use crate::exclusion::Exclusion;
use crate::findings::Living;
use crate::input::How;
use crate::inventory::Inventory;
use crate::rule::Rule;
use crate::scene::Scene;
use crate::survey::{Shown, Survey, Surveyor};

/// A run that was not gone on with in this time is over.
const GONE_ON_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Bytes of the event of a blocked run that may name tables: an entry has up to 256 KB, all that goes with it included (Amazon
/// EventBridge User Guide, "Calculating PutEvents event entry size").
const TABLES_IN_EVENT: usize = 240_000;

/// What a run is about, and how far it has come; kept in the catalog between two invocations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) rule: Rule,
    /// The only table it is about.
    pub(crate) table: Option<TableArn>,
    /// The plan that is confirmed.
    pub(crate) plan: Option<Plan>,
    pub(crate) survey: Survey,
    /// What may go, once all is looked at.
    pub(crate) targets: BTreeSet<RecoveryPointArn>,
    /// The digest of a plan that is stored because not all of it may go.
    pub(crate) stored: Option<String>,
    pub(crate) deletion: Deletion,
}

/// A plan that waits to be confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) points: BTreeSet<RecoveryPointArn>,
}

impl Plan {
    /// Its name in the catalog.
    pub(crate) fn name(digest: &str) -> String {
        format!("PLAN#{digest}")
    }
}

impl Work {
    /// A run by a rule, about one table or all, or about a plan.
    pub(crate) fn new(rule: Rule, table: Option<TableArn>, plan: Option<Plan>) -> Self {
        Self {
            rule,
            table,
            plan,
            survey: Survey::default(),
            targets: BTreeSet::new(),
            stored: None,
            deletion: Deletion::default(),
        }
    }

    /// The digest of all that is to go.
    pub(crate) fn digest(&self) -> String {
        match self.rule {
            Rule::Due => plan_digest(&self.survey.due).to_string(),
            Rule::ByHand { .. } => plan_digest(&self.targets).to_string(),
        }
    }

    /// What may go of what was found due: all of a plan that is confirmed; otherwise nothing of a chain that would lose too
    /// much, and nothing at all when it is too much together.
    fn choose(&mut self, max_deletes: usize) {
        let due = &self.survey.due;
        self.targets = match &self.plan {
            Some(_) => due.clone(),
            None => due.difference(&self.survey.spared).cloned().collect(),
        };
        if self.exceeds(max_deletes) {
            self.targets.clear();
        }
    }

    fn exceeds(&self, max_deletes: usize) -> bool {
        self.plan.is_none() && self.survey.due.len() - self.survey.spared.len() > max_deletes
    }

    /// What waits to be confirmed.
    fn blocked(&self, max_deletes: usize) -> Vec<Blocked> {
        if self.plan.is_some() {
            return Vec::new();
        }
        let would_delete = self.survey.due.len() - self.survey.spared.len();
        let run = self.exceeds(max_deletes).then(|| Blocked::run(would_delete, max_deletes));
        run.into_iter().chain(self.survey.blocked.iter().map(Blocked::chain)).collect()
    }
}

/// Only looks: what a run would do.
///
/// # Errors
/// When the vault or the catalog is out of reach.
pub(crate) async fn look(
    deps: &Deps,
    invocation: &Invocation,
    scene: &Scene,
    inventory: &Inventory,
    mut work: Work,
    how: &How,
) -> Result<Answer, Refusal> {
    let mut shown = Shown { page: Page::new(scene.now, how), findings: Vec::new() };
    survey(deps, invocation, scene, inventory, &mut work, &mut shown, false).await?;
    if !work.survey.complete {
        let message = "a plan of the whole vault takes longer than one invocation, as most of its points are not in the \
                       catalog yet: ask for one table, or let a run read them first";
        return Err(Refusal::new(ErrorType::Internal, message));
    }
    work.choose(deps.max_deletes);
    work.deletion.deleted = u64::try_from(work.targets.len()).unwrap_or(u64::MAX);
    Ok(answer(deps, scene, &work, shown, true))
}

/// Does all that there is time for; another invocation goes on then.
///
/// # Errors
/// When the vault or the catalog is out of reach. What was deleted by then stays deleted; the vault is given back.
pub(crate) async fn carry_out(
    deps: &Deps,
    invocation: &Invocation,
    scene: &Scene,
    hold: &Hold,
    work: Work,
    how: &How,
) -> Result<Answer, Refusal> {
    let outcome = Box::pin(go_on(deps, invocation, scene, hold, work, how)).await;
    if outcome.is_err()
        && let Err(error) = give_back(deps, scene, hold).await
    {
        tracing::warn!(%error, "the vault could not be given back; its lease lapses by itself");
    }
    outcome
}

async fn go_on(
    deps: &Deps,
    invocation: &Invocation,
    scene: &Scene,
    hold: &Hold,
    mut work: Work,
    how: &How,
) -> Result<Answer, Refusal> {
    let inventory = Inventory::read(deps, work.table.as_ref()).await?;
    let mut shown = Shown { page: Page::new(scene.now, how), findings: Vec::new() };
    // What is removed by hand was chosen already.
    if work.rule == Rule::Due && !work.survey.complete {
        survey(deps, invocation, scene, &inventory, &mut work, &mut shown, true).await?;
        if work.survey.complete {
            work.choose(deps.max_deletes);
            store_if_blocked(deps, scene, &mut work).await?;
        }
    }
    if work.survey.complete {
        let Work { rule, targets, deletion, .. } = &mut work;
        let mut edits = Exclusion::new(deps, invocation);
        let outcome = Box::pin(deletion.go_on(deps, &mut edits, scene, *rule, &inventory, targets)).await;
        edits.give_back().await;
        outcome?;
    }
    // Nothing wakes the function of manual backups: what it has not come to is planned and confirmed anew.
    if work.deletion.complete || deps.removes == Removes::Manual {
        report(scene, &work);
        give_back(deps, scene, hold).await?;
    } else {
        hand_over(deps, scene, hold, &work).await?;
    }
    Ok(answer(deps, scene, &work, shown, false))
}

async fn survey(
    deps: &Deps,
    invocation: &Invocation,
    scene: &Scene,
    inventory: &Inventory,
    work: &mut Work,
    shown: &mut Shown,
    remembers: bool,
) -> Result<(), Refusal> {
    let vault = &scene.vault.arn;
    let living = Living::ask(deps, vault.account(), vault.region()).await;
    let only = work.plan.as_ref().map(|plan| &plan.points);
    let surveyor = Surveyor { deps, scene, living: &living, only, remembers };
    tracing::info!(points = inventory.len(), "looking at the vault");
    Box::pin(surveyor.go_on(invocation, inventory, &mut work.survey, shown)).await
}

/// Keeps the whole plan to be confirmed, and says so.
async fn store_if_blocked(deps: &Deps, scene: &Scene, work: &mut Work) -> Result<(), Refusal> {
    let waiting = work.survey.due.len() - work.targets.len();
    if work.plan.is_some() || waiting == 0 {
        return Ok(());
    }
    let (vault, digest) = (&scene.vault.arn, work.digest());
    let until = scene.now.checked_add(CONFIRMABLE).unwrap_or(scene.now);
    let plan = Plan { points: work.survey.due.clone() };
    deps.catalog.prunes(vault).keep(&Plan::name(&digest), &plan, until).await?;
    let blocked_tables: BTreeSet<_> = work.survey.blocked.iter().map(|chain| &chain.table).collect();
    let whole_run = work.targets.is_empty() && work.exceeds(deps.max_deletes);
    let tables = work.survey.tables.iter().filter(|table| whole_run || blocked_tables.contains(table));
    let event = PruneBlocked {
        vault: vault.clone(),
        digest: digest.clone(),
        tables: fitting(tables),
        would_delete: u64::try_from(waiting).unwrap_or(u64::MAX),
    };
    tracing::warn!(digest, waiting, "not all that is due is deleted: it must be confirmed");
    work.stored = Some(digest);
    deps.bus.emit(&event).await.map_err(|error| error.refusal())
}

/// The first tables of these that an event has room for.
fn fitting<'a>(tables: impl Iterator<Item = &'a TableArn>) -> Vec<TableArn> {
    let mut room = TABLES_IN_EVENT;
    let fits = |table: &&TableArn| {
        // In JSON each takes two quotation marks and a comma more; an ARN has nothing that must be escaped.
        let left = room.checked_sub(table.as_str().len() + 3);
        left.map(|left| room = left).is_some()
    };
    tables.take_while(fits).cloned().collect()
}

fn report(scene: &Scene, work: &Work) {
    let Work { survey, deletion, .. } = work;
    tracing::info!(points = survey.points, deleted = deletion.deleted, failed = deletion.failed, "done");
    let mut metrics = vec![
        Metric::count("PointsDeleted", deletion.deleted),
        Metric::count("DeletesFailed", deletion.failed),
    ];
    // Figures of the vault as a whole: a run about less says nothing about them.
    if work.rule == Rule::Due && work.table.is_none() && work.plan.is_none() {
        metrics.push(Metric::count("PointsProtected", survey.protected));
        metrics.push(Metric::count("PointsSuspect", survey.suspect));
        metrics.push(Metric::count("PrunesBlocked", u64::from(work.stored.is_some())));
    }
    Metrics::of_vault(&scene.vault.arn, scene.now).emit(&metrics);
}

/// The run is over; another one begins when it was wanted meanwhile.
async fn give_back(deps: &Deps, scene: &Scene, hold: &Hold) -> Result<(), Refusal> {
    let vault = &scene.vault.arn;
    let prunes = deps.catalog.prunes(vault);
    prunes.drop_kept(&run_name(&hold.run)).await?;
    if prunes.end(hold).await? {
        let anew = PruneContinued { vault: vault.clone(), cursor: serde_json::Map::new() };
        deps.bus.emit(&anew).await.map_err(|error| error.refusal())?;
    }
    Ok(())
}

/// Time is up: an event starts the next invocation, which finds how far this one has come.
async fn hand_over(deps: &Deps, scene: &Scene, hold: &Hold, work: &Work) -> Result<(), Refusal> {
    let vault = &scene.vault.arn;
    let until = scene.now.checked_add(GONE_ON_WITHIN).unwrap_or(scene.now);
    deps.catalog.prunes(vault).keep(&run_name(&hold.run), work, until).await?;
    let cursor = json!({ "run": hold.run, "generation": hold.generation });
    let event =
        PruneContinued { vault: vault.clone(), cursor: cursor.as_object().cloned().unwrap_or_default() };
    tracing::info!(run = hold.run, generation = hold.generation, "time is up, another invocation goes on");
    deps.bus.emit(&event).await.map_err(|error| error.refusal())
}

/// Where a run that goes on has left how far it has come.
///
/// # Errors
/// When the catalog is out of reach.
pub(crate) async fn left(deps: &Deps, scene: &Scene, run: &str) -> Result<Option<Work>, Refusal> {
    Ok(deps.catalog.prunes(&scene.vault.arn).kept(&run_name(run), scene.now).await?)
}

fn run_name(run: &str) -> String {
    format!("RUN#{run}")
}

/// What is to be said of a run.
pub(crate) fn answer(deps: &Deps, scene: &Scene, work: &Work, shown: Shown, dry_run: bool) -> Answer {
    let (points, next) = shown.page.finish();
    let mut blocked = work.blocked(deps.max_deletes);
    blocked.truncate(LIMIT);
    Answer {
        now: scene.now,
        vault: scene.vault.arn.clone(),
        digest: work.digest(),
        confirm: None,
        dry_run,
        points,
        deleted: work.deletion.deleted,
        kept: work.survey.points.saturating_sub(work.deletion.deleted),
        blocked,
        failures: work.deletion.failures.clone(),
        findings: shown.findings,
        finished: dry_run || work.deletion.complete,
        next,
    }
}

/// The right to work on the vault.
///
/// # Errors
/// `Busy` when another run has it.
pub(crate) async fn hold(deps: &Deps, scene: &Scene, invocation: &Invocation) -> Result<Hold, Refusal> {
    let now: Timestamp = scene.now;
    let prunes = deps.catalog.prunes(&scene.vault.arn);
    prunes.begin(invocation.request_id(), now).await?.ok_or_else(|| {
        let message = "another run is at work on this vault; repeat the request when it is done, in a quarter of an hour \
                       at the latest unless it goes on in further invocations";
        Refusal::new(ErrorType::Busy, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_of_a_blocked_run_names_as_many_tables_as_it_has_room_for() {
        let table = |n: usize| -> TableArn {
            format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{n:0>255}").parse().unwrap()
        };
        let all: Vec<_> = (0..1500).map(table).collect();
        let named = fitting(all.iter());
        assert!((700..1500).contains(&named.len()), "{}", named.len());
        assert!(serde_json::to_vec(&named).unwrap().len() <= TABLES_IN_EVENT + 2);
        assert_eq!(named, all[..named.len()]);
        assert_eq!(fitting(all[..3].iter()), all[..3]);
    }
}
