//! What the function works with: settings, adapters, the clock.

use aws_config::SdkConfig;
use dynachain::aws::backup::{RestoreJobs, VaultReader};
use dynachain::aws::table_reader::TableReader;
use dynachain::aws::table_writer::TableWriter;
use dynachain::aws::{EventBus, KeyOpener, KeyStates, Rate, TableStates};
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{KeyArn, TableArn, TableName};
use dynachain::point_reader::PointReader;
use jiff::Timestamp;

/// The function's adapters, made once.
#[derive(Clone, Debug)]
pub struct Deps {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) catalog: Catalog,
    pub(crate) points: PointReader,
    pub(crate) key_states: KeyStates,
    pub(crate) jobs: RestoreJobs,
    pub(crate) reader: TableReader,
    pub(crate) tables: TableStates,
    pub(crate) writer: TableWriter,
    pub(crate) bus: EventBus,
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
        let names = ["AWS_REGION", "ACCOUNT_ID", "VAULT_NAME", "CATALOG_NAME", "RESTORE_ROLE_ARN"]
            .map(|name| variables.required::<String>(name));
        let key: Option<KeyArn> = variables.required("KEY_ARN");
        let start = variables.number("START_RATE", 1..=1000, 5);
        let list = variables.number("LIST_RATE", 1..=1000, 20);
        let describe = variables.number("DESCRIBE_RATE", 1..=1000, 15);
        let read = variables.number("TABLE_READ_RATE", 1..=1000, 10);
        variables.finish()?;
        let all = (names, key, [start, list, describe, read]);
        let (
            [Some(region), Some(account), Some(vault), Some(catalog), Some(role)],
            Some(key),
            [Some(start), Some(list), Some(describe), Some(read)],
        ) = all
        else {
            return Err(Box::new(ConfigError::default()));
        };
        tracing::info!(%region, %account, %vault, %catalog, %key, role, start, list, describe, read, ?clock, "settings");
        let [start, list, describe] = [start, list, describe].map(Rate::per_second);
        let vault = VaultReader::new(config, vault, list.clone(), describe.clone());
        Ok(Self {
            region,
            account,
            catalog: Catalog::new(config, catalog),
            points: PointReader::new(vault, KeyOpener::new(config, key)),
            key_states: KeyStates::new(config),
            jobs: RestoreJobs::new(config, role, start, list, describe),
            reader: TableReader::new(config, read).without_alarms(),
            tables: TableStates::new(config, Rate::per_second(read)),
            writer: TableWriter::new(config),
            bus: EventBus::new(config),
            clock,
        })
    }

    pub(crate) async fn now(&self) -> Result<Timestamp, Refusal> {
        self.clock.now().await.map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }

    /// The table of this name in the stack's own Region and account.
    pub(crate) fn table(&self, name: &TableName) -> Result<TableArn, Refusal> {
        TableArn::of(&self.region, &self.account, name)
            .map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }
}
