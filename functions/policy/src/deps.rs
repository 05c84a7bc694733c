//! What the function works with: settings, adapters, the clock.

use std::collections::BTreeMap;

use aws_config::{Region, SdkConfig};
use dynachain::aws::backup::{RegionSettings, VaultReader};
use dynachain::aws::roles::RoleReader;
use dynachain::aws::scheduler::Scheduler;
use dynachain::aws::tables::TableLister;
use dynachain::aws::{KeyStates, Rate, TableStates};
use dynachain::catalog::Catalog;
use dynachain::clock::Clock;
use dynachain::config::{ConfigError, Variables};
use dynachain::error::{ErrorType, Refusal};
use dynachain::estimate;
use dynachain::id::{KeyArn, TableArn, TableName, VaultArn};
use dynachain::permissions::{Role, Stack};
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
    pub(crate) tables: TableLister,
    pub(crate) estimate_settings: estimate::Settings,
    pub(crate) wake_target: wake::Target,
    pub(crate) stack: Stack,
    pub(crate) roles: RoleReader,
    pub(crate) keys: KeyStates,
    pub(crate) features: RegionSettings,
    pub(crate) table_states: TableStates,
    config: SdkConfig,
    vault_rates: [Rate; 2],
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
        let settings = Settings::read(Variables::of(variable))?;
        tracing::info!(?settings, ?clock, "settings");
        let [names_rate, tags_rate] = [settings.list_rate, settings.table_read_rate].map(Rate::per_second);
        Ok(Self {
            catalog: Catalog::new(config, settings.catalog),
            scheduler: Scheduler::new(config, settings.schedule_group),
            tables: TableLister::new(config, names_rate, tags_rate),
            estimate_settings: settings.estimate,
            home: settings.home,
            wake_target: settings.wake_target,
            stack: settings.stack,
            roles: RoleReader::new(config),
            keys: KeyStates::new(config),
            features: RegionSettings::new(config),
            table_states: TableStates::new(config, Rate::per_second(DESCRIBES_PER_SECOND)),
            config: config.clone(),
            vault_rates: [settings.list_rate, settings.describe_rate].map(Rate::per_second),
            clock,
        })
    }

    /// Reads a vault of this account, in its own Region.
    pub(crate) fn vault(&self, vault: &VaultArn) -> VaultReader {
        let there = self.config.to_builder().region(Region::new(vault.region().to_owned())).build();
        let [list, describe] = self.vault_rates.clone();
        VaultReader::new(&there, vault.name(), list, describe)
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
    stack: Stack,
    estimate: estimate::Settings,
    list_rate: u32,
    describe_rate: u32,
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
        let dead_letter_queue = variables.required("SCHEDULE_DLQ_ARN");
        let rest = read_rest(&mut variables);
        let start_rate = variables.number("START_RATE", 1..=1000, 5);
        let start_window_minutes = variables.number("START_WINDOW_MINUTES", 60..=1440, 120);
        let copy_concurrency = variables.number("COPY_CONCURRENCY", 1..=100, 5);
        let list_rate = variables.number("LIST_RATE", 1..=1000, 20);
        let describe_rate = variables.number("DESCRIBE_RATE", 1..=1000, 15);
        let table_read_rate = variables.number("TABLE_READ_RATE", 1..=1000, 10);
        variables.finish()?;
        let settings = || {
            let home = Home { region: region?, account: account?, copy_deadline_days: copy_deadline_days? };
            let (catalog, schedule_group): (String, String) = (catalog?, schedule_group?);
            let rest = rest?;
            let stack = Stack {
                vault: VaultArn::of(&home.region, &home.account, &rest.vault_name).ok()?,
                region: home.region.clone(),
                account: home.account.clone(),
                key: rest.key,
                catalog: catalog.clone(),
                schedule_group: schedule_group.clone(),
                session_function: function?,
                schedule_queue: dead_letter_queue?,
                invocation_queue: rest.invocation_queue,
                roles: rest.roles,
                manages_backup_settings: rest.manages_backup_settings,
                target_keys: rest.target_keys,
            };
            let wake_target = wake::Target {
                function: stack.session_function.clone(),
                role: stack.role(Role::Scheduler).to_owned(),
                dead_letter_queue: stack.schedule_queue.clone(),
            };
            Some(Self {
                estimate: estimate::Settings {
                    start_rate: start_rate?,
                    start_window_minutes: start_window_minutes?,
                    copy_concurrency: copy_concurrency?,
                    copy_deadline_days: home.copy_deadline_days,
                    // All functions are built for one processor.
                    arm64: cfg!(target_arch = "aarch64"),
                },
                home,
                catalog,
                schedule_group,
                wake_target,
                stack,
                list_rate: list_rate?,
                describe_rate: describe_rate?,
                table_read_rate: table_read_rate?,
            })
        };
        settings().ok_or_else(ConfigError::default)
    }
}

/// The settings that only `check` and the notes of `apply` look at.
struct Rest {
    vault_name: String,
    key: KeyArn,
    invocation_queue: String,
    roles: BTreeMap<Role, String>,
    manages_backup_settings: bool,
    target_keys: Vec<KeyArn>,
}

fn read_rest(variables: &mut Variables<'_>) -> Option<Rest> {
    let vault_name = variables.required("VAULT_NAME");
    let key = variables.required("KEY_ARN");
    let invocation_queue = variables.required("INVOCATION_DLQ_ARN");
    let roles: Vec<_> =
        Role::ALL.map(|role| variables.required(role.variable()).map(|arn: String| (role, arn))).into();
    let manages_backup_settings = variables.flag("MANAGE_BACKUP_SETTINGS", true);
    let target_keys = variables.list("TARGET_KEY_ARNS");
    Some(Rest {
        vault_name: vault_name?,
        key: key?,
        invocation_queue: invocation_queue?,
        roles: roles.into_iter().collect::<Option<_>>()?,
        manages_backup_settings: manages_backup_settings?,
        target_keys: target_keys?,
    })
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
                "SCHEDULE_DLQ_ARN",
                "VAULT_NAME",
                "KEY_ARN",
                "INVOCATION_DLQ_ARN",
                "POLICY_ROLE_ARN",
                "BACKUP_COPY_ROLE_ARN",
                "BACKUP_SESSION_ROLE_ARN",
                "CHAIN_EDIT_ROLE_ARN",
                "CHAIN_REPORT_ROLE_ARN",
                "RETENTION_PRUNE_ROLE_ARN",
                "MANUAL_REMOVAL_ROLE_ARN",
                "BACKUP_ROLE_ARN",
                "SCHEDULER_ROLE_ARN",
                "TABLE_RESTORE_ROLE_ARN",
                "RESTORE_ROLE_ARN"
            ]
        );
    }
}
