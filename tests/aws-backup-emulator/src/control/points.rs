//! Recovery points without a backup, many at once: for tests of a vault that is full, or that has been filled for years.
//!
//! No event tells of them, and they hold no table.

mod request;

use std::sync::Arc;

use aws_sdk_dynamodb::types::TableDescription;
use jiff::Timestamp;
use serde_json::{Value, json};

use self::request::{Batch, PointsInput};
use super::{Input, no_problems};
use crate::aws::table::Snapshot;
use crate::state::recovery_point::{RecoveryPoint, Storage};
use crate::state::shared::Shared;
use crate::state::vault::{MOST_POINTS, Vault};
use crate::state::{RegionState, Regions};

const EXPECTED: &str = r#"{"region": "eu-central-1", "vault": "dynachain", "table": its ARN, "created": ["2025-01-06T07:00:00Z"] or {"from", "every_seconds", "count"}} or a list of such"#;

pub(super) async fn post(input: &Input) -> Result<Value, String> {
    let service = &input.service;
    let given: PointsInput = input.read(EXPECTED)?;
    let now = crate::time::milliseconds(service.timeline.now());
    let (mut batches, mut problems) = (Vec::new(), Vec::new());
    for (number, batch) in given.all().into_iter().enumerate() {
        match batch.accept(service.aws.account(), now) {
            Ok(batch) => batches.push(batch),
            Err(found) => problems.extend(found.iter().map(|problem| format!("[{number}]: {problem}"))),
        }
    }
    no_problems(&problems)?;
    let made = service.world.with_all(|regions| make(regions, &batches, now))?;
    // What is due next may have come nearer.
    service.timeline.poke();
    Ok(json!({ "points": made }))
}

/// All of them, or none.
fn make(regions: &mut Regions, batches: &[Batch], now: Timestamp) -> Result<usize, String> {
    let problems: Vec<String> =
        batches.iter().enumerate().filter_map(|(number, batch)| misfit(regions, number, batch)).collect();
    no_problems(&problems)?;
    let made = batches.iter().map(|batch| batch.created.count()).sum();
    for batch in batches {
        fill(regions.at(&batch.scope), batch, now);
    }
    Ok(made)
}

/// Why a vault does not take these points.
fn misfit(regions: &mut Regions, number: usize, batch: &Batch) -> Option<String> {
    let (state, vault) = (regions.at(&batch.scope), &batch.vault);
    if !state.vaults.contains_key(vault) {
        return Some(format!("[{number}]: there is no vault {vault} in {}", batch.scope.region));
    }
    let points = state.points.count_in(vault).saturating_add(batch.created.count());
    (points > MOST_POINTS).then(|| {
        format!(
            "[{number}]: the vault {vault} would have {points} recovery points, {MOST_POINTS} are the most"
        )
    })
}

fn fill(state: &mut RegionState, batch: &Batch, now: Timestamp) {
    let Some(vault) = state.vaults.get(&batch.vault) else { return };
    let points = Pattern::new(batch, vault);
    for created in batch.created.times() {
        let point = points.point(batch, created);
        let arn = point.arn.clone();
        state.points.insert(point);
        state.points.plan(&arn, now);
    }
}

/// What the points of one batch have in common.
struct Pattern {
    vault: Shared,
    vault_arn: Shared,
    resource_arn: Shared,
    role_arn: Shared,
    key_arn: Shared,
    key_kind: Option<&'static str>,
    snapshot: Arc<Snapshot>,
}

impl Pattern {
    fn new(batch: &Batch, vault: &Vault) -> Self {
        let table = TableDescription::builder().table_arn(&batch.table).build();
        Self {
            vault: vault.name.as_str().into(),
            vault_arn: vault.arn.as_str().into(),
            resource_arn: batch.table.as_str().into(),
            role_arn: batch.role.as_str().into(),
            key_arn: vault.key.arn.as_str().into(),
            key_kind: vault.key.kind(),
            snapshot: Arc::new(Snapshot { table, items: Vec::new() }),
        }
    }

    fn point(&self, batch: &Batch, created: Timestamp) -> RecoveryPoint {
        RecoveryPoint {
            arn: batch.scope.arn("backup", &format!("recovery-point:{}", uuid::Uuid::new_v4())),
            job_id: uuid::Uuid::new_v4().to_string().to_uppercase(),
            vault: self.vault.clone(),
            vault_arn: self.vault_arn.clone(),
            source_vault_arn: None,
            resource_arn: self.resource_arn.clone(),
            role_arn: self.role_arn.clone(),
            status: batch.status,
            status_message: None,
            storage: Storage::Warm,
            created,
            initiated: created,
            completed: Some(created),
            last_restored: None,
            lifecycle: batch.lifecycle.clone(),
            key_arn: Some(self.key_arn.clone()),
            key_kind: self.key_kind,
            tags: batch.tags.clone(),
            snapshot: self.snapshot.clone(),
            size: 0,
        }
    }
}
