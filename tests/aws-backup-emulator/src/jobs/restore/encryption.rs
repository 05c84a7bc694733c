//! Which key a restored table gets (AWS Backup Developer Guide, "Restore an Amazon DynamoDB table").

use aws_sdk_dynamodb::types::{SseStatus, TableDescription};

use crate::aws::Scope;
use crate::aws::restored_table::TableKey;
use crate::state::failure::Failure;
use crate::state::restore_job::Encryption;

/// What the choice rests on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Original<'a> {
    pub(super) recovery_point: &'a str,
    /// The table that was backed up.
    pub(super) resource_arn: &'a str,
    pub(super) table: &'a TableDescription,
}

/// The key, or why the restore fails.
pub(super) fn choose(
    wanted: &Encryption,
    original: Original<'_>,
    scope: &Scope,
) -> Result<TableKey, Failure> {
    match wanted {
        Encryption::AwsOwned => Ok(TableKey::AwsOwned),
        Encryption::AwsManaged => Ok(TableKey::AwsManaged),
        Encryption::Customer(arn) if region(arn) == scope.region => Ok(TableKey::Customer(arn.clone())),
        Encryption::Customer(arn) => {
            let message = format!("The KMS key {arn} is not in the Region {}.", scope.region);
            Err(Failure::new("KMS_KEY_ERROR", message))
        }
        Encryption::AsOriginal if region(original.resource_arn) != scope.region => {
            let message =
                "An encryption key must be specified to restore a backup of a table of another Region.";
            Err(Failure::new("MISCELLANEOUS", message))
        }
        // What DynamoDB manages comes back with an AWS owned key.
        Encryption::AsOriginal if !advanced(original.recovery_point) => Ok(TableKey::AwsOwned),
        Encryption::AsOriginal => Ok(key_of(original.table)),
    }
}

/// Is it a point of AWS Backup's own, and not a backup that DynamoDB manages?
pub(super) fn advanced(recovery_point: &str) -> bool {
    recovery_point.split(':').nth(2) == Some("backup")
}

fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

/// The key that a table has.
fn key_of(table: &TableDescription) -> TableKey {
    let enabled = table.sse_description().filter(|sse| sse.status() != Some(&SseStatus::Disabled));
    match enabled {
        None => TableKey::AwsOwned,
        Some(sse) => match sse.kms_master_key_arn() {
            Some(arn) if !arn.contains(":alias/aws/") => TableKey::Customer(arn.to_owned()),
            _ => TableKey::AwsManaged,
        },
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{SseDescription, SseType};
    use rstest::rstest;

    use super::*;

    const POINT: &str = "arn:aws:backup:eu-central-1:111122223333:recovery-point:ab";
    const TABLE: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";
    const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/k";
    const OWN: &str = "arn:aws:kms:eu-central-1:111122223333:alias/aws/dynamodb";

    fn chosen(
        wanted: &Encryption,
        point: &str,
        key: Option<&str>,
        region: &str,
    ) -> Result<TableKey, Failure> {
        let sse = key.map(|key| {
            let sse = SseDescription::builder().status(SseStatus::Enabled).sse_type(SseType::Kms);
            sse.kms_master_key_arn(key).build()
        });
        let table = TableDescription::builder().set_sse_description(sse).build();
        let original = Original { recovery_point: point, resource_arn: TABLE, table: &table };
        let scope = Scope { account: "111122223333".to_owned(), region: region.to_owned() };
        choose(wanted, original, &scope)
    }

    #[rstest]
    #[case::owned(None, TableKey::AwsOwned)]
    #[case::managed(Some(OWN), TableKey::AwsManaged)]
    #[case::customer(Some(KEY), TableKey::Customer(KEY.to_owned()))]
    fn a_restored_table_has_the_originals_key_when_nothing_is_said(
        #[case] original: Option<&str>,
        #[case] key: TableKey,
    ) {
        assert_eq!(chosen(&Encryption::AsOriginal, POINT, original, "eu-central-1"), Ok(key));
    }

    #[test]
    fn a_restore_in_another_region_fails_when_no_encryption_is_said() {
        for key in [None, Some(OWN), Some(KEY)] {
            let failure = chosen(&Encryption::AsOriginal, POINT, key, "eu-west-1").unwrap_err();
            assert!(failure.message.contains("encryption key must be specified"), "{failure:?}");
        }
        let said = [Encryption::AwsOwned, Encryption::AwsManaged];
        let keys = said.map(|said| chosen(&said, POINT, Some(KEY), "eu-west-1"));
        assert_eq!(keys, [Ok(TableKey::AwsOwned), Ok(TableKey::AwsManaged)]);
    }

    #[test]
    fn a_restore_with_a_key_of_another_region_fails() {
        let wanted = Encryption::Customer(KEY.to_owned());
        assert_eq!(chosen(&wanted, POINT, None, "eu-west-1").unwrap_err().category, "KMS_KEY_ERROR");
        assert_eq!(chosen(&wanted, POINT, None, "eu-central-1"), Ok(TableKey::Customer(KEY.to_owned())));
    }

    #[test]
    fn a_backup_without_advanced_features_comes_back_with_an_aws_owned_key() {
        let point = format!("{TABLE}/backup/01736143200000-ab");
        assert_eq!(
            chosen(&Encryption::AsOriginal, &point, Some(KEY), "eu-central-1"),
            Ok(TableKey::AwsOwned)
        );
        let managed = chosen(&Encryption::AwsManaged, &point, Some(KEY), "eu-central-1");
        assert_eq!(managed, Ok(TableKey::AwsManaged));
    }
}
