//! What the function works with: settings, adapters, the clock.

use aws_config::{Region, SdkConfig};
use dynachain::aws::{EventBus, Rate};
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{KeyArn, VaultArn};
use jiff::Timestamp;

use crate::place::Place;

/// The function's adapters, made once.
#[derive(Clone, Debug)]
pub struct Deps {
    pub(crate) catalog: Catalog,
    pub(crate) bus: EventBus,
    config: SdkConfig,
    vault: VaultArn,
    catalog_name: String,
    key: KeyArn,
    rates: Rates,
    clock: Clock,
}

/// Calls a second, in each Region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) list: u32,
    pub(crate) describe: u32,
    pub(crate) tag: u32,
}

impl Rates {
    pub(crate) fn list(self) -> Rate {
        Rate::per_second(self.list)
    }
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
        let names = ["AWS_REGION", "ACCOUNT_ID", "VAULT_NAME", "CATALOG_NAME"]
            .map(|name| variables.required::<String>(name));
        let key: Option<KeyArn> = variables.required("KEY_ARN");
        let list = variables.number("LIST_RATE", 1..=1000, 20);
        let describe = variables.number("DESCRIBE_RATE", 1..=1000, 15);
        // TagResource has the same quota as StartBackupJob, and its own allowance.
        let tag = variables.number("START_RATE", 1..=1000, 5);
        variables.finish()?;
        let ([Some(region), Some(account), Some(vault), Some(catalog_name)], Some(key)) = (names, key) else {
            return Err(Box::new(ConfigError::default()));
        };
        let (Some(list), Some(describe), Some(tag)) = (list, describe, tag) else {
            return Err(Box::new(ConfigError::default()));
        };
        let vault = VaultArn::of(&region, &account, &vault)?;
        tracing::info!(%vault, catalog = catalog_name, %key, list, describe, tag, ?clock, "settings");
        Ok(Self {
            catalog: Catalog::new(config, catalog_name.clone()),
            bus: EventBus::new(config),
            config: config.clone(),
            vault,
            catalog_name,
            key,
            rates: Rates { list, describe, tag },
            clock,
        })
    }

    pub(crate) async fn now(&self) -> Result<Timestamp, Refusal> {
        self.clock.now().await.map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }

    /// The stack's own vault.
    pub(crate) fn home(&self) -> &VaultArn {
        &self.vault
    }

    /// A vault of this account with all that belongs to it in its Region: the replica of the stack's key, and the catalog of
    /// the stack there, which has the same name.
    ///
    /// # Errors
    /// When the vault's Region makes no ARN.
    pub(crate) fn place(&self, vault: &VaultArn) -> Result<Place, Refusal> {
        let there = self.config.to_builder().region(Region::new(vault.region().to_owned())).build();
        let key = self.key.in_region(vault.region());
        let key = key.map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))?;
        Ok(Place::new(
            &there,
            vault.clone(),
            Catalog::new(&there, self.catalog_name.clone()),
            key,
            self.rates,
        ))
    }
}
