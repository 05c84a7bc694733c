//! What the function works with: settings, adapters, the clock.

use aws_config::SdkConfig;
use dynachain::aws::Rate;
use dynachain::aws::scheduler::Scheduler;
use dynachain::aws::table_sizes::TableSizer;
use dynachain::aws::tables::TableLister;
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::estimate;
use dynachain::id::{ParseIdError, TableArn, TableName, VaultArn};
use dynachain::policy::{Home, wake};
use jiff::Timestamp;

/// `DescribeTable` calls a second: a fifth of what DynamoDB answers of all reads of its control plane together (Amazon
/// DynamoDB Developer Guide, "Quotas").
const DESCRIBES_PER_SECOND: u32 = 500;

/// The function's adapters, made once.
#[derive(Clone, Debug)]
pub struct Deps {
    pub(crate) home: Home,
    pub(crate) catalog: Catalog,
    pub(crate) scheduler: Scheduler,
    pub(crate) vault: VaultArn,
    pub(crate) tables: TableLister,
    pub(crate) sizes: TableSizer,
    pub(crate) estimate_settings: estimate::Settings,
    pub(crate) wake_target: wake::Target,
    clock: Clock,
}

impl Deps {
    /// From the function's environment.
    ///
    /// # Errors
    /// With every setting that is missing or malformed, and when an emulated clock is set on a real AWS.
    pub fn from_env(config: &SdkConfig) -> Result<Self, lambda_runtime::Error> {
        let clock = Clock::from_env(|name| std::env::var(name).ok())?;
        let settings = Settings::read(Variables::from_env())?;
        tracing::info!(?settings, ?clock, "settings");
        let vault = settings.vault()?;
        let [names_rate, tags_rate] = [settings.list_rate, settings.table_read_rate].map(Rate::per_second);
        Ok(Self {
            catalog: Catalog::new(config, settings.catalog),
            scheduler: Scheduler::new(config, settings.schedule_group),
            tables: TableLister::new(config, names_rate, tags_rate),
            sizes: TableSizer::new(config, Rate::per_second(DESCRIBES_PER_SECOND)),
            vault,
            estimate_settings: settings.estimate,
            home: settings.home,
            wake_target: settings.wake_target,
            clock,
        })
    }

    pub(crate) async fn now(&self) -> Result<Timestamp, Refusal> {
        self.clock.now().await.map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }

    /// The ARN of a table of this Region.
    pub(crate) fn table_arn(&self, name: &TableName) -> Result<TableArn, Refusal> {
        TableArn::of(&self.home.region, &self.home.account, name)
            .map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Settings {
    home: Home,
    vault: String,
    catalog: String,
    schedule_group: String,
    wake_target: wake::Target,
    estimate: estimate::Settings,
    list_rate: u32,
    table_read_rate: u32,
}

impl Settings {
    fn vault(&self) -> Result<VaultArn, ParseIdError> {
        VaultArn::of(&self.home.region, &self.home.account, &self.vault)
    }

    fn read(mut variables: Variables<'_>) -> Result<Self, ConfigError> {
        let region = variables.required("AWS_REGION");
        let account = variables.required("ACCOUNT_ID");
        let copy_deadline_days = variables.number("COPY_DEADLINE_DAYS", 1..=25, 7);
        let vault = variables.required("VAULT_NAME");
        let catalog = variables.required("CATALOG_NAME");
        let schedule_group = variables.required("SCHEDULE_GROUP");
        let function = variables.required("SESSION_FUNCTION_ARN");
        let role = variables.required("SCHEDULER_ROLE_ARN");
        let dead_letter_queue = variables.required("SCHEDULE_DLQ_ARN");
        let start_rate = variables.number("START_RATE", 1..=100, 5);
        let start_window_minutes = variables.number("START_WINDOW_MINUTES", 60..=1440, 120);
        let copy_concurrency = variables.number("COPY_CONCURRENCY", 1..=100, 5);
        let list_rate = variables.number("LIST_RATE", 1..=1000, 20);
        let table_read_rate = variables.number("TABLE_READ_RATE", 1..=1000, 10);
        variables.finish()?;
        let settings = || {
            Some(Self {
                home: Home { region: region?, account: account?, copy_deadline_days: copy_deadline_days? },
                vault: vault?,
                catalog: catalog?,
                schedule_group: schedule_group?,
                wake_target: wake::Target {
                    function: function?,
                    role: role?,
                    dead_letter_queue: dead_letter_queue?,
                },
                estimate: estimate::Settings {
                    start_rate: start_rate?,
                    start_window_minutes: start_window_minutes?,
                    copy_concurrency: copy_concurrency?,
                    copy_deadline_days: copy_deadline_days?,
                    // All functions are built for one processor.
                    arm64: cfg!(target_arch = "aarch64"),
                },
                list_rate: list_rate?,
                table_read_rate: table_read_rate?,
            })
        };
        settings().ok_or_else(ConfigError::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_setting_is_named_at_once() {
        let error = Settings::read(Variables::of(|_| None)).unwrap_err().to_string();
        let named: Vec<&str> = error.lines().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(
            named,
            [
                "AWS_REGION",
                "ACCOUNT_ID",
                "VAULT_NAME",
                "CATALOG_NAME",
                "SCHEDULE_GROUP",
                "SESSION_FUNCTION_ARN",
                "SCHEDULER_ROLE_ARN",
                "SCHEDULE_DLQ_ARN"
            ]
        );
    }
}
