//! The configuration of a point's table: from the point's tags, or from the catalog where they had no room for it.

use std::collections::BTreeMap;

use super::PointReader;
use crate::catalog::{CatalogError, Points};
use crate::chain::{ListedPoint, RestorePoint};
use crate::evolving::Evolving;
use crate::id::TableArn;
use crate::metadata::{Core, Digest, Part, PartName, PointTags, Sealer};
use crate::table_config::TableConfig;

/// A configuration as it was sealed, and the data key that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedConfig {
    /// The data key, wrapped for each recipient.
    pub keys: BTreeMap<u8, Vec<u8>>,
    /// The record.
    pub record: Vec<u8>,
}

/// A point, and what it knows about its table.
#[derive(Clone, Debug)]
pub struct WholePoint {
    /// The point.
    pub point: RestorePoint,
    /// The configuration, as it is and as it was sealed; or why there is none.
    pub config: Result<(TableConfig, SealedConfig), String>,
}

impl PointReader {
    /// A listed point by its own tags, with its table's configuration. A configuration that is not the one that the point's
    /// core has the digest of is none.
    ///
    /// # Errors
    /// When the catalog cannot be read. Trouble with the point is a reason in the answer.
    pub async fn whole(&self, listed: ListedPoint, catalog: &Points) -> Result<WholePoint, CatalogError> {
        let tags = match self.vault().tags(&listed.arn).await {
            Ok(tags) => tags,
            Err(error) => {
                let config = Err(format!("the point's tags cannot be read: {}", error.summary()));
                return Ok(WholePoint { point: self.identify_one(listed).await, config });
            }
        };
        let point = self.identify_with(listed, &tags).await;
        let Some(core) = point.core.as_deref() else {
            let config = Err(point
                .doubt
                .clone()
                .unwrap_or_else(|| "the point carries no metadata of dynachain".to_owned()));
            return Ok(WholePoint { point, config });
        };
        let tags = PointTags::read(&tags);
        let table = &point.listed.table;
        let record = match tags.config {
            Part::Whole(record) => Some(record),
            _ => match catalog.config(&point.listed.arn).await? {
                Some(record) => Some(record),
                None => catalog.copied_config(table, core, &point.listed.vault).await?,
            },
        };
        let config = match record {
            Some(record) => {
                let sealed = SealedConfig { keys: tags.keys, record };
                self.checked(sealed, table, core).await
            }
            None => {
                Err("the configuration had no room in the point's tags, and the catalog does not have it"
                    .to_owned())
            }
        };
        Ok(WholePoint { point, config })
    }

    async fn checked(
        &self,
        sealed: SealedConfig,
        table: &TableArn,
        core: &Core,
    ) -> Result<(TableConfig, SealedConfig), String> {
        let encoded = self.unseal_config(&sealed, table).await?;
        if Digest::of(&encoded) != core.config_digest {
            return Err("the configuration is not the one that was recorded with the point".to_owned());
        }
        Ok((decode(&encoded)?, sealed))
    }

    /// Opens a configuration that was checked before.
    ///
    /// # Errors
    /// Why it does not open.
    pub async fn open_config(&self, sealed: &SealedConfig, table: &TableArn) -> Result<TableConfig, String> {
        decode(&self.unseal_config(sealed, table).await?)
    }

    async fn unseal_config(&self, sealed: &SealedConfig, table: &TableArn) -> Result<Vec<u8>, String> {
        let key = self.keys.open(&sealed.keys, table).await;
        let key = key.map_err(|error| format!("the data key cannot be unwrapped: {}", error.summary()))?;
        let opened = Sealer::new(&key, table).open(PartName::Config, &sealed.record);
        opened.map_err(|error| format!("the configuration: {error}"))
    }
}

fn decode(encoded: &[u8]) -> Result<TableConfig, String> {
    let decoded = Evolving::<TableConfig>::decode(encoded);
    decoded
        .map(|config| config.value)
        .map_err(|error| format!("a newer dynachain recorded the configuration: {error}"))
}
