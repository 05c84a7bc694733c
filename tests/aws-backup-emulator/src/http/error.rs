//! AWS Backup's errors: every client error is a 400, not-found ones included; access denied is a 403.

use axum::http::StatusCode;
use serde_json::{Map, Value};

/// An error answer.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// The exception's name, in the header `x-amzn-ErrorType`.
    pub(crate) kind: &'static str,
    members: Map<String, Value>,
}

impl ApiError {
    /// One of the modelled exceptions: members `Code`, `Message`, `Type` and `Context`. `Code` is a number of the service's
    /// own and no exception name; only `ERROR_9101` is publicly known, the others are made up in its form.
    fn modelled(status: StatusCode, kind: &'static str, code: &str, message: impl Into<String>) -> Self {
        let fault = if status.is_server_error() { "Server" } else { "Client" };
        let members = [("Code", code), ("Type", fault), ("Context", "n/a")];
        let mut members: Map<String, Value> =
            members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        members.insert("Message".to_owned(), message.into().into());
        Self { status, kind, members }
    }

    /// One that the service model does not have: a message and no more.
    fn unmodelled(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        let members = Map::from_iter([("message".to_owned(), message.into().into())]);
        Self { status, kind, members }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::modelled(StatusCode::BAD_REQUEST, "ResourceNotFoundException", "ERROR_3101", message)
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::modelled(StatusCode::BAD_REQUEST, "InvalidParameterValueException", "ERROR_1101", message)
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        let message = format!("Missing required parameter: {name}");
        Self::modelled(StatusCode::BAD_REQUEST, "MissingParameterValueException", "ERROR_1102", message)
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::modelled(StatusCode::BAD_REQUEST, "InvalidRequestException", "ERROR_1103", message)
    }

    /// AWS Backup is doing something with it already.
    pub(crate) fn invalid_resource_state(message: impl Into<String>) -> Self {
        Self::modelled(StatusCode::BAD_REQUEST, "InvalidResourceStateException", "ERROR_1104", message)
    }

    pub(crate) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::modelled(StatusCode::BAD_REQUEST, "LimitExceededException", "ERROR_2101", message)
    }

    pub(crate) fn service_unavailable(message: impl Into<String>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::modelled(status, "ServiceUnavailableException", "ERROR_5101", message)
    }

    pub(crate) fn already_exists(message: impl Into<String>, arn: &str, creator: Option<&str>) -> Self {
        Self::modelled(StatusCode::BAD_REQUEST, "AlreadyExistsException", "ERROR_4101", message)
            .with("Arn", arn.into())
            .with("CreatorRequestId", creator.into())
    }

    pub(crate) fn vault_not_empty() -> Self {
        let message = "Backup vault cannot be deleted because it contains recovery points.";
        Self::modelled(StatusCode::BAD_REQUEST, "InvalidRequestException", "ERROR_9101", message)
    }

    /// A call that the caller's policies do not allow.
    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        let mut error = Self::unmodelled(StatusCode::FORBIDDEN, "AccessDeniedException", "");
        error.members = Map::from_iter([("Message".to_owned(), message.into().into())]);
        error
    }

    /// What AWS Backup says of a vault that is not there.
    pub(crate) fn insufficient_privileges() -> Self {
        Self::access_denied("Insufficient privileges to perform this action.")
    }

    /// More calls than the account's rates allow; the service model has no such exception, the SDKs know it all the same.
    pub(crate) fn throttled() -> Self {
        Self::unmodelled(StatusCode::BAD_REQUEST, "ThrottlingException", "Rate exceeded")
    }

    pub(crate) fn missing_authentication() -> Self {
        Self::unmodelled(
            StatusCode::FORBIDDEN,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    }

    pub(crate) fn unrecognized_client() -> Self {
        let message = "The security token included in the request is invalid.";
        Self::unmodelled(StatusCode::FORBIDDEN, "UnrecognizedClientException", message)
    }

    /// A body or a member that cannot be read as what the model says it is.
    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::unmodelled(StatusCode::BAD_REQUEST, "SerializationException", message)
    }

    /// An operation of AWS Backup's that this emulator does not have.
    pub(crate) fn not_emulated(method: &str, path: &str) -> Self {
        let message = format!("{method} {path}: the AWS Backup emulator does not have this operation");
        Self::unmodelled(StatusCode::NOT_IMPLEMENTED, "NotImplementedException", message)
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        if !value.is_null() {
            self.members.insert(name.to_owned(), value);
        }
        self
    }

    /// The answer's body.
    pub(crate) fn body(&self) -> String {
        Value::Object(self.members.clone()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(ApiError::not_found("x"))]
    #[case(ApiError::invalid_parameter("x"))]
    #[case(ApiError::missing_parameter("x"))]
    #[case(ApiError::invalid_request("x"))]
    #[case(ApiError::limit_exceeded("x"))]
    #[case(ApiError::already_exists("x", "arn", Some("r1")))]
    #[case(ApiError::vault_not_empty())]
    fn a_client_error_is_a_400_with_code_message_type_and_context(#[case] error: ApiError) {
        assert_eq!(error.status, StatusCode::BAD_REQUEST);
        let body: Value = serde_json::from_str(&error.body()).unwrap();
        assert_eq!((&body["Type"], &body["Context"]), (&"Client".into(), &"n/a".into()));
        assert!(body["Message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
        let code = body["Code"].as_str().and_then(|code| code.strip_prefix("ERROR_")).unwrap();
        assert!(code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit()), "{body}");
    }
}
