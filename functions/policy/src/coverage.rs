//! Which tables a change of a policy adds to it and drops from it, other policies' priorities considered.

use std::collections::BTreeSet;

use dynachain::aws::tables::Tags;
use dynachain::catalog::StoredPolicy;
use dynachain::error::Refusal;
use dynachain::id::{PolicyName, TableArn, TableName};
use dynachain::policy::{Assignment, Document, Table, assign, tag_keys};
use serde::Serialize;

use crate::{Deps, LIMIT};

/// Tables by ARN; each list is cut, and the counts cover the whole.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TableChanges {
    added: Vec<TableArn>,
    removed: Vec<TableArn>,
    /// In the policy's scope, and of a stronger policy.
    skipped: Vec<Skipped>,
    /// Named in the policy's scope, and not there.
    missing: Vec<TableArn>,
    counts: Counts,
}

#[derive(Clone, Debug, Serialize)]
struct Skipped {
    table: TableArn,
    policy: PolicyName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Counts {
    covered: usize,
    added: usize,
    removed: usize,
    skipped: usize,
    missing: usize,
}

pub(crate) async fn changes(
    deps: &Deps,
    policies: &[StoredPolicy],
    document: &Document,
) -> Result<TableChanges, Refusal> {
    let enabled = StoredPolicy::enabled(policies);
    let before = enabled.iter().copied().find(|other| other.name == document.name);
    let keys = [Some(document), before].into_iter().flatten().flat_map(|policy| tag_keys(policy, &enabled));
    let tables = deps.tables.tables(&Tags::Of(keys.collect())).await.map_err(|error| error.refusal())?;
    let difference = Difference::of(before, document, &enabled, &tables);
    let arns = |names: &[TableName]| -> Result<Vec<TableArn>, Refusal> {
        names.iter().take(LIMIT).map(|name| deps.table_arn(name)).collect()
    };
    let skipped = difference.now.skipped.iter().take(LIMIT).map(|(table, policy)| {
        let table = deps.table_arn(table)?;
        Ok(Skipped { table, policy: policy.clone() })
    });
    Ok(TableChanges {
        added: arns(&difference.added)?,
        removed: arns(&difference.removed)?,
        skipped: skipped.collect::<Result<_, Refusal>>()?,
        missing: arns(&difference.now.missing)?,
        counts: difference.counts(),
    })
}

/// Coverage before and now; a disabled policy covers nothing.
#[derive(Debug)]
struct Difference {
    now: Assignment,
    added: Vec<TableName>,
    removed: Vec<TableName>,
}

impl Difference {
    fn of(before: Option<&Document>, now: &Document, enabled: &[&Document], tables: &[Table]) -> Self {
        let covered = |policy: &Document| assign(policy, enabled, tables);
        let before: BTreeSet<TableName> =
            before.map(|policy| covered(policy).covered).unwrap_or_default().into_iter().collect();
        let now = if now.enabled { covered(now) } else { Assignment::default() };
        let covered: BTreeSet<TableName> = now.covered.iter().cloned().collect();
        Self {
            added: covered.difference(&before).cloned().collect(),
            removed: before.difference(&covered).cloned().collect(),
            now,
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            covered: self.now.covered.len(),
            added: self.added.len(),
            removed: self.removed.len(),
            skipped: self.now.skipped.len(),
            missing: self.now.missing.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy(name: &str, priority: u32, enabled: bool, scope: &Value) -> Document {
        let document = json!({"name": name, "priority": priority, "enabled": enabled, "scope": scope});
        serde_json::from_value(document).unwrap()
    }

    fn tables(names: &[&str]) -> Vec<Table> {
        let table = |name: &&str| Table { name: name.parse().unwrap(), tags: [].into() };
        names.iter().map(table).collect()
    }

    fn names(tables: &[TableName]) -> Vec<&str> {
        tables.iter().map(TableName::as_str).collect()
    }

    #[test]
    fn a_new_policy_adds_what_no_stronger_policy_has() {
        let gold = policy("gold", 10, true, &json!({"tables": ["order-1"]}));
        let new = policy("new", 50, true, &json!({"tables": ["order-*", "gone"]}));
        let difference = Difference::of(None, &new, &[&gold], &tables(&["order-1", "order-2", "other"]));
        assert_eq!(names(&difference.added), ["order-2"]);
        let counts = Counts { covered: 1, added: 1, removed: 0, skipped: 1, missing: 1 };
        assert_eq!(difference.counts(), counts);
    }

    #[test]
    fn a_narrower_scope_removes_and_a_higher_priority_adds() {
        let gold = policy("gold", 10, true, &json!({"tables": ["order-1"]}));
        let before = policy("p", 50, true, &json!({"tables": ["order-*", "user-*"]}));
        let now = policy("p", 5, true, &json!({"tables": ["order-*"]}));
        let there = tables(&["order-1", "order-2", "user-1"]);
        let difference = Difference::of(Some(&before), &now, &[&gold, &before], &there);
        assert_eq!((names(&difference.added), names(&difference.removed)), (vec!["order-1"], vec!["user-1"]));
    }

    #[test]
    fn disabling_removes_everything() {
        let before = policy("p", 50, true, &json!({"all": true}));
        let now = Document { enabled: false, ..before.clone() };
        let difference = Difference::of(Some(&before), &now, &[&before], &tables(&["order-1"]));
        assert_eq!((names(&difference.added), names(&difference.removed)), (vec![], vec!["order-1"]));
    }
}
