//! What retention must know of copies: which of them still need their source.

use super::{Copies, CopyState, Item};
use crate::catalog::CatalogError;
use crate::chain::{Flag, PerFlag};
use crate::id::{RecoveryPointArn, VaultArn};
use crate::retention::{Keep, KnownCopies, KnownCopy};

impl Copies {
    /// How the wanted copies, each a source and a target vault, stand. One whose state cannot be read is not settled.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn standing(
        &self,
        wanted: &[(RecoveryPointArn, VaultArn)],
    ) -> Result<KnownCopies, CatalogError> {
        Ok(self.items(wanted).await?.iter().filter_map(standing).collect())
    }

    /// How all copies of a point stand that were ever wanted, read consistently. One whose state cannot be read is not settled.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn standing_of(&self, source: &RecoveryPointArn) -> Result<Vec<KnownCopy>, CatalogError> {
        Ok(self.items_of(source).await?.iter().filter_map(standing).collect())
    }

    /// The copies that are still to come although their points do not name them, as the index has them (eventually
    /// consistent).
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn asked(&self) -> Result<KnownCopies, CatalogError> {
        let missing = self.missing(None).await?.into_iter();
        let asked = missing.filter(|record| record.backfill.is_some() && !record.state.is_settled());
        Ok(asked
            .map(|record| KnownCopy {
                source: record.source,
                target: record.target,
                settled: false,
                backfill: record.backfill,
            })
            .collect())
    }
}

/// What an item says that retention must know, as far as it can be read: a source stays on doubt.
fn standing(item: &Item) -> Option<KnownCopy> {
    let text = |name: &str| item.get(name)?.as_s().ok();
    let state: Option<CopyState> =
        item.get("state").and_then(|state| serde_dynamo::from_attribute_value(state.clone()).ok());
    Some(KnownCopy {
        source: text("pk")?.strip_prefix("COPY#")?.parse().ok()?,
        target: text("sk")?.parse().ok()?,
        settled: state.is_some_and(CopyState::is_settled),
        backfill: item
            .get("backfill")
            .map(|keep| serde_dynamo::from_attribute_value(keep.clone()).unwrap_or_else(|_| for_ever())),
    })
}

fn for_ever() -> PerFlag<Keep> {
    let mut keep = PerFlag::default();
    Flag::ALL.into_iter().for_each(|flag| keep.set(flag, Keep::Forever));
    keep
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;
    use rstest::rstest;

    use super::super::key;
    use super::*;

    const SOURCE: &str = "arn:aws:backup:eu-central-1:111122223333:recovery-point:0b2f";
    const TARGET: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";

    fn map(entries: &[(&str, AttributeValue)]) -> Item {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[rstest]
    #[case::waiting(&[("state", "queued")], false)]
    #[case::there(&[("state", "usable")], true)]
    #[case::given_up(&[("state", "given_up")], true)]
    #[case::of_a_later_version(&[("state", "sealed_again")], false)]
    #[case::without_a_state(&[], false)]
    fn only_a_state_that_can_be_read_settles_a_copy(#[case] says: &[(&str, &str)], #[case] settled: bool) {
        let mut item = key(&SOURCE.parse().unwrap(), &TARGET.parse().unwrap()).attributes();
        item.extend(
            says.iter().map(|(name, value)| ((*name).to_owned(), AttributeValue::S((*value).into()))),
        );
        let copy = standing(&item).unwrap();
        assert_eq!((copy.settled, copy.backfill), (settled, None));
        assert_eq!((copy.source.as_str(), copy.target.as_str()), (SOURCE, TARGET));
    }

    #[test]
    fn a_keep_that_cannot_be_read_keeps_its_source_for_ever() {
        let days = |n: &str| AttributeValue::M(map(&[("days", AttributeValue::N(n.to_owned()))]));
        let read = |keep: AttributeValue| {
            let mut item = key(&SOURCE.parse().unwrap(), &TARGET.parse().unwrap()).attributes();
            item.insert("backfill".to_owned(), keep);
            standing(&item).unwrap().backfill.unwrap()
        };
        let mut seven = PerFlag::default();
        seven.set(Flag::D, Keep::Days(7));
        assert_eq!(read(AttributeValue::M(map(&[("daily", days("7"))]))), seven);
        let unknown = map(&[("daily", AttributeValue::M(map(&[("moons", AttributeValue::N("1".into()))])))]);
        assert_eq!(read(AttributeValue::M(unknown)), for_ever());
    }
}
