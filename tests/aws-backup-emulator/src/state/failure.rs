//! Why a job did not succeed.

/// A job's last words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// `MessageCategory`, as the AWS Backup Developer Guide, "AWS Backup console dashboards", names them.
    pub(crate) category: &'static str,
}

impl Failure {
    pub(crate) fn new(category: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), category }
    }
}

/// `MessageCategory` of a job: how it failed, or that it completed.
pub(crate) fn category(failure: Option<&Failure>, completed: bool) -> Option<&'static str> {
    failure.map(|failure| failure.category).or(completed.then_some("SUCCESS"))
}
