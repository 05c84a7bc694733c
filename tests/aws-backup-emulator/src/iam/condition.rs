//! The `Condition` element of a statement.

use std::str::FromStr;

use super::{Context, pattern};

/// One operator on one key: `"StringLike": {"aws:ResourceTag/team": ["a*", "b"]}`.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    operator: Option<Operator>,
    key: String,
    wanted: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
struct Operator {
    set: Set,
    test: Test,
    negated: bool,
    if_exists: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    /// For keys with one value.
    Single,
    All,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Bool,
    Null,
}

impl FromStr for Operator {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (set, rest) = match text.split_once(':') {
            None => (Set::Single, text),
            Some(("ForAllValues", rest)) => (Set::All, rest),
            Some(("ForAnyValue", rest)) => (Set::Any, rest),
            Some(_) => return Err(()),
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (test, negated) = match name {
            "StringEquals" => (Test::Equals, false),
            "StringNotEquals" => (Test::Equals, true),
            "StringEqualsIgnoreCase" => (Test::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Test::EqualsIgnoreCase, true),
            "StringLike" => (Test::Like, false),
            "StringNotLike" => (Test::Like, true),
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            "Bool" => (Test::Bool, false),
            "Null" if !if_exists && set == Set::Single => (Test::Null, false),
            _ => return Err(()),
        };
        Ok(Self { set, test, negated, if_exists })
    }
}

impl Condition {
    pub(super) fn new(operator: &str, key: &str, wanted: Vec<String>) -> Self {
        Self { operator: operator.parse().ok(), key: key.to_owned(), wanted }
    }

    /// Does it hold? `None`: cannot be said, because operator, key or a variable is unknown.
    pub(super) fn holds(&self, context: &Context) -> Option<bool> {
        let operator = self.operator?;
        let values = context.values(&self.key)?;
        if operator.test == Test::Null {
            return self.null(values.is_empty());
        }
        let wanted = |value: &str| self.matches(operator, value, context);
        match (operator.set, values) {
            (Set::All, values) => fold(values, wanted, true),
            (_, []) => Some(operator.if_exists || (operator.negated && operator.set == Set::Single)),
            (Set::Any, values) => fold(values, wanted, false),
            (Set::Single, [one]) => wanted(one),
            // A key with several values needs ForAllValues or ForAnyValue.
            (Set::Single, _) => None,
        }
    }

    fn null(&self, absent: bool) -> Option<bool> {
        match self.wanted.as_slice() {
            [one] if one == "true" => Some(absent),
            [one] if one == "false" => Some(!absent),
            _ => None,
        }
    }

    /// One value of the request against all wanted ones: any of them, or for a negated operator none.
    fn matches(&self, operator: Operator, value: &str, context: &Context) -> Option<bool> {
        let mut any = false;
        for wanted in &self.wanted {
            any |= match operator.test {
                Test::Equals => pattern::matches(wanted, value, context, false)?,
                Test::EqualsIgnoreCase => {
                    pattern::matches(&wanted.to_lowercase(), &value.to_lowercase(), context, false)?
                }
                Test::Like => pattern::matches(wanted, value, context, true)?,
                Test::Arn => pattern::matches_arn(wanted, value, context)?,
                Test::Bool => wanted.eq_ignore_ascii_case(value),
                Test::Null => return None,
            };
        }
        Some(any != operator.negated)
    }
}

/// All or any of the values, unknown as soon as one is.
fn fold(values: &[String], test: impl Fn(&str) -> Option<bool>, all: bool) -> Option<bool> {
    let mut result = all;
    for value in values {
        let one = test(value)?;
        result = if all { result && one } else { result || one };
    }
    Some(result)
}
