//! The one adapter of dynachain that deletes a recovery point.

use aws_sdk_backup::Client;
use dynachain::aws::{AwsError, Rate};

use crate::recheck::Condemned;

/// Deletes recovery points of one vault: only what has just been looked at again.
#[derive(Clone, Debug)]
pub(crate) struct PointRemover {
    client: Client,
    vault: String,
    rate: Rate,
}

impl PointRemover {
    /// Deletes in the vault called `vault` in the client's Region, at most so many calls a second. AWS looks for the point in
    /// that vault alone.
    pub(crate) fn new(config: &aws_config::SdkConfig, vault: impl Into<String>, rate: Rate) -> Self {
        Self { client: Client::new(config), vault: vault.into(), rate }
    }

    /// Asks AWS to delete a point. A success says little: AWS answers so too when it leaves the point EXPIRED instead (AWS
    /// Backup API Reference, `DeleteRecoveryPoint`).
    pub(crate) async fn remove(&self, point: &Condemned) -> Result<(), AwsError> {
        self.rate.ready().await;
        self.client
            .delete_recovery_point()
            .backup_vault_name(&self.vault)
            .recovery_point_arn(point.arn().as_str())
            .send()
            .await
            .map_err(|error| AwsError::new("DeleteRecoveryPoint", &error))?;
        Ok(())
    }
}
