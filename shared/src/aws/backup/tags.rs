//! Changing the tags of recovery points.

use std::collections::BTreeMap;

use aws_sdk_backup::Client;

use super::client::client;
use crate::aws::{AwsError, Rate};
use crate::id::RecoveryPointArn;

/// Adds tags to recovery points, and takes them off; existing ones of the same key are replaced.
#[derive(Clone, Debug)]
pub struct PointTagger {
    client: Client,
    rate: Rate,
}

impl PointTagger {
    /// At most so many calls a second.
    pub fn new(config: &aws_config::SdkConfig, rate: Rate) -> Self {
        Self { client: client(config), rate }
    }

    /// Adds tags; none is no call.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn add(
        &self,
        point: &RecoveryPointArn,
        tags: BTreeMap<String, String>,
    ) -> Result<(), AwsError> {
        if tags.is_empty() {
            return Ok(());
        }
        let call = self
            .client
            .tag_resource()
            .resource_arn(point.as_str())
            .set_tags(Some(tags.into_iter().collect()));
        self.rate
            .call(|turn| call.customize().interceptor(turn).send())
            .await
            .map_err(|error| AwsError::new("TagResource", &error))?;
        Ok(())
    }

    /// Takes tags off; none is no call, and one that is not there is as good as off.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn remove(&self, point: &RecoveryPointArn, tags: &[String]) -> Result<(), AwsError> {
        if tags.is_empty() {
            return Ok(());
        }

        let call =
            self.client.untag_resource().resource_arn(point.as_str()).set_tag_key_list(Some(tags.to_vec()));
        self.rate
            .call(|turn| call.customize().interceptor(turn).send())
            .await
            .map_err(|error| AwsError::new("UntagResource", &error))?;
        Ok(())
    }
}
