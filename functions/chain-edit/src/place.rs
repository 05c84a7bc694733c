//! A vault whose points are edited, with the adapters of its Region.

use aws_config::SdkConfig;
use dynachain::aws::backup::{LegalHolds, PointTagger, VaultReader};
use dynachain::aws::{AwsError, KeyOpener, Rate};
use dynachain::catalog::Catalog;
use dynachain::chain::ListedPoint;
use dynachain::error::Refusal;
use dynachain::id::{KeyArn, TableArn, VaultArn};
use dynachain::judge::Judge;
use dynachain::point_reader::PointReader;
use jiff::Timestamp;

use crate::deps::Rates;

/// A vault and its Region.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) vault: VaultArn,
    pub(crate) catalog: Catalog,
    pub(crate) points: PointReader,
    pub(crate) tagger: PointTagger,
    holds: LegalHolds,
}

impl Place {
    pub(crate) fn new(
        config: &SdkConfig,
        vault: VaultArn,
        catalog: Catalog,
        key: KeyArn,
        rates: Rates,
    ) -> Self {
        let list = rates.list();
        let reader = VaultReader::new(config, vault.name(), list.clone(), Rate::per_second(rates.describe));
        Self {
            vault,
            catalog,
            points: PointReader::new(reader, KeyOpener::new(config, key)),
            tagger: PointTagger::new(config, Rate::per_second(rates.tag)),
            holds: LegalHolds::new(config, list),
        }
    }

    /// Who decides about the vault's points, and whether AWS itself ends them: then no metadata does.
    pub(crate) async fn judge(&self, now: Timestamp) -> Result<(Judge, bool), Refusal> {
        let described = self.points.vault().describe().await;
        let described = described.map_err(|error| error.about_vault(self.vault.as_str()))?;
        let judge = Judge::of(&described, &self.holds, self.catalog.copies(), now).await?;
        Ok((judge, described.locked))
    }

    /// The tables that have points here, in order.
    pub(crate) async fn tables(&self) -> Result<Vec<TableArn>, Refusal> {
        let mut tables = std::collections::BTreeSet::new();
        let mut next = None;
        loop {
            let page = self.points.vault().page(None, next).await.map_err(|error| self.refusal(&error))?;
            tables.extend(page.points.into_iter().map(|point| point.table));
            next = page.next;
            if next.is_none() {
                return Ok(tables.into_iter().collect());
            }
        }
    }

    /// The points of one table.
    pub(crate) async fn of_table(&self, table: &TableArn) -> Result<Vec<ListedPoint>, Refusal> {
        self.points.vault().points(Some(table)).await.map_err(|error| self.refusal(&error))
    }

    fn refusal(&self, error: &AwsError) -> Refusal {
        error.about_vault(self.vault.as_str())
    }
}
