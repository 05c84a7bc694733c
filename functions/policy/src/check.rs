//! `check`: every permission and precondition that a policy needs, all findings at once. Nothing is changed.

mod features;
mod finding;
mod keys;
mod lock;
mod roles;
mod schedules;
mod tables;
mod vaults;

use dynachain::error::Refusal;
use dynachain::id::{PolicyName, TableArn};
use dynachain::permissions::Subjects;
use serde::Serialize;

use self::finding::{Finding, verdict};
use self::tables::TableCounts;
use crate::{Deps, LIMIT, not_found};

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Checked {
    policy: PolicyName,
    /// False when any finding is, else null when something cannot be told.
    ok: Option<bool>,
    /// Those of the stack first, then those of tables, by table; at most so many of these at a time.
    findings: Vec<Finding>,
    tables: TableCounts,
    /// What to repeat the request with for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<TableArn>,
}

/// Looks at everything; tables are looked at as if the policy were enabled. With `after` only findings of tables beyond it
/// are listed, while the verdict and the counts are of all.
pub(crate) async fn run(
    deps: &Deps,
    name: &PolicyName,
    after: Option<&TableArn>,
) -> Result<Checked, Refusal> {
    let policies = deps.catalog.policies().list().await?;
    let stored = policies.iter().find(|policy| policy.name == *name);
    let document = &stored.ok_or_else(|| not_found("check", name))?.document;
    let now = deps.now().await?;
    let cover = tables::cover(deps, &policies, document).await?;
    let subjects = Subjects {
        policy: name.clone(),
        tables: cover.covered.iter().map(|covered| covered.table.clone()).collect(),
        targets: document.copies.iter().map(|copy| copy.vault.clone()).collect(),
        keys: document.recipients(|_| true).into_iter().cloned().collect(),
    };
    let (roles, features, keys, vaults, schedules, tables) = futures::join!(
        roles::check(deps, &subjects),
        features::check(deps),
        keys::check(deps, document),
        vaults::check(deps, document, now),
        schedules::check(deps, document),
        tables::check(deps, document, cover, now),
    );
    let stack: Vec<Finding> = [roles, features, keys, vaults, schedules].concat();
    let (tables, counts) = tables?;
    let ok =
        verdict(stack.iter().chain(&tables.stack).chain(tables.single.iter().map(|(_, finding)| finding)));
    let first = if after.is_some() { Vec::new() } else { [stack, tables.stack].concat() };
    let (findings, next) = page(first, tables.single, after, LIMIT);
    Ok(Checked { policy: name.clone(), ok, findings, tables: counts, next })
}

/// The first findings, and those of as many tables after the cursor as the limit has room for; the cursor for the rest.
fn page(
    mut findings: Vec<Finding>,
    tables: Vec<(TableArn, Finding)>,
    after: Option<&TableArn>,
    limit: usize,
) -> (Vec<Finding>, Option<TableArn>) {
    let mut left = tables.into_iter().filter(|(table, _)| after.is_none_or(|after| table > after)).peekable();
    let mut last = None;
    while let Some((table, finding)) = left.peek() {
        if findings.len() >= limit && last.as_ref() != Some(table) {
            return (findings, last);
        }
        last = Some(table.clone());
        findings.push(finding.clone());
        left.next();
    }
    (findings, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(n: usize) -> TableArn {
        format!("arn:aws:dynamodb:eu-central-1:111122223333:table/t-{n:03}").parse().unwrap()
    }

    #[test]
    fn pages_follow_each_other_and_never_part_the_findings_of_a_table() {
        let finding = |n: usize, check: &str| (table(n), Finding::fails(table(n), check, "no"));
        let all: Vec<_> = (0..7).flat_map(|n| [finding(n, "table"), finding(n, "tag_room")]).collect();
        let first = vec![Finding::holds("stack", "key", "fine")];
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let first = if after.is_none() { first.clone() } else { Vec::new() };
            let (findings, next) = page(first, all.clone(), after.as_ref(), 4);
            assert!(findings.len() <= 5, "{findings:?}");
            seen.extend(findings);
            after = next;
            if after.is_none() {
                break;
            }
        }
        let whole: Vec<Finding> =
            first.into_iter().chain(all.into_iter().map(|(_, finding)| finding)).collect();
        assert_eq!(seen, whole);
    }
}
