//! Where a table comes from, and where it goes.

use crate::id::TableArn;

/// The table that was backed up, and the one that a restore makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table of the recovery point.
    pub source: TableArn,
    /// The new table.
    pub target: TableArn,
}

/// What Application Auto Scaling scales: one capacity of a table or of one of its indexes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScaledPlace {
    /// The global secondary index; none for the table itself.
    pub index: Option<String>,
    /// `ReadCapacityUnits` or `WriteCapacityUnits`.
    pub capacity: String,
}

impl ScaledPlace {
    /// The resource id as Application Auto Scaling has it (API Reference, `RegisterScalableTarget`).
    pub fn resource_id(&self, table: &TableArn) -> String {
        match &self.index {
            Some(index) => format!("table/{}/index/{index}", table.name()),
            None => format!("table/{}", table.name()),
        }
    }

    /// The scalable dimension.
    pub fn dimension(&self) -> String {
        let of = if self.index.is_some() { "index" } else { "table" };
        format!("dynamodb:{of}:{}", self.capacity)
    }
}
