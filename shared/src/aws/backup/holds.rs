//! Legal holds: the recovery points that nobody may delete.

use std::collections::{HashMap, HashSet};

use aws_sdk_backup::Client;
use aws_sdk_backup::types::LegalHoldStatus;

use super::client::client;
use crate::aws::{AwsError, Rate};
use crate::id::{RecoveryPointArn, VaultArn};

/// Reads the legal holds of the Region; it cannot change any. There are at most 50 (AWS Backup Developer Guide, "AWS Backup
/// legal holds"), so that asking which there are is one call.
#[derive(Clone, Debug)]
pub struct LegalHolds {
    client: Client,
    rate: Rate,
}

/// The points that are held, as they were when somebody asked last.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The points of every hold whose list was read when the hold was in force already: it gets no others.
    settled: HashMap<String, HashSet<RecoveryPointArn>>,
    points: HashSet<RecoveryPointArn>,
}

impl Held {
    /// The points.
    pub fn points(&self) -> &HashSet<RecoveryPointArn> {
        &self.points
    }
}

/// A hold that is not released.
struct Hold {
    id: String,
    /// Whether it is in force: AWS Backup may still delete a point while its hold is being created (AWS Backup Developer
    /// Guide, "AWS Backup legal holds").
    active: bool,
}

impl LegalHolds {
    /// At most so many list calls a second.
    pub fn new(config: &aws_config::SdkConfig, rate: Rate) -> Self {
        Self { client: client(config), rate }
    }

    /// The points of `vault` that a hold covers which is in force or coming into it. AWS lists released holds too; those,
    /// and the ones that are being released, hold nothing any more. Holds do not travel with copies.
    ///
    /// # Errors
    /// When AWS refuses a page: then nobody knows what is held.
    pub async fn held_in(&self, vault: &VaultArn) -> Result<Held, AwsError> {
        self.held_since(vault, &Held::default()).await
    }

    /// The same, for whoever knows what was held a moment ago: only the lists of holds that have come since, or that were
    /// not in force yet, are read. Of the others AWS itself deletes nothing.
    ///
    /// # Errors
    /// As [`Self::held_in`].
    pub async fn held_since(&self, vault: &VaultArn, before: &Held) -> Result<Held, AwsError> {
        let mut held = Held::default();
        for hold in self.in_force().await? {
            let points = match before.settled.get(&hold.id) {
                Some(points) => points.clone(),
                None => self.points_of(&hold.id, vault).await?,
            };
            held.points.extend(points.iter().cloned());
            if hold.active {
                held.settled.insert(hold.id, points);
            }
        }
        Ok(held)
    }

    /// The holds that are not released.
    async fn in_force(&self) -> Result<Vec<Hold>, AwsError> {
        const OPERATION: &str = "ListLegalHolds";
        let mut holds = Vec::new();
        let mut next = None;
        loop {
            let call = self.client.list_legal_holds().max_results(1000).set_next_token(next);
            let answer = self
                .rate
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new(OPERATION, &error))?;
            for hold in answer.legal_holds.unwrap_or_default() {
                let released =
                    matches!(hold.status(), Some(LegalHoldStatus::Canceled | LegalHoldStatus::Canceling));
                if !released {
                    let active = hold.status() == Some(&LegalHoldStatus::Active);
                    let id =
                        hold.legal_hold_id.ok_or_else(|| AwsError::incomplete(OPERATION, "LegalHoldId"))?;
                    holds.push(Hold { id, active });
                }
            }
            next = answer.next_token;
            if next.is_none() {
                return Ok(holds);
            }
        }
    }

    async fn points_of(&self, hold: &str, vault: &VaultArn) -> Result<HashSet<RecoveryPointArn>, AwsError> {
        const OPERATION: &str = "ListRecoveryPointsByLegalHold";
        let mut held = HashSet::new();
        let mut next = None;
        loop {
            let call = self.client.list_recovery_points_by_legal_hold().legal_hold_id(hold);
            let call = call.max_results(1000).set_next_token(next);
            let answer = self
                .rate
                .call(|turn| call.customize().interceptor(turn).send())
                .await
                .map_err(|error| AwsError::new(OPERATION, &error))?;
            let points = answer.recovery_points.unwrap_or_default();
            // Points of other resources have ARNs that are none of ours.
            held.extend(
                points
                    .iter()
                    .filter(|point| point.backup_vault_name().is_none_or(|name| name == vault.name()))
                    .filter_map(|point| point.recovery_point_arn()?.parse::<RecoveryPointArn>().ok()),
            );
            next = answer.next_token;
            if next.is_none() {
                return Ok(held);
            }
        }
    }
}
