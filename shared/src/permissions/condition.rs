//! Conditions of the roles' statements, and the context that meets them.

use serde_json::{Value, json};

use super::Stack;
use crate::metadata::Kind;

/// The keys of the encryption context of every data key.
const CONTEXT_KEYS: [&str; 2] = ["dynachain:format", "dynachain:source"];

/// The tag `dynachain:managed` among those that a request sets.
const MANAGED_BY_REQUEST: &str = "aws:RequestTag/dynachain:managed";
/// The partition keys that a request of DynamoDB is about.
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
/// What the partition keys of copies' configurations begin with.
const COPIED_CONFIGURATIONS: &str = "CONFIG#";
/// The plain tag of a recovery point ([`crate::metadata::MANAGED`]), as IAM sees it.
const MANAGED_TAG: &str = "aws:ResourceTag/dynachain:managed";

/// What the keys of the tags with a point's core begin with.
const CORE_TAGS: &str = "dynachain:core:";

/// A condition of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// KMS is asked with the encryption context that dynachain writes, and no other.
    OurContext,
    /// The role is passed to this service.
    PassedTo(&'static str),
    /// The events are dynachain's own.
    OurEvents,
    /// DynamoDB uses the key, on behalf of the role.
    ThroughDynamoDb,
    /// The resource belongs to the role's own account.
    OwnAccount,
    /// The grant is for an AWS service.
    GrantToAws,
    /// Tags are set on what the same request says to be part of a chain.
    TagsOfAChain,
    /// Of a catalog only the items with the configurations of copies.
    CopiedConfigurations,
    /// The recovery point's plain tag says `chain`, and only tags with pieces of its core are changed.
    CoreOfChains,
    /// The recovery point's plain tag says so: `chain` or `manual`.
    ManagedAs(Kind),
    /// The service-linked role is of this service.
    LinkedTo(&'static str),
}

/// A value of a request's context, as the IAM policy simulator takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextEntry {
    /// The condition key.
    pub key: &'static str,
    /// Its values.
    pub values: Vec<String>,
    /// Their type.
    pub kind: ContextType,
}

/// The types of context values that we need (IAM API Reference, `ContextEntry`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextType {
    /// One text.
    Text,
    /// Several texts.
    TextList,
    /// `true` or `false`.
    Boolean,
}

impl Condition {
    /// As a statement's `Condition` has it.
    pub(super) fn json(self, stack: &Stack) -> Value {
        match self {
            Self::OurContext => json!({
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": CONTEXT_KEYS},
                "Null": {"kms:EncryptionContextKeys": "false"},
            }),
            Self::PassedTo(service) => json!({"StringEquals": {"iam:PassedToService": service}}),
            Self::OurEvents => json!({"StringEquals": {"events:source": crate::event::SOURCE}}),
            Self::ThroughDynamoDb => json!({"StringEquals": {"kms:ViaService": dynamodb_in(stack)}}),
            Self::OwnAccount => json!({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}),
            Self::GrantToAws => json!({"Bool": {"kms:GrantIsForAWSResource": "true"}}),
            Self::TagsOfAChain => json!({"StringEquals": {MANAGED_BY_REQUEST: "chain"}}),
            Self::CopiedConfigurations => json!({
                "ForAllValues:StringLike": {LEADING_KEYS: [format!("{COPIED_CONFIGURATIONS}*")]},
                "Null": {LEADING_KEYS: "false"},
            }),
            Self::CoreOfChains => json!({
                "StringEquals": {MANAGED_TAG: Kind::Chain.as_tag()},
                "ForAllValues:StringLike": {"aws:TagKeys": format!("{CORE_TAGS}*")},
                "Null": {"aws:TagKeys": "false"},
            }),
            Self::ManagedAs(kind) => json!({"StringEquals": {MANAGED_TAG: kind.as_tag()}}),
            Self::LinkedTo(service) => json!({"StringEquals": {"iam:AWSServiceName": service}}),
        }
    }

    /// The context that a request of ours has.
    pub(super) fn context(self, stack: &Stack) -> Vec<ContextEntry> {
        let text =
            |key, value: &str| ContextEntry { key, values: vec![value.to_owned()], kind: ContextType::Text };
        match self {
            Self::OurContext => vec![ContextEntry {
                key: "kms:EncryptionContextKeys",
                values: CONTEXT_KEYS.map(str::to_owned).to_vec(),
                kind: ContextType::TextList,
            }],
            Self::PassedTo(service) => vec![text("iam:PassedToService", service)],
            Self::OurEvents => vec![text("events:source", crate::event::SOURCE)],
            Self::ThroughDynamoDb => vec![text("kms:ViaService", &dynamodb_in(stack))],
            Self::OwnAccount => {
                vec![
                    text("aws:PrincipalAccount", &stack.account),
                    text("aws:ResourceAccount", &stack.account),
                ]
            }
            Self::GrantToAws => vec![ContextEntry {
                key: "kms:GrantIsForAWSResource",
                values: vec!["true".to_owned()],
                kind: ContextType::Boolean,
            }],
            Self::TagsOfAChain => vec![text(MANAGED_BY_REQUEST, "chain")],
            Self::CopiedConfigurations => vec![ContextEntry {
                key: LEADING_KEYS,
                values: vec![format!("{COPIED_CONFIGURATIONS}any")],
                kind: ContextType::TextList,
            }],
            Self::CoreOfChains => vec![
                text(MANAGED_TAG, Kind::Chain.as_tag()),
                ContextEntry {
                    key: "aws:TagKeys",
                    values: vec![format!("{CORE_TAGS}1")],
                    kind: ContextType::TextList,
                },
            ],
            Self::ManagedAs(kind) => vec![text(MANAGED_TAG, kind.as_tag())],
            Self::LinkedTo(service) => vec![text("iam:AWSServiceName", service)],
        }
    }
}

fn dynamodb_in(stack: &Stack) -> String {
    format!("dynamodb.{}.amazonaws.com", stack.region)
}
