//! Changing what a restored table is configured with. It adds and raises; it can take nothing off a table, and touches no
//! item. Only `table-restore` holds one.

mod alarms;
mod scaling;
mod update;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    ApproximateCreationDateTimePrecision, ContributorInsightsAction, ContributorInsightsMode,
    EnableKinesisStreamingConfiguration, PointInTimeRecoverySpecification, Tag, TimeToLiveSpecification,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::AwsError;
use crate::id::TableArn;
use crate::restore::Change;

/// Carries out changes, one call each.
#[derive(Clone, Debug)]
pub struct TableWriter {
    dynamodb: Client,
    auto_scaling: aws_sdk_applicationautoscaling::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
}

impl TableWriter {
    /// A writer of the tables of the client's Region.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            dynamodb: Client::new(config),
            auto_scaling: aws_sdk_applicationautoscaling::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
        }
    }

    /// Carries out one change.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn apply(&self, table: &TableArn, change: &Change) -> Result<(), AwsError> {
        match change {
            Change::Table(update) => self.update_table(table, update).await,
            Change::Kinesis { stream, precision } => {
                let precision = ApproximateCreationDateTimePrecision::from(precision.as_str());
                let how = EnableKinesisStreamingConfiguration::builder()
                    .approximate_creation_date_time_precision(precision)
                    .build();
                let call = self.dynamodb.enable_kinesis_streaming_destination().table_name(table.as_str());
                let call = call.stream_arn(stream).enable_kinesis_streaming_configuration(how).send().await;
                done("EnableKinesisStreamingDestination", call)
            }
            Change::Ttl { attribute } => {
                let on = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build();
                let on = on.map_err(|_| AwsError::incomplete("UpdateTimeToLive", "attribute"))?;
                let call = self.dynamodb.update_time_to_live().table_name(table.as_str());
                done("UpdateTimeToLive", call.time_to_live_specification(on).send().await)
            }
            Change::Pitr { days } => {
                let on = PointInTimeRecoverySpecification::builder()
                    .point_in_time_recovery_enabled(true)
                    .set_recovery_period_in_days(*days)
                    .build();
                let on = on.map_err(|_| AwsError::incomplete("UpdateContinuousBackups", "setting"))?;
                let call = self.dynamodb.update_continuous_backups().table_name(table.as_str());
                done("UpdateContinuousBackups", call.point_in_time_recovery_specification(on).send().await)
            }
            Change::Tags(tags) => {
                let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
                let tags = tags.collect::<Result<Vec<_>, _>>();
                let tags = tags.map_err(|_| AwsError::incomplete("TagResource", "tag"))?;
                let call = self.dynamodb.tag_resource().resource_arn(table.as_str());
                done("TagResource", call.set_tags(Some(tags)).send().await)
            }
            Change::ResourcePolicy(policy) => self.put_resource_policy(table.as_str(), policy).await,
            Change::StreamPolicy { stream, policy } => self.put_resource_policy(stream, policy).await,
            Change::Insights { index, mode } => {
                let call = self.dynamodb.update_contributor_insights().table_name(table.as_str());
                let call = call.set_index_name(index.clone());
                let call = call.contributor_insights_action(ContributorInsightsAction::Enable);
                let mode = ContributorInsightsMode::from(mode.as_str());
                done("UpdateContributorInsights", call.contributor_insights_mode(mode).send().await)
            }
            Change::Scale(place, target) => self.scale(table, place, target).await,
            Change::ScalingPolicy(place, name, tracking) => {
                self.put_policy(table, place, name, tracking).await
            }
            Change::ScheduledAction(place, name, action) => self.put_action(table, place, name, action).await,
            Change::Alarm(name, alarm) => self.put_alarm(name, alarm).await,
        }
    }

    /// Of a table or of a stream.
    async fn put_resource_policy(&self, resource: &str, policy: &str) -> Result<(), AwsError> {
        let call = self.dynamodb.put_resource_policy().resource_arn(resource).policy(policy);
        done("PutResourcePolicy", call.send().await)
    }
}

/// What a call came to, without its answer.
fn done<T, E>(operation: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<(), AwsError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    answer.map(drop).map_err(|error| AwsError::new(operation, &error))
}
