//! Legal holds: the recovery points that nobody may delete.

use std::collections::HashSet;

use aws_sdk_backup::Client;
use aws_sdk_backup::types::LegalHoldStatus;

use super::client::client;
use crate::aws::{AwsError, Rate};
use crate::id::{RecoveryPointArn, VaultArn};

/// Reads the legal holds of the Region; it cannot change any. There are at most 50 (AWS Backup Developer Guide, "AWS Backup
/// legal holds"), so that a run asks for them once.
#[derive(Clone, Debug)]
pub struct LegalHolds {
    client: Client,
    rate: Rate,
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
    pub async fn held_in(&self, vault: &VaultArn) -> Result<HashSet<RecoveryPointArn>, AwsError> {
        let mut held = HashSet::new();
        for hold in self.in_force().await? {
            self.add_points_of(&hold, vault, &mut held).await?;
        }
        Ok(held)
    }

    /// The ids of the holds that are not released.
    async fn in_force(&self) -> Result<Vec<String>, AwsError> {
        const OPERATION: &str = "ListLegalHolds";
        let mut ids = Vec::new();
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
                    ids.push(
                        hold.legal_hold_id.ok_or_else(|| AwsError::incomplete(OPERATION, "LegalHoldId"))?,
                    );
                }
            }
            next = answer.next_token;
            if next.is_none() {
                return Ok(ids);
            }
        }
    }

    async fn add_points_of(
        &self,
        hold: &str,
        vault: &VaultArn,
        held: &mut HashSet<RecoveryPointArn>,
    ) -> Result<(), AwsError> {
        const OPERATION: &str = "ListRecoveryPointsByLegalHold";
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
                return Ok(());
            }
        }
    }
}
