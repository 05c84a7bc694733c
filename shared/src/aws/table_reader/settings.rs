//! The parts of a configuration that each have a call of their own.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::get_resource_policy::GetResourcePolicyError;
use aws_sdk_dynamodb::types::{
    ContinuousBackupsDescription, ContributorInsightsStatus, DestinationStatus, KinesisDataStreamDestination,
    PointInTimeRecoveryStatus, TimeToLiveDescription, TimeToLiveStatus,
};

use super::{TableReader, part};
use crate::id::TableArn;
use crate::table_config::{
    Insights, InsightsMode, KinesisDestination, KinesisPrecision, Part, PointInTimeRecovery, Stream,
    TimeToLive,
};

impl TableReader {
    pub(super) async fn ttl(&self, table: &TableArn) -> Part<TimeToLive> {
        let call = self.dynamodb.describe_time_to_live().table_name(table.as_str());
        let answer = self.rates.time_to_live.call(|turn| call.customize().interceptor(turn).send()).await;
        let ttl = answer.map(|answer| answer.time_to_live_description.and_then(time_to_live));
        part("DescribeTimeToLive", ttl, table)
    }

    pub(super) async fn pitr(&self, table: &TableArn) -> Part<PointInTimeRecovery> {
        let call = self.dynamodb.describe_continuous_backups().table_name(table.as_str());
        let answer =
            self.rates.continuous_backups.call(|turn| call.customize().interceptor(turn).send()).await;
        let pitr = answer.map(|answer| answer.continuous_backups_description.and_then(recovery));
        part("DescribeContinuousBackups", pitr, table)
    }

    /// The policy of the table itself, or of its stream.
    pub(super) async fn resource_policy(&self, table: &TableArn, resource: &str) -> Part<String> {
        let answer = self.dynamodb.get_resource_policy().resource_arn(resource).send().await;
        let policy = match answer {
            Ok(answer) => Ok(answer.policy),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetResourcePolicyError::is_policy_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        };
        part("GetResourcePolicy", policy, table)
    }

    /// The table's stream, if it is on, with its policy.
    pub(super) async fn with_policy(
        &self,
        table: &TableArn,
        stream: Option<Stream>,
        arn: Option<&str>,
    ) -> Option<Stream> {
        let stream = stream?;
        let policy = match arn {
            Some(arn) => self.resource_policy(table, arn).await,
            None => Part::unknown("DescribeTable: no LatestStreamArn"),
        };
        Some(Stream { policy, ..stream })
    }

    pub(super) async fn kinesis(&self, table: &TableArn) -> Part<BTreeMap<String, KinesisDestination>> {
        let call = self.dynamodb.describe_kinesis_streaming_destination().table_name(table.as_str());
        let destinations = call.send().await.map(|answer| {
            let destinations = answer.kinesis_data_stream_destinations.into_iter().flatten();
            let destinations: BTreeMap<_, _> = destinations.filter_map(destination).collect();
            (!destinations.is_empty()).then_some(destinations)
        });
        part("DescribeKinesisStreamingDestination", destinations, table)
    }

    /// Contributor Insights of the table, or of one of its global secondary indexes.
    pub(super) async fn contributor_insights(&self, table: &TableArn, index: Option<&str>) -> Part<Insights> {
        let call = self.dynamodb.describe_contributor_insights().table_name(table.as_str());
        let call = call.set_index_name(index.map(str::to_owned));
        let answer =
            self.rates.contributor_insights.call(|turn| call.customize().interceptor(turn).send()).await;
        let insights = answer.map(|answer| {
            let mode = answer.contributor_insights_mode.map(|mode| InsightsMode::from(mode.as_str()));
            let on = matches!(
                answer.contributor_insights_status,
                Some(ContributorInsightsStatus::Enabled | ContributorInsightsStatus::Enabling)
            );
            on.then(|| Insights { mode: mode.unwrap_or_default() })
        });
        part("DescribeContributorInsights", insights, table)
    }
}

fn time_to_live(described: TimeToLiveDescription) -> Option<TimeToLive> {
    let on =
        matches!(described.time_to_live_status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
    on.then(|| TimeToLive { attribute: described.attribute_name.unwrap_or_default() })
}

fn recovery(described: ContinuousBackupsDescription) -> Option<PointInTimeRecovery> {
    let recovery = described.point_in_time_recovery_description?;
    let on = recovery.point_in_time_recovery_status == Some(PointInTimeRecoveryStatus::Enabled);
    on.then_some(PointInTimeRecovery { days: recovery.recovery_period_in_days })
}

/// DynamoDB goes on listing destinations that were switched off, or never could be switched on.
fn destination(described: KinesisDataStreamDestination) -> Option<(String, KinesisDestination)> {
    let off = [DestinationStatus::Disabled, DestinationStatus::Disabling, DestinationStatus::EnableFailed];
    if described.destination_status.is_some_and(|status| off.contains(&status)) {
        return None;
    }
    let precision = described.approximate_creation_date_time_precision;
    let precision = precision.map(|precision| KinesisPrecision::from(precision.as_str())).unwrap_or_default();
    Some((described.stream_arn?, KinesisDestination { precision }))
}
