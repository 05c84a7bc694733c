//! KMS: how keys stand, in any Region.

use aws_config::{Region, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::types::KeyManagerType;

use super::AwsError;
use crate::id::KeyArn;

/// A key as KMS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// `Enabled`, `Disabled`, `PendingDeletion` and the like (AWS KMS Developer Guide, "Key states").
    pub state: String,
    /// Of a multi-Region key: the primary.
    pub primary: Option<KeyArn>,
    /// Whether AWS manages it for one of its services, DynamoDB for example.
    pub aws_managed: bool,
}

impl KeyState {
    /// Whether it can be used.
    pub fn is_enabled(&self) -> bool {
        self.state == "Enabled"
    }
}

/// Describes keys; it can use none.
#[derive(Clone, Debug)]
pub struct KeyStates {
    config: SdkConfig,
}

impl KeyStates {
    /// Keys of the client's account.
    pub fn new(config: &SdkConfig) -> Self {
        Self { config: config.clone() }
    }

    /// How a key stands, asked for in its own Region.
    ///
    /// # Errors
    /// When KMS refuses: there is no such key, or it is not for this function to look at.
    pub async fn of(&self, key: &KeyArn) -> Result<KeyState, AwsError> {
        const OPERATION: &str = "DescribeKey";
        let there = self.config.to_builder().region(Region::new(key.region().to_owned())).build();
        let answer = Client::new(&there)
            .describe_key()
            .key_id(key.as_str())
            .send()
            .await
            .map_err(|error| AwsError::new(OPERATION, &error))?;
        let metadata = answer.key_metadata.ok_or_else(|| AwsError::incomplete(OPERATION, "KeyMetadata"))?;
        let state = metadata.key_state().ok_or_else(|| AwsError::incomplete(OPERATION, "KeyState"))?;
        let primary = metadata.multi_region_configuration().and_then(|regions| regions.primary_key());
        Ok(KeyState {
            state: state.as_str().to_owned(),
            primary: primary.and_then(|primary| primary.arn()).and_then(|arn| arn.parse().ok()),
            aws_managed: metadata.key_manager() == Some(&KeyManagerType::Aws),
        })
    }
}
