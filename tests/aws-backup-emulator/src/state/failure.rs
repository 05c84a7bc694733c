//! Why a job did not succeed.

/// A job's last words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) message: String,
    /// `MessageCategory`, as the AWS Backup Developer Guide, "Backup dashboards", names them.
    pub(crate) category: &'static str,
}

impl Failure {
    pub(crate) fn new(category: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), category }
    }
}
