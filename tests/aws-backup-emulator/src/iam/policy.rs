//! Policy documents, and whether one of their statements speaks about a request.

use serde_json::{Map, Value};

use super::condition::Condition;
use super::{Context, Request, pattern};

/// A parsed policy document.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// Whether a statement speaks about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applies {
    Yes,
    No,
    /// Something in the statement is not known here.
    Unknown,
}

/// One statement.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    effect: Effect,
    actions: Names,
    resources: Names,
    services: Vec<String>,
    /// Accounts, roles and users; `None` where the statement has no `Principal` at all.
    principals: Option<Vec<String>>,
    conditions: Vec<Condition>,
    /// An element this evaluator does not read.
    strange: bool,
}

/// The names a statement is about, or is not about.
#[derive(Clone, Debug)]
enum Names {
    In(Vec<String>),
    NotIn(Vec<String>),
    /// The element is missing, as `Resource` is in a trust policy.
    Missing,
}

/// Why a text is not a policy document.
#[derive(Debug, thiserror::Error)]
#[error("not a policy document: {0}")]
pub(crate) struct ParsePolicyError(String);

impl std::str::FromStr for Policy {
    type Err = ParsePolicyError;

    /// From JSON, percent-encoded as the IAM API hands it out or not.
    fn from_str(text: &str) -> Result<Self, ParsePolicyError> {
        let decoded = if text.trim_start().starts_with('{') {
            text.into()
        } else {
            percent_encoding::percent_decode_str(text).decode_utf8_lossy()
        };
        let document: Value =
            serde_json::from_str(&decoded).map_err(|error| ParsePolicyError(error.to_string()))?;
        let variables = match document.get("Version").map(Value::as_str) {
            None | Some(Some("2008-10-17")) => false,
            Some(Some("2012-10-17")) => true,
            Some(_) => return Err(ParsePolicyError("its Version is not one that there is".to_owned())),
        };
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement @ Value::Object(_)) => vec![statement],
            _ => return Err(ParsePolicyError("it has no Statement".to_owned())),
        };
        let statements =
            statements.into_iter().map(|s| Statement::parse(s, variables)).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }
}

impl Policy {
    /// What stands in for a policy that cannot be read.
    pub(crate) fn deny_everything() -> Self {
        let everything = || Names::In(vec!["*".to_owned()]);
        let statement = Statement {
            effect: Effect::Deny,
            actions: everything(),
            resources: everything(),
            services: Vec::new(),
            principals: None,
            conditions: Vec::new(),
            strange: false,
        };
        Self { statements: vec![statement] }
    }

    pub(super) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Does this resource policy (a role's trust policy, a function's policy) let a service do something? The resource is
    /// the one that the policy belongs to, so its `Resource` element is not looked at.
    pub(crate) fn trusts_service(&self, service: &str, action: &str, context: &Context) -> bool {
        let about = |statement: &&Statement| {
            statement.services.iter().any(|s| s == service || s == "*")
                && statement.actions.speak_of(|name| Some(pattern::matches_action(name, action)))
                    == Applies::Yes
        };
        let mut allowed = false;
        for statement in self.statements.iter().filter(about) {
            match (statement.effect, statement.conditions_hold(context)) {
                (Effect::Deny, Applies::Yes | Applies::Unknown) => return false,
                (Effect::Allow, Applies::Yes) => allowed = true,
                _ => {}
            }
        }
        allowed
    }
}

impl Statement {
    fn parse(value: &Value, variables: bool) -> Result<Self, ParsePolicyError> {
        let refuse = |why: &str| ParsePolicyError(format!("{why} in the statement {value}"));
        let Value::Object(members) = value else { return Err(refuse("no object")) };
        let effect = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(refuse("no Effect")),
        };
        let known =
            ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition"];
        Ok(Self {
            effect,
            actions: Names::parse(members, "Action", "NotAction", true),
            resources: Names::parse(members, "Resource", "NotResource", variables),
            services: services(members.get("Principal")),
            principals: members.get("Principal").map(principals),
            conditions: conditions(members.get("Condition"), variables)
                .ok_or_else(|| refuse("no proper Condition"))?,
            strange: members.keys().any(|member| !known.contains(&member.as_str())),
        })
    }

    pub(super) fn effect(&self) -> Effect {
        self.effect
    }

    pub(super) fn principals(&self) -> Option<&[String]> {
        self.principals.as_deref()
    }

    pub(super) fn applies(&self, request: Request<'_>) -> Applies {
        let action = self.actions.speak_of(|name| Some(pattern::matches_action(name, request.action)));
        let resource =
            self.resources.speak_of(|name| pattern::matches_arn(name, request.resource, request.context));
        let strange = if self.strange { Applies::Unknown } else { Applies::Yes };
        [action, resource, strange, self.conditions_hold(request.context)]
            .into_iter()
            .fold(Applies::Yes, Applies::and)
    }

    fn conditions_hold(&self, context: &Context) -> Applies {
        self.conditions
            .iter()
            .map(|condition| condition.holds(context).into())
            .fold(Applies::Yes, Applies::and)
    }
}

impl Applies {
    /// A part that does not apply decides, whatever else is unknown.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::Yes,
        }
    }
}

impl From<Option<bool>> for Applies {
    fn from(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }
}

impl Names {
    fn parse(members: &Map<String, Value>, positive: &str, negative: &str, variables: bool) -> Self {
        match (members.get(positive), members.get(negative)) {
            (Some(names), None) => Self::In(patterns(names, variables)),
            (None, Some(names)) => Self::NotIn(patterns(names, variables)),
            _ => Self::Missing,
        }
    }

    fn speak_of(&self, matches: impl Fn(&str) -> Option<bool>) -> Applies {
        let any = |names: &[String]| {
            let found: Vec<Option<bool>> = names.iter().map(|name| matches(name)).collect();
            if found.contains(&Some(true)) {
                Some(true)
            } else if found.contains(&None) {
                None
            } else {
                Some(false)
            }
        };
        match self {
            Self::In(names) => any(names).into(),
            Self::NotIn(names) => any(names).map(|found| !found).into(),
            Self::Missing => Applies::Unknown,
        }
    }
}

/// Patterns, in which `${…}` is a variable only where the policy's version has variables (IAM User Guide, "IAM JSON policy
/// elements: Version"). Else its dollar sign is a plain one.
fn patterns(value: &Value, variables: bool) -> Vec<String> {
    let texts = strings(value);
    if variables { texts } else { texts.into_iter().map(|text| text.replace("${", "${$}{")).collect() }
}

/// A string or a list of them; booleans and numbers as text.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(strings).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

fn services(principal: Option<&Value>) -> Vec<String> {
    match principal {
        Some(Value::String(all)) if all == "*" => vec!["*".to_owned()],
        Some(Value::Object(kinds)) => kinds.get("Service").map(strings).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn principals(principal: &Value) -> Vec<String> {
    match principal {
        Value::String(all) if all == "*" => vec!["*".to_owned()],
        Value::Object(kinds) => kinds.get("AWS").map(strings).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn conditions(value: Option<&Value>, variables: bool) -> Option<Vec<Condition>> {
    let Some(value) = value else { return Some(Vec::new()) };
    let mut conditions = Vec::new();
    for (operator, keys) in value.as_object()? {
        for (key, wanted) in keys.as_object()? {
            conditions.push(Condition::new(operator, key, patterns(wanted, variables)));
        }
    }
    Some(conditions)
}
