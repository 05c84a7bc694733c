//! How our own clients reach the local AWS: as the account's root.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// The account of the local AWS.
pub const ACCOUNT: &str = "111122223333";
/// Another account of its organization.
pub const OTHER_ACCOUNT: &str = "444455556666";
/// The account root's access key and secret on the local AWS.
pub const ROOT_KEY: (&str, &str) = ("test", "test");

/// The access key and secret of any account's root: other accounts' ids are their own keys.
pub(crate) fn root_key(account: &str) -> (&str, &'static str) {
    let (id, secret) = ROOT_KEY;
    (if account == ACCOUNT { id } else { account }, secret)
}

/// A configuration for one account, Region and endpoint; nothing of the machine's own AWS configuration goes in.
pub(crate) async fn config(endpoint: &str, account: &str, region: &str) -> SdkConfig {
    root(account, region).endpoint_url(endpoint).load().await
}

/// A configuration for one Region as functions have it: some services, by their ids, have endpoints of their own.
pub(crate) async fn config_with(endpoint: &str, own: BTreeMap<String, String>, region: &str) -> SdkConfig {
    let endpoints = Endpoints { all: endpoint.to_owned(), own };
    root(ACCOUNT, region).load().await.into_builder().service_config(endpoints).build()
}

fn root(account: &str, region: &str) -> ConfigLoader {
    let (id, secret) = root_key(account);
    let root = Credentials::new(id, secret, None, None, "the local AWS");
    aws_config::defaults(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(root))
}

/// What `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<service>` say in a function's environment.
#[derive(Debug)]
struct Endpoints {
    all: String,
    own: BTreeMap<String, String>,
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let endpoint = || self.own.get(key.service_id()).unwrap_or(&self.all).clone();
        (key.env() == "AWS_ENDPOINT_URL").then(endpoint)
    }
}
