//! Restore points in the catalog: their decoded cores by ARN, so that a vault is read without asking for every tag.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::batch::{READ_BATCH, WRITE_BATCH};
use super::item::{Item, Key};
use super::{Catalog, CatalogError};
use crate::chain::RestorePoint;
use crate::evolving::Evolving;
use crate::id::{RecoveryPointArn, TableArn, VaultArn};
use crate::metadata::Core;

/// How many partitions of the index the points are spread over.
const SHARDS: u32 = 16;
const CONCURRENT: usize = 8;

/// The catalog's items about restore points. They are a cache: whatever they say, the vault knows better.
#[derive(Clone, Debug)]
pub struct Points(Catalog);

impl Catalog {
    /// The items about restore points.
    pub fn points(&self) -> Points {
        Points(self.clone())
    }
}

impl Points {
    /// The cores of those of the points that the catalog knows. Rows it cannot read count as not known.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn known(
        &self,
        points: &[RecoveryPointArn],
    ) -> Result<HashMap<RecoveryPointArn, Box<Core>>, CatalogError> {
        let batches: Vec<_> = points.chunks(READ_BATCH).map(<[_]>::to_vec).collect();
        stream::iter(batches.into_iter().map(|batch| self.known_batch(batch)))
            .buffer_unordered(CONCURRENT)
            .try_fold(HashMap::new(), |mut all, some| async {
                all.extend(some);
                Ok(all)
            })
            .await
    }

    async fn known_batch(
        &self,
        points: Vec<RecoveryPointArn>,
    ) -> Result<HashMap<RecoveryPointArn, Box<Core>>, CatalogError> {
        let items = self.0.get_batch(points.iter().map(key)).await?;
        Ok(items.iter().filter_map(core_of).collect())
    }

    /// Remembers a point's core.
    ///
    /// # Errors
    /// When the core cannot be encoded, or DynamoDB refuses.
    pub async fn remember(&self, point: &RecoveryPointArn, core: &Core) -> Result<(), CatalogError> {
        self.0.put(self.row(point, core)?).await
    }

    /// Remembers the cores of those of the points that may be remembered, in few calls. When this fails, some are.
    ///
    /// # Errors
    /// When a core cannot be encoded, or DynamoDB refuses.
    pub async fn remember_all<'a>(
        &self,
        points: impl IntoIterator<Item = &'a RestorePoint>,
    ) -> Result<(), CatalogError> {
        // A batch must not name one key twice.
        let cores: BTreeMap<_, _> =
            points.into_iter().filter_map(|point| Some((&point.listed.arn, point.memorable()?))).collect();
        let rows: Vec<Item> =
            cores.into_iter().map(|(point, core)| self.row(point, core)).collect::<Result<_, _>>()?;
        let batches: Vec<_> = rows.chunks(WRITE_BATCH).map(<[_]>::to_vec).collect();
        stream::iter(batches)
            .map(Ok)
            .try_for_each_concurrent(CONCURRENT, |batch| self.0.put_batch(batch))
            .await
    }

    /// The row about a point.
    fn row(&self, point: &RecoveryPointArn, core: &Core) -> Result<Item, CatalogError> {
        let key = key(point);
        let encoded = Evolving::new(core).encode().map_err(|error| self.0.unwritable(&key, &error))?;
        let mut item = key.attributes();
        item.insert("recovery_point".to_owned(), AttributeValue::S(point.to_string()));
        item.insert("core".to_owned(), AttributeValue::B(Blob::new(encoded)));
        item.insert("gsi1pk".to_owned(), AttributeValue::S(partition(shard_of(point))));
        item.insert("gsi1sk".to_owned(), AttributeValue::S(point.to_string()));
        Ok(item)
    }

    /// Forgets what a point was, and keeps the configuration that may be stored for it.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn forget_core(&self, point: &RecoveryPointArn) -> Result<(), CatalogError> {
        self.0.remove(&key(point)).await
    }

    /// Forgets a point, the rest of its configuration included.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn forget(&self, point: &RecoveryPointArn) -> Result<(), CatalogError> {
        self.0.remove(&key(point)).await?;
        self.0.remove(&config_key(point)).await
    }

    /// Keeps the sealed configuration of a point that has no room for it in its tags.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn put_config(&self, point: &RecoveryPointArn, sealed: &[u8]) -> Result<(), CatalogError> {
        let mut item = config_key(point).attributes();
        item.insert("config".to_owned(), AttributeValue::B(Blob::new(sealed)));
        self.0.put(item).await
    }

    /// The sealed configuration that is kept for a point whose tags have no room for it.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn config(&self, point: &RecoveryPointArn) -> Result<Option<Vec<u8>>, CatalogError> {
        Ok(sealed_config(self.0.get_item(&config_key(point)).await?))
    }

    /// Keeps the sealed configuration of a point of another Region whose copy in a vault here has no room for it in its tags.
    /// A copy's ARN is not known before it is there, so it is found by what the copy's own metadata says: see
    /// [`Points::copied_config`].
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn put_copied_config(
        &self,
        table: &TableArn,
        core: &Core,
        vault: &VaultArn,
        sealed: &[u8],
    ) -> Result<(), CatalogError> {
        let mut item = copied_config_key(table, core, vault).attributes();
        item.insert("config".to_owned(), AttributeValue::B(Blob::new(sealed)));
        self.0.put(item).await
    }

    /// The sealed configuration of a copy of a table with this core in a vault, if it was kept here before the copy was made.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn copied_config(
        &self,
        table: &TableArn,
        core: &Core,
        vault: &VaultArn,
    ) -> Result<Option<Vec<u8>>, CatalogError> {
        let item = match self.0.get_item(&copied_config_key(table, core, vault)).await? {
            Some(item) => Some(item),
            None => self.0.get_item(&shared_config_key(table, core)).await?,
        };
        Ok(sealed_config(item))
    }

    /// Forgets the configuration of a copy in a vault that is gone. One that copies in several vaults share stays.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn forget_copied_config(
        &self,
        table: &TableArn,
        core: &Core,
        vault: &VaultArn,
    ) -> Result<(), CatalogError> {
        self.0.remove(&copied_config_key(table, core, vault)).await?;
        if core.copies.len() > 1 {
            return Ok(());
        }
        self.0.remove(&shared_config_key(table, core)).await
    }

    /// All points that the catalog knows, as its index has them (eventually consistent).
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn all(&self) -> Result<Vec<RecoveryPointArn>, CatalogError> {
        let mut all = Vec::new();
        for shard in 0..SHARDS {
            for item in self.0.index(&partition(shard)).await? {
                let arn = item.get("recovery_point").and_then(|arn| arn.as_s().ok());
                all.extend(arn.and_then(|arn| arn.parse().ok()));
            }
        }
        Ok(all)
    }
}

fn key(point: &RecoveryPointArn) -> Key {
    Key::new(format!("POINT#{point}"), "POINT")
}

fn config_key(point: &RecoveryPointArn) -> Key {
    Key::new(format!("POINT#{point}"), "CONFIG")
}

/// The moment tells the attempt, and so the data key that the configuration is sealed with: copies of two points of one table
/// never share it, whatever the table looked like.
fn copied_config_key(table: &TableArn, core: &Core, vault: &VaultArn) -> Key {
    let Key { pk, sk } = shared_config_key(table, core);
    Key { pk, sk: format!("{sk}#{}", vault.name()) }
}

/// Where it was kept before each vault of a Region had its own: copies in all of them shared it.
fn shared_config_key(table: &TableArn, core: &Core) -> Key {
    Key::new(format!("CONFIG#{table}"), format!("{}#{}", core.started_at, core.config_digest))
}

fn sealed_config(item: Option<Item>) -> Option<Vec<u8>> {
    Some(item?.get("config")?.as_b().ok()?.as_ref().to_vec())
}

fn partition(shard: u32) -> String {
    format!("POINTS#{shard:02}")
}

/// Any fixed function of the ARN will do; the ids in ARNs are random.
fn shard_of(point: &RecoveryPointArn) -> u32 {
    point.as_str().bytes().fold(0, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
        % SHARDS
}

fn core_of(item: &Item) -> Option<(RecoveryPointArn, Box<Core>)> {
    let point = item.get("recovery_point")?.as_s().ok()?.parse().ok()?;
    let encoded = item.get("core")?.as_b().ok()?;
    let core = Evolving::<Core>::decode(encoded.as_ref()).ok()?.value;
    Some((point, Box::new(core)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_spread_over_all_partitions_of_the_index() {
        let mut hit = std::collections::BTreeSet::new();
        for n in 0..400 {
            let arn = format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{n:032x}");
            hit.insert(shard_of(&arn.parse().unwrap()));
        }
        assert_eq!(hit.len(), usize::try_from(SHARDS).unwrap());
    }
}
