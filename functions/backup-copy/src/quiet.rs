//! Tables whose next session is near: none of their copies begins until it has had its turn.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dynachain::aws::tables::Tags;
use dynachain::catalog::{CopyRecord, StoredPolicy};
use dynachain::copying::QUIET;
use dynachain::error::Refusal;
use dynachain::id::{TableArn, TableName};
use dynachain::policy::{Document, Table, assign, calendar, tag_keys};
use jiff::{SignedDuration, Timestamp};

use crate::Deps;

/// What is known about it so far, for one invocation.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    /// Tables that are to be left alone.
    pub(crate) tables: HashSet<TableArn>,
    /// Tables that were looked at.
    seen: HashSet<TableArn>,
    /// The policies as they were at the first look.
    policies: Option<Vec<StoredPolicy>>,
}

impl Quiet {
    /// Looks at the tables of copies that might begin now; true when some of them are to be left alone that were not known to
    /// be so.
    pub(crate) async fn look(
        &mut self,
        deps: &Deps,
        waiting: &[CopyRecord],
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        if self.policies.is_none() {
            self.policies = Some(deps.catalog.policies().list().await?);
        }
        let enabled = StoredPolicy::enabled(self.policies.as_deref().unwrap_or_default());
        let soon: Vec<&Document> = enabled.iter().copied().filter(|policy| is_soon(policy, now)).collect();
        let mut tables: Vec<TableArn> = waiting.iter().map(|record| record.table.clone()).collect();
        tables.retain(|table| self.seen.insert(table.clone()));
        if soon.is_empty() || tables.is_empty() {
            return Ok(false);
        }
        let described = described(deps, &tables, &soon, &enabled).await?;
        let covered: HashSet<TableName> =
            soon.iter().flat_map(|policy| assign(policy, &enabled, &described).covered).collect();
        let before = self.tables.len();
        self.tables.extend(
            tables
                .into_iter()
                .filter(|table| table.name().parse::<TableName>().is_ok_and(|name| covered.contains(&name))),
        );
        Ok(self.tables.len() > before)
    }
}

/// Whether a session of the policy begins within the quiet time, or at this very moment.
fn is_soon(policy: &Document, now: Timestamp) -> bool {
    let before = now.checked_sub(SignedDuration::from_secs(1)).unwrap_or(now);
    calendar::next_after(policy, before).is_some_and(|(at, _)| at.duration_since(now) <= QUIET)
}

/// The tables as scopes look at them; their tags are asked for only when a scope does.
async fn described(
    deps: &Deps,
    tables: &[TableArn],
    soon: &[&Document],
    enabled: &[&Document],
) -> Result<Vec<Table>, Refusal> {
    let keys: BTreeSet<&str> = soon.iter().flat_map(|policy| tag_keys(policy, enabled)).collect();
    let mut tags: BTreeMap<TableName, BTreeMap<String, String>> = BTreeMap::new();
    if !keys.is_empty() {
        let all = deps.tables.tables(&Tags::Of(keys)).await.map_err(|error| error.refusal())?;
        tags = all.into_iter().map(|table| (table.name, table.tags)).collect();
    }
    let names = tables.iter().filter_map(|table| table.name().parse::<TableName>().ok());
    Ok(names.map(|name| Table { tags: tags.remove(&name).unwrap_or_default(), name }).collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::long_before("2025-01-06T05:44:59Z", false)]
    #[case::a_quarter_of_an_hour_before("2025-01-06T05:45:00Z", true)]
    #[case::at_the_moment("2025-01-06T06:00:00Z", true)]
    #[case::after("2025-01-06T06:00:01Z", false)]
    fn a_session_is_near_for_a_quarter_of_an_hour(#[case] now: Timestamp, #[case] soon: bool) {
        let policy: Document = serde_json::from_value(json!({
            "name": "orders", "timezone": "Europe/Berlin", "scope": {"all": true},
            "schedules": {"daily": {"at": "07:00", "on": "every day", "keep": {"days": 3}}}
        }))
        .unwrap();
        assert_eq!(is_soon(&policy, now), soon);
    }
}
