//! The tables that the policy covers: there, ACTIVE, and with room for tags.

use std::collections::BTreeSet;

use dynachain::aws::tables::Tags;
use dynachain::aws::{AwsError, TableState};
use dynachain::catalog::StoredPolicy;
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{PolicyName, TableArn};
use dynachain::metadata::NoTagRoom;
use dynachain::policy::{Document, Table, TagRoom, assign};
use dynachain::table_config::is_user_tag;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::finding::Finding;
use crate::Deps;

/// Tables looked at side by side: far below what DynamoDB takes (Amazon DynamoDB Developer Guide, "Quotas").
const CONCURRENT: usize = 16;
const CHECK: &str = "table";
const TAG_ROOM: &str = "tag_room";

/// What the policy covers now, as if it were enabled.
#[derive(Debug, Default)]
pub(super) struct Cover {
    pub(super) covered: Vec<Covered>,
    /// Named by the policy, and not there.
    missing: Vec<TableArn>,
    skipped: usize,
    /// Why nobody knows.
    refused: Option<AwsError>,
}

/// A table, and the keys of its tags that its recovery points take over.
#[derive(Debug)]
pub(super) struct Covered {
    pub(super) table: TableArn,
    tags: BTreeSet<String>,
}

/// How many tables there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct TableCounts {
    covered: usize,
    /// Of those, the ones that a session can back up now.
    ready: usize,
    /// Named by the policy, and not there.
    missing: usize,
    /// A stronger policy's.
    skipped: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// About all tables.
    pub(super) stack: Vec<Finding>,
    /// About single tables, by table.
    pub(super) single: Vec<(TableArn, Finding)>,
}

/// The tables and their tags, read in bulk: a hundred in a call.
pub(super) async fn cover(
    deps: &Deps,
    policies: &[StoredPolicy],
    document: &Document,
) -> Result<Cover, Refusal> {
    let mut tables = match deps.tables.tables(&Tags::All).await {
        Ok(tables) => tables,
        Err(error) => return Ok(Cover { refused: Some(error), ..Cover::default() }),
    };
    let enabled = StoredPolicy::enabled(policies);
    let assignment = assign(document, &enabled, &tables);
    tables.retain(|table| assignment.covered.binary_search(&table.name).is_ok());
    let covered = |Table { name, tags }: Table| {
        let inherited = tags.into_keys().filter(|key| is_user_tag(key)).collect();
        Ok(Covered { table: deps.table_arn(&name)?, tags: inherited })
    };
    Ok(Cover {
        covered: tables.into_iter().map(covered).collect::<Result<_, Refusal>>()?,
        missing: assignment.missing.iter().map(|name| deps.table_arn(name)).collect::<Result<_, _>>()?,
        skipped: assignment.skipped.len(),
        refused: None,
    })
}

/// Looks at every table; the findings are about those that are not ready.
pub(super) async fn check(
    deps: &Deps,
    document: &Document,
    cover: Cover,
    now: Timestamp,
) -> Result<(Findings, TableCounts), Refusal> {
    let room = TagRoom::of(document, &deps.stack.vault, now)
        .map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))?;
    let start = room.for_tags(&BTreeSet::new());
    // What is wrong with every table alike is said once.
    let can_start = start.is_ok();
    let mut findings = Findings { stack: vec![at_start(&document.name, start)], single: Vec::new() };
    let mut counts = TableCounts {
        covered: cover.covered.len(),
        missing: cover.missing.len(),
        skipped: cover.skipped,
        ready: 0,
    };
    let room = can_start.then_some(&room);
    let mut looked = stream::iter(cover.covered)
        .map(|covered| async move {
            let state = deps.table_states.of(&covered.table).await;
            let crowded = room.and_then(|room| crowded(room, &covered.table, &covered.tags));
            let found = [judge(&covered.table, state), crowded];
            Ok::<_, Refusal>((covered.table, found))
        })
        .buffered(CONCURRENT);
    while let Some((table, found)) = looked.try_next().await? {
        counts.ready += usize::from(can_start && found.iter().all(Option::is_none));
        findings.single.extend(found.into_iter().flatten().map(|finding| (table.clone(), finding)));
    }
    findings.single.extend(cover.missing.into_iter().map(|table| (table.clone(), missing(&table))));
    // The order of tables, and of the checks of each.
    findings.single.sort_by(|(a, _), (b, _)| a.cmp(b));
    findings.stack.push(summary(&document.name, cover.refused.as_ref(), counts));
    Ok((findings, counts))
}

/// The findings about single tables say what is wrong; this one says how many are not.
fn summary(policy: &PolicyName, refused: Option<&AwsError>, counts: TableCounts) -> Finding {
    const CHECK: &str = "tables";
    if let Some(error) = refused {
        return Finding::untold(policy, CHECK, error);
    }
    let TableCounts { covered, ready, missing, skipped } = counts;
    let message = match covered + missing {
        0 => format!("covers no table now ({skipped} in its scope belong to stronger policies)"),
        named => format!("{ready} of {named} tables can be backed up now"),
    };
    Finding::holds(policy, CHECK, message)
}

/// What keeps the table from being backed up, if anything; a table that is UPDATING can be.
fn judge(table: &TableArn, state: Result<Option<TableState>, AwsError>) -> Option<Finding> {
    match state {
        Ok(Some(TableState { status, .. })) if matches!(status.as_str(), "ACTIVE" | "UPDATING") => None,
        Ok(Some(TableState { status, .. })) => {
            let message = format!("is {status}, not ACTIVE; it can be backed up once it is");
            let command = format!(
                "aws dynamodb wait table-exists --table-name {} --region {}",
                table.name(),
                table.region()
            );
            Some(Finding::fails(table, CHECK, message).run(command))
        }
        Ok(None) => Some(Finding::fails(table, CHECK, "was deleted while this check ran")),
        Err(error) => Some(Finding::untold(table, CHECK, &error)),
    }
}

fn missing(table: &TableArn) -> Finding {
    let message = "the policy names the table and there is none; create it, or take it out of the scope";
    Finding::fails(table, CHECK, message)
}

/// Whether backups of any table can start with what the policy wants them to, and with how many tags.
fn at_start(policy: &PolicyName, start: Result<usize, NoTagRoom>) -> Finding {
    const CHECK: &str = "tags_at_start";
    match start {
        Ok(ours) => Finding::holds(policy, CHECK, format!("backups start with {ours} tags of at most 10")),
        Err(error) => Finding::fails(policy, CHECK, error.to_string()),
    }
}

/// What keeps a table's tags and ours from fitting together, if anything.
fn crowded(room: &TagRoom, table: &TableArn, tags: &BTreeSet<String>) -> Option<Finding> {
    let error = room.for_tags(tags).err()?;
    let command =
        format!("aws dynamodb list-tags-of-resource --resource-arn {table} --region {}", table.region());
    Some(Finding::fails(table, TAG_ROOM, error.to_string()).run(command))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";

    #[rstest]
    #[case::active(Some("ACTIVE"), None)]
    #[case::updating(Some("UPDATING"), None)]
    #[case::creating(Some("CREATING"), Some("is CREATING, not ACTIVE"))]
    #[case::deleted(None, Some("was deleted"))]
    fn a_table_must_be_there_and_active(#[case] status: Option<&str>, #[case] said: Option<&str>) {
        let state = status.map(|status| TableState { status: status.to_owned(), size: None });
        let finding = judge(&TABLE.parse().unwrap(), Ok(state));
        assert_eq!(finding.as_ref().map(|finding| finding.ok), said.map(|_| Some(false)));
        assert!(finding.is_none_or(|finding| finding.message.starts_with(said.unwrap_or_default())));
    }

    #[test]
    fn a_table_that_cannot_be_described_is_neither_good_nor_bad() {
        let error = AwsError::refused("DescribeTable", "AccessDeniedException", "no");
        assert_eq!(judge(&TABLE.parse().unwrap(), Err(error)).map(|finding| finding.ok), Some(None));
    }

    #[test]
    fn a_policy_that_covers_nothing_is_told() {
        let policy = "orders".parse().unwrap();
        let nothing = summary(&policy, None, TableCounts { skipped: 2, ..TableCounts::default() });
        assert!(nothing.message.contains("covers no table now (2 in its scope"), "{}", nothing.message);
        let some = TableCounts { covered: 3, ready: 2, missing: 1, skipped: 0 };
        assert!(summary(&policy, None, some).message.starts_with("2 of 4 tables"));
        let error = AwsError::refused("ListTables", "AccessDeniedException", "no");
        assert_eq!(summary(&policy, Some(&error), some).ok, None);
    }
}
