//! AWS Backup's settings of this account and Region: DynamoDB's advanced features.

use aws_sdk_backup::Client;

use super::client::client;
use crate::aws::AwsError;

const DYNAMODB: &str = "DynamoDB";

/// Reads the settings, and turns the advanced features on.
#[derive(Clone, Debug)]
pub struct RegionSettings {
    client: Client,
}

impl RegionSettings {
    /// The settings of the client's account and Region.
    pub fn new(config: &aws_config::SdkConfig) -> Self {
        Self { client: client(config) }
    }

    /// Whether the advanced features are on: AWS Backup must be opted in to DynamoDB *and* manage its backups (AWS Backup
    /// Developer Guide, "Advanced DynamoDB backup").
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn advanced_features_on(&self) -> Result<bool, AwsError> {
        let answer = self
            .client
            .describe_region_settings()
            .send()
            .await
            .map_err(|error| AwsError::new("DescribeRegionSettings", &error))?;
        let on = |preference: Option<&std::collections::HashMap<String, bool>>| {
            preference.and_then(|preference| preference.get(DYNAMODB)).copied().unwrap_or_default()
        };
        Ok(on(answer.resource_type_opt_in_preference()) && on(answer.resource_type_management_preference()))
    }

    /// Turns the advanced features on; other services' settings stay.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn turn_advanced_features_on(&self) -> Result<(), AwsError> {
        self.client
            .update_region_settings()
            .resource_type_opt_in_preference(DYNAMODB, true)
            .resource_type_management_preference(DYNAMODB, true)
            .send()
            .await
            .map_err(|error| AwsError::new("UpdateRegionSettings", &error))?;
        Ok(())
    }
}
