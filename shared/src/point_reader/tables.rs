//! Finding the table that a request means among those that have points here.

use std::collections::BTreeSet;

use super::PointReader;
use crate::error::Refusal;
use crate::id::TableArn;
use crate::request::TableRef;

impl PointReader {
    /// The table of this name or ARN; a name must be that of one table with points in the vault. `path` is where the request
    /// names it.
    ///
    /// # Errors
    /// `TableNotFound` and `Ambiguous`, and when AWS refuses.
    pub async fn table(&self, table: &TableRef, path: &str) -> Result<TableArn, Refusal> {
        if let TableRef::Arn(arn) = table {
            return Ok(arn.clone());
        }
        let mut tables = BTreeSet::new();
        let mut next = None;
        loop {
            let page = self.vault.page(None, next).await;
            let page = page.map_err(|error| error.about_vault(self.vault.name()))?;
            tables.extend(page.points.into_iter().map(|point| point.table).filter(|of| table.names(of)));
            next = page.next;
            if next.is_none() {
                return table.the_one_of(tables, self.vault.name(), path);
            }
        }
    }
}
