//! The points of a policy, and their copies in its targets, live by what the policy says now.

use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{TableArn, VaultArn};
use dynachain::invocation::Invocation;
use dynachain::request::TableRef;
use jiff::Timestamp;

use crate::Deps;
use crate::answer::{Answer, Failure};
use crate::change::Change;
use crate::request::{How, Restamp};
use crate::run;
use crate::site::Site;

pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    restamp: &Restamp,
    how: &How,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let Some(policy) = deps.catalog.policies().get(&restamp.policy).await? else {
        let message = format!("no policy is called {}", restamp.policy);
        return Err(Refusal::at(ErrorType::PolicyNotFound, "$.restamp.policy", message));
    };
    let (mut sites, mut failures) = (Vec::new(), Vec::new());
    // The own vault has to be there; trouble with a target stops only its copies.
    sites.extend(site(deps, deps.home(), now, &mut failures).await?);
    for target in policy.document.copies.iter().map(|target| &target.vault) {
        if target.account() != deps.home().account() {
            let why = "it lies in another account, where this one edits nothing: extend its points there, one by one";
            failures.push(Failure::of_vault(target, "other_account", why));
            continue;
        }
        match site(deps, target, now, &mut failures).await {
            Ok(site) => sites.extend(site),
            Err(refusal) => {
                failures.push(Failure::of_vault(target, "vault_unavailable", &refusal.to_string()));
            }
        }
    }
    choose(&mut sites, &restamp.tables)?;
    let change = Change::Restamp(Box::new(policy));
    let mut answer = run::run(deps, invocation, change, sites, how, now).await?;
    failures.append(&mut answer.failures);
    Ok(Answer { failures, ..answer })
}

/// A vault with the tables of this Region that have points there; none where AWS itself ends the points.
async fn site(
    deps: &Deps,
    vault: &VaultArn,
    now: Timestamp,
    failures: &mut Vec<Failure>,
) -> Result<Option<Site>, Refusal> {
    let mut site = match Site::open(deps, vault, now).await? {
        Ok(site) => site,
        Err(locked) => {
            failures.push(locked);
            return Ok(None);
        }
    };
    let ours =
        |table: &TableArn| (table.region(), table.account()) == (deps.home().region(), deps.home().account());
    site.tables = site.place.tables().await?.into_iter().filter(ours).collect();
    Ok(Some(site))
}

/// Leaves only the tables that the request names, if it names any.
fn choose(sites: &mut [Site], named: &[TableRef]) -> Result<(), Refusal> {
    if named.is_empty() {
        return Ok(());
    }
    for (i, name) in named.iter().enumerate() {
        if !sites.iter().flat_map(|site| &site.tables).any(|table| name.names(table)) {
            let message = format!("no recovery point of a table {name} can be restamped");
            return Err(Refusal::at(ErrorType::TableNotFound, format!("$.restamp.tables[{i}]"), message));
        }
    }
    for site in sites {
        site.tables.retain(|table| named.iter().any(|name| name.names(table)));
    }
    Ok(())
}
