//! Deleting what is due: by request, because an event wants it, and when somebody has confirmed it.

use dynachain::catalog::Hold;
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::PruneContinued;
use dynachain::invocation::Invocation;
use dynachain::request::TableRef;
use serde_json::{Value, json};

use crate::Deps;
use crate::answer::Answer;
use crate::input::{How, PlanDigest};
use crate::inventory::Inventory;
use crate::rule::Rule;
use crate::scene::Scene;
use crate::work::{self, Plan, Work};

/// How often a run that an event wants is tried to begin, when others come and go.
const TRIES: usize = 5;

/// A request about one table or the whole vault.
///
/// # Errors
/// A refusal; nothing was deleted then, or what the log says.
pub(crate) async fn requested(
    deps: &Deps,
    invocation: &Invocation,
    table: Option<&TableRef>,
    how: &How,
) -> Result<Answer, Refusal> {
    let scene = Scene::look(deps).await?;
    let (table, inventory) = match table {
        Some(table) => {
            let (table, inventory) = Inventory::of_table(deps, &scene.vault.arn, table, "$.table").await?;
            (Some(table), Some(inventory))
        }
        None => (None, None),
    };
    let work = Work::new(Rule::Due, table, None);
    if how.dry_run {
        let inventory = match inventory {
            Some(inventory) => inventory,
            None => Inventory::read(deps, None).await?,
        };
        return work::look(deps, invocation, &scene, &inventory, work, how).await;
    }
    let hold = work::hold(deps, &scene, invocation).await?;
    work::carry_out(deps, invocation, &scene, &hold, work, how).await
}

/// An event wants what is due to be deleted. While another run is at work, one more begins after it.
///
/// # Errors
/// As [`requested`].
pub(crate) async fn wanted(deps: &Deps, invocation: &Invocation) -> Result<Value, Refusal> {
    let scene = Scene::look(deps).await?;
    let prunes = deps.catalog.prunes(&scene.vault.arn);
    for _ in 0..TRIES {
        if let Some(hold) = prunes.begin(invocation.request_id(), scene.now).await? {
            let work = Work::new(Rule::Due, None, None);
            let done = work::carry_out(deps, invocation, &scene, &hold, work, &How::default()).await?;
            return crate::value(done);
        }
        if prunes.want_another(scene.now).await? {
            return Ok(json!({ "waits": true }));
        }
    }
    Err(Refusal::new(ErrorType::Busy, "other runs come and go all the time"))
}

/// A plan that was stored is carried out, as far as it is still due.
///
/// # Errors
/// `PlanChanged` when there is no such plan, and as [`requested`].
pub(crate) async fn confirmed(
    deps: &Deps,
    invocation: &Invocation,
    digest: &PlanDigest,
    how: &How,
) -> Result<Answer, Refusal> {
    let scene = Scene::look(deps).await?;
    let prunes = deps.catalog.prunes(&scene.vault.arn);
    let plan: Option<Plan> = prunes.kept(&Plan::name(digest.as_str()), scene.now).await?;
    let plan = plan.ok_or_else(|| {
        let message = format!(
            "no plan with the digest {digest} waits for this vault: plans wait for 72 hours after a run that was blocked; run \
             it again, and confirm the digest that it answers"
        );
        Refusal::at(ErrorType::PlanChanged, "$.confirm", message)
    })?;
    let work = Work::new(Rule::Due, None, Some(plan));
    if how.dry_run {
        let inventory = Inventory::read(deps, None).await?;
        return work::look(deps, invocation, &scene, &inventory, work, how).await;
    }
    let hold = work::hold(deps, &scene, invocation).await?;
    work::carry_out(deps, invocation, &scene, &hold, work, how).await
}

/// A run goes on where another invocation left it, or a further one begins.
///
/// # Errors
/// As [`requested`].
pub(crate) async fn continued(
    deps: &Deps,
    invocation: &Invocation,
    event: &PruneContinued,
) -> Result<Value, Refusal> {
    let run = event.cursor.get("run").and_then(Value::as_str);
    let generation = event.cursor.get("generation").and_then(Value::as_u64);
    let (Some(run), Some(generation)) = (run, generation) else { return wanted(deps, invocation).await };
    let scene = Scene::look(deps).await?;
    let left = Hold { run: run.to_owned(), generation };
    let Some(work) = work::left(deps, &scene, run).await? else { return Ok(json!({ "duplicate": true })) };
    let Some(hold) =
        deps.catalog.prunes(&scene.vault.arn).go_on(&left, invocation.request_id(), scene.now).await?
    else {
        return Ok(json!({ "duplicate": true }));
    };
    let done = work::carry_out(deps, invocation, &scene, &hold, work, &How::default()).await?;
    crate::value(done)
}
