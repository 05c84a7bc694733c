//! Looking at points again right before they are deleted: the vault's list and the catalog may be old, or lie.

use std::collections::{BTreeSet, HashSet};

use dynachain::aws::{AwsError, Fault};
use dynachain::catalog::CatalogError;
use dynachain::chain::{ChainKind, Reading, RestorePoint};
use dynachain::error::Refusal;
use dynachain::id::RecoveryPointArn;
use dynachain::judge::Judge;
use dynachain::retention::{KnownCopies, KnownCopy, Reasons, Verdict};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::Deps;
use crate::answer::Failure;
use crate::rule::Rule;
use crate::scene::places;

/// Points that are looked at again together, and then deleted: a few seconds at AWS's own rates.
const TOGETHER: usize = 20;
const BEING_EDITED: &str = "an edit of a point of this table has begun and is not finished: dynachain-chain-edit finishes it within \
                            the hour, and the next run sees what is due then";
/// Points looked at at the same time; calls keep their rates.
const CONCURRENT: usize = 8;

/// A point that was just looked at again and may be deleted. Only this module makes one.
#[derive(Debug)]
pub(crate) struct Condemned(RecoveryPointArn);

impl Condemned {
    pub(crate) fn arn(&self) -> &RecoveryPointArn {
        &self.0
    }
}

/// The points of one table while some of them are deleted.
pub(crate) struct Table<'a> {
    deps: &'a Deps,
    judge: &'a mut Judge,
    rule: Rule,
    pub(crate) points: Vec<RestorePoint>,
    copies: KnownCopies,
    /// What is to go.
    targets: BTreeSet<RecoveryPointArn>,
    /// What of it has not been looked at again.
    open: BTreeSet<RecoveryPointArn>,
}

/// What came of looking at a point again.
enum Seen {
    Gone,
    /// With what is known of its copies now.
    There(Box<RestorePoint>, Vec<KnownCopy>),
    /// Nobody knows: it counts as unreadable.
    Unclear(Failure),
}

impl<'a> Table<'a> {
    pub(crate) async fn new(
        deps: &'a Deps,
        judge: &'a mut Judge,
        rule: Rule,
        points: Vec<RestorePoint>,
        targets: BTreeSet<RecoveryPointArn>,
    ) -> Result<Self, Refusal> {
        let copies = judge.copies(&points).await?;
        let open = targets.clone();
        Ok(Self { deps, judge, rule, points, copies, targets, open })
    }

    /// The next points that may be deleted, just looked at again, and the next ones that may not any more. `None` when
    /// there are no further ones. Where an edit of one of the table's points has begun, none goes because it is due: the
    /// edit may keep that point longer, or raise the floor of its chain.
    ///
    /// # Errors
    /// When the catalog is out of reach.
    pub(crate) async fn next(
        &mut self,
        begun: &HashSet<RecoveryPointArn>,
    ) -> Result<Option<(Vec<Condemned>, Vec<Failure>)>, Refusal> {
        if self.rule == Rule::Due && self.points.iter().any(|point| begun.contains(&point.listed.arn)) {
            let left = self.leave("being_edited", BEING_EDITED);
            return Ok(Some((Vec::new(), left)).filter(|(_, left)| !left.is_empty()));
        }
        let present = places(&self.points);
        let chunk: Vec<_> =
            self.open.iter().filter(|arn| present.contains_key(arn)).take(TOGETHER).cloned().collect();
        if chunk.is_empty() {
            return Ok(None);
        }
        self.open.retain(|arn| !chunk.contains(arn));
        let mut failures = self.look_at_all(&chunk).await?;
        // Last of all: what is being put on hold, AWS would still delete.
        let (condemned, others) = match self.judge.ask_for_holds_again(&self.deps.holds).await {
            Ok(()) => self.condemned(&chunk),
            Err(error) => (Vec::new(), self.unjudged(&chunk, &error)),
        };
        let unclear: HashSet<_> = failures.iter().map(Failure::point).cloned().collect();
        failures.extend(others.into_iter().filter(|failure| !unclear.contains(failure.point())));
        Ok(Some((condemned, failures)))
    }

    /// Looks again at points, at those that they may go for, and at those that these then may go for.
    async fn look_at_all(&mut self, chunk: &[RecoveryPointArn]) -> Result<Vec<Failure>, Refusal> {
        let mut failures = Vec::new();
        let mut looked_at = HashSet::new();
        loop {
            let verdicts = self.judge.plan(&self.points, &self.copies);
            let stale = self.stale(chunk, &verdicts, &looked_at);
            if stale.is_empty() {
                return Ok(failures);
            }
            failures.extend(self.look_again(&stale).await?);
            looked_at.extend(stale);
        }
    }

    /// Leaves all that was not looked at yet to the next run.
    pub(crate) fn leave(&mut self, reason: &str, message: &str) -> Vec<Failure> {
        let open = std::mem::take(&mut self.open);
        let left = self.points.iter().filter(|point| open.contains(&point.listed.arn));
        left.map(|point| Failure::new(&point.listed, reason, message)).collect()
    }

    /// A point that was deleted, or may have been, is no reason to delete another.
    pub(crate) fn deleted(&mut self, arn: &RecoveryPointArn) {
        if let Some(point) = self.points.iter_mut().find(|point| point.listed.arn == *arn) {
            "DELETING".clone_into(&mut point.listed.status);
        }
    }

    /// Those of the points that have not been looked at, and of those that they may go for.
    fn stale(
        &self,
        chunk: &[RecoveryPointArn],
        verdicts: &[Verdict],
        looked_at: &HashSet<RecoveryPointArn>,
    ) -> BTreeSet<RecoveryPointArn> {
        let present = places(&self.points);
        let chunk = chunk.iter().filter_map(|arn| present.get(arn).copied());
        let concerned: BTreeSet<usize> = chunk
            .flat_map(|place| {
                let point = &self.points[place];
                let mut concerned = self.rule.keepers(point, &self.points, verdicts, &self.targets);
                concerned.push(place);
                concerned
            })
            .collect();
        let arns = concerned.into_iter().map(|place| &self.points[place].listed.arn);
        arns.filter(|arn| !looked_at.contains(*arn)).cloned().collect()
    }

    /// Nobody knows whether the points are held: they stay.
    fn unjudged(&self, chunk: &[RecoveryPointArn], error: &AwsError) -> Vec<Failure> {
        let points = self.points.iter().filter(|point| chunk.contains(&point.listed.arn));
        points.map(|point| Failure::of_call(&point.listed, "not_looked_at", error)).collect()
    }

    fn condemned(&self, chunk: &[RecoveryPointArn]) -> (Vec<Condemned>, Vec<Failure>) {
        let verdicts = self.judge.plan(&self.points, &self.copies);
        let present = places(&self.points);
        let (mut condemned, mut changed) = (Vec::new(), Vec::new());
        for place in chunk.iter().filter_map(|arn| present.get(arn).copied()) {
            let (point, verdict) = (&self.points[place], &verdicts[place]);
            if self.rule.lets_go(point, verdict, &self.points, &self.targets) {
                condemned.push(Condemned(point.listed.arn.clone()));
            } else {
                let message = format!(
                    "looked at again right before its deletion, it is not to go after all: {}",
                    words(verdict.reasons)
                );
                changed.push(Failure::new(&point.listed, "changed", message));
            }
        }
        (condemned, changed)
    }

    /// Asks AWS for the points and their tags, and tells the catalog what it did not know.
    async fn look_again(&mut self, stale: &BTreeSet<RecoveryPointArn>) -> Result<Vec<Failure>, Refusal> {
        let before: Vec<_> =
            self.points.iter().filter(|point| stale.contains(&point.listed.arn)).cloned().collect();
        let seen: Vec<_> = stream::iter(before)
            .map(|point| async { Ok::<_, Refusal>((look(self.deps, &point).await?, point)) })
            .buffer_unordered(CONCURRENT)
            .try_collect()
            .await?;
        let mut failures = Vec::new();
        for (seen, before) in seen {
            let arn = &before.listed.arn;
            let Some(place) = self.points.iter().position(|point| point.listed.arn == *arn) else { continue };
            match seen {
                Seen::Gone => {
                    self.points.swap_remove(place);
                    // One that was not to go leaves all that the catalog has of it to a rebuild, which sees the whole vault.
                    if self.targets.contains(arn) {
                        forget(self.deps, &before, &self.points).await;
                    }
                }
                Seen::There(now, copies) => {
                    remember(self.deps, &before, &now).await?;
                    self.points[place] = *now;
                    self.copies.replace(arn, copies);
                }
                Seen::Unclear(failure) => {
                    let reading = Reading::Unreadable("it could not be looked at again".to_owned());
                    self.points[place] = RestorePoint::identify(before.listed, reading);
                    failures.push(failure);
                }
            }
        }
        Ok(failures)
    }
}

async fn look(deps: &Deps, point: &RestorePoint) -> Result<Seen, Refusal> {
    let vault = deps.points.vault();
    match vault.point(&point.listed.arn).await {
        Ok(Some(now)) => {
            let now = Box::new(deps.points.identify_one(now.listed).await);
            let copies = deps.catalog.copies().standing_of(&now.listed.arn).await?;
            Ok(Seen::There(now, copies))
        }
        Ok(None) => Ok(Seen::Gone),
        Err(error)
            if error.fault() == Fault::AccessDenied
                && vault.in_list(&point.listed).await.is_ok_and(|listed| listed.is_none()) =>
        {
            Ok(Seen::Gone)
        }
        Err(error) => Ok(Seen::Unclear(Failure::of_call(&point.listed, "not_looked_at", &error))),
    }
}

/// Makes the catalog's row say what the tags say.
async fn remember(deps: &Deps, before: &RestorePoint, now: &RestorePoint) -> Result<(), Refusal> {
    let catalog = deps.catalog.points();
    match now.memorable() {
        Some(core) if before.core.as_deref() != Some(core) => {
            tracing::warn!(point = %now.listed.arn, "the catalog did not say what the tags say");
            catalog.remember(&now.listed.arn, core).await?;
        }
        None if before.core.is_some() => {
            tracing::warn!(point = %now.listed.arn, chain = %now.chain, "the catalog did not say what the tags say");
            catalog.forget_core(&now.listed.arn).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Forgets a point that is gone, whatever is known of it. What stays in the catalog harms nobody, and is no reason to end a
/// run.
pub(crate) async fn forget(deps: &Deps, point: &RestorePoint, table: &[RestorePoint]) {
    if let Err(error) = forget_all(deps, point, table).await {
        tracing::warn!(point = %point.listed.arn, %error, "a point that is gone could not be forgotten");
    }
}

async fn forget_all(deps: &Deps, point: &RestorePoint, table: &[RestorePoint]) -> Result<(), CatalogError> {
    let RestorePoint { listed, chain, core, .. } = point;
    deps.catalog.points().forget(&listed.arn).await?;
    deps.catalog.copies().forget(&listed.arn).await?;
    match (chain, core) {
        (ChainKind::Copy, Some(core)) if !has_twin(point, table) => {
            deps.catalog.points().forget_copied_config(&listed.table, core, &listed.vault).await
        }
        _ => Ok(()),
    }
}

/// Whether another copy of the same source lies in the vault, as a late first job leaves one: they share their configuration.
fn has_twin(point: &RestorePoint, table: &[RestorePoint]) -> bool {
    let made = |point: &RestorePoint| point.core.as_ref().map(|core| (core.started_at, core.config_digest));
    table.iter().any(|other| other.listed.arn != point.listed.arn && made(other) == made(point))
}

fn words(reasons: Reasons) -> String {
    reasons.iter().map(|reason| reason.to_string()).collect::<Vec<_>>().join(", ")
}
