//! Points that are worth a look although retention treats them like any others: nothing makes or needs them any more.

use std::collections::{BTreeMap, HashSet};

use dynachain::aws::tables::Tags;
use dynachain::chain::{ChainKind, RestorePoint};
use dynachain::id::{RecoveryPointArn, TableArn};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::Deps;

/// Something about the points of a table, or about one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    table: TableArn,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_point: Option<RecoveryPointArn>,
    reason: &'static str,
    message: String,
    /// How many points it is about.
    points: u64,
    /// Their size together, as far as AWS says.
    size_bytes: u64,
    /// The age of the oldest.
    age_seconds: i64,
}

/// What there still is to make points of.
#[derive(Debug, Default)]
pub(crate) struct Living {
    /// The tables of this account and Region; `None` when nobody knows.
    tables: Option<Here>,
    /// The ids of the policies; `None` when nobody knows.
    policies: Option<HashSet<Uuid>>,
}

#[derive(Debug)]
struct Here {
    account: String,
    region: String,
    names: HashSet<String>,
}

impl Living {
    /// Asks for the tables and policies of this account and Region. Not knowing them is no reason not to prune.
    pub(crate) async fn ask(deps: &Deps, account: &str, region: &str) -> Self {
        let policies = match deps.catalog.policies().list().await {
            Ok(policies) => Some(policies.into_iter().map(|policy| policy.id).collect()),
            Err(error) => {
                tracing::warn!(%error, "policies cannot be read: nobody knows which points none of them made");
                None
            }
        };
        let tables = match deps.tables.tables(&Tags::Of([].into())).await {
            Ok(tables) => Some(Here {
                account: account.to_owned(),
                region: region.to_owned(),
                names: tables.into_iter().map(|table| table.name.to_string()).collect(),
            }),
            Err(error) => {
                tracing::warn!(%error, "tables cannot be listed");
                None
            }
        };
        Self { tables, policies }
    }

    /// What is to be said about these points of whole tables.
    pub(crate) fn findings(&self, points: &[&RestorePoint], now: Timestamp) -> Vec<Finding> {
        let expired = points.iter().filter(|point| point.listed.status == "EXPIRED").map(|point| Finding {
            recovery_point: Some(point.listed.arn.clone()),
            ..Finding::of(&point.listed.table, &[point], "expired", EXPIRED, now)
        });
        let mut orphans: BTreeMap<(&TableArn, &'static str), Vec<&RestorePoint>> = BTreeMap::new();
        for point in points {
            if self.is_gone(&point.listed.table) {
                orphans.entry((&point.listed.table, "table_gone")).or_default().push(point);
            }
            if self.has_no_policy(point) {
                orphans.entry((&point.listed.table, "policy_gone")).or_default().push(point);
            }
        }
        let orphans = orphans.into_iter().map(|((table, reason), points)| {
            let message = if reason == "table_gone" { TABLE_GONE } else { POLICY_GONE };
            Finding::of(table, &points, reason, message, now)
        });
        let mut findings: Vec<_> = expired.chain(orphans).collect();
        findings.sort_by(|one, other| one.table.cmp(&other.table));
        findings
    }

    /// Only of this account and Region can it be told: another Region's tables are its own stack's business.
    fn is_gone(&self, table: &TableArn) -> bool {
        self.tables.as_ref().is_some_and(|here| {
            (table.account(), table.region()) == (&here.account, &here.region)
                && !here.names.contains(table.name())
        })
    }

    fn has_no_policy(&self, point: &RestorePoint) -> bool {
        let policy = point.core.as_deref().and_then(|core| core.policy.as_ref());
        let known = self.policies.as_ref().filter(|_| point.chain == ChainKind::Regular);
        known.zip(policy).is_some_and(|(known, policy)| !known.contains(&policy.id))
    }
}

const EXPIRED: &str = "AWS Backup could not delete the point and keeps billing it; once nothing keeps it, every run tries \
                       again. If it stays: the role that made it is gone or lost permissions (AWS Backup Developer Guide, \
                       \"Troubleshooting manual deletions\")";
const TABLE_GONE: &str =
    "the table does not exist any more; its points go as their flags end, but for the last ones";
const POLICY_GONE: &str =
    "the policy that made them was deleted; they go as their flags end, but for the last ones";

impl Finding {
    fn of(
        table: &TableArn,
        points: &[&RestorePoint],
        reason: &'static str,
        message: &str,
        now: Timestamp,
    ) -> Self {
        let age = |point: &&RestorePoint| now.duration_since(point.listed.created_at).as_secs();
        Self {
            table: table.clone(),
            recovery_point: None,
            reason,
            message: message.to_owned(),
            points: points.iter().map(|_| 1).sum(),
            size_bytes: points.iter().filter_map(|point| point.listed.size_bytes).sum(),
            age_seconds: points.iter().map(age).max().unwrap_or_default(),
        }
    }
}
