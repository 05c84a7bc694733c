//! Keys of the local AWS's KMS.

use aws_sdk_kms::Client;
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::types::KeyState;

use super::describe;

/// Is this key there and enabled?
///
/// # Errors
/// When KMS does not answer, with what it said.
pub(crate) async fn usable(client: &Client, arn: &str) -> Result<bool, String> {
    match client.describe_key().key_id(arn).send().await {
        Ok(answer) => Ok(answer.key_metadata.is_some_and(|key| key.key_state == Some(KeyState::Enabled))),
        Err(error) if error.as_service_error().is_some_and(DescribeKeyError::is_not_found_exception) => {
            Ok(false)
        }
        Err(error) => Err(describe(&error)),
    }
}
