//! What the function works with: settings, adapters, the clock.

use std::fmt;
use std::str::FromStr;

use aws_config::SdkConfig;
use dynachain::aws::backup::{LegalHolds, VaultReader};
use dynachain::aws::tables::TableLister;
use dynachain::aws::{EventBus, KeyOpener, Rate};
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::KeyArn;
use dynachain::point_reader::PointReader;
use jiff::Timestamp;

use crate::remover::PointRemover;

/// Which of the two functions this is: their roles may delete different points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removes {
    /// `dynachain-retention-prune`: points of chains.
    Chains,
    /// `dynachain-manual-removal`: manual backups, by hand alone.
    Manual,
}

/// Which points the function is for is not said as the template says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoKind;

impl fmt::Display for NoKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be chain or manual; the stack's template sets it")
    }
}

impl FromStr for Removes {
    type Err = NoKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "chain" => Ok(Self::Chains),
            "manual" => Ok(Self::Manual),
            _ => Err(NoKind),
        }
    }
}

/// The function's adapters, made once.
#[derive(Clone, Debug)]
pub struct Deps {
    pub(crate) removes: Removes,
    /// A run that would delete more stops before the first.
    pub(crate) max_deletes: usize,
    pub(crate) catalog: Catalog,
    pub(crate) points: PointReader,
    pub(crate) holds: LegalHolds,
    pub(crate) remover: PointRemover,
    pub(crate) tables: TableLister,
    pub(crate) bus: EventBus,
    clock: Clock,
}

/// The numbers among the settings.
#[derive(Debug)]
struct Numbers {
    list: u32,
    describe: u32,
    delete: u32,
    read: u32,
    max_deletes: u32,
}

impl Numbers {
    fn read(variables: &mut Variables<'_>) -> Option<Self> {
        let list = variables.number("LIST_RATE", 1..=1000, 20);
        let describe = variables.number("DESCRIBE_RATE", 1..=1000, 15);
        let delete = variables.number("DELETE_RATE", 1..=1000, 10);
        let read = variables.number("TABLE_READ_RATE", 1..=1000, 10);
        let most = variables.number("MAX_DELETES", 1..=1_000_000, 10_000);
        Some(Self { list: list?, describe: describe?, delete: delete?, read: read?, max_deletes: most? })
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
        let names = ["VAULT_NAME", "CATALOG_NAME"].map(|name| variables.required::<String>(name));
        let key: Option<KeyArn> = variables.required("KEY_ARN");
        let removes: Option<Removes> = variables.required("REMOVES");
        let numbers = Numbers::read(&mut variables);
        variables.finish()?;
        let ([Some(vault), Some(catalog)], Some(key), Some(removes), Some(numbers)) =
            (names, key, removes, numbers)
        else {
            return Err(Box::new(ConfigError::default()));
        };
        tracing::info!(?removes, %vault, %catalog, %key, ?numbers, ?clock, "settings");
        let list = Rate::per_second(numbers.list);
        let reader = VaultReader::new(config, &vault, list.clone(), Rate::per_second(numbers.describe));
        let read = Rate::per_second(numbers.read);
        Ok(Self {
            removes,
            max_deletes: usize::try_from(numbers.max_deletes)?,
            catalog: Catalog::new(config, catalog),
            points: PointReader::new(reader, KeyOpener::new(config, key)),
            holds: LegalHolds::new(config, list),
            remover: PointRemover::new(config, vault, Rate::per_second(numbers.delete)),
            tables: TableLister::new(config, read.clone(), read),
            bus: EventBus::new(config),
            clock,
        })
    }

    pub(crate) async fn now(&self) -> Result<Timestamp, Refusal> {
        self.clock.now().await.map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }
}
