//! A table with something for every call that a restore can make, and as little else as possible.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_applicationautoscaling::types as scaling;
use aws_sdk_dynamodb::types::{
    BillingMode, ContributorInsightsAction, KeyType, PointInTimeRecoverySpecification, ProvisionedThroughput,
    ScalarAttributeType, SseSpecification, SseType, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};
use dynachain::aws::table_reader::TableReader;
use dynachain::table_config::TableConfig;
use end_to_end::tables::{Item, attribute, fill, key, s};
use local_stack::{ACCOUNT, SOURCE_REGION};
use serde_json::json;

use crate::restore::alarms;
use crate::restore::everything::all_items;
use crate::support::{World, arn};

pub(super) const NAME: &str = "orders";

/// All that there is to see of the table: how it is configured, and what it holds.
pub(super) type Seen = (TableConfig, BTreeMap<String, Item>);

/// Clients that are made once: making one is dear.
pub(super) struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    backup: aws_sdk_backup::Client,
    scaling: aws_sdk_applicationautoscaling::Client,
    alarms: aws_sdk_cloudwatch::Client,
    reader: TableReader,
}

impl Clients {
    pub(super) fn of(config: &SdkConfig) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            backup: aws_sdk_backup::Client::new(config),
            scaling: aws_sdk_applicationautoscaling::Client::new(config),
            alarms: aws_sdk_cloudwatch::Client::new(config),
            reader: TableReader::new(config, 1000),
        }
    }

    pub(super) async fn table(&self) -> Seen {
        let config = self.reader.afresh().capture(&arn(NAME)).await.expect("the table").config;
        (config, all_items(&self.dynamodb, NAME).await)
    }

    pub(super) async fn restore_jobs(&self) -> usize {
        let jobs = self.backup.list_restore_jobs().into_paginator().items().send();
        jobs.collect::<Result<Vec<_>, _>>().await.expect("the jobs").len()
    }

    /// Deletes the table with its auto scaling and its alarms, so that nothing is left to be found again.
    pub(super) async fn delete(&self) {
        let gone = self
            .alarms
            .delete_alarms()
            .alarm_names("Too much is throttled")
            .alarm_names(format!("{NAME}-slow"));
        gone.send().await.expect("the alarms go");
        let off = self.scaling.deregister_scalable_target().resource_id(format!("table/{NAME}"));
        let off = off.service_namespace(scaling::ServiceNamespace::Dynamodb);
        let dimension = scaling::ScalableDimension::DynamoDbTableReadCapacityUnits;
        off.scalable_dimension(dimension).send().await.expect("it goes");
        let unprotected = self.dynamodb.update_table().table_name(NAME).deletion_protection_enabled(false);
        unprotected.send().await.expect("unprotected");
        self.dynamodb.delete_table().table_name(NAME).send().await.expect("the table goes");
    }
}

/// Makes it, with a few items.
pub(super) async fn create(world: &World) {
    let made = world.kms().await.create_key().send().await.expect("a key of the table's own");
    let table_key = made.key_metadata.and_then(|metadata| metadata.arn).expect("its ARN");
    let units = ProvisionedThroughput::builder().read_capacity_units(21).write_capacity_units(22);
    let sse = SseSpecification::builder().enabled(true).sse_type(SseType::Kms).kms_master_key_id(table_key);
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::KeysOnly);
    let client = world.dynamodb().await;
    let create = client.create_table().table_name(NAME).billing_mode(BillingMode::Provisioned);
    let create = create
        .attribute_definitions(attribute("id", ScalarAttributeType::S).expect("an attribute"))
        .key_schema(key("id", KeyType::Hash).expect("a key"))
        .provisioned_throughput(units.build().expect("units"))
        .sse_specification(sse.build())
        .stream_specification(stream.build().expect("a stream"));
    create.send().await.expect("a table");
    fill(&client, NAME, (0..3).map(|i| [("id".to_owned(), s(format!("item-{i}")))].into()))
        .await
        .expect("items");
    world.tag_table(NAME, [("team".to_owned(), "checkout".to_owned())]).await;
    configure(&client).await;
    alarms::watch(&world.stack, SOURCE_REGION, NAME).await;
    scale(&aws_sdk_applicationautoscaling::Client::new(
        &world.stack.auto_scaling_config(SOURCE_REGION).await,
    ))
    .await;
}

async fn configure(client: &aws_sdk_dynamodb::Client) {
    let ttl = TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build();
    let ttl = client.update_time_to_live().table_name(NAME).time_to_live_specification(ttl.expect("TTL"));
    ttl.send().await.expect("TTL");
    let pitr = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
    let set = client.update_continuous_backups().table_name(NAME);
    set.point_in_time_recovery_specification(pitr.expect("PITR")).send().await.expect("PITR");
    let stream = format!("arn:aws:kinesis:{SOURCE_REGION}:{ACCOUNT}:stream/changes");
    let kinesis = client.enable_kinesis_streaming_destination().table_name(NAME).stream_arn(stream);
    kinesis.send().await.expect("Kinesis");
    let insights = client.update_contributor_insights().table_name(NAME);
    insights.contributor_insights_action(ContributorInsightsAction::Enable).send().await.expect("insights");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": "dynamodb:GetItem", "Resource": arn(NAME),
    }]});
    let put = client.put_resource_policy().resource_arn(arn(NAME).as_str()).policy(policy.to_string());
    put.send().await.expect("a policy");
    let protect = client.update_table().table_name(NAME).deletion_protection_enabled(true);
    protect.send().await.expect("protection");
}

/// One target with one policy and one action.
async fn scale(client: &aws_sdk_applicationautoscaling::Client) {
    let (namespace, resource) = (scaling::ServiceNamespace::Dynamodb, format!("table/{NAME}"));
    let dimension = scaling::ScalableDimension::DynamoDbTableReadCapacityUnits;
    let target = client.register_scalable_target().service_namespace(namespace.clone());
    let target = target.resource_id(&resource).scalable_dimension(dimension.clone());
    target.min_capacity(5).max_capacity(105).send().await.expect("a target");
    let metric = scaling::MetricType::DynamoDbReadCapacityUtilization;
    let metric = scaling::PredefinedMetricSpecification::builder().predefined_metric_type(metric).build();
    let tracking = scaling::TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(70.0)
        .predefined_metric_specification(metric.expect("a metric"));
    let policy = client.put_scaling_policy().service_namespace(namespace.clone()).policy_name("seventy");
    let policy = policy.resource_id(&resource).scalable_dimension(dimension.clone());
    let policy = policy.policy_type(scaling::PolicyType::TargetTrackingScaling);
    let tracking = tracking.build().expect("tracking");
    policy.target_tracking_scaling_policy_configuration(tracking).send().await.expect("a policy");
    let bounds = scaling::ScalableTargetAction::builder().min_capacity(50).max_capacity(90).build();
    let action = client.put_scheduled_action().service_namespace(namespace).resource_id(&resource);
    let action = action.scalable_dimension(dimension).scheduled_action_name("mornings");
    let action = action.schedule("cron(0 6 * * ? *)").timezone("Europe/Berlin");
    action.scalable_target_action(bounds).send().await.expect("a scheduled action");
}
