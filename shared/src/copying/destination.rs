//! Where copies count: AWS's quota of copy jobs is per account and Region that they go to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::VaultArn;

/// The account and Region of a target vault, written `<account>/<Region>`.
///
/// AWS bounds the copy jobs at a time per account in the destination Region (AWS Backup Developer Guide, "AWS Backup quotas").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    account: String,
    region: String,
}

impl Destination {
    /// Of copies into this vault.
    pub fn of(vault: &VaultArn) -> Self {
        Self { account: vault.account().to_owned(), region: vault.region().to_owned() }
    }

    /// The account, 12 digits.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The Region, such as `eu-west-1`.
    pub fn region(&self) -> &str {
        &self.region
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// The text names no account and Region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not <account>/<Region>")]
pub struct ParseDestinationError(String);

impl FromStr for Destination {
    type Err = ParseDestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts =
            text.split_once('/').filter(|(account, region)| !account.is_empty() && !region.is_empty());
        let (account, region) = parts.ok_or_else(|| ParseDestinationError(text.to_owned()))?;
        Ok(Self { account: account.to_owned(), region: region.to_owned() })
    }
}

impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_the_account_and_region_of_a_vault() {
        let vault: VaultArn = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain".parse().unwrap();
        let destination = Destination::of(&vault);
        assert_eq!(destination.to_string(), "111122223333/eu-west-1");
        assert_eq!("111122223333/eu-west-1".parse(), Ok(destination));
        assert!("eu-west-1".parse::<Destination>().is_err());
    }
}
