//! How our own clients reach the local AWS: as the account's root.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};

/// The account of the local AWS.
pub const ACCOUNT: &str = "111122223333";
/// The account root's access key and secret on the local AWS.
pub const ROOT_KEY: (&str, &str) = ("test", "test");

/// A configuration for one Region and endpoint; nothing of the machine's own AWS configuration goes in.
pub(crate) async fn config(endpoint: &str, region: &str) -> SdkConfig {
    let (id, secret) = ROOT_KEY;
    let root = Credentials::new(id, secret, None, None, "the local AWS");
    aws_config::defaults(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(root))
        .endpoint_url(endpoint)
        .load()
        .await
}
