//! Reading restore points whole: what the vault lists, what the catalog remembers, what the tags prove.

mod configs;
mod tables;

pub use configs::{SealedConfig, WholePoint};

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};

use crate::aws::backup::VaultReader;
use crate::aws::{AwsError, Fault, KeyOpener};
use crate::catalog::{CatalogError, Points};
use crate::chain::{ListedPoint, Reading, RestorePoint};
use crate::evolving::Evolving;
use crate::id::TableArn;
use crate::metadata::{Core, DataKey, OpenError, Part, PartName, PointTags, Sealer};

/// Points whose tags are read at the same time; the rate of list calls is limited on its own.
const CONCURRENT: usize = 16;

/// Reads and opens the restore points of one vault.
#[derive(Clone, Debug)]
pub struct PointReader {
    vault: VaultReader,
    keys: KeyOpener,
}

impl PointReader {
    /// Reads the points of `vault`, opening their metadata with `keys`.
    pub fn new(vault: VaultReader, keys: KeyOpener) -> Self {
        Self { vault, keys }
    }

    /// The vault.
    pub fn vault(&self) -> &VaultReader {
        &self.vault
    }

    /// The same for another vault of the Region.
    #[must_use]
    pub fn of(&self, vault: &str) -> Self {
        Self { vault: self.vault.of(vault), ..self.clone() }
    }

    /// What listed points are; the tags are read only of those that the catalog does not remember.
    ///
    /// # Errors
    /// When the catalog cannot be read. Trouble with one point makes that point unreadable.
    pub async fn identify(
        &self,
        listed: Vec<ListedPoint>,
        catalog: &Points,
    ) -> Result<Vec<RestorePoint>, CatalogError> {
        let arns: Vec<_> = listed.iter().map(|point| point.arn.clone()).collect();
        let mut known = catalog.known(&arns).await?;
        let (remembered, unknown): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|point| known.contains_key(&point.arn));
        let mut points: Vec<_> = remembered
            .into_iter()
            .filter_map(|point| {
                known.remove(&point.arn).map(|core| RestorePoint::identify(point, Reading::Opened(core)))
            })
            .collect();
        points.extend(self.identify_by_tags(unknown).await);
        Ok(points)
    }

    /// What listed points are, by their own tags alone.
    pub async fn identify_by_tags(&self, listed: Vec<ListedPoint>) -> Vec<RestorePoint> {
        stream::iter(listed)
            .map(|point| self.identify_one(point))
            .buffer_unordered(CONCURRENT)
            .collect()
            .await
    }

    /// What one listed point is, by its own tags.
    pub async fn identify_one(&self, listed: ListedPoint) -> RestorePoint {
        match self.vault.tags(&listed.arn).await {
            Ok(tags) => self.identify_with(listed, &tags).await,
            Err(error) => {
                tracing::warn!(point = %listed.arn, %error, "tags cannot be read");
                let reading = Reading::Unreadable(format!("its tags cannot be read: {}", error.summary()));
                RestorePoint::identify(listed, reading)
            }
        }
    }

    /// What one listed point is, by its tags, which somebody has read already.
    pub async fn identify_with(&self, listed: ListedPoint, tags: &BTreeMap<String, String>) -> RestorePoint {
        let tags = PointTags::read(tags);
        let reading = self.open(&tags, &listed.table).await;
        RestorePoint { ignored_tags: tags.ignored, ..RestorePoint::identify(listed, reading) }
    }

    /// The data key of a point with these tags.
    ///
    /// # Errors
    /// What KMS said, when this stack's key does not unwrap it.
    pub async fn data_key(&self, tags: &PointTags, table: &TableArn) -> Result<DataKey, AwsError> {
        self.keys.open(&tags.keys, table).await
    }

    /// Opens the core among a point's tags.
    async fn open(&self, tags: &PointTags, table: &TableArn) -> Reading {
        if tags.is_empty() {
            return Reading::NoMetadata;
        }
        let record = match &tags.core {
            Part::Whole(record) => record,
            Part::Absent => return Reading::Unreadable("it has no dynachain:core tags".to_owned()),
            Part::Missing { pieces } => {
                return Reading::Unreadable(format!(
                    "pieces of its dynachain:core tags are missing: {pieces:?}"
                ));
            }
            Part::Garbled => return Reading::Unreadable("its dynachain:core tags are garbled".to_owned()),
        };
        let key = match self.keys.open(&tags.keys, table).await {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(%table, %error, "a data key cannot be unwrapped");
                return unopened(&error);
            }
        };
        match Sealer::new(&key, table).open(PartName::Core, record) {
            Ok(encoded) => match Evolving::<Core>::decode(&encoded) {
                Ok(core) => Reading::Opened(Box::new(core.value)),
                Err(error) => Reading::Unreadable(format!("a newer dynachain made it: {error}")),
            },
            Err(error @ OpenError::NotAuthentic) => Reading::NotAuthentic(format!("its metadata: {error}")),
            Err(error) => Reading::Unreadable(format!("its metadata: {error}")),
        }
    }
}

/// What a data key that KMS does not unwrap says about its point. Without the request id: two reports of one trouble read
/// the same.
fn unopened(error: &AwsError) -> Reading {
    let said = error.summary();
    match error.fault() {
        // KMS says so of a wrapped key that was changed, or is of another table's account or Region.
        _ if error.code() == "InvalidCiphertextException" => {
            Reading::NotAuthentic(format!("its data key is not authentic: {said}"))
        }
        Fault::AccessDenied => Reading::Unreadable(format!("this stack's key may not open it: {said}")),
        _ => Reading::Unreadable(format!("its data key cannot be unwrapped: {said}")),
    }
}
