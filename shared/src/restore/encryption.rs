//! The key of a restored table. It is always said to AWS Backup: in another Region AWS demands it, and elsewhere nobody
//! should have to guess (AWS Backup Developer Guide, "Restore an Amazon DynamoDB table").

use serde::{Deserialize, Serialize};

use super::{EncryptionOverride, Overrides, Setting};
use crate::id::KeyArn;
use crate::table_config::TableConfig;

/// How a table is to be encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// With a key that AWS owns.
    AwsOwned,
    /// With the key that AWS manages for DynamoDB in this account.
    AwsManaged,
    /// With this key: the customer's, or one that turns out to be the AWS managed one.
    Key(KeyArn),
}

/// The recorded key cannot be used in the table's Region; only the caller can say which one to use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the table was encrypted with {key}, which is of another Region and no multi-Region key; say which key to use here: its \
     ARN, \"aws/dynamodb\" for the key that AWS manages, or \"none\" for the one that AWS owns"
)]
pub struct NoKey {
    key: String,
}

/// The encryption of the new table in a Region, from what was recorded (nothing, where nothing is known) and what is wanted
/// otherwise. A multi-Region key means its replica in that Region.
///
/// # Errors
/// When the recorded key is a single-Region key of another Region and nothing else is wanted.
pub fn encryption(
    recorded: Option<&TableConfig>,
    overrides: &Overrides,
    region: &str,
) -> Result<Encryption, NoKey> {
    match &overrides.encryption {
        Some(Setting::Off) => return Ok(Encryption::AwsOwned),
        Some(Setting::To(EncryptionOverride::AwsManaged)) => return Ok(Encryption::AwsManaged),
        Some(Setting::To(EncryptionOverride::Key(key))) => return Ok(Encryption::Key(key.clone())),
        None => {}
    }
    let Some(recorded) = recorded.and_then(|config| config.encryption.as_ref()) else {
        return Ok(Encryption::AwsOwned);
    };
    let Some(text) = &recorded.key else { return Ok(Encryption::AwsManaged) };
    let no_key = || NoKey { key: text.clone() };
    let key: KeyArn = text.parse().map_err(|_| no_key())?;
    if key.region() == region {
        return Ok(Encryption::Key(key));
    }
    if !key.is_multi_region() {
        return Err(no_key());
    }
    key.in_region(region).map(Encryption::Key).map_err(|_| no_key())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::request::Request;
    use crate::table_config::Encryption as Recorded;

    const HERE: &str = "eu-west-1";
    const SINGLE: &str = "arn:aws:kms:eu-central-1:111122223333:key/0b2f6d3e-0000-4000-8000-000000000001";
    const MULTI: &str = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234";

    fn chosen(recorded: Option<&str>, wanted: Option<&str>, region: &str) -> String {
        let recorded = recorded.map(|key| Recorded { key: Some(key.to_owned()), ..Recorded::default() });
        let config = TableConfig { encryption: recorded, ..TableConfig::default() };
        let value = json!({ "overrides": { "encryption": wanted } });
        let overrides = Request::of(&value).unwrap().object("overrides", Overrides::read).unwrap();
        match encryption(Some(&config), &overrides, region) {
            Ok(Encryption::Key(key)) => key.to_string(),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[rstest]
    #[case::aws_owned(None, None, HERE, "AwsOwned")]
    #[case::at_home(Some(SINGLE), None, "eu-central-1", SINGLE)]
    #[case::a_replica(Some(MULTI), None, HERE, "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234")]
    #[case::out_of_reach(Some(SINGLE), None, HERE, "say which key to use here")]
    #[case::out_of_reach_and_said(Some(SINGLE), Some(MULTI), HERE, MULTI)]
    #[case::owned_instead(Some(SINGLE), Some("none"), HERE, "AwsOwned")]
    #[case::managed_instead(None, Some("aws/dynamodb"), HERE, "AwsManaged")]
    fn the_key_is_the_recorded_one_or_what_the_caller_says(
        #[case] recorded: Option<&str>,
        #[case] wanted: Option<&str>,
        #[case] region: &str,
        #[case] key: &str,
    ) {
        let chosen = chosen(recorded, wanted, region);
        assert!(chosen.contains(key), "{chosen}");
    }

    #[test]
    fn of_a_table_of_which_nothing_is_known_nothing_is_guessed() {
        assert_eq!(encryption(None, &Overrides::default(), HERE), Ok(Encryption::AwsOwned));
    }
}
