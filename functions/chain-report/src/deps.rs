//! What the function works with: settings, adapters, the clock.

use aws_config::SdkConfig;
use dynachain::aws::backup::{LegalHolds, Vault, VaultReader};
use dynachain::aws::{KeyOpener, Rate};
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::judge::Judge;
use dynachain::point_reader::PointReader;
use jiff::Timestamp;

/// The function's adapters, made once.
#[derive(Clone, Debug)]
pub struct Deps {
    pub(crate) catalog: Catalog,
    pub(crate) points: PointReader,
    holds: LegalHolds,
    clock: Clock,
}

impl Deps {
    /// From variables: those of this process, unless it is a test's.
    ///
    /// # Errors
    /// With every setting that is missing or malformed, and when an emulated clock is set on a real AWS.
    pub fn of(
        config: &SdkConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, lambda_runtime::Error> {
        let clock = Clock::from_env(&variable)?;
        let mut variables = Variables::of(variable);
        let vault: Option<String> = variables.required("VAULT_NAME");
        let catalog: Option<String> = variables.required("CATALOG_NAME");
        let key = variables.required("KEY_ARN");
        let list = variables.number("LIST_RATE", 1..=1000, 20);
        let describe = variables.number("DESCRIBE_RATE", 1..=1000, 15);
        variables.finish()?;
        let all = (vault, catalog, key, list, describe);
        let (Some(vault), Some(catalog), Some(key), Some(list), Some(describe)) = all else {
            return Err(Box::new(ConfigError::default()));
        };
        tracing::info!(%vault, %catalog, %key, list, describe, ?clock, "settings");
        let (list, describe) = (Rate::per_second(list), Rate::per_second(describe));
        let reader = VaultReader::new(config, vault, list.clone(), describe);
        Ok(Self {
            holds: LegalHolds::new(config, list),
            catalog: Catalog::new(config, catalog),
            points: PointReader::new(reader, KeyOpener::new(config, key)),
            clock,
        })
    }

    pub(crate) async fn now(&self) -> Result<Timestamp, Refusal> {
        self.clock.now().await.map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }

    /// Who decides about the points of the vault.
    pub(crate) async fn judge(&self, vault: &Vault, now: Timestamp) -> Result<Judge, Refusal> {
        Judge::of(vault, &self.holds, self.catalog.copies(), now).await
    }

    pub(crate) async fn vault(&self) -> Result<Vault, Refusal> {
        self.points.vault().describe().await.map_err(|error| error.about_vault(self.points.vault().name()))
    }
}
