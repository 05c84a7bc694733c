//! What the function works with: settings, adapters, the clock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use dynachain::aws::backup::{BackupJobs, CopyJobs, VaultReader};
use dynachain::aws::tables::TableLister;
use dynachain::aws::{EventBus, KeyOpener, Rate};
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{KeyArn, VaultArn};
use dynachain::point_reader::PointReader;
use jiff::Timestamp;

use crate::strangers::Strangers;
use crate::there::There;

/// The function's settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) region: String,
    pub(crate) account: String,
    /// Copy jobs at a time to each destination.
    pub(crate) concurrency: u32,
    /// After so many days a copy is given up.
    pub(crate) deadline_days: u32,
    pub(crate) catalog: String,
    pub(crate) key: KeyArn,
    pub(crate) rates: Rates,
}

/// Calls a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) start: u32,
    pub(crate) list: u32,
    pub(crate) describe: u32,
    pub(crate) read: u32,
}

/// The function's adapters, made once.
#[derive(Clone, Debug)]
pub struct Deps {
    pub(crate) settings: Settings,
    pub(crate) catalog: Catalog,
    /// The points of the home vault.
    pub(crate) points: PointReader,
    pub(crate) jobs: CopyJobs,
    pub(crate) backups: BackupJobs,
    pub(crate) tables: TableLister,
    pub(crate) bus: EventBus,
    pub(crate) strangers: Strangers,
    /// By Region.
    targets: Arc<Mutex<HashMap<String, There>>>,
    config: SdkConfig,
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
        let names = ["AWS_REGION", "ACCOUNT_ID", "VAULT_NAME", "CATALOG_NAME", "BACKUP_ROLE_ARN"]
            .map(|name| variables.required::<String>(name));
        let key: Option<KeyArn> = variables.required("KEY_ARN");
        let concurrency = variables.number("COPY_CONCURRENCY", 1..=100, 5);
        let deadline_days = variables.number("COPY_DEADLINE_DAYS", 1..=25, 7);
        let rates = rates(&mut variables);
        variables.finish()?;
        let (
            [Some(region), Some(account), Some(vault), Some(catalog), Some(role)],
            Some(key),
            Some(concurrency),
            Some(deadline_days),
            Some(rates),
        ) = (names, key, concurrency, deadline_days, rates)
        else {
            return Err(Box::new(ConfigError::default()));
        };
        let settings = Settings { region, account, concurrency, deadline_days, catalog, key, rates };
        tracing::info!(?settings, vault, role, ?clock, "settings");
        let [start, list, describe, read] =
            [rates.start, rates.list, rates.describe, rates.read].map(Rate::per_second);
        let reader = VaultReader::new(config, &vault, list.clone(), describe);
        Ok(Self {
            catalog: Catalog::new(config, &settings.catalog),
            points: PointReader::new(reader, KeyOpener::new(config, settings.key.clone())),
            jobs: CopyJobs::new(config, &vault, &role, start.clone(), list.clone()),
            backups: BackupJobs::new(config, &vault, &role, start, list),
            tables: TableLister::new(config, read.clone(), read),
            bus: EventBus::new(config),
            strangers: Strangers::default(),
            targets: Arc::default(),
            config: config.clone(),
            settings,
            clock,
        })
    }

    /// What the function works with where a target vault is; `None` for a vault of another account, which it cannot look into.
    ///
    /// # Errors
    /// When the target's Region makes no ARN.
    pub(crate) fn there(&self, target: &VaultArn) -> Result<Option<There>, Refusal> {
        if target.account() != self.settings.account {
            return Ok(None);
        }
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = targets.get(target.region()) {
            return Ok(Some(there.of(target)));
        }
        let there = There::new(&self.config, &self.settings, target)
            .map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))?;
        targets.insert(target.region().to_owned(), there.clone());
        Ok(Some(there))
    }

    pub(crate) async fn now(&self) -> Result<Timestamp, Refusal> {
        self.clock.now().await.map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }
}

fn rates(variables: &mut Variables<'_>) -> Option<Rates> {
    let start = variables.number("START_RATE", 1..=1000, 5);
    let list = variables.number("LIST_RATE", 1..=1000, 20);
    let describe = variables.number("DESCRIBE_RATE", 1..=1000, 15);
    let read = variables.number("TABLE_READ_RATE", 1..=1000, 10);
    Some(Rates { start: start?, list: list?, describe: describe?, read: read? })
}
