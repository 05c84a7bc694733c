//! How the policies stand, told to CloudWatch at every reconciliation: also, and above all, when no session runs any more.
//!
//! Reconciliation goes through the whole vault anyway, so the age of the newest points is that of what is there, and not of what
//! the catalog believes.

use std::collections::{BTreeMap, BTreeSet};

use dynachain::aws::tables::Tags;
use dynachain::catalog::StoredPolicy;
use dynachain::chain::{NewestPoints, Standing};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{PolicyName, TableArn, VaultArn};
use dynachain::policy::{Document, assign, tag_keys};
use dynachain::telemetry::{Metric, Metrics};
use jiff::Timestamp;

use crate::Deps;

/// The tables that an enabled policy covers now.
type Covered<'a> = Vec<(&'a Document, Vec<TableArn>)>;

/// How the copies of a policy stand in one target.
#[derive(Clone, Copy, Debug, Default)]
struct Copies {
    /// On their way.
    waiting: u64,
    /// Come to nothing, and no later copy of the table has made up for them.
    owed: u64,
    /// The age in seconds of the newest copy of the table that is worst off, if any table has one.
    age_seconds: Option<u64>,
}

/// Emits the figures of all enabled policies; `newest` is what the vault holds, if all of it was looked at.
pub(crate) async fn tell(deps: &Deps, newest: Option<&NewestPoints>) -> Result<(), Refusal> {
    let now = deps.now().await?;
    let policies = deps.catalog.policies().list().await?;
    let covered = covered(deps, &StoredPolicy::enabled(&policies)).await?;
    match newest {
        Some(newest) => {
            for (policy, tables) in &covered {
                Metrics::of_policy(&policy.name, now).emit(&of_points(newest.standing(tables, now)));
            }
        }
        None => tracing::warn!(
            "going through the vault takes several invocations, so the ages of the newest points are not told"
        ),
    }
    for ((policy, target), copies) in copies(deps, &covered, now).await? {
        Metrics::of_target(&policy, &target, now).emit(&of_copies(copies));
    }
    Ok(())
}

fn of_points(standing: Standing) -> Vec<Metric> {
    let age = standing.age_seconds.map(|age| Metric::seconds("NewestPointAge", age));
    [Metric::count("TablesWithoutPoint", standing.without)].into_iter().chain(age).collect()
}

fn of_copies(copies: Copies) -> Vec<Metric> {
    let age = copies.age_seconds.map(|age| Metric::seconds("NewestCopyAge", age));
    let counts = [Metric::count("CopiesWaiting", copies.waiting), Metric::count("CopiesOwed", copies.owed)];
    counts.into_iter().chain(age).collect()
}

async fn covered<'a>(deps: &Deps, enabled: &[&'a Document]) -> Result<Covered<'a>, Refusal> {
    if enabled.is_empty() {
        return Ok(Covered::new());
    }
    let keys: BTreeSet<&str> = enabled.iter().flat_map(|policy| tag_keys(policy, enabled)).collect();
    let tables = deps.tables.tables(&Tags::Of(keys)).await.map_err(|error| error.refusal())?;
    let of = |policy: &'a Document| {
        let names = assign(policy, enabled, &tables).covered;
        let arn = |name| TableArn::of(&deps.settings.region, &deps.settings.account, name);
        Ok((policy, names.iter().map(arn).collect::<Result<_, _>>()?))
    };
    enabled
        .iter()
        .map(|policy| of(policy))
        .collect::<Result<_, _>>()
        .map_err(|error: dynachain::id::ParseIdError| Refusal::new(ErrorType::Internal, error.to_string()))
}

/// The copies of the enabled policies by target, and those of others that are still missing.
async fn copies(
    deps: &Deps,
    covered: &Covered<'_>,
    now: Timestamp,
) -> Result<BTreeMap<(PolicyName, VaultArn), Copies>, Refusal> {
    let catalog = deps.catalog.copies();
    let mut all: BTreeMap<(PolicyName, VaultArn), Copies> = BTreeMap::new();
    for (policy, tables) in covered {
        for target in policy.copies.iter().map(|copy| &copy.vault) {
            let mut newest = NewestPoints::default();
            for copy in catalog.newest_in(target, tables).await? {
                newest.note(&copy.table, copy.created_at);
            }
            let age_seconds = newest.standing(tables, now).age_seconds;
            all.insert((policy.name.clone(), target.clone()), Copies { age_seconds, ..Copies::default() });
        }
    }
    for record in catalog.missing(None).await? {
        let copies = all.entry((record.policy, record.target)).or_default();
        match record.state.is_owed() {
            true => copies.owed += 1,
            false => copies.waiting += 1,
        }
    }
    Ok(all)
}
