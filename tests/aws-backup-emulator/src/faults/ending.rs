//! How jobs end that a fault has struck: states as the API Reference lists them for each kind of job, messages and
//! categories as the AWS Backup Developer Guide, "Backup dashboards", has them.

use crate::state::failure::Failure;

/// `MessageCategory` of jobs that do not succeed.
pub(crate) const CATEGORIES: [&str; 15] = [
    "ABORTED",
    "ACCESS_DENIED",
    "CONCURRENT_JOB",
    "FATAL_ERROR",
    "FEATURE_NOT_ENABLED",
    "INVALID_LIFECYCLE",
    "INVALIDPARAMETERS",
    "JOB_EXPIRED",
    "KMS_KEY_ERROR",
    "LIMIT_EXCEEDED",
    "MISCELLANEOUS",
    "RESOURCE_NOT_FOUND",
    "TAG_COPY_ERROR",
    "TOKEN_EXPIRED",
    "UNSUPPORTED_OPERATION",
];

/// The states that a job can be made to end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Failed,
    Expired,
    Aborted,
    Partial,
}

/// How one job ends, once its time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) end: End,
    pub(crate) failure: Failure,
}

/// How jobs of any kind end, as a test has said it.
#[derive(Clone, Debug)]
pub(crate) struct EndingRule {
    pub(crate) end: End,
    /// Instead of the documented one.
    pub(crate) message: Option<String>,
    /// Instead of the documented one.
    pub(crate) category: Option<&'static str>,
}

impl EndingRule {
    /// The ending of a job that this operation starts; `None` when such jobs never end so.
    pub(crate) fn of(&self, operation: &str) -> Option<Ending> {
        let kind = match (operation, self.end) {
            ("StartBackupJob", _) => "Backup",
            ("StartCopyJob", End::Failed | End::Partial) => "Copy",
            ("StartRestoreJob", End::Failed | End::Aborted) => "Restore",
            _ => return None,
        };
        let (category, message) = match self.end {
            End::Failed => ("FATAL_ERROR", format!("{kind} job encountered a fatal error.")),
            End::Expired => ("JOB_EXPIRED", format!("{kind} job expired before completion.")),
            End::Aborted => ("ABORTED", format!("{kind} job was stopped by user.")),
            End::Partial => ("MISCELLANEOUS", format!("{kind} job completed partially.")),
        };
        let message = self.message.clone().unwrap_or(message);
        Some(Ending { end: self.end, failure: Failure::new(self.category.unwrap_or(category), message) })
    }
}
