//! Reading restore points whole: what the vault lists, what the catalog remembers, what the tags prove.

mod configs;
mod tables;

pub use configs::{SealedConfig, WholePoint};

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};

use crate::aws::backup::{PointState, VaultReader};
use crate::aws::{AwsError, Fault, KeyOpener};
use crate::catalog::{CatalogError, Points};
use crate::chain::{ListedPoint, Reading, RestorePoint};
use crate::error::{ErrorType, Refusal};
use crate::evolving::Evolving;
use crate::id::{RecoveryPointArn, TableArn};
use crate::metadata::{Core, DataKey, OpenError, Part, PartName, PointTags, Sealer};

/// Points whose tags are read at the same time; the rate of list calls is limited on its own.
const CONCURRENT: usize = 16;

/// A core as it lies in its point's tags, ready to be sealed again.
#[derive(Clone, Debug)]
pub struct SealedCore {
    /// The data key that sealed it.
    pub key: DataKey,
    /// The core, with all that this version does not know about it.
    pub core: Evolving<Core>,
    /// All tags of the point.
    pub tags: BTreeMap<String, String>,
}

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
        let (mut points, unknown) = known(listed, catalog).await?;
        points.extend(self.identify_by_tags(unknown).await);
        Ok(points)
    }

    /// As [`Self::identify`], and the catalog remembers what was read.
    ///
    /// # Errors
    /// When the catalog cannot be read or written.
    pub async fn identify_and_remember(
        &self,
        listed: Vec<ListedPoint>,
        catalog: &Points,
    ) -> Result<Vec<RestorePoint>, CatalogError> {
        let (mut points, unknown) = known(listed, catalog).await?;
        let read = self.identify_by_tags(unknown).await;
        // One that is being deleted would be remembered beyond its end.
        let lasting = read.iter().filter(|point| !point.listed.is_being_deleted());
        catalog.remember_all(lasting).await?;
        points.extend(read);
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

    /// What one listed point is, by its own tags, and how its core was sealed where it is one of a chain or a manual backup.
    ///
    /// # Errors
    /// When its tags cannot be read.
    pub async fn open_one(
        &self,
        listed: ListedPoint,
    ) -> Result<(RestorePoint, Option<SealedCore>), AwsError> {
        let tags = self.vault.tags(&listed.arn).await?;
        Ok(self.open_tags(listed, tags).await)
    }

    /// The same, as if the point had these tags.
    pub async fn open_tags(
        &self,
        listed: ListedPoint,
        tags: BTreeMap<String, String>,
    ) -> (RestorePoint, Option<SealedCore>) {
        let found = PointTags::read(&tags);
        let (reading, sealed) = match self.unseal(&found, &listed.table).await {
            Ok((key, core)) => {
                let reading = Reading::Opened(Box::new(core.value.clone()));
                (reading, Some(SealedCore { key, core, tags }))
            }
            Err(reading) => (reading, None),
        };
        let point = RestorePoint { ignored_tags: found.ignored, ..RestorePoint::identify(listed, reading) };
        let sealed = sealed.filter(|_| point.core.is_some());
        (point, sealed)
    }

    /// A point of the vault that a request names at `path`.
    ///
    /// # Errors
    /// `PointNotFound` when the vault does not have it; what AWS said otherwise.
    pub async fn find(&self, point: &RecoveryPointArn, path: &str) -> Result<PointState, Refusal> {
        let missing = |more: String| {
            let message = format!("{point} is not in the vault {}{more}", self.vault.name());
            Refusal::at(ErrorType::PointNotFound, path, message)
        };
        match self.vault.point(point).await {
            Ok(Some(point)) => Ok(point),
            Ok(None) => Err(missing(String::new())),
            // AWS Backup says so of what does not exist, too.
            Err(error) if error.fault() == Fault::AccessDenied => {
                Err(missing(format!(", or this function's role may not look at it: {error}")))
            }
            Err(error) => Err(error.refusal()),
        }
    }

    /// Opens the core among a point's tags.
    async fn open(&self, tags: &PointTags, table: &TableArn) -> Reading {
        match self.unseal(tags, table).await {
            Ok((_, core)) => Reading::Opened(Box::new(core.value)),
            Err(reading) => reading,
        }
    }

    /// The core among a point's tags and the key that opens it, or what reading it comes to.
    async fn unseal(&self, tags: &PointTags, table: &TableArn) -> Result<(DataKey, Evolving<Core>), Reading> {
        if tags.is_empty() {
            return Err(Reading::NoMetadata);
        }
        let unreadable = |why: String| Err(Reading::Unreadable(why));
        let record = match &tags.core {
            Part::Whole(record) => record,
            Part::Absent => return unreadable("it has no dynachain:core tags".to_owned()),
            Part::Missing { pieces } => {
                return unreadable(format!("pieces of its dynachain:core tags are missing: {pieces:?}"));
            }
            Part::Garbled => return unreadable("its dynachain:core tags are garbled".to_owned()),
        };
        let key = match self.keys.open(&tags.keys, table).await {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(%table, %error, "a data key cannot be unwrapped");
                return Err(unopened(&error));
            }
        };
        match Sealer::new(&key, table).open(PartName::Core, record) {
            Ok(encoded) => match Evolving::<Core>::decode(&encoded) {
                Ok(core) => Ok((key, core)),
                Err(error) => unreadable(format!("a newer dynachain made it: {error}")),
            },
            Err(error @ OpenError::NotAuthentic) => {
                Err(Reading::NotAuthentic(format!("its metadata: {error}")))
            }
            Err(error) => unreadable(format!("its metadata: {error}")),
        }
    }
}

/// What those of the points are that the catalog remembers, and the others.
async fn known(
    listed: Vec<ListedPoint>,
    catalog: &Points,
) -> Result<(Vec<RestorePoint>, Vec<ListedPoint>), CatalogError> {
    let arns: Vec<_> = listed.iter().map(|point| point.arn.clone()).collect();
    let mut known = catalog.known(&arns).await?;
    let (mut points, mut unknown) = (Vec::with_capacity(listed.len()), Vec::new());
    for point in listed {
        match known.remove(&point.arn) {
            Some(core) => points.push(RestorePoint::identify(point, Reading::Opened(core))),
            None => unknown.push(point),
        }
    }
    Ok((points, unknown))
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
