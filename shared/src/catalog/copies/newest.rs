//! The newest copy of each table in each target vault: what makes up for those before it, and how far a target lags.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Copies, CopyRecord};
use crate::catalog::CatalogError;
use crate::catalog::item::Key;
use crate::id::{RecoveryPointArn, TableArn, VaultArn};

/// The usable copy of a table in a target vault whose point was made for the latest moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewestCopy {
    /// The table.
    pub table: TableArn,
    /// The vault.
    pub target: VaultArn,
    /// The moment that its point was made for.
    pub scheduled_at: Timestamp,
    /// Its point.
    pub source: RecoveryPointArn,
    /// When the point was created.
    pub created_at: Timestamp,
    /// The copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<RecoveryPointArn>,
    /// When the copy was found usable.
    pub usable_at: Timestamp,
}

impl Copies {
    /// The newest usable copies of a table, by target vault, read consistently.
    ///
    /// # Errors
    /// When DynamoDB refuses, or an item cannot be read.
    pub async fn newest(&self, table: &TableArn) -> Result<Vec<NewestCopy>, CatalogError> {
        self.0.list(&partition(table), "arn:", None).await
    }

    /// The newest usable copies of some tables in one target vault, in no particular order and as eventually consistent as a
    /// batch is. Tables without one are left out.
    ///
    /// # Errors
    /// When DynamoDB refuses, or an item cannot be read.
    pub async fn newest_in(
        &self,
        target: &VaultArn,
        tables: &[TableArn],
    ) -> Result<Vec<NewestCopy>, CatalogError> {
        let keys = tables.iter().map(|table| Key::new(partition(table), target.to_string()));
        self.0.get_all(keys).await?.into_iter().map(|item| self.0.parse(item)).collect()
    }

    /// Notes that a copy is usable; one of a later moment that is noted already stays.
    ///
    /// # Errors
    /// When DynamoDB refuses.
    pub async fn note_newest(&self, usable: &CopyRecord, now: Timestamp) -> Result<(), CatalogError> {
        let newest = NewestCopy {
            table: usable.table.clone(),
            target: usable.target.clone(),
            scheduled_at: usable.scheduled_at,
            source: usable.source.clone(),
            created_at: usable.created_at,
            copy: usable.copy.clone(),
            usable_at: now,
        };
        let key = Key::new(partition(&newest.table), newest.target.to_string());
        let mut item = self.0.compose(&key, &newest)?;
        // Seconds sort as numbers do, whatever the text.
        let seconds = AttributeValue::N(newest.scheduled_at.as_second().to_string());
        item.insert("scheduled_second".to_owned(), seconds.clone());
        let values = HashMap::from([(":second".to_owned(), seconds)]);
        let earlier = "attribute_not_exists(pk) OR scheduled_second < :second";
        match self.0.put_when(item, Some(earlier), values).await {
            Err(error) if !error.is_condition_failed() => Err(error),
            _ => Ok(()),
        }
    }
}

fn partition(table: &TableArn) -> String {
    format!("COPIED#{table}")
}
