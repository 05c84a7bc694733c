//! The local AWS beside this emulator: DynamoDB, IAM, KMS, EventBridge, Lambda and SQS, called as the account's root.

mod input;
pub(crate) mod keys;
pub(crate) mod plain;
pub(crate) mod restored_table;
pub(crate) mod roles;
pub(crate) mod rules;
pub(crate) mod switch;
pub(crate) mod table;
mod targets;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, stalled_stream_protection};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// One account in one Region: AWS Backup's state is kept, and the other services are called, per scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Scope {
    pub(crate) account: String,
    pub(crate) region: String,
}

impl Scope {
    /// `arn:<partition>:<service>:<region>:<account>:<resource>` in this scope.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    /// As [`Scope::arn`], of a service that has no Regions.
    pub(crate) fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition(), self.account)
    }

    fn partition(&self) -> &'static str {
        match self.region.split('-').next() {
            Some("cn") => "aws-cn",
            _ if self.region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

/// Clients for one scope.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) events: aws_sdk_eventbridge::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) kms: aws_sdk_kms::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
}

/// Makes clients, once per scope.
#[derive(Debug)]
pub(crate) struct LocalAws {
    endpoint: String,
    /// The account that the endpoint's own root key belongs to.
    account: String,
    clients: Mutex<HashMap<Scope, Clients>>,
}

impl LocalAws {
    pub(crate) fn new(endpoint: &str, account: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), account: account.to_owned(), clients: Mutex::default() }
    }

    /// The account that the endpoint's own root key belongs to.
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn clients(&self, scope: &Scope) -> Clients {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(scope.clone()).or_insert_with(|| self.connect(scope)).clone()
    }

    /// Shows a table in another status, such as `CREATING`: the local DynamoDB makes tables at once.
    ///
    /// # Errors
    /// When the local AWS does not answer, or there is no such table.
    pub(crate) async fn set_table_status(&self, status: &str, arn: &str) -> Result<(), String> {
        let path = format!("/_local/tables/{status}/{arn}");
        match plain::request(&self.endpoint, "PUT", &path, "").await {
            Ok((200, _)) => Ok(()),
            Ok((answer, body)) => Err(format!("PUT {path}: {answer} {body}")),
            Err(error) => Err(format!("PUT {path}: {error}")),
        }
    }

    fn connect(&self, scope: &Scope) -> Clients {
        // The endpoint's own account goes by its root key; any other by its number.
        let key = if scope.account == self.account { "test" } else { &scope.account };
        let config =
            SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(scope.region.clone()))
                .endpoint_url(&self.endpoint)
                .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(
                    Credentials::new(key, "test", None, None, "local AWS root"),
                ))
                .retry_config(RetryConfig::standard())
                // A function may take minutes to answer, and that is no stall.
                .stalled_stream_protection(
                    stalled_stream_protection::StalledStreamProtectionConfig::disabled(),
                )
                .build();
        let once =
            aws_sdk_lambda::config::Builder::from(&config).retry_config(RetryConfig::disabled()).build();
        Clients {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            kms: aws_sdk_kms::Client::new(&config),
            lambda: aws_sdk_lambda::Client::from_conf(once),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }
}

/// What went wrong with a call to the local AWS: its code and message, or the whole chain when it never got there.
pub(crate) fn describe<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    match error.as_service_error() {
        Some(service) => {
            format!("{}: {}", service.code().unwrap_or("Unknown"), service.message().unwrap_or(""))
        }
        None => DisplayErrorContext(error).to_string(),
    }
}
