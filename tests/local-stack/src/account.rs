//! One account of the local AWS, as its root sees it.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use serde_json::Value;

use crate::functions::{Functions, InvokeError};
use crate::stack::Endpoints;
use crate::{aws, environment, repository};

/// An account's clients and functions.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    pub(crate) id: &'a str,
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) functions: &'a Functions,
}

impl Account<'_> {
    /// What an SDK client of a Region needs for all services but AWS Backup and Application Auto Scaling. S3 needs path-style
    /// addresses as well.
    pub async fn sdk_config(&self, region: &str) -> SdkConfig {
        aws::config(&self.endpoints.ministack, self.id, region).await
    }

    /// What an SDK client for AWS Backup needs.
    pub async fn backup_config(&self, region: &str) -> SdkConfig {
        aws::config(&self.endpoints.backup, self.id, region).await
    }

    /// What an SDK client for Application Auto Scaling needs.
    pub async fn auto_scaling_config(&self, region: &str) -> SdkConfig {
        aws::config(&self.endpoints.auto_scaling, self.id, region).await
    }

    /// Invokes one of the functions, such as `policy`, in a Region and waits for its answer.
    ///
    /// # Errors
    /// [`InvokeError::Function`] when the function refuses.
    pub async fn invoke(&self, region: &str, function: &str, request: &Value) -> Result<Value, InvokeError> {
        self.functions.invoke(self.id, region, &format!("dynachain-{function}"), &request.to_string()).await
    }

    /// The variables that clients and functions need to work on this local AWS in a Region.
    pub fn environment(&self, region: &str) -> BTreeMap<String, String> {
        environment::variables(self.endpoints, self.id, region)
    }

    /// The AWS CLI, ready for arguments, in a Region.
    pub fn aws_cli(&self, region: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(repository::root().join(".venv/bin/aws"));
        command.envs(self.environment(region)).kill_on_drop(true);
        command
    }
}
