//! Removal by hand: planned first, and done when it is repeated with the digest of the plan.

use std::collections::BTreeSet;

use dynachain::chain::{ChainKind, RestorePoint};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{RecoveryPointArn, TableArn};
use dynachain::invocation::Invocation;
use dynachain::retention::{Decision, Verdict, plan_digest};

use crate::Deps;
use crate::answer::{Answer, Failure, LIMIT, Page};
use crate::deps::Removes;
use crate::input::{How, Of, Removal};
use crate::inventory::Inventory;
use crate::rule::{Rule, hindrance, survivor};
use crate::scene::Scene;
use crate::survey::Shown;
use crate::work::{self, Work};

/// What is to be removed, looked at with the rest of its table.
struct Selection {
    table: TableArn,
    chain: ChainKind,
    points: Vec<RestorePoint>,
    verdicts: Vec<Verdict>,
    /// The places of the points that were asked for.
    asked: Vec<usize>,
}

/// Plans a removal, or does it when the plan is confirmed.
///
/// # Errors
/// `TableNotFound`, `PointNotFound`, `LastPoint`, `PlanChanged`, `Busy`, and what is out of reach.
pub(crate) async fn remove(
    deps: &Deps,
    invocation: &Invocation,
    removal: &Removal,
    how: &How,
) -> Result<Answer, Refusal> {
    let scene = Scene::look(deps).await?;
    let selection = select(deps, &scene, &removal.of).await?;
    let (targets, hindered) = selection.targets();
    if !removal.include_last {
        selection.keep_the_last(&targets)?;
    }
    let digest = plan_digest(&targets).to_string();
    if let Some(confirmed) = &removal.confirm
        && confirmed.as_str() != digest
    {
        let message = format!(
            "the points are not those of the plan {confirmed} any more: look at them again without \"confirm\"; now the digest \
             is {digest}"
        );
        return Err(Refusal::at(ErrorType::PlanChanged, "$.confirm", message));
    }
    let rule = Rule::ByHand { chain: selection.chain, include_last: removal.include_last };
    let mut work = Work::new(rule, Some(selection.table.clone()), None);
    work.survey.points = u64::try_from(selection.asked.len()).unwrap_or(u64::MAX);
    work.survey.complete = true;
    work.targets = targets;
    let shown = selection.shown(&scene, &work.targets, how);
    let planned = how.dry_run || removal.confirm.is_none();
    let mut answer = match planned {
        true => {
            work.deletion.deleted = u64::try_from(work.targets.len()).unwrap_or(u64::MAX);
            work::answer(deps, &scene, &work, shown, true)
        }
        false => {
            let hold = work::hold(deps, &scene, invocation).await?;
            let done = work::carry_out(deps, invocation, &scene, &hold, work, how).await?;
            let (points, next) = shown.page.finish();
            Answer { points, next, ..done }
        }
    };
    let room = LIMIT.saturating_sub(answer.failures.len());
    answer.failures.extend(hindered.into_iter().take(room));
    answer.confirm = planned.then_some(digest);
    Ok(answer)
}

async fn select(deps: &Deps, scene: &Scene, of: &Of) -> Result<Selection, Refusal> {
    match of {
        Of::Table { table, what } => {
            let (found, inventory) =
                Inventory::of_table(deps, &scene.vault.arn, table, "$.remove.table").await?;
            let is_asked = |point: &RestorePoint| point.chain == what.chain();
            Selection::of(deps, scene, &inventory, found, what.chain(), is_asked).await
        }
        Of::Point(arn) => {
            let reader = deps.points.vault();
            let found = reader.point(arn).await.map_err(|error| error.about_vault(reader.name()))?;
            let found = found.ok_or_else(|| not_found(scene, arn))?;
            let point = deps.points.identify_one(found.listed).await;
            removable(&point, deps.removes)?;
            let table = point.listed.table.clone();
            let inventory = Inventory::read(deps, Some(&table)).await?;
            let is_asked = |point: &RestorePoint| point.listed.arn == *arn;
            Selection::of(deps, scene, &inventory, table, point.chain, is_asked).await
        }
    }
}

/// Whether this function is the one for such a point.
fn removable(point: &RestorePoint, removes: Removes) -> Result<(), Refusal> {
    let (arn, chain) = (&point.listed.arn, point.chain);
    let refuse = |why: String| Err(Refusal::at(ErrorType::InvalidRequest, "$.remove.recovery_point", why));
    match (chain, removes) {
        (ChainKind::Regular | ChainKind::Copy, Removes::Chains) | (ChainKind::Manual, Removes::Manual) => {
            Ok(())
        }
        (ChainKind::Regular | ChainKind::Copy, Removes::Manual) => {
            refuse(format!("{arn} belongs to a {chain} chain: ask dynachain-retention-prune"))
        }
        (ChainKind::Manual, Removes::Chains) => {
            refuse(format!("{arn} is a manual backup: ask dynachain-manual-removal"))
        }
        _ => {
            let doubt = point.doubt.as_deref().unwrap_or("it has no metadata of dynachain");
            refuse(format!(
                "{arn} is {chain}, and dynachain deletes nothing in doubt: {doubt}; AWS Backup itself can"
            ))
        }
    }
}

fn not_found(scene: &Scene, arn: &RecoveryPointArn) -> Refusal {
    let message = format!("there is no recovery point {arn} in the vault {}", scene.vault.arn);
    Refusal::at(ErrorType::PointNotFound, "$.remove.recovery_point", message)
}

impl Selection {
    async fn of(
        deps: &Deps,
        scene: &Scene,
        inventory: &Inventory,
        table: TableArn,
        chain: ChainKind,
        is_asked: impl Fn(&RestorePoint) -> bool,
    ) -> Result<Self, Refusal> {
        let points = deps.points.identify(inventory.points(&table), &deps.catalog.points()).await?;
        let verdicts = scene.judge.judge(&points).await?;
        let asked = points.iter().enumerate().filter(|(_, point)| is_asked(point)).map(|(place, _)| place);
        let asked: Vec<_> = asked.collect();
        if asked.is_empty() {
            let message = format!("no point of {table} in the vault {} is {chain}", scene.vault.arn);
            return Err(Refusal::at(ErrorType::PointNotFound, "$.remove", message));
        }
        Ok(Self { table, chain, points, verdicts, asked })
    }

    /// What can go of what was asked for, and what cannot.
    fn targets(&self) -> (BTreeSet<RecoveryPointArn>, Vec<Failure>) {
        let (mut targets, mut hindered) = (BTreeSet::new(), Vec::new());
        for place in &self.asked {
            let listed = &self.points[*place].listed;
            match hindrance(&self.verdicts[*place]) {
                None => drop(targets.insert(listed.arn.clone())),
                Some(reason) => {
                    let message = "stays: nobody can delete it as it is, or its date is in doubt";
                    hindered.push(Failure::new(listed, reason.as_str(), message));
                }
            }
        }
        Failure::sort(&mut hindered);
        (targets, hindered)
    }

    fn keep_the_last(&self, targets: &BTreeSet<RecoveryPointArn>) -> Result<(), Refusal> {
        let takes_usable = self
            .asked
            .iter()
            .map(|place| &self.points[*place])
            .any(|point| point.is_usable() && targets.contains(&point.listed.arn));
        if !takes_usable || survivor(self.chain, &self.points, targets).is_some() {
            return Ok(());
        }
        let (table, chain) = (&self.table, self.chain);
        let message = format!(
            "no usable {chain} point of {table} would be left in this vault; repeat with \"include_last\": true to remove the \
             last one too"
        );
        Err(Refusal::at(ErrorType::LastPoint, "$.remove", message))
    }

    /// The points that were asked for: those that go, and those that stay all the same.
    fn shown(&self, scene: &Scene, targets: &BTreeSet<RecoveryPointArn>, how: &How) -> Shown {
        let mut page = Page::new(scene.now, how);
        page.add(self.asked.iter().map(|place| {
            let (point, verdict) = (&self.points[*place], self.verdicts[*place]);
            let decision = match targets.contains(&point.listed.arn) {
                true => Decision::Delete,
                false => Decision::Protected,
            };
            (point, Verdict { decision, ..verdict })
        }));
        Shown { page, findings: Vec::new() }
    }
}
