//! The metadata of a restore job: what the new table is called and how it is encrypted (AWS Backup Developer Guide, "Restore
//! an Amazon DynamoDB table").

use std::collections::BTreeMap;

use crate::http::ApiError;
use crate::state::restore_job::Encryption;

/// The keys, which are compared without case.
const TABLE: &str = "targetTableName";
const ENCRYPTION: &str = "encryptionType";
const KEY: &str = "kmsMasterKeyArn";
/// Comes with `GetRecoveryPointRestoreMetadata`, so it may come back.
const REQUEST: &str = "aws:backup:request-id";
const KEYS: [&str; 4] = [TABLE, ENCRYPTION, KEY, REQUEST];

/// What the metadata asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) table: String,
    pub(super) encryption: Encryption,
}

pub(super) fn read(metadata: &BTreeMap<String, String>) -> Result<Wanted, ApiError> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, value) in metadata {
        let Some(key) = KEYS.into_iter().find(|key| key.eq_ignore_ascii_case(name)) else {
            return refuse(format!("Unrecognized key : {name}"));
        };
        if known.insert(key, value).is_some() {
            return refuse(format!("Duplicate key : {name}"));
        }
    }
    let Some(table) = known.get(TABLE) else { return refuse(format!("Missing key : {TABLE}")) };
    if !is_table_name(table) {
        let rule = "It must have 3 to 255 letters, digits, underscores, hyphens and dots.";
        return refuse(format!("Invalid {TABLE} : {table}. {rule}"));
    }
    let encryption = encryption(known.get(ENCRYPTION).copied(), known.get(KEY).copied())?;
    Ok(Wanted { table: (*table).to_owned(), encryption })
}

fn encryption(kind: Option<&str>, key: Option<&str>) -> Result<Encryption, ApiError> {
    match (kind, key) {
        (None, None) => Ok(Encryption::AsOriginal),
        (Some("Default"), None) => Ok(Encryption::AwsOwned),
        (Some("KMS"), None) => Ok(Encryption::AwsManaged),
        (Some("KMS"), Some(key)) if is_key(key) => Ok(Encryption::Customer(key.to_owned())),
        (Some("KMS"), Some(key)) => refuse(format!("Invalid {KEY} : {key}")),
        (None | Some("Default"), Some(_)) => refuse(format!("{KEY} needs the {ENCRYPTION} KMS")),
        (Some(other), _) => refuse(format!("Invalid {ENCRYPTION} : {other}")),
    }
}

fn refuse<T>(why: impl std::fmt::Display) -> Result<T, ApiError> {
    Err(ApiError::invalid_parameter(format!("Invalid restore metadata. {why}")))
}

/// As DynamoDB has them (DynamoDB Developer Guide, "Supported data types and naming rules").
fn is_table_name(name: &str) -> bool {
    (3..=255).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// The ARN of a key, not of an alias.
fn is_key(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, "kms", region, account, resource] = parts.as_slice() else { return false };
    let id = resource.strip_prefix("key/").unwrap_or_default();
    !region.is_empty()
        && account.len() == 12
        && !id.is_empty()
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1";

    fn read_of(pairs: &[(&str, &str)]) -> Result<Wanted, String> {
        let metadata = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        read(&metadata).map_err(|error| format!("{} {}", error.kind, error.body()))
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        let error = read_of(pairs).unwrap_err();
        assert!(error.starts_with("InvalidParameterValueException"), "{error}");
        error
    }

    #[test]
    fn keys_of_restore_metadata_are_compared_without_case() {
        let wanted =
            read_of(&[("TARGETTABLENAME", "new"), ("EncryptionType", "KMS"), ("kmsmasterkeyarn", ARN)]);
        let encryption = Encryption::Customer(ARN.to_owned());
        assert_eq!(wanted, Ok(Wanted { table: "new".to_owned(), encryption }));
        let twice = refusal(&[("targetTableName", "new"), ("TargetTableName", "other")]);
        assert!(twice.contains("Duplicate key"), "{twice}");
    }

    #[test]
    fn an_unknown_key_in_restore_metadata_is_refused() {
        for key in ["billingMode", "deletionProtection", "", "targetTableName "] {
            let error = refusal(&[("targetTableName", "new"), (key, "x")]);
            assert!(error.contains(&format!("Unrecognized key : {key}")), "{error}");
        }
    }

    #[test]
    fn the_request_id_of_a_points_restore_metadata_may_be_sent_along() {
        let pairs = [("targetTableName", "new"), ("aws:backup:request-id", "any")];
        assert_eq!(read_of(&pairs).unwrap().encryption, Encryption::AsOriginal);
    }

    #[test]
    fn restore_metadata_must_name_the_table() {
        assert!(refusal(&[]).contains("Missing key : targetTableName"));
        assert!(refusal(&[("encryptionType", "Default")]).contains("Missing key : targetTableName"));
    }

    #[test]
    fn a_target_table_name_keeps_dynamodbs_rules() {
        let longest = "a".repeat(255);
        for good in ["abc", "A_b.c-9", &longest] {
            assert_eq!(read_of(&[("targetTableName", good)]).unwrap().table, good);
        }
        for bad in ["", "ab", "a b c", "tablé", "a/b", &"a".repeat(256), "arn:aws:x"] {
            assert!(refusal(&[("targetTableName", bad)]).contains("Invalid targetTableName"), "{bad}");
        }
    }

    #[rstest]
    #[case::owned(&[("encryptionType", "Default")], Encryption::AwsOwned)]
    #[case::managed(&[("encryptionType", "KMS")], Encryption::AwsManaged)]
    #[case::customer(&[("encryptionType", "KMS"), ("kmsMasterKeyArn", ARN)], Encryption::Customer(ARN.to_owned()))]
    #[case::nothing(&[], Encryption::AsOriginal)]
    fn the_encryption_type_is_default_or_kms_and_a_key_arn_goes_with_kms(
        #[case] pairs: &[(&str, &str)],
        #[case] encryption: Encryption,
    ) {
        let pairs = [pairs, &[("targetTableName", "new")]].concat();
        assert_eq!(read_of(&pairs).unwrap().encryption, encryption);
    }

    #[rstest]
    #[case::lower(&[("encryptionType", "kms")])]
    #[case::empty(&[("encryptionType", "")])]
    #[case::another(&[("encryptionType", "AES256"), ("kmsMasterKeyArn", ARN)])]
    #[case::key_for_default(&[("encryptionType", "Default"), ("kmsMasterKeyArn", ARN)])]
    #[case::key_alone(&[("kmsMasterKeyArn", ARN)])]
    #[case::alias(&[("encryptionType", "KMS"), ("kmsMasterKeyArn", "arn:aws:kms:eu-central-1:111122223333:alias/a")])]
    #[case::id(&[("encryptionType", "KMS"), ("kmsMasterKeyArn", "mrk-1")])]
    #[case::no_key(&[("encryptionType", "KMS"), ("kmsMasterKeyArn", "")])]
    fn a_malformed_encryption_in_restore_metadata_is_refused(#[case] pairs: &[(&str, &str)]) {
        let error = refusal(&[pairs, &[("targetTableName", "new")]].concat());
        assert!(error.contains("Invalid restore metadata."), "{error}");
    }
}
