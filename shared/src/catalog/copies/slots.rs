//! Slots: so many jobs may run to a destination at once, and one of each table.
//!
//! Each is an item that is there while it is taken. All of them lie in one partition: there are few, and one consistent read
//! tells what runs.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::CopyRecord;
use crate::catalog::item::{Item, Key};
use crate::catalog::transaction::{Condition, Write};
use crate::catalog::{Catalog, CatalogError};
use crate::copying::Destination;
use crate::id::{RecoveryPointArn, TableArn, VaultArn};

pub(super) const PARTITION: &str = "COPY_SLOTS";
pub(super) const SLOT: &str = "SLOT#";

/// A slot that is taken, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Where the job counts.
    pub destination: Destination,
    /// Which of the destination's slots, from 0.
    pub number: u32,
    /// The table that is copied; no other job of it may run.
    pub table: TableArn,
    /// The point that is copied.
    pub source: RecoveryPointArn,
    /// The vault that it is copied to.
    pub target: VaultArn,
}

impl Slot {
    fn of(record: &CopyRecord) -> Option<Self> {
        Some(Self {
            destination: record.destination(),
            number: record.slot?,
            table: record.table.clone(),
            source: record.source.clone(),
            target: record.target.clone(),
        })
    }

    fn keys(&self) -> [Key; 2] {
        let number = self.number;
        [
            Key::new(PARTITION, format!("{SLOT}{}#{number:03}", self.destination)),
            Key::new(PARTITION, format!("TABLE#{}", self.table)),
        ]
    }
}

/// The items of a copy that takes its slot and its table's lock.
pub(super) fn taken(catalog: &Catalog, record: &CopyRecord) -> Result<Vec<Item>, CatalogError> {
    let slot = Slot::of(record);
    let keyed = slot.iter().flat_map(|slot| slot.keys().map(move |key| (key, slot)));
    keyed.map(|(key, slot)| catalog.compose(&key, slot)).collect()
}

/// The slot that a copy holds.
pub(super) fn held(record: &CopyRecord) -> Option<Slot> {
    Slot::of(record)
}

/// The writes that give back a slot and the lock of its table. Each is for its own copy: whoever has taken one since keeps it.
pub(super) fn freed(slot: &Slot) -> [Write; 2] {
    slot.keys().map(|key| Write::Delete(key, Some(of_the_same_copy(slot))))
}

fn of_the_same_copy(slot: &Slot) -> Condition {
    Condition::new(
        "attribute_not_exists(pk) OR (#source = :source AND target = :target)",
        [
            (":source", AttributeValue::S(slot.source.to_string())),
            (":target", AttributeValue::S(slot.target.to_string())),
        ],
    )
}
