//! What the function works with: settings, adapters, the clock.

use aws_config::SdkConfig;
use dynachain::aws::backup::{BackupJobs, PointTagger, RegionSettings, VaultReader};
use dynachain::aws::table_reader::TableReader;
use dynachain::aws::tables::TableLister;
use dynachain::aws::{EventBus, KeyMaker, Rate};
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::KeyArn;
use jiff::Timestamp;

/// The function's settings.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) start_window_minutes: u32,
    /// Tables in hand at the same time. Capturing and starting each keep their own rates, so that with enough in hand the
    /// slowest limit of AWS alone sets the pace.
    pub(crate) concurrency: usize,
    pub(crate) manage_backup_settings: bool,
}

/// The function's adapters, made once.
#[derive(Clone, Debug)]
pub struct Deps {
    pub(crate) settings: Settings,
    pub(crate) catalog: Catalog,
    pub(crate) vault: VaultReader,
    pub(crate) jobs: BackupJobs,
    pub(crate) tagger: PointTagger,
    pub(crate) region: RegionSettings,
    pub(crate) keys: KeyMaker,
    pub(crate) reader: TableReader,
    pub(crate) tables: TableLister,
    pub(crate) bus: EventBus,
    clock: Clock,
}

/// The numbers among the settings.
struct Numbers {
    window: u32,
    concurrency: usize,
    start: u32,
    list: u32,
    describe: u32,
    read: u32,
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
        let numbers = numbers(&mut variables);
        let manage = variables.flag("MANAGE_BACKUP_SETTINGS", true);
        variables.finish()?;
        let (
            [Some(region), Some(account), Some(vault), Some(catalog), Some(role)],
            Some(key),
            Some(numbers),
            Some(manage),
        ) = (names, key, numbers, manage)
        else {
            return Err(Box::new(ConfigError::default()));
        };
        let settings = Settings {
            region,
            account,
            start_window_minutes: numbers.window,
            concurrency: numbers.concurrency,
            manage_backup_settings: manage,
        };
        let Numbers { start, list, describe, read, .. } = numbers;
        tracing::info!(?settings, %vault, %catalog, %key, role, start, list, describe, read, ?clock, "settings");
        let list = Rate::per_second(list);
        Ok(Self {
            catalog: Catalog::new(config, catalog),
            vault: VaultReader::new(config, &vault, list.clone(), Rate::per_second(describe)),
            jobs: BackupJobs::new(config, &vault, role, Rate::per_second(start), list),
            // TagResource has the same quota as StartBackupJob, and its own allowance.
            tagger: PointTagger::new(config, Rate::per_second(start)),
            region: RegionSettings::new(config),
            keys: KeyMaker::new(config, key),
            reader: TableReader::new(config, read),
            tables: TableLister::new(config, Rate::per_second(read), Rate::per_second(read)),
            bus: EventBus::new(config),
            settings,
            clock,
        })
    }

    pub(crate) async fn now(&self) -> Result<Timestamp, Refusal> {
        self.clock.now().await.map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }
}

fn numbers(variables: &mut Variables<'_>) -> Option<Numbers> {
    // AWS Backup takes 60 minutes and more; its own maximum is about a hundred years.
    let window = variables.number("START_WINDOW_MINUTES", 60..=1440, 120);
    let start = variables.number("START_RATE", 1..=1000, 5);
    let concurrency = variables.number("SESSION_CONCURRENCY", 1..=128, 16);
    let list = variables.number("LIST_RATE", 1..=1000, 20);
    let describe = variables.number("DESCRIBE_RATE", 1..=1000, 15);
    let read = variables.number("TABLE_READ_RATE", 1..=1000, 10);
    Some(Numbers {
        window: window?,
        concurrency: usize::try_from(concurrency?).ok()?,
        start: start?,
        list: list?,
        describe: describe?,
        read: read?,
    })
}
