//! Identifiers, parsed once at the edge: a value of one of these types is well formed.
//!
//! Patterns follow the service models of AWS Backup and DynamoDB.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an identifier of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseIdError {
    text: String,
    expected: &'static str,
}

impl ParseIdError {
    fn new(text: &str, expected: &'static str) -> Self {
        let mut text = text.to_owned();
        if text.len() > 300 {
            text = text.chars().take(300).chain(['…']).collect();
        }
        Self { text, expected }
    }
}

/// Text forms shared by every identifier: display, serde as a string, ordering by text.
macro_rules! text_id {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// The parts every ARN has: `arn:<partition>:<service>:<region>:<account>:<resource>`.
struct ArnParts<'a> {
    service: &'a str,
    resource: &'a str,
}

fn split_arn(text: &str) -> Option<ArnParts<'_>> {
    let mut parts = text.splitn(6, ':');
    let (prefix, partition) = (parts.next()?, parts.next()?);
    let (service, region, account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let sound = prefix == "arn"
        && partition.starts_with("aws")
        && is_region(region)
        && is_account(account)
        && !resource.is_empty();
    sound.then_some(ArnParts { service, resource })
}

fn is_region(text: &str) -> bool {
    let shaped = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (9..=25).contains(&text.len()) && shaped && text.split('-').count() >= 3 && !text.starts_with('-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// A DynamoDB table name: 3 to 255 of `A-Za-z0-9_.-` (DynamoDB API Reference, `CreateTable`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName(String);

impl TableName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TableName {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shaped = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if (3..=255).contains(&text.len()) && shaped {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseIdError::new(text, "a table name (3 to 255 of A-Z a-z 0-9 _ . -)"))
        }
    }
}

text_id!(TableName);

/// An ARN with its Region and account at hand; the kinds below differ in service and resource.
macro_rules! arn_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal, |$parts:ident| $sound:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The whole ARN.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The Region in the ARN, such as `eu-central-1`.
            pub fn region(&self) -> &str {
                self.0.split(':').nth(3).unwrap_or_default()
            }

            /// The 12-digit account in the ARN.
            pub fn account(&self) -> &str {
                self.0.split(':').nth(4).unwrap_or_default()
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match split_arn(text) {
                    Some($parts) if $sound => Ok(Self(text.to_owned())),
                    _ => Err(ParseIdError::new(text, $expected)),
                }
            }
        }

        text_id!($name);
    };
}

arn_id! {
    /// The ARN of a DynamoDB table: `arn:aws:dynamodb:<region>:<account>:table/<name>`.
    TableArn, "a DynamoDB table ARN (arn:aws:dynamodb:<region>:<account>:table/<name>)",
    |arn| arn.service == "dynamodb" && arn.resource.strip_prefix("table/").is_some_and(|n| n.parse::<TableName>().is_ok())
}

impl TableArn {
    /// The table's name, the last part of its ARN.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The ARN of the table called `name` in a Region and account.
    ///
    /// # Errors
    /// When Region or account are malformed.
    pub fn of(region: &str, account: &str, name: &TableName) -> Result<Self, ParseIdError> {
        format!("arn:{}:dynamodb:{region}:{account}:table/{name}", partition_of(region)).parse()
    }

    /// `<account>/<region>`: where the table lives, as the KMS encryption context states it.
    pub fn source(&self) -> String {
        format!("{}/{}", self.account(), self.region())
    }
}

/// The AWS partition a Region belongs to (AWS General Reference, "Amazon Resource Names").
pub fn partition_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

arn_id! {
    /// The ARN of an AWS Backup vault: `arn:aws:backup:<region>:<account>:backup-vault:<name>`.
    VaultArn, "a backup vault ARN (arn:aws:backup:<region>:<account>:backup-vault:<name>)",
    |arn| arn.service == "backup" && arn.resource.strip_prefix("backup-vault:").is_some_and(is_vault_name)
}

impl VaultArn {
    /// The vault's name, the last part of its ARN.
    pub fn name(&self) -> &str {
        self.0.rsplit(':').next().unwrap_or_default()
    }

    /// The ARN of the vault called `name` in a Region and account.
    ///
    /// # Errors
    /// When Region, account or name are malformed.
    pub fn of(region: &str, account: &str, name: &str) -> Result<Self, ParseIdError> {
        format!("arn:{}:backup:{region}:{account}:backup-vault:{name}", partition_of(region)).parse()
    }
}

/// Vault names are 2 to 50 letters, digits, hyphens or underscores (AWS Backup API Reference, `CreateBackupVault`).
fn is_vault_name(text: &str) -> bool {
    (2..=50).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

arn_id! {
    /// The ARN of a recovery point. With DynamoDB's advanced backup features it is
    /// `arn:aws:backup:<region>:<account>:recovery-point:<id>`; without them it is the ARN of a DynamoDB backup, which
    /// can carry no tags (AWS Backup Developer Guide, "Advanced DynamoDB backup").
    RecoveryPointArn, "a recovery point ARN (arn:aws:backup:<region>:<account>:recovery-point:<id>)",
    |arn| match arn.service {
        "backup" => arn.resource.strip_prefix("recovery-point:").is_some_and(|id| !id.is_empty()),
        "dynamodb" => arn.resource.starts_with("table/") && arn.resource.contains("/backup/"),
        _ => false,
    }
}

impl RecoveryPointArn {
    /// Whether this point was made with the advanced features, and so can carry tags.
    pub fn is_advanced(&self) -> bool {
        self.0.split(':').nth(2) == Some("backup")
    }
}

arn_id! {
    /// The ARN of a KMS key: `arn:aws:kms:<region>:<account>:key/<id>`.
    KeyArn, "a KMS key ARN (arn:aws:kms:<region>:<account>:key/<id>)",
    |arn| arn.service == "kms" && arn.resource.strip_prefix("key/").is_some_and(|id| !id.is_empty())
}

impl KeyArn {
    /// The key's id, which a multi-Region key and its replicas share.
    pub fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether the key can have replicas in other Regions: their ids begin `mrk-` (AWS KMS Developer Guide, "Multi-Region
    /// keys").
    pub fn is_multi_region(&self) -> bool {
        self.id().starts_with("mrk-")
    }

    /// The ARN that a multi-Region key has in another Region: its replicas share its id.
    ///
    /// # Errors
    /// When the Region is malformed.
    pub fn in_region(&self, region: &str) -> Result<Self, ParseIdError> {
        let id = self.0.rsplit(':').next().unwrap_or_default();
        format!("arn:{}:kms:{region}:{}:{id}", partition_of(region), self.account()).parse()
    }
}

/// A policy's name: 1 to 59 of `A-Za-z0-9_-` (59, so that schedule names made from it fit EventBridge's 64).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyName(String);

impl PolicyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PolicyName {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shaped = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if (1..=59).contains(&text.len()) && shaped {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseIdError::new(text, "a policy name (1 to 59 of A-Z a-z 0-9 _ -)"))
        }
    }
}

text_id!(PolicyName);

/// A session's id: `<policy>@<scheduled_at>`, or `<policy>@<request id>` for one started by hand.
///
/// ```
/// use dynachain::id::SessionId;
///
/// let id: SessionId = "orders@2025-01-06T06:00:00Z".parse()?;
/// assert_eq!(id.policy().as_str(), "orders");
/// # Ok::<(), dynachain::id::ParseIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    text: String,
    policy: PolicyName,
}

impl SessionId {
    /// The session of `policy` for one scheduled moment.
    pub fn scheduled(policy: &PolicyName, scheduled_at: jiff::Timestamp) -> Self {
        Self { text: format!("{policy}@{scheduled_at}"), policy: policy.clone() }
    }

    /// The session of `policy` that somebody started by hand with one Lambda invocation.
    pub fn by_hand(policy: &PolicyName, request_id: &str) -> Self {
        Self { text: format!("{policy}@{request_id}"), policy: policy.clone() }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The policy the session ran.
    pub fn policy(&self) -> &PolicyName {
        &self.policy
    }
}

impl FromStr for SessionId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseIdError::new(text, "a session id (<policy>@<time or request id>)");
        let (policy, moment) = text.split_once('@').ok_or_else(wrong)?;
        let policy = policy.parse().map_err(|_| wrong())?;
        if moment.is_empty() || moment.len() > 128 {
            return Err(wrong());
        }
        Ok(Self { text: text.to_owned(), policy })
    }
}

text_id!(SessionId);

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::table("arn:aws:dynamodb:eu-central-1:111122223333:table/orders", true)]
    #[case::china("arn:aws-cn:dynamodb:cn-north-1:111122223333:table/orders", true)]
    #[case::index("arn:aws:dynamodb:eu-central-1:111122223333:table/orders/index/by-day", false)]
    #[case::other_service("arn:aws:s3:eu-central-1:111122223333:table/orders", false)]
    #[case::short_account("arn:aws:dynamodb:eu-central-1:1111:table/orders", false)]
    #[case::no_region("arn:aws:dynamodb::111122223333:table/orders", false)]
    #[case::short_name("arn:aws:dynamodb:eu-central-1:111122223333:table/ab", false)]
    #[case::empty("", false)]
    fn a_table_arn_is_accepted_only_whole(#[case] text: &str, #[case] good: bool) {
        assert_eq!(text.parse::<TableArn>().is_ok(), good);
    }

    #[rstest]
    #[case::advanced(
        "arn:aws:backup:eu-west-1:111122223333:recovery-point:0b2f6d3e-0000-4000-8000-000000000001",
        Some(true)
    )]
    #[case::plain(
        "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/backup/01548148148148-abcdef12",
        Some(false)
    )]
    #[case::vault("arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain", None)]
    fn a_recovery_point_arn_tells_whether_it_is_advanced(#[case] text: &str, #[case] advanced: Option<bool>) {
        assert_eq!(text.parse::<RecoveryPointArn>().ok().map(|arn| arn.is_advanced()), advanced);
    }

    #[test]
    fn an_arn_gives_its_parts() {
        let table: TableArn = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap();
        assert_eq!(
            (table.region(), table.account(), table.name()),
            ("eu-central-1", "111122223333", "orders")
        );
        assert_eq!(table.source(), "111122223333/eu-central-1");
        let vault = VaultArn::of("cn-north-1", "111122223333", "dynachain").unwrap();
        assert_eq!(vault.as_str(), "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:dynachain");
        assert_eq!(vault.name(), "dynachain");
    }

    #[rstest]
    #[case("orders", true)]
    #[case("a", true)]
    #[case("", false)]
    #[case("with space", false)]
    #[case("ümlaut", false)]
    fn policy_names_are_letters_digits_underscores_and_hyphens(#[case] text: &str, #[case] good: bool) {
        assert_eq!(text.parse::<PolicyName>().is_ok(), good);
        assert!("x".repeat(59).parse::<PolicyName>().is_ok());
        assert!("x".repeat(60).parse::<PolicyName>().is_err());
    }

    #[test]
    fn a_session_id_names_its_policy() {
        let policy: PolicyName = "orders".parse().unwrap();
        let id = SessionId::scheduled(&policy, "2025-01-06T06:00:00Z".parse().unwrap());
        assert_eq!(id.as_str(), "orders@2025-01-06T06:00:00Z");
        assert_eq!(id.as_str().parse::<SessionId>().unwrap(), id);
        assert!("orders".parse::<SessionId>().is_err());
        assert!("@2025".parse::<SessionId>().is_err());
    }
}
