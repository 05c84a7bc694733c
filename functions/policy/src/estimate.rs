//! `estimate`: what a policy, stored or planned, costs a month, and which limits it would run into.

use std::collections::BTreeMap;

use dynachain::aws::tables::Tags;
use dynachain::aws::{AwsError, TableSize, TableState};
use dynachain::catalog::StoredPolicy;
use dynachain::error::{ErrorType, Refusal};
use dynachain::estimate::{Estimate, Prices, Question, SizedTable, estimate};
use dynachain::id::{PolicyName, TableArn, TableName};
use dynachain::metadata::PREFIX;
use dynachain::policy::{Assignment, Document, Table, assign};
use dynachain::table_config::is_user_tag;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use crate::request::Subject;
use crate::{Deps, LIMIT, apply, not_found};

/// Tables that are described at a time; the rate limit is `Deps`'s.
const AT_A_TIME: usize = 16;

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Estimated {
    policy: PolicyName,
    /// The version that is priced; null for a document that is only planned.
    version: Option<u64>,
    enabled: bool,
    tables: Counts,
    #[serde(flatten)]
    estimate: Estimate,
    /// Tables that are in no figure; the list is cut, and the counts cover the whole.
    failures: Vec<Failure>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Counts {
    /// In the figures.
    estimated: usize,
    /// In the policy's scope, and of a stronger policy.
    skipped: usize,
    /// In no figure.
    failed: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Failure {
    table: TableArn,
    reason: &'static str,
    message: String,
}

pub(crate) async fn run(deps: &Deps, subject: &Subject<'_>) -> Result<Estimated, Refusal> {
    let policies = deps.catalog.policies().list().await?;
    let planned;
    let (policy, version) = match subject {
        Subject::Stored(name) => {
            let stored = policies.iter().find(|policy| policy.name == *name);
            let stored = stored.ok_or_else(|| not_found("estimate", name))?;
            (&stored.document, Some(stored.version))
        }
        Subject::Planned(document) => {
            planned = apply::read(deps, document)?;
            (&planned, None)
        }
    };
    let prices = Prices::built_in().map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))?;
    let found = deps.tables.tables(&Tags::All).await.map_err(|error| error.refusal())?;
    let Cover { tables, skipped, failures } = cover(deps, &policies, policy, found).await?;
    let question = Question {
        policy,
        home_vault: &deps.stack.vault,
        now: dynachain::time::whole_seconds(deps.now().await?),
        tables: &tables,
        settings: deps.estimate_settings,
    };
    let mut estimate = estimate(&question, &prices);
    estimate.total.lower_bound |= !failures.is_empty();
    Ok(Estimated {
        policy: policy.name.clone(),
        version,
        enabled: policy.enabled,
        tables: Counts { estimated: tables.len(), skipped, failed: failures.len() },
        estimate,
        failures: failures.into_iter().take(LIMIT).collect(),
    })
}

/// The tables of the policy, as if it were enabled.
struct Cover {
    tables: Vec<SizedTable>,
    skipped: usize,
    /// In the order of the tables.
    failures: Vec<Failure>,
}

async fn cover(
    deps: &Deps,
    policies: &[StoredPolicy],
    policy: &Document,
    found: Vec<Table>,
) -> Result<Cover, Refusal> {
    let enabled = StoredPolicy::enabled(policies);
    let Assignment { covered, skipped, missing } = assign(policy, &enabled, &found);
    let inherited: BTreeMap<TableName, usize> =
        found.into_iter().map(|table| (table.name, inherited_tags(policy, &table.tags))).collect();
    let mut states = stream::iter(covered)
        .map(|name| async move {
            let table = deps.table_arn(&name)?;
            Ok::<_, Refusal>((deps.table_states.of(&table).await, table, name))
        })
        .buffered(AT_A_TIME);
    let mut tables = Vec::new();
    let mut failures = Vec::new();
    for name in &missing {
        failures.push(not_there(deps.table_arn(name)?));
    }
    while let Some((state, table, name)) = states.try_next().await? {
        match size(table, state) {
            Ok(size) => tables.push(SizedTable {
                size_bytes: size.bytes,
                item_count: size.items,
                inherited_tags: inherited.get(&name).copied().unwrap_or_default(),
                name,
            }),
            Err(failure) => failures.push(failure),
        }
    }
    failures.sort_by(|a, b| a.table.cmp(&b.table));
    Ok(Cover { tables, skipped: skipped.len(), failures })
}

/// The table's tags that its points take over: those of AWS itself are not taken over, and those of the policy and of
/// dynachain replace the table's.
fn inherited_tags(policy: &Document, tags: &BTreeMap<String, String>) -> usize {
    let kept = |tag: &&String| {
        is_user_tag(tag) && !tag.starts_with(PREFIX) && !policy.tags.contains_key(tag.as_str())
    };
    tags.keys().filter(kept).count()
}

fn not_there(table: TableArn) -> Failure {
    let message = format!("the table {table} does not exist");
    Failure { table, reason: "table_not_found", message }
}

/// A table's size, or why it is in no figure.
fn size(table: TableArn, state: Result<Option<TableState>, AwsError>) -> Result<TableSize, Failure> {
    let not_described = |table, message| Failure { table, reason: "not_described", message };
    match state {
        Ok(Some(TableState { size: Some(size), .. })) => Ok(size),
        Ok(Some(TableState { status, size: None })) => {
            let message = format!("DynamoDB has not counted the table's size yet; it is {status}");
            Err(not_described(table, message))
        }
        Ok(None) => Err(not_there(table)),
        Err(error) => Err(not_described(table, error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_that_a_point_does_not_take_over_are_not_counted() {
        let policy: Document = serde_json::from_value(json!({
            "name": "orders", "scope": {"all": true}, "tags": {"cost-center": "42"}
        }))
        .unwrap();
        let tags = ["cost-center", "aws:cloudformation:stack-name", "dynachain:x", "team", "stage"];
        let tags = tags.map(|tag| (tag.to_owned(), String::new())).into();
        assert_eq!(inherited_tags(&policy, &tags), 2);
    }

    fn refused(code: &str) -> Result<Option<TableState>, AwsError> {
        Err(AwsError::refused("DescribeTable", code, "no"))
    }

    #[rstest]
    #[case::vanished(Ok(None), "table_not_found", "does not exist")]
    #[case::forbidden(
        refused("AccessDeniedException"),
        "not_described",
        "was refused: AccessDeniedException"
    )]
    #[case::throttled(refused("ThrottlingException"), "not_described", "ThrottlingException")]
    #[case::not_counted(
        Ok(Some(TableState { status: "CREATING".to_owned(), size: None })),
        "not_described",
        "has not counted the table's size yet; it is CREATING"
    )]
    fn a_table_that_cannot_be_described_is_named_with_the_reason(
        #[case] state: Result<Option<TableState>, AwsError>,
        #[case] reason: &str,
        #[case] said: &str,
    ) {
        let table: TableArn = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap();
        let failure = size(table.clone(), state).unwrap_err();
        assert_eq!((failure.table, failure.reason), (table, reason));
        assert!(failure.message.contains(said), "{}", failure.message);
    }
}
