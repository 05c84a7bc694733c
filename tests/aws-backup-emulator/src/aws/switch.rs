//! Switching a Region of the local AWS off and on.

use super::{LocalAws, plain};

/// From now on all that the local AWS serves in this Region is there, or is not.
///
/// # Errors
/// When the local AWS does not do it, with what it said.
pub(crate) async fn set(aws: &LocalAws, region: &str, available: bool) -> Result<(), String> {
    let endpoint = aws.endpoint();
    let body = serde_json::json!({ "available": available }).to_string();
    match plain::request(endpoint, "PUT", &format!("/_local/regions/{region}"), &body).await {
        Ok((200, _)) => Ok(()),
        Ok((status, body)) => Err(format!("the local AWS at {endpoint} answers {status}: {body}")),
        Err(error) => Err(format!("the local AWS at {endpoint} does not answer: {error}")),
    }
}
