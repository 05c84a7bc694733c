//! Finding the table that a request means among those that have points here.

use std::collections::BTreeSet;

use super::PointReader;
use crate::error::{ErrorType, Refusal};
use crate::id::TableArn;
use crate::request::TableRef;

impl PointReader {
    /// The table of this name or ARN that has points in the vault. Copies may be of tables of one name in several Regions: a
    /// name of several tables is refused with their ARNs. `path` is where the request names it.
    ///
    /// # Errors
    /// `TableNotFound` and `Ambiguous`, and when AWS refuses.
    pub async fn table(&self, table: &TableRef, path: &str) -> Result<TableArn, Refusal> {
        let name = match table {
            TableRef::Arn(arn) => return Ok(arn.clone()),
            TableRef::Name(name) => name.as_str(),
        };
        let mut tables = BTreeSet::new();
        let mut next = None;
        loop {
            let page = self.vault.page(None, next).await;
            let page = page.map_err(|error| error.about_vault(self.vault.name()))?;
            tables.extend(
                page.points.into_iter().map(|point| point.table).filter(|table| table.name() == name),
            );
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let mut tables = tables.into_iter();
        match (tables.next(), tables.next()) {
            (None, _) => Err(self.no_points(name, path)),
            (Some(table), None) => Ok(table),
            (Some(first), Some(second)) => {
                let all: Vec<_> =
                    [first, second].into_iter().chain(tables).map(|table| table.to_string()).collect();
                let message =
                    format!("several tables are called {name}; say which by its ARN: {}", all.join(", "));
                Err(Refusal::at(ErrorType::Ambiguous, path, message))
            }
        }
    }

    /// The refusal for a table without a point.
    pub fn no_points(&self, table: &str, path: &str) -> Refusal {
        let message = format!("no recovery point of a table {table} lies in the vault {}", self.vault.name());
        Refusal::at(ErrorType::TableNotFound, path, message)
    }
}
