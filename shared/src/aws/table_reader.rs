//! Reads a table's whole configuration. Holds clients of its own and can change nothing.

mod alarms;
mod describe;
mod scaling;
mod settings;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{TableDescription, TableStatus};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::OnceCell;

use self::alarms::AlarmSnapshot;
use self::scaling::AutoScalingSnapshot;
use super::{AwsError, Fault, Rate};
use crate::id::TableArn;
use crate::table_config::{AutoScaling, Part, TableConfig};

/// Of Contributor Insights DynamoDB answers 5 calls a second, of the others 10 (Amazon DynamoDB Developer Guide, "Quotas").
const CONTRIBUTOR_INSIGHTS_SHARE: u32 = 2;

/// A table as it was when its configuration was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// The configuration.
    pub config: TableConfig,
    /// The ARN of its stream, when it is on. A table that is restored has another.
    pub stream_arn: Option<String>,
    /// The table's id: a table that is deleted and made again has another.
    pub table_id: String,
    /// `ACTIVE` or `UPDATING`.
    pub status: String,
    /// The number of items as DynamoDB states it, renewed about every six hours.
    pub item_count: u64,
    /// The size in bytes as DynamoDB states it, renewed about every six hours.
    pub size_bytes: u64,
    /// How many of a resource's 50 tags the table uses, without those of AWS itself.
    pub tags_count: usize,
}

/// Why a table cannot be backed up now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// There is no such table.
    #[error("the table {0} does not exist")]
    NotFound(TableArn),
    /// The table is in no state to be backed up.
    #[error("the table {table} is {status}, not ACTIVE; it can be backed up once it is")]
    NotActive {
        /// The table.
        table: TableArn,
        /// DynamoDB's status of it.
        status: String,
    },
    /// The table's tags could not be read, so nobody knows how many more a recovery point can carry.
    #[error("the tags of the table {table} could not be read: {error}")]
    TagsUnreadable {
        /// The table.
        table: TableArn,
        /// What AWS said.
        error: AwsError,
    },
    /// The table could not be described.
    #[error("the table {table} could not be described: {error}")]
    Aws {
        /// The table.
        table: TableArn,
        /// What AWS said.
        error: AwsError,
    },
}

impl CaptureError {
    /// Whether the table can be captured later without anybody's doing, such as after a throttle.
    pub fn passes(&self) -> bool {
        match self {
            Self::NotFound(_) | Self::NotActive { .. } => false,
            Self::TagsUnreadable { error, .. } | Self::Aws { error, .. } => error.passes(),
        }
    }
}

/// Reads tables within the rates of the account. Clones share rates and what is known of auto scaling and of alarms.
#[derive(Clone, Debug)]
pub struct TableReader {
    dynamodb: Client,
    auto_scaling: aws_sdk_applicationautoscaling::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    rates: Rates,
    snapshot: Arc<OnceCell<AutoScalingSnapshot>>,
    alarms: Option<Arc<OnceCell<AlarmSnapshot>>>,
}

/// One allowance per operation that has a quota of its own.
#[derive(Clone, Debug)]
struct Rates {
    time_to_live: Rate,
    continuous_backups: Rate,
    tags: Rate,
    contributor_insights: Rate,
    alarm_tags: Rate,
}

impl TableReader {
    /// A reader of the tables of the Region of `sdk`. `per_second` (setting `TableReadRate`) holds for each of
    /// `DescribeTimeToLive`, `DescribeContinuousBackups`, `ListTagsOfResource` and the `ListTagsForResource` of alarms, and half
    /// of it for `DescribeContributorInsights`: an account whose quotas are raised has all of them raised.
    pub fn new(sdk: &aws_config::SdkConfig, per_second: u32) -> Self {
        let rates = Rates {
            time_to_live: Rate::per_second(per_second),
            continuous_backups: Rate::per_second(per_second),
            tags: Rate::per_second(per_second),
            contributor_insights: Rate::per_second(per_second / CONTRIBUTOR_INSIGHTS_SHARE),
            alarm_tags: Rate::per_second(per_second),
        };
        Self {
            dynamodb: Client::new(sdk),
            auto_scaling: aws_sdk_applicationautoscaling::Client::new(sdk),
            cloudwatch: aws_sdk_cloudwatch::Client::new(sdk),
            rates,
            snapshot: Arc::default(),
            alarms: Some(Arc::default()),
        }
    }

    /// The same reader with auto scaling and alarms unread: the first capture reads those of all tables at once, and later
    /// captures use them. To be called at the start of each session.
    #[must_use]
    pub fn afresh(&self) -> Self {
        let alarms = self.alarms.as_ref().map(|_| Arc::default());
        Self { snapshot: Arc::default(), alarms, ..self.clone() }
    }

    /// A reader whose captures leave alarms unknown, instead of reading all of the Region's: for restores, which ask for
    /// those that they make by name.
    #[must_use]
    pub fn without_alarms(self) -> Self {
        Self { alarms: None, ..self }
    }

    /// Reads the configuration of one table.
    ///
    /// A part that AWS does not let us read, or does not answer for, is [`Part::Unknown`] in the configuration: a backup
    /// without it beats none. Only the description and the tags have to be there.
    ///
    /// A table that is UPDATING is read as well: DynamoDB keeps serving it and backs it up; `CreateBackup` refuses only
    /// tables that are being created or deleted (DynamoDB API Reference, `CreateBackup`, `TableInUseException`), and a
    /// table under auto scaling is UPDATING at any time. Every other status but ACTIVE is an error.
    ///
    /// # Errors
    /// When the table does not exist, is in no state to be backed up, or description or tags cannot be read.
    pub async fn capture(&self, table: &TableArn) -> Result<Captured, CaptureError> {
        let described = self.describe(table).await?;
        let status = described.table_status().map_or("unknown", TableStatus::as_str).to_owned();
        if !matches!(described.table_status(), Some(TableStatus::Active | TableStatus::Updating)) {
            return Err(CaptureError::NotActive { table: table.clone(), status });
        }
        let table_id = described.table_id().map(str::to_owned).ok_or_else(|| CaptureError::Aws {
            table: table.clone(),
            error: AwsError::incomplete("DescribeTable", "TableId"),
        })?;
        let (item_count, size_bytes) =
            (natural(described.item_count()), natural(described.table_size_bytes()));
        let stream_arn = described.latest_stream_arn().map(str::to_owned);
        let config = self.complete(table, describe::config_of(described), stream_arn.as_deref()).await?;
        warn_of_unrecorded(table, &config);
        let tags_count = config.user_tags().count();
        // DynamoDB goes on naming a stream that was switched off.
        let stream_arn = stream_arn.filter(|_| config.stream.is_some());
        Ok(Captured { config, stream_arn, table_id, status, item_count, size_bytes, tags_count })
    }

    async fn describe(&self, table: &TableArn) -> Result<TableDescription, CaptureError> {
        let answer = self.dynamodb.describe_table().table_name(table.as_str()).send().await;
        let error = match answer {
            Ok(answer) => match answer.table {
                Some(description) => return Ok(description),
                None => AwsError::incomplete("DescribeTable", "Table"),
            },
            Err(error) => AwsError::new("DescribeTable", &error),
        };
        Err(match error.fault() {
            Fault::NotFound => CaptureError::NotFound(table.clone()),
            _ => CaptureError::Aws { table: table.clone(), error },
        })
    }

    /// Adds to what `DescribeTable` gave what other calls give, all of them at once.
    async fn complete(
        &self,
        table: &TableArn,
        mut config: TableConfig,
        stream_arn: Option<&str>,
    ) -> Result<TableConfig, CaptureError> {
        let index_names: Vec<String> = config.global_indexes.keys().cloned().collect();
        let indexes = join_all(index_names.iter().map(|index| self.contributor_insights(table, Some(index))));
        let stream = config.stream.take();
        let (
            tags,
            ttl,
            pitr,
            resource_policy,
            stream,
            kinesis,
            contributor_insights,
            indexes,
            auto_scaling,
            alarms,
        ) = futures::join!(
            self.tags(table),
            self.ttl(table),
            self.pitr(table),
            self.resource_policy(table, table.as_str()),
            self.with_policy(table, stream, stream_arn),
            self.kinesis(table),
            self.contributor_insights(table, None),
            indexes,
            self.auto_scaling_of(table),
            self.alarms_of(table),
        );
        config.tags = tags.map_err(|error| match error.fault() {
            Fault::NotFound => CaptureError::NotFound(table.clone()),
            _ => CaptureError::TagsUnreadable { table: table.clone(), error },
        })?;
        for (index, insights) in config.global_indexes.values_mut().zip(indexes) {
            index.contributor_insights = insights;
        }
        Ok(TableConfig {
            ttl,
            pitr,
            resource_policy,
            stream,
            kinesis,
            contributor_insights,
            auto_scaling,
            alarms,
            ..config
        })
    }

    async fn tags(&self, table: &TableArn) -> Result<BTreeMap<String, String>, AwsError> {
        let mut tags = BTreeMap::new();
        let mut next = None;
        loop {
            let call =
                self.dynamodb.list_tags_of_resource().resource_arn(table.as_str()).set_next_token(next);
            let page = self.rates.tags.call(|turn| call.customize().interceptor(turn).send()).await;
            let page = page.map_err(|error| AwsError::new("ListTagsOfResource", &error))?;
            tags.extend(page.tags.into_iter().flatten().map(|tag| (tag.key, tag.value)));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(tags);
            }
        }
    }

    async fn auto_scaling_of(&self, table: &TableArn) -> Part<AutoScaling> {
        let fetch = || AutoScalingSnapshot::fetch(&self.auto_scaling);
        self.snapshot.get_or_init(fetch).await.of(table.name())
    }
}

/// A part from the answer to its call; without an answer the part is unknown, with operation and error code as the reason.
///
/// The message is left out: it repeats ARNs, and the room in tags is small. It goes to the log.
fn part<T, E>(
    operation: &'static str,
    answer: Result<Option<T>, SdkError<E, HttpResponse>>,
    table: &TableArn,
) -> Part<T>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Ok(value) => Part::known(value),
        Err(error) => {
            let error = AwsError::new(operation, &error);
            tracing::warn!(%table, %error, "a part of the table's configuration could not be read");
            Part::unknown(reason_of(&error))
        }
    }
}

/// What AWS told, and this version has no place for. What AWS did not tell is in the log since it was asked.
fn warn_of_unrecorded(table: &TableArn, config: &TableConfig) {
    let properties = config.unrecorded.iter().map(|(property, why)| (property.clone(), why.as_str()));
    for (property, why) in properties.chain(config.unknown_policies()).chain(config.unknown_alarms()) {
        tracing::warn!(%table, property, why, "a part of the table's configuration is not recorded");
    }
}

fn reason_of(error: &AwsError) -> String {
    match error.fault() {
        Fault::NoAnswer => format!("{}: no answer", error.operation()),
        _ => format!("{}: {}", error.operation(), error.code()),
    }
}

fn natural(number: Option<i64>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
