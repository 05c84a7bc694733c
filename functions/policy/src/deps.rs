//! What the function works with: settings, adapters, the clock.

use aws_config::SdkConfig;
use dynachain::aws::Rate;
use dynachain::aws::scheduler::Scheduler;
use dynachain::aws::tables::TableLister;
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::id::{TableArn, TableName};
use dynachain::policy::{Home, wake};
use jiff::Timestamp;

/// The function's adapters, made once.
#[derive(Clone, Debug)]
pub struct Deps {
    pub(crate) home: Home,
    pub(crate) catalog: Catalog,
    pub(crate) scheduler: Scheduler,
    pub(crate) tables: TableLister,
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
        let [names_rate, tags_rate] = [settings.list_rate, settings.table_read_rate].map(Rate::per_second);
        Ok(Self {
            catalog: Catalog::new(config, settings.catalog),
            scheduler: Scheduler::new(config, settings.schedule_group),
            tables: TableLister::new(config, names_rate, tags_rate),
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
    catalog: String,
    schedule_group: String,
    wake_target: wake::Target,
    list_rate: u32,
    table_read_rate: u32,
}

impl Settings {
    fn read(mut variables: Variables<'_>) -> Result<Self, ConfigError> {
        let region = variables.required("AWS_REGION");
        let account = variables.required("ACCOUNT_ID");
        let copy_deadline_days = variables.number("COPY_DEADLINE_DAYS", 1..=25, 7);
        let catalog = variables.required("CATALOG_NAME");
        let schedule_group = variables.required("SCHEDULE_GROUP");
        let function = variables.required("SESSION_FUNCTION_ARN");
        let role = variables.required("SCHEDULER_ROLE_ARN");
        let dead_letter_queue = variables.required("SCHEDULE_DLQ_ARN");
        let list_rate = variables.number("LIST_RATE", 1..=1000, 20);
        let table_read_rate = variables.number("TABLE_READ_RATE", 1..=1000, 10);
        variables.finish()?;
        let settings = || {
            Some(Self {
                home: Home { region: region?, account: account?, copy_deadline_days: copy_deadline_days? },
                catalog: catalog?,
                schedule_group: schedule_group?,
                wake_target: wake::Target {
                    function: function?,
                    role: role?,
                    dead_letter_queue: dead_letter_queue?,
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
                "CATALOG_NAME",
                "SCHEDULE_GROUP",
                "SESSION_FUNCTION_ARN",
                "SCHEDULER_ROLE_ARN",
                "SCHEDULE_DLQ_ARN"
            ]
        );
    }
}
