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

/// Invokes the functions of all accounts and Regions, as each account's root.
#[derive(Clone, Debug)]
pub(crate) struct Functions {
    ministack: String,
    /// By account and Region.
    clients: Arc<Mutex<BTreeMap<(String, String), aws_sdk_lambda::Client>>>,
}

impl Functions {
    pub(crate) fn new(ministack: String) -> Self {
        Self { ministack, clients: Arc::default() }
    }

    /// Invokes a function by its ARN and waits for the answer.
    pub(crate) async fn invoke_arn(&self, arn: &str, input: &str) -> Result<Value, InvokeError> {
        let mut parts = arn.split(':').skip(3);
        let (Some(region), Some(account)) = (parts.next(), parts.next()) else {
            return Err(InvokeError::Call(format!("{arn:?} is no ARN")));
        };
        self.invoke(account, region, arn, input).await
    }

    /// Invokes a function of an account and Region and waits for the answer.
    pub(crate) async fn invoke(
        &self,
        account: &str,
        region: &str,
        function: &str,
        input: &str,
    ) -> Result<Value, InvokeError> {
        let client = self.client(account, region).await;
        let call = client.invoke().function_name(function).payload(input.as_bytes().into());
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

    async fn client(&self, account: &str, region: &str) -> aws_sdk_lambda::Client {
        let known = || self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (account.to_owned(), region.to_owned());
        if let Some(client) = known().get(&place) {
            return client.clone();
        }
        let config = aws::config(&self.ministack, account, region).await;
        // A function may take its time, and a repeated invocation would be a second one.
        let config = aws_sdk_lambda::config::Builder::from(&config)
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        let client = aws_sdk_lambda::Client::from_conf(config);
        known().insert(place, client.clone());
        client
    }
}
