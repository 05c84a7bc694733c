//! Looking at points again right before they are deleted: the vault's list and the catalog may be old, or lie.

use std::collections::{BTreeSet, HashSet};

use dynachain::chain::{ChainKind, Reading, RestorePoint};
use dynachain::error::Refusal;
use dynachain::id::RecoveryPointArn;
use dynachain::judge::Settled;
use dynachain::retention::{Reasons, Verdict};
use futures::{StreamExt as _, stream};

use crate::Deps;
use crate::answer::Failure;
use crate::rule::Rule;
use crate::scene::{Scene, places};

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
    scene: &'a Scene,
    rule: Rule,
    pub(crate) points: Vec<RestorePoint>,
    settled: Settled,
    /// What is to go.
    targets: BTreeSet<RecoveryPointArn>,
    /// What of it has not been looked at again.
    open: BTreeSet<RecoveryPointArn>,
}

/// What came of looking at a point again.
enum Seen {
    Gone,
    There(Box<RestorePoint>),
    /// Nobody knows: it counts as unreadable.
    Unclear(Failure),
}

impl<'a> Table<'a> {
    pub(crate) async fn new(
        deps: &'a Deps,
        scene: &'a Scene,
        rule: Rule,
        points: Vec<RestorePoint>,
        targets: BTreeSet<RecoveryPointArn>,
    ) -> Result<Self, Refusal> {
        let settled = scene.judge.settled(&points).await?;
        let open = targets.clone();
        Ok(Self { deps, scene, rule, points, settled, targets, open })
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
        let mut failures = Vec::new();
        let mut looked_at = HashSet::new();
        loop {
            let verdicts = self.scene.judge.plan(&self.points, &self.settled);
            let stale = self.stale(&chunk, &verdicts, &looked_at);
            if stale.is_empty() {
                let (condemned, changed) = self.condemned(&chunk, &verdicts);
                let unclear: HashSet<_> = failures.iter().map(Failure::point).cloned().collect();
                failures.extend(changed.into_iter().filter(|failure| !unclear.contains(failure.point())));
                self.open.retain(|arn| !chunk.contains(arn));
                return Ok(Some((condemned, failures)));
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

    /// A point that was deleted is no reason to delete another.
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

    fn condemned(&self, chunk: &[RecoveryPointArn], verdicts: &[Verdict]) -> (Vec<Condemned>, Vec<Failure>) {
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
            .map(|point| async { (look(self.deps, &point).await, point) })
            .buffer_unordered(CONCURRENT)
            .collect()
            .await;
        let mut failures = Vec::new();
        for (seen, before) in seen {
            let arn = &before.listed.arn;
            let Some(place) = self.points.iter().position(|point| point.listed.arn == *arn) else { continue };
            match seen {
                Seen::Gone => {
                    // One that was not to go leaves all that the catalog has of it to a rebuild, which sees the whole vault.
                    if self.targets.contains(arn) {
                        forget(self.deps, &before).await?;
                    }
                    self.points.swap_remove(place);
                }
                Seen::There(now) => {
                    remember(self.deps, &before, &now).await?;
                    self.points[place] = *now;
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

async fn look(deps: &Deps, point: &RestorePoint) -> Seen {
    match deps.points.vault().point(&point.listed.arn).await {
        Ok(Some(now)) => Seen::There(Box::new(deps.points.identify_one(now.listed).await)),
        Ok(None) => Seen::Gone,
        Err(error) => Seen::Unclear(Failure::of_call(&point.listed, "not_looked_at", &error)),
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

/// Forgets a point that is gone, whatever is known of it.
///
/// # Errors
/// When the catalog cannot be written.
pub(crate) async fn forget(deps: &Deps, point: &RestorePoint) -> Result<(), Refusal> {
    let RestorePoint { listed, chain, core, .. } = point;
    deps.catalog.points().forget(&listed.arn).await?;
    deps.catalog.copies().forget(&listed.arn).await?;
    if let (ChainKind::Copy, Some(core)) = (chain, core) {
        deps.catalog.points().forget_copied_config(&listed.table, core).await?;
    }
    Ok(())
}

fn words(reasons: Reasons) -> String {
    reasons.iter().map(|reason| reason.to_string()).collect::<Vec<_>>().join(", ")
}
