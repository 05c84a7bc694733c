//! Changing a policy: plan, store the document, then bring the schedules in line.

use dynachain::catalog::StoredPolicy;
use dynachain::chain::Flags;
use dynachain::error::Refusal;
use dynachain::id::PolicyName;
use dynachain::policy::{Document, calendar};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::coverage::{self, TableChanges};
use crate::expiry::{self, PointChanges};
use crate::schedules::{self, ScheduleChanges};
use crate::{Deps, notes, overtaken};

/// How many coming occurrences an answer shows.
const OCCURRENCES: usize = 5;

/// The answer: what a change of a policy did, or would do.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    policy: PolicyName,
    /// Null for a policy that a dry run would make.
    id: Option<Uuid>,
    version: u64,
    changed: bool,
    enabled: bool,
    dry_run: bool,
    schedules: ScheduleChanges,
    tables: TableChanges,
    #[serde(flatten)]
    points: PointChanges,
    /// The next few; what they were when the policy is disabled, they would be once it is enabled.
    occurrences: Vec<Occurrence>,
    /// What the document cannot say: that AWS alone removes points from locked vaults.
    notes: Vec<String>,
}

/// When sessions are due, and the flags of their points.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Occurrence {
    at: Timestamp,
    flags: Flags,
}

/// Makes `document` the policy of its name. `policies` are all stored policies as just read.
pub(crate) async fn run(
    deps: &Deps,
    policies: &[StoredPolicy],
    document: Document,
    dry_run: bool,
) -> Result<Change, Refusal> {
    let now = deps.now().await?;
    let stored = policies.iter().find(|policy| policy.name == document.name);
    let tables = coverage::changes(deps, policies, &document).await?;
    let points = match stored {
        Some(stored) => expiry::changes(deps, stored.id, &document).await?,
        None => PointChanges::default(),
    };
    let occurrences = upcoming(&document, now);
    let notes = notes::of(deps, &document).await;
    let changed = stored.is_none_or(|stored| stored.document != document);
    let (name, enabled) = (document.name.clone(), document.enabled);
    let next = match stored {
        Some(stored) if !changed => stored.clone(),
        Some(stored) => stored.next(document, now),
        None => StoredPolicy::first(Uuid::new_v4(), document, now),
    };
    let schedules = if dry_run {
        schedules::plan(deps, &name, Some(&next.document)).await?
    } else {
        if changed {
            store(deps, &next, stored).await?;
        }
        let done = format!(
            "version {} of policy {name} is stored, but its schedules are not all in line",
            next.version
        );
        schedules::settle(deps, &name, &done, "apply it once more").await?
    };
    let id = (stored.is_some() || !dry_run).then_some(next.id);
    Ok(Change {
        policy: name,
        id,
        version: next.version,
        changed,
        enabled,
        dry_run,
        schedules,
        tables,
        points,
        occurrences,
        notes,
    })
}

async fn store(deps: &Deps, next: &StoredPolicy, replaced: Option<&StoredPolicy>) -> Result<(), Refusal> {
    match deps.catalog.policies().put(next, replaced).await {
        Err(error) if error.is_condition_failed() => Err(overtaken(&next.name)),
        Err(error) => Err(error.into()),
        Ok(()) => {
            tracing::info!(policy = %next.name, id = %next.id, version = next.version, "policy stored");
            Ok(())
        }
    }
}

/// The next few occurrences.
pub(crate) fn upcoming(document: &Document, now: Timestamp) -> Vec<Occurrence> {
    std::iter::successors(calendar::next_after(document, now), |(at, _)| calendar::next_after(document, *at))
        .take(OCCURRENCES)
        .map(|(at, flags)| Occurrence { at, flags })
        .collect()
}
