//! What AWS answers when it refuses a call: code, message and request id, mapped once.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use crate::error::{ErrorType, Refusal};

/// What a refusal means to the caller, as far as its code tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No permission; AWS Backup answers so for a vault that does not exist too (AWS Backup Developer Guide,
    /// "Troubleshooting").
    AccessDenied,
    /// What the call names does not exist.
    NotFound,
    /// A condition of the call did not hold (DynamoDB conditional writes).
    ConditionFailed,
    /// What the call would create exists already.
    Exists,
    /// Too many calls; the SDK has retried already.
    Throttled,
    /// A quota is reached. Whether it passes with time depends on what was asked for.
    Quota,
    /// No answer came: network trouble or a time-out.
    NoAnswer,
    /// Anything else; the code says what.
    Other,
}

/// A call that AWS refused, or did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct AwsError {
    operation: &'static str,
    fault: Fault,
    code: String,
    message: String,
    request_id: Option<String>,
    out_of_order: bool,
}

impl AwsError {
    /// Maps what the SDK says about a call of `operation`, such as `"StartBackupJob"`.
    pub fn new<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.code().unwrap_or_default();
        let (fault, message) = match error {
            SdkError::ServiceError(_) => (fault_of(code), error.message().unwrap_or("no message").to_owned()),
            other => (Fault::NoAnswer, DisplayErrorContext(other).to_string()),
        };
        // In an outage answers come from whatever stands before the service, and have no code that anybody knows.
        let is_its_fault = error.raw_response().is_some_and(|answer| answer.status().is_server_error());
        let out_of_order = is_its_fault || OUT_OF_ORDER.contains(&code);
        let code = if code.is_empty() { "NoCode" } else { code };
        let request_id = error.request_id().map(str::to_owned);
        Self { operation, fault, code: code.to_owned(), message, request_id, out_of_order }
    }

    /// An answer of AWS that lacks what it should have.
    pub fn incomplete(operation: &'static str, missing: &str) -> Self {
        Self {
            operation,
            fault: Fault::Other,
            code: "IncompleteAnswer".to_owned(),
            message: format!("the answer has no {missing}"),
            request_id: None,
            out_of_order: false,
        }
    }

    /// A refusal that stands in an answer instead of failing the call.
    pub fn refused(operation: &'static str, code: &str, message: &str) -> Self {
        let out_of_order = OUT_OF_ORDER.contains(&code);
        let (fault, code, message) = (fault_of(code), code.to_owned(), message.to_owned());
        Self { operation, fault, code, message, request_id: None, out_of_order }
    }

    /// What happened, without the request id: the same for every repeat of the same call.
    pub fn summary(&self) -> String {
        match self.fault {
            Fault::NoAnswer => format!("{} got no answer: {}", self.operation, self.message),
            _ => format!("{} was refused: {}: {}", self.operation, self.code, self.message),
        }
    }

    /// What the refusal means.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Whether the same call may succeed later without anybody's doing: it was throttled, or the service was out of order.
    /// Unless it was throttled, nobody knows whether it was carried out.
    pub fn passes(&self) -> bool {
        matches!(self.fault, Fault::Throttled | Fault::NoAnswer) || self.out_of_order
    }

    /// Whether nobody knows if the call was carried out.
    pub fn is_unclear(&self) -> bool {
        self.passes() && self.fault != Fault::Throttled
    }

    /// The refusal of a function whose vault this is about. AWS does not tell a missing vault from a missing permission.
    pub fn about_vault(&self, vault: &str) -> Refusal {
        match self.fault {
            Fault::AccessDenied | Fault::NotFound => Refusal::new(
                ErrorType::VaultUnavailable,
                format!(
                    "the vault {vault} does not exist in this Region, or this function's role may not use it: {self}"
                ),
            ),
            _ => Refusal::new(ErrorType::Internal, format!("the vault {vault}: {self}")),
        }
    }

    /// The refusal of a function that a call failed for.
    pub fn refusal(&self) -> Refusal {
        let error_type = match self.fault {
            Fault::AccessDenied => ErrorType::AccessDenied,
            _ => ErrorType::Internal,
        };
        Refusal::new(error_type, self.to_string())
    }

    /// AWS's error code, such as `AccessDeniedException`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// AWS's message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The operation that was called.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        match &self.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

/// What services say that are out of order themselves (the API References' "Common Error Types"; DynamoDB Developer Guide,
/// "Error handling with DynamoDB"; Application Auto Scaling API Reference, "Common errors").
const OUT_OF_ORDER: [&str; 7] = [
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceException",
    "InternalServiceFault",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

/// Codes as they arrive; most are not modelled, so they are read from the answer's metadata.
pub(super) fn fault_of(code: &str) -> Fault {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Fault::AccessDenied,
        "ResourceNotFound"
        | "ResourceNotFoundException"
        | "NotFoundException"
        | "TableNotFoundException"
        | "NoSuchEntity" => Fault::NotFound,
        "ConditionalCheckFailedException" => Fault::ConditionFailed,
        "AlreadyExistsException" | "ConflictException" | "ResourceInUseException" => Fault::Exists,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException" => Fault::Throttled,
        "LimitExceededException" => Fault::Quota,
        _ => Fault::Other,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_backup::operation::describe_backup_vault::DescribeBackupVaultError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn refused(code: &str, message: &str) -> SdkError<DescribeBackupVaultError, HttpResponse> {
        let metadata = ErrorMetadata::builder().code(code).message(message).build();
        answered(400, metadata)
    }

    fn answered(status: u16, metadata: ErrorMetadata) -> SdkError<DescribeBackupVaultError, HttpResponse> {
        let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        answer.headers_mut().insert("x-amzn-requestid", "8f1c");
        SdkError::service_error(DescribeBackupVaultError::generic(metadata), answer)
    }

    #[test]
    fn a_refusal_keeps_code_message_and_request_id() {
        let error = AwsError::new(
            "DescribeBackupVault",
            &refused("AccessDeniedException", "Insufficient privileges"),
        );
        assert_eq!(error.fault(), Fault::AccessDenied);
        assert_eq!(error.code(), "AccessDeniedException");
        assert_eq!(
            error.to_string(),
            "DescribeBackupVault was refused: AccessDeniedException: Insufficient privileges (request id 8f1c)"
        );
    }

    #[test]
    fn an_unknown_code_is_no_more_than_its_text() {
        let error = AwsError::new("DescribeBackupVault", &refused("ERROR_9101", "why not"));
        assert_eq!((error.fault(), error.code()), (Fault::Other, "ERROR_9101"));
    }

    #[test]
    fn throttles_and_services_out_of_order_pass_and_refusals_do_not() {
        let passes = |code| AwsError::new("StartBackupJob", &refused(code, "no")).passes();
        for code in ["ThrottlingException", "InternalServerError", "ServiceUnavailableException"] {
            assert!(passes(code), "{code}");
        }
        for code in ["AccessDeniedException", "LimitExceededException", "ValidationException", "ERROR_9101"] {
            assert!(!passes(code), "{code}");
        }
        let unheard: SdkError<DescribeBackupVaultError, HttpResponse> = SdkError::timeout_error("too slow");
        assert!(AwsError::new("StartBackupJob", &unheard).passes());
    }

    #[test]
    fn an_answer_without_a_code_that_is_the_services_own_fault_passes() {
        let error = |status| {
            let nameless = answered(status, ErrorMetadata::builder().message("<html>").build());
            AwsError::new("StartBackupJob", &nameless)
        };
        for status in [500, 502, 503, 504] {
            assert!(error(status).passes() && error(status).is_unclear(), "{status}");
        }
        assert!(!error(403).passes());
        assert!(!AwsError::new("StartBackupJob", &refused("ThrottlingException", "no")).is_unclear());
    }

    #[test]
    fn a_call_without_an_answer_says_so() {
        let error: SdkError<DescribeBackupVaultError, HttpResponse> = SdkError::timeout_error("too slow");
        let error = AwsError::new("DescribeBackupVault", &error);
        assert_eq!(error.fault(), Fault::NoAnswer);
        assert!(error.to_string().contains("too slow"), "{error}");
    }
}
