//! What a check found about one subject.

use std::fmt::Display;

use dynachain::aws::AwsError;
use serde::Serialize;
use serde_json::Value;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// What it is about: an ARN, or a policy's name.
    pub(crate) subject: String,
    /// What was looked at; see docs/errors.md.
    pub(crate) check: String,
    /// Null when it cannot be told.
    pub(crate) ok: Option<bool>,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<Remedy>,
}

/// What sets it right.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Remedy {
    /// An IAM statement to add to the role's policy.
    Statement(Value),
    /// A command of the AWS CLI.
    Command(String),
}

impl Finding {
    pub(crate) fn holds(subject: impl Display, check: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(subject, check, Some(true), message)
    }

    pub(crate) fn fails(subject: impl Display, check: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(subject, check, Some(false), message)
    }

    pub(crate) fn unknown(
        subject: impl Display,
        check: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(subject, check, None, message)
    }

    /// What could not be looked at, because AWS refused a call.
    pub(crate) fn untold(subject: impl Display, check: impl Into<String>, error: &AwsError) -> Self {
        Self::unknown(subject, check, format!("cannot be told: {}", error.summary()))
    }

    fn new(
        subject: impl Display,
        check: impl Into<String>,
        ok: Option<bool>,
        message: impl Into<String>,
    ) -> Self {
        let (subject, check, message) = (subject.to_string(), check.into(), message.into());
        Self { subject, check, ok, message, remedy: None }
    }

    pub(crate) fn run(self, command: impl Into<String>) -> Self {
        Self { remedy: Some(Remedy::Command(command.into())), ..self }
    }

    pub(crate) fn allow(self, statement: Value) -> Self {
        Self { remedy: Some(Remedy::Statement(statement)), ..self }
    }
}

/// False when any is false, null when any is null, else true.
pub(crate) fn verdict<'a>(findings: impl Iterator<Item = &'a Finding>) -> Option<bool> {
    let mut told = true;
    for finding in findings {
        match finding.ok {
            Some(true) => {}
            Some(false) => return Some(false),
            None => told = false,
        }
    }
    told.then_some(true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_failure_fails_all_and_one_doubt_leaves_doubt() {
        let holds = Finding::holds("a", "key", "");
        let (fails, unknown) = (Finding::fails("a", "key", ""), Finding::unknown("a", "key", ""));
        assert_eq!(verdict([&holds, &holds].into_iter()), Some(true));
        assert_eq!(verdict([&holds, &unknown].into_iter()), None);
        assert_eq!(verdict([&unknown, &fails].into_iter()), Some(false));
        assert_eq!(verdict([].into_iter()), Some(true));
    }

    #[test]
    fn a_finding_has_its_remedy_only_where_there_is_one() {
        let finding = Finding::fails("a", "key", "is off");
        let plain = json!({"subject": "a", "check": "key", "ok": false, "message": "is off"});
        assert_eq!(serde_json::to_value(&finding).unwrap(), plain);
        let command = serde_json::to_value(finding.clone().run("aws x")).unwrap();
        assert_eq!(command["remedy"], json!({"command": "aws x"}));
        let statement = serde_json::to_value(finding.allow(json!({"Sid": "S"}))).unwrap();
        assert_eq!(statement["remedy"], json!({"statement": {"Sid": "S"}}));
    }
}
