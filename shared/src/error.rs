//! Refusals: the errors with which a function answers its caller.
//!
//! Each has an [`ErrorType`], which callers and alarms match on and `docs/errors.md` explains, and one line per problem,
//! each beginning with the JSON path of what it is about.

use std::fmt;

use lambda_runtime::Diagnostic;

/// The kinds of refusal, as the caller sees them in `errorType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// The request is malformed, or asks for something that cannot be.
    InvalidRequest,
    /// The policy document breaks a rule.
    InvalidPolicy,
    /// No policy has this name.
    PolicyNotFound,
    /// The policy is disabled.
    PolicyDisabled,
    /// No such table.
    TableNotFound,
    /// No such recovery point.
    PointNotFound,
    /// The request names something that could be several things.
    Ambiguous,
    /// The vault is missing, or this function may not use it.
    VaultUnavailable,
    /// The vault's lock does not allow the wanted retention.
    VaultLockConflict,
    /// The KMS key is disabled, gone, or not usable by this function.
    KeyUnavailable,
    /// AWS Backup's advanced features for DynamoDB are off.
    AdvancedFeaturesOff,
    /// AWS refused a call for want of a permission.
    AccessDenied,
    /// What was confirmed is no longer what would happen.
    PlanChanged,
    /// The last usable point would go.
    LastPoint,
    /// The table to restore to exists already.
    TargetExists,
    /// This machine's clock and AWS's disagree.
    ClockSkew,
    /// Another run holds the same work.
    Busy,
    /// Something failed that the caller did not cause.
    Internal,
}

impl ErrorType {
    /// Every kind, in the order of `docs/errors.md`.
    pub const ALL: [Self; 18] = [
        Self::InvalidRequest,
        Self::InvalidPolicy,
        Self::PolicyNotFound,
        Self::PolicyDisabled,
        Self::TableNotFound,
        Self::PointNotFound,
        Self::Ambiguous,
        Self::VaultUnavailable,
        Self::VaultLockConflict,
        Self::KeyUnavailable,
        Self::AdvancedFeaturesOff,
        Self::AccessDenied,
        Self::PlanChanged,
        Self::LastPoint,
        Self::TargetExists,
        Self::ClockSkew,
        Self::Busy,
        Self::Internal,
    ];
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The JSON path of the offending member, such as `$.copies[0].keep.daily`; `$` for the whole.
    pub path: String,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem at a JSON path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// An error answer: a function's whole refusal of a request, given before anything was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    error_type: ErrorType,
    problems: Vec<Problem>,
}

impl Refusal {
    /// A refusal for one problem with the request as a whole.
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> Self {
        Self::at(error_type, "$", message)
    }

    /// A refusal for one problem at a JSON path.
    pub fn at(error_type: ErrorType, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { error_type, problems: vec![Problem::new(path, message)] }
    }

    /// A refusal for problems given in document order; `None` when there are none.
    pub fn of(error_type: ErrorType, problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self { error_type, problems })
    }

    /// The kind of refusal.
    pub fn error_type(&self) -> ErrorType {
        self.error_type
    }

    /// What is wrong, in document order.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Diagnostic {
    fn from(refusal: Refusal) -> Self {
        Self { error_type: refusal.error_type.to_string(), error_message: refusal.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_per_problem_beginning_with_its_path() {
        let refusal = Refusal::of(
            ErrorType::InvalidPolicy,
            vec![Problem::new("$.name", "is missing"), Problem::new("$.scope", "is empty")],
        )
        .unwrap();
        let diagnostic = Diagnostic::from(refusal);
        assert_eq!(diagnostic.error_type, "InvalidPolicy");
        assert_eq!(diagnostic.error_message, "$.name: is missing\n$.scope: is empty");
        assert_eq!(Refusal::of(ErrorType::InvalidPolicy, vec![]), None);
    }

    #[test]
    fn the_documentation_lists_every_error_type_and_no_other() {
        let document = include_str!("../../docs/errors.md");
        let table = document.split("## Error types").nth(1).and_then(|rest| rest.split("##").next()).unwrap();
        let rows: Vec<Vec<&str>> = table
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        let documented: Vec<_> = rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
        let all: Vec<_> = ErrorType::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(documented, all);
        for row in rows {
            assert!(row.len() == 4 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        }
    }
}
