//! Copies in the catalog: what is wanted in each target vault, and what became of it.
//!
//! A record is the work list and the memory at once. As long as its copy is not there it is listed in the index, by
//! destination, in the order in which copies are due. Running copies also hold a *slot* of their destination and the *lock* of
//! their table, both taken and given back in one transaction with the record: so there are never more jobs than slots, and
//! never two of one table, however many invocations there are and wherever one of them dies.

mod newest;
mod record;
mod slots;
mod standing;

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Deserialize;

pub use newest::NewestCopy;
pub use record::{CopyRecord, CopyState};
pub use slots::Slot;

use super::item::{Item, Key};
use super::transaction::{Condition, Write};
use super::{Catalog, CatalogError};
use crate::copying::Destination;
use crate::id::{RecoveryPointArn, TableArn, VaultArn};

const CONCURRENT: usize = 8;
/// Copies that are read at a time when those that are due are looked for.
const PAGE: i32 = 50;
/// How many partitions of the index the copies to one destination are spread over; all of one table are in one.
const SHARDS: u32 = 8;
/// The destinations that copies were ever wanted at.
const DESTINATIONS: &str = "COPY_DESTINATIONS";
const TO: &str = "TO#";

/// The catalog's items about copies.
#[derive(Clone, Debug)]
pub struct Copies(Catalog);

impl Catalog {
    /// The items about copies.
    pub fn copies(&self) -> Copies {
        Copies(self.clone())
    }
}

impl Copies {
    /// What the catalog knows of the wanted copies. An item that it cannot read counts as not known.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn known(
        &self,
        wanted: &[(RecoveryPointArn, VaultArn)],
    ) -> Result<HashMap<(RecoveryPointArn, VaultArn), CopyRecord>, CatalogError> {
        let records = self.items(wanted).await?.into_iter().filter_map(|item| self.readable(item));
        Ok(records.map(|record| ((record.source.clone(), record.target.clone()), record)).collect())
    }

    async fn items(&self, wanted: &[(RecoveryPointArn, VaultArn)]) -> Result<Vec<Item>, CatalogError> {
        self.0.get_all(wanted.iter().map(|(source, target)| key(source, target))).await
    }

    /// One copy, read consistently.
    ///
    /// # Errors
    /// When DynamoDB refuses, or the item cannot be read.
    pub async fn get(
        &self,
        source: &RecoveryPointArn,
        target: &VaultArn,
    ) -> Result<Option<CopyRecord>, CatalogError> {
        self.0.get(&key(source, target)).await
    }

    /// Every copy that is wanted of a point, settled or not, read consistently.
    ///
    /// # Errors
    /// When DynamoDB refuses, or an item cannot be read.
    pub async fn of_source(&self, source: &RecoveryPointArn) -> Result<Vec<CopyRecord>, CatalogError> {
        self.0.list(&partition(source), "arn:", None).await
    }

    async fn items_of(&self, source: &RecoveryPointArn) -> Result<Vec<Item>, CatalogError> {
        self.0.items(&partition(source), "arn:", None).await
    }

    /// Every copy that is not there: those on their way, and those that came to nothing and that no later copy of the table to
    /// the same vault has made up for; of one table or of all. In no particular order, as the index has them (eventually
    /// consistent).
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn missing(&self, table: Option<&TableArn>) -> Result<Vec<CopyRecord>, CatalogError> {
        let mut missing = Vec::new();
        for destination in self.destinations().await? {
            missing.extend(self.missing_at(&destination, table).await?);
        }
        Ok(missing)
    }

    /// The same of one destination.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn missing_at(
        &self,
        destination: &Destination,
        table: Option<&TableArn>,
    ) -> Result<Vec<CopyRecord>, CatalogError> {
        let shards: Vec<u32> = table.map_or_else(|| (0..SHARDS).collect(), |table| vec![shard_of(table)]);
        let mut missing = Vec::new();
        for shard in shards {
            let items = self.0.index(&index_partition(destination, shard)).await?;
            missing.extend(items.into_iter().filter_map(|item| self.readable(item)));
        }
        missing.retain(|record| table.is_none_or(|table| record.table == *table));
        Ok(missing)
    }

    /// Copies to a destination that are due at `now` and that `accept` takes, up to so many of each partition of the index;
    /// each partition is asked oldest first.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn due(
        &self,
        destination: &Destination,
        now: Timestamp,
        most: usize,
        mut accept: impl FnMut(&CopyRecord) -> bool,
    ) -> Result<Vec<CopyRecord>, CatalogError> {
        let text = |text: String| AttributeValue::S(text);
        let mut due = Vec::new();
        for shard in 0..SHARDS {
            let query = self
                .0
                .client
                .query()
                .index_name("gsi1")
                .key_condition_expression("gsi1pk = :partition AND gsi1sk BETWEEN :from AND :until")
                .expression_attribute_values(":partition", text(index_partition(destination, shard)))
                .expression_attribute_values(":from", text(record::due_prefix(None)))
                .expression_attribute_values(":until", text(record::due_prefix(Some(now))));
            let (mut found, mut start) = (0, None);
            loop {
                let (items, next) = self.0.page(&query, PAGE, start).await?;
                let records = items.into_iter().filter_map(|item| self.readable(item));
                let taken: Vec<_> = records.filter(|record| accept(record)).take(most - found).collect();
                found += taken.len();
                due.extend(taken);
                start = next;
                if start.is_none() || found >= most {
                    break;
                }
            }
        }
        Ok(due)
    }

    /// Where copies were ever wanted, in order, read consistently.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn destinations(&self) -> Result<Vec<Destination>, CatalogError> {
        let all: Vec<DestinationItem> = self.0.list(DESTINATIONS, TO, None).await?;
        Ok(all.into_iter().map(|item| item.destination).collect())
    }

    /// Notes copies that are wanted; what is noted already stays as it is. Gives those that are new.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn note(&self, wanted: Vec<CopyRecord>) -> Result<Vec<CopyRecord>, CatalogError> {
        let destinations: HashSet<Destination> = wanted.iter().map(CopyRecord::destination).collect();
        for destination in destinations {
            let mut item = Key::new(DESTINATIONS, format!("{TO}{destination}")).attributes();
            item.insert("destination".to_owned(), self.0.attribute(&destination)?);
            self.0.put(item).await?;
        }
        stream::iter(wanted)
            .map(|record| async move {
                let noted =
                    self.0.put_when(self.item(&record)?, Some("attribute_not_exists(pk)"), HashMap::new());
                match noted.await {
                    Ok(()) => Ok(Some(record)),
                    Err(error) if error.is_condition_failed() => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(CONCURRENT)
            .try_filter_map(|noted| async move { Ok(noted) })
            .try_collect()
            .await
    }

    /// Puts a changed record in place of the one that was read; `None` when that is not how it stands any more. A record that
    /// holds a slot gives it back when it runs no longer.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn change(
        &self,
        changed: CopyRecord,
        read: &CopyRecord,
    ) -> Result<Option<CopyRecord>, CatalogError> {
        let (changed, replaced) = self.replace(changed, read)?;
        let slot = slots::held(read).filter(|_| changed.state != CopyState::Running);
        let Some(slot) = slot else { return Ok(self.0.transact(vec![replaced]).await?.then_some(changed)) };
        let [slot_back, lock_back] = slots::freed(&slot);
        if self.0.transact(vec![replaced.clone(), slot_back, lock_back]).await? {
            return Ok(Some(changed));
        }
        // What another copy has taken since keeps nobody from writing down how this one stands.
        if !self.0.transact(vec![replaced]).await? {
            return Ok(None);
        }
        self.free(&slot).await?;
        Ok(Some(changed))
    }

    /// Takes a slot of the destination and the lock of the table for a copy that is about to run; `None` when somebody else has
    /// one of them, or the record is not as it was read.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn claim(
        &self,
        claimed: CopyRecord,
        read: &CopyRecord,
    ) -> Result<Option<CopyRecord>, CatalogError> {
        let (claimed, replaced) = self.replace(claimed, read)?;
        let mut writes = vec![replaced];
        for item in slots::taken(&self.0, &claimed)? {
            writes.push(Write::Put(item, Some(Condition::absent())));
        }
        Ok(self.0.transact(writes).await?.then_some(claimed))
    }

    /// The slots that are taken, read consistently.
    ///
    /// # Errors
    /// When DynamoDB refuses, or an item cannot be read.
    pub async fn slots(&self) -> Result<Vec<Slot>, CatalogError> {
        self.0.list(slots::PARTITION, slots::SLOT, None).await
    }

    /// Gives back a slot, and the lock of its table, that its copy holds no longer. What another copy holds by now is left
    /// to it.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn free(&self, slot: &Slot) -> Result<(), CatalogError> {
        for freed in slots::freed(slot) {
            self.0.transact(vec![freed]).await?;
        }
        Ok(())
    }

    /// Forgets the copies of a point that is gone, but for those that are still missing: somebody may ask why. What else an
    /// item says does not matter.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn forget(&self, source: &RecoveryPointArn) -> Result<(), CatalogError> {
        let listed_in_index = |item: &Item| item.contains_key("gsi1pk");
        for item in self.items_of(source).await?.into_iter().filter(|item| !listed_in_index(item)) {
            if let Some(target) = item.get("sk").and_then(|target| target.as_s().ok()) {
                self.0.remove(&Key::new(partition(source), target)).await?;
            }
        }
        Ok(())
    }

    fn replace(&self, changed: CopyRecord, read: &CopyRecord) -> Result<(CopyRecord, Write), CatalogError> {
        let changed = CopyRecord { revision: read.revision + 1, ..changed };
        let unchanged = Condition::new(
            "revision = :revision",
            [(":revision", AttributeValue::N(read.revision.to_string()))],
        );
        let write = Write::Put(self.item(&changed)?, Some(unchanged));
        Ok((changed, write))
    }

    fn item(&self, record: &CopyRecord) -> Result<Item, CatalogError> {
        let mut item = self.0.compose(&key(&record.source, &record.target), record)?;
        if let Some(place) = record.place_in_index() {
            let partition = index_partition(&record.destination(), shard_of(&record.table));
            item.insert("gsi1pk".to_owned(), AttributeValue::S(partition));
            item.insert("gsi1sk".to_owned(), AttributeValue::S(place));
        }
        Ok(item)
    }

    /// An item that cannot be read must not stop the others.
    fn readable(&self, item: Item) -> Option<CopyRecord> {
        self.0.parse(item).inspect_err(|error| tracing::warn!(%error, "a copy cannot be read")).ok()
    }
}

#[derive(Debug, Deserialize)]
struct DestinationItem {
    destination: Destination,
}

fn partition(source: &RecoveryPointArn) -> String {
    format!("COPY#{source}")
}

fn key(source: &RecoveryPointArn, target: &VaultArn) -> Key {
    Key::new(partition(source), target.to_string())
}

fn index_partition(destination: &Destination, shard: u32) -> String {
    format!("COPIES#{destination}#{shard}")
}

/// Any fixed function of the ARN will do.
fn shard_of(table: &TableArn) -> u32 {
    table.as_str().bytes().fold(0, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
        % SHARDS
}
