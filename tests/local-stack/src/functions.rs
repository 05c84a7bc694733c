//! Invoking functions: in a stack by name or ARN, or a binary alone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_sdk_lambda::error::DisplayErrorContext;
use serde::Deserialize;
use serde_json::Value;

use crate::aws;

pub(crate) mod alone;
pub(crate) mod binaries;

/// A function's error answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// The kind of refusal, such as `InvalidRequest`; `Runtime.…` and the like when the function did not answer at all.
    #[serde(default)]
    pub error_type: String,
    /// One line per problem.
    #[serde(default)]
    pub error_message: String,
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.error_message)
    }
}

/// Why an invocation has no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function ran and refused.
    #[error("the function refuses: {0}")]
    Function(FunctionError),
    /// The function could not be invoked, or answered something that is not JSON.
    #[error("the function could not be invoked: {0}")]
    Call(String),
}

impl InvokeError {
    /// The function's refusal, when it is one.
    pub fn refusal(&self) -> Option<&FunctionError> {
        match self {
            Self::Function(refusal) => Some(refusal),
            Self::Call(_) => None,
        }
    }
}

/// Invokes the functions of all Regions, as the account's root.
#[derive(Clone, Debug)]
pub(crate) struct Functions {
    ministack: String,
    clients: Arc<Mutex<BTreeMap<String, aws_sdk_lambda::Client>>>,
}

impl Functions {
    pub(crate) fn new(ministack: String) -> Self {
        Self { ministack, clients: Arc::default() }
    }

    /// Invokes a function by its ARN and waits for the answer.
    pub(crate) async fn invoke_arn(&self, arn: &str, input: &str) -> Result<Value, InvokeError> {
        let region = arn.split(':').nth(3).ok_or_else(|| InvokeError::Call(format!("{arn:?} is no ARN")))?;
        self.invoke(region, arn, input).await
    }

    /// Invokes a function of a Region and waits for the answer.
    pub(crate) async fn invoke(
        &self,
        region: &str,
        function: &str,
        input: &str,
    ) -> Result<Value, InvokeError> {
        let call =
            self.client(region).await.invoke().function_name(function).payload(input.as_bytes().into());
        let answer =
            call.send().await.map_err(|error| InvokeError::Call(DisplayErrorContext(error).to_string()))?;
        let payload = answer.payload().map(AsRef::as_ref).unwrap_or_default();
        if answer.function_error().is_some() {
            let text = || String::from_utf8_lossy(payload).into_owned();
            let refusal = serde_json::from_slice(payload)
                .unwrap_or_else(|_| FunctionError { error_type: String::new(), error_message: text() });
            return Err(InvokeError::Function(refusal));
        }
        serde_json::from_slice(payload)
            .map_err(|error| InvokeError::Call(format!("the answer is not JSON: {error}")))
    }

    async fn client(&self, region: &str) -> aws_sdk_lambda::Client {
        let known = || self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known().get(region) {
            return client.clone();
        }
        let config = aws::config(&self.ministack, region).await;
        // A function may take its time, and a repeated invocation would be a second one.
        let config = aws_sdk_lambda::config::Builder::from(&config)
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        let client = aws_sdk_lambda::Client::from_conf(config);
        known().insert(region.to_owned(), client.clone());
        client
    }
}
