//! A policy's EventBridge schedules, brought in line with the policy as it is stored.

use std::collections::BTreeSet;

use dynachain::aws::AwsError;
use dynachain::catalog::StoredPolicy;
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::PolicyName;
use dynachain::policy::Document;
use dynachain::policy::wake::{self, Plan, WakeUp};
use serde::Serialize;

use crate::Deps;

/// How often the schedules are brought in line again because the policy was changed meanwhile.
const ROUNDS: usize = 5;

/// The names of the schedules that were touched, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ScheduleChanges {
    created: BTreeSet<String>,
    updated: BTreeSet<String>,
    removed: BTreeSet<String>,
}

impl ScheduleChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.created.is_empty() && self.updated.is_empty() && self.removed.is_empty()
    }

    /// What is to be done, in words.
    pub(crate) fn summary(&self) -> String {
        let names = |what: &str, names: &BTreeSet<String>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
        };
        let parts =
            [names("create", &self.created), names("update", &self.updated), names("remove", &self.removed)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    fn add(&mut self, plan: Plan) {
        let name = |wake: WakeUp| wake.name;
        self.created.extend(plan.create.into_iter().map(name));
        self.updated.extend(plan.update.into_iter().map(name));
        self.removed.extend(plan.remove);
    }
}

/// The policy's schedules as they stand.
pub(crate) async fn existing(deps: &Deps, name: &PolicyName) -> Result<Vec<WakeUp>, Refusal> {
    let mut found = deps.scheduler.find(name).await.map_err(|error| error.refusal())?;
    found.retain(|wake| wake.policy().as_ref() == Some(name));
    Ok(found)
}

/// What would be done for this document; for none, everything goes.
pub(crate) async fn plan(
    deps: &Deps,
    name: &PolicyName,
    document: Option<&Document>,
) -> Result<ScheduleChanges, Refusal> {
    let mut changes = ScheduleChanges::default();
    changes.add(make_plan(deps, name, document).await.map_err(|error| error.refusal())?);
    Ok(changes)
}

async fn make_plan(deps: &Deps, name: &PolicyName, document: Option<&Document>) -> Result<Plan, AwsError> {
    let wanted = document.map(|document| wake::wanted(document, &deps.wake_target)).unwrap_or_default();
    Ok(wake::plan(name, &deps.scheduler.find(name).await?, wanted))
}

/// Brings the schedules in line with the policy that the catalog has now, and looks afterwards whether that is still the
/// one: whoever of several stores last, or deletes, the schedules end up right.
///
/// # Errors
/// Says what is `done` by now and that `repeat` finishes it.
pub(crate) async fn settle(
    deps: &Deps,
    name: &PolicyName,
    done: &str,
    repeat: &str,
) -> Result<ScheduleChanges, Refusal> {
    let half_done = |refusal: Refusal| {
        let why: Vec<&str> = refusal.problems().iter().map(|problem| problem.message.as_str()).collect();
        Refusal::new(refusal.error_type(), format!("{done}: {}; {repeat} to finish it", why.join("; ")))
    };
    let mut changes = ScheduleChanges::default();
    let mut stored = deps.catalog.policies().get(name).await.map_err(|error| half_done(error.into()))?;
    for _ in 0..ROUNDS {
        let document = stored.as_ref().map(|stored| &stored.document);
        let plan = make_plan(deps, name, document).await.map_err(|error| half_done(error.refusal()))?;
        if plan.is_empty() {
            return Ok(changes);
        }
        deps.scheduler.carry_out(&plan).await.map_err(|error| half_done(error.refusal()))?;
        changes.add(plan);
        let now = deps.catalog.policies().get(name).await.map_err(|error| half_done(error.into()))?;
        if is_same(stored.as_ref(), now.as_ref()) {
            return Ok(changes);
        }
        stored = now;
    }
    Err(half_done(Refusal::new(ErrorType::Busy, "the policy keeps being changed by others")))
}

fn is_same(one: Option<&StoredPolicy>, other: Option<&StoredPolicy>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same_version(other),
        (None, None) => true,
        _ => false,
    }
}
