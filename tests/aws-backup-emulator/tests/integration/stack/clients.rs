//! Clients of the local AWS and of the emulator, and what the latter refuses with.

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_backup::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_backup::error::{ProvideErrorMetadata, SdkError};

pub(super) fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test"))
}

/// An account's number is an access key of its root.
pub(super) fn root_of(account: &str) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new(account, "test", None, None, "test"))
}

pub(super) fn config(
    endpoint: &str,
    credentials: SharedCredentialsProvider,
    region: &'static str,
) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .endpoint_url(endpoint)
        .credentials_provider(credentials)
        .build()
}

pub(super) fn backup(
    endpoint: &str,
    credentials: SharedCredentialsProvider,
    region: &'static str,
) -> aws_sdk_backup::Client {
    let config = config(endpoint, credentials, region);
    let once = aws_sdk_backup::config::Builder::from(&config).retry_config(RetryConfig::disabled()).build();
    aws_sdk_backup::Client::from_conf(once)
}

/// Status, code and message of a refusal: `400 ResourceNotFoundException …`.
pub(crate) fn refusal<T, E: ProvideErrorMetadata>(
    result: Result<T, SdkError<E, aws_sdk_backup::config::http::HttpResponse>>,
) -> String {
    match result {
        Ok(_) => "no refusal at all".to_owned(),
        Err(SdkError::ServiceError(refused)) => {
            let (status, error) = (refused.raw().status().as_u16(), refused.err());
            format!("{status} {} {}", error.code().unwrap_or_default(), error.message().unwrap_or_default())
        }
        Err(other) => format!("no answer at all: {other}"),
    }
}
