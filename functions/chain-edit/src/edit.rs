//! One point: its core sealed again, stored, written into its tags, and read back.

use std::time::Duration;

use dynachain::aws::AwsError;
use dynachain::catalog::{CatalogError, EditRecord};
use dynachain::chain::{ChainKind, ListedPoint, RestorePoint};
use dynachain::metadata::{Core, NoTagRoom, PartName, Sealer, lay_out_core};
use dynachain::point_reader::SealedCore;
use jiff::Timestamp;

use crate::place::Place;
use crate::plan::Edit;

/// How often tags that were just written are read, a little later each time: a list may lag behind (AWS Backup says nothing
/// of its consistency).
const READS: u32 = 4;

/// Why a point was not edited. Its tags are as before, unless the edit stands in the catalog as begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("AWS: {0}")]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error("{0}")]
    NoRoom(#[from] NoTagRoom),
    #[error("the new metadata could not be sealed: {0}")]
    NotSealed(String),
    #[error("it is not what the plan was made for any more: {0}; ask again")]
    Changed(String),
    #[error(
        "the catalog has an edit for it that does not prove to be its own: {0}; the tags are left as they are"
    )]
    Unsound(String),
    #[error("its tags do not read as written yet; the edit is stored, and finished by the next run")]
    NotVerified,
}

impl Trouble {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Aws(_) => "edit_refused",
            Self::Catalog(_) => "catalog_unavailable",
            Self::NoRoom(_) => "no_tag_room",
            Self::NotSealed(_) => "not_sealed",
            Self::Changed(_) => "changed",
            Self::Unsound(_) => "edit_unsound",
            Self::NotVerified => "not_verified",
        }
    }
}

/// Edits a point. Its own tags decide, whatever the catalog said when the plan was made.
pub(crate) async fn edit(place: &Place, edit: &Edit, now: Timestamp) -> Result<(), Trouble> {
    let listed = &edit.before.listed;
    let (point, sealed) = place.points.open_one(listed.clone()).await?;
    let sealed = match sealed {
        Some(sealed) if point.chain == edit.before.chain && point.core == edit.before.core => sealed,
        _ => {
            // Whatever the catalog remembers of it is wrong.
            place.catalog.points().forget_core(&listed.arn).await?;
            return Err(Trouble::Changed(point.doubt.unwrap_or_else(|| "its metadata changed".to_owned())));
        }
    };
    let record = seal(listed, sealed, &edit.core, now)?;
    place.catalog.edits().begin(&record).await?;
    carry_out(place, listed, &record).await
}

/// Seals the new core under the point's own data key, with all that this version does not know about the old one.
fn seal(
    listed: &ListedPoint,
    sealed: SealedCore,
    core: &Core,
    now: Timestamp,
) -> Result<EditRecord, Trouble> {
    let SealedCore { key, core: old, tags } = sealed;
    let replaces = EditRecord::core_in(&tags);
    let mut new = old;
    new.value = core.clone();
    let encoded = new.encode().map_err(|error| Trouble::NotSealed(error.to_string()))?;
    let record = Sealer::new(&key, &listed.table).seal(PartName::Core, &encoded);
    let record = record.map_err(|error| Trouble::NotSealed(error.to_string()))?;
    let tags = lay_out_core(&record, &tags)?;
    Ok(EditRecord {
        recovery_point: listed.arn.clone(),
        new_tags: tags.set,
        old_tags: tags.remove,
        replaces,
        begun_at: now,
    })
}

/// Writes the tags of an edit that is stored, as often as need be, and forgets it once they read as written.
pub(crate) async fn carry_out(place: &Place, listed: &ListedPoint, edit: &EditRecord) -> Result<(), Trouble> {
    let arn = &listed.arn;
    place.tagger.add(arn, edit.new_tags.clone()).await?;
    place.tagger.remove(arn, &edit.old_tags).await?;
    let point = written(place, listed, edit).await?;
    match point.memorable() {
        Some(core) => place.catalog.points().remember(arn, core).await?,
        None => place.catalog.points().forget_core(arn).await?,
    }
    place.catalog.edits().end(arn).await?;
    tracing::info!(point = %arn, "edited");
    Ok(())
}

/// The point as its tags say after the edit.
async fn written(place: &Place, listed: &ListedPoint, edit: &EditRecord) -> Result<RestorePoint, Trouble> {
    for read in 0..READS {
        // Not before the first look. AWS tells nobody when tags that it has taken show in its answers.
        tokio::time::sleep(Duration::from_millis(300) * read).await;
        let (point, sealed) = place.points.open_one(listed.clone()).await?;
        let is_written = sealed.is_some_and(|sealed| {
            edit.new_tags.iter().all(|(tag, value)| sealed.tags.get(tag) == Some(value))
                && edit.old_tags.iter().all(|tag| !sealed.tags.contains_key(tag))
        });
        if is_written && matches!(point.chain, ChainKind::Regular | ChainKind::Copy) {
            return Ok(point);
        }
    }
    Err(Trouble::NotVerified)
}
