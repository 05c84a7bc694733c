//! A table with everything that a table can have, and all that AWS says about it.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types as scaling;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::get_resource_policy::GetResourcePolicyError;
use aws_sdk_dynamodb::types::{
    ApproximateCreationDateTimePrecision, AttributeValue, BillingMode, ContributorInsightsAction,
    ContributorInsightsMode, EnableKinesisStreamingConfiguration, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, KeyType, LocalSecondaryIndex, OnDemandThroughput,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType,
    SseSpecification, SseType, StreamSpecification, StreamViewType, TableClass, Tag, TimeToLiveSpecification,
    UpdateGlobalSecondaryIndexAction, WarmThroughput,
};
use end_to_end::tables::{Item, attribute, fill, key, n, s};
use local_stack::{ACCOUNT, LocalStack};
use serde_json::{Value, json};

use super::alarms;

/// How the table is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Billing {
    /// With capacity of its own, under auto scaling.
    Provisioned,
    /// By request, with bounds.
    OnDemand,
}

/// What is of this one table and not of another that is configured alike: ids, ARNs, dates, and sizes that DynamoDB counts
/// when it gets to it.
const ITS_OWN: [&str; 21] = [
    "AlarmConfigurationUpdatedTimestamp",
    "Alarms",
    "CreationDateTime",
    "CreationTime",
    "EarliestRestorableDateTime",
    "IndexSizeBytes",
    "ItemCount",
    "LastUpdateDateTime",
    "LastUpdateToPayPerRequestDateTime",
    "LatestRestorableDateTime",
    "LatestStreamArn",
    "LatestStreamLabel",
    "PolicyARN",
    "RevisionId",
    "ScalableTargetARN",
    "ScheduledActionARN",
    "StateReason",
    "StateUpdatedTimestamp",
    "StateValue",
    "TableId",
    "TableSizeBytes",
];

/// Makes a table with two indexes and all there is, and fills it.
pub(super) async fn create(stack: &LocalStack, region: &str, name: &str, billing: Billing) {
    let client = Client::new(&stack.sdk_config(region).await);
    let kms = aws_sdk_kms::Client::new(&stack.sdk_config(region).await);
    let made = kms.create_key().send().await.expect("a key of the table's own");
    let table_key = made.key_metadata.and_then(|metadata| metadata.arn).expect("its ARN");
    create_table(&client, name, billing, &table_key).await;
    throughput(&client, name, billing).await;
    configure(&client, name, region).await;
    if billing == Billing::Provisioned {
        let config = stack.auto_scaling_config(region).await;
        scale(&aws_sdk_applicationautoscaling::Client::new(&config), name).await;
    }
    alarms::watch(stack, region, name).await;
    fill(&client, name, items()).await.expect("items");
}

async fn create_table(client: &Client, name: &str, billing: Billing, table_key: &str) {
    let units = |read, write| {
        let units = ProvisionedThroughput::builder().read_capacity_units(read).write_capacity_units(write);
        (billing == Billing::Provisioned).then(|| units.build().expect("units"))
    };
    let mode =
        if billing == Billing::Provisioned { BillingMode::Provisioned } else { BillingMode::PayPerRequest };
    let all = Projection::builder().projection_type(ProjectionType::All).build();
    let some =
        Projection::builder().projection_type(ProjectionType::Include).non_key_attributes("text").build();
    let index = |name: &str, hash: &str, projection: Projection, units| {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(hash, KeyType::Hash).expect("a key"))
            .projection(projection)
            .set_provisioned_throughput(units)
            .build()
            .expect("an index")
    };
    let local = LocalSecondaryIndex::builder()
        .index_name("by-size")
        .key_schema(key("id", KeyType::Hash).expect("a key"))
        .key_schema(key("size", KeyType::Range).expect("a key"))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .expect("an index");
    let sse = SseSpecification::builder().enabled(true).sse_type(SseType::Kms).kms_master_key_id(table_key);
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::OldImage);
    let mut create = client.create_table().table_name(name).billing_mode(mode);
    for (name, kind) in [("id", "S"), ("at", "N"), ("size", "N"), ("day", "S"), ("state", "S")] {
        let kind = ScalarAttributeType::from(kind);
        create = create.attribute_definitions(attribute(name, kind).expect("an attribute"));
    }
    create
        .key_schema(key("id", KeyType::Hash).expect("a key"))
        .key_schema(key("at", KeyType::Range).expect("a key"))
        .local_secondary_indexes(local)
        .global_secondary_indexes(index("by-day", "day", all, units(11, 12)))
        .global_secondary_indexes(index("by-state", "state", some, units(13, 14)))
        .set_provisioned_throughput(units(21, 22))
        .sse_specification(sse.build())
        .stream_specification(stream.build().expect("a stream"))
        .table_class(TableClass::StandardInfrequentAccess)
        .tags(tag("team", "checkout"))
        .tags(tag("cost-center", "4711"))
        .send()
        .await
        .expect("a table");
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().expect("a tag")
}

/// Warm throughput, and bounds where it is billed by request.
async fn throughput(client: &Client, name: &str, billing: Billing) {
    let warm = |read, write| {
        WarmThroughput::builder().read_units_per_second(read).write_units_per_second(write).build()
    };
    let index =
        UpdateGlobalSecondaryIndexAction::builder().index_name("by-day").warm_throughput(warm(16_000, 5_000));
    let update = client.update_table().table_name(name).warm_throughput(warm(15_000, 6_000));
    let update = update.global_secondary_index_updates(of_index(index.build().expect("an update")));
    update.send().await.expect("warm throughput");
    if billing == Billing::OnDemand {
        let bounds = |read, write| {
            OnDemandThroughput::builder().max_read_request_units(read).max_write_request_units(write).build()
        };
        let index = UpdateGlobalSecondaryIndexAction::builder()
            .index_name("by-state")
            .on_demand_throughput(bounds(70, 80));
        let update = client.update_table().table_name(name).on_demand_throughput(bounds(500, 600));
        let update = update.global_secondary_index_updates(of_index(index.build().expect("an update")));
        update.send().await.expect("bounds");
    }
}

fn of_index(action: UpdateGlobalSecondaryIndexAction) -> GlobalSecondaryIndexUpdate {
    GlobalSecondaryIndexUpdate::builder().update(action).build()
}

async fn configure(client: &Client, name: &str, region: &str) {
    let ttl =
        TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build().expect("TTL");
    let ttl = client.update_time_to_live().table_name(name).time_to_live_specification(ttl);
    ttl.send().await.expect("TTL");
    let pitr = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(true)
        .recovery_period_in_days(9)
        .build()
        .expect("PITR");
    let pitr = client.update_continuous_backups().table_name(name).point_in_time_recovery_specification(pitr);
    pitr.send().await.expect("PITR");
    let precision = EnableKinesisStreamingConfiguration::builder()
        .approximate_creation_date_time_precision(ApproximateCreationDateTimePrecision::Microsecond)
        .build();
    client
        .enable_kinesis_streaming_destination()
        .table_name(name)
        .stream_arn(format!("arn:aws:kinesis:{region}:{ACCOUNT}:stream/changes"))
        .enable_kinesis_streaming_configuration(precision)
        .send()
        .await
        .expect("Kinesis");
    for (index, mode) in [
        (None, ContributorInsightsMode::ThrottledKeys),
        (Some("by-day"), ContributorInsightsMode::AccessedAndThrottledKeys),
    ] {
        let insights =
            client.update_contributor_insights().table_name(name).set_index_name(index.map(str::to_owned));
        let insights = insights.contributor_insights_action(ContributorInsightsAction::Enable);
        insights.contributor_insights_mode(mode).send().await.expect("insights");
    }
    let table = format!("arn:aws:dynamodb:{region}:{ACCOUNT}:table/{name}");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "Read", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": [table, format!("{table}/index/*")],
    }]});
    let put = client.put_resource_policy().resource_arn(&table).policy(policy.to_string());
    put.send().await.expect("a policy");
    let stream = stream_of(client, name).await.expect("a stream");
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "Follow", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
        "Action": ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], "Resource": stream,
        "Condition": {"ArnNotEquals": {"aws:SourceArn": table}},
    }]});
    let put = client.put_resource_policy().resource_arn(stream).policy(policy.to_string());
    put.send().await.expect("a policy of the stream");
    let protect = client.update_table().table_name(name).deletion_protection_enabled(true);
    protect.send().await.expect("protection");
}

/// The ARN of a table's stream, when it is on.
pub(super) async fn stream_of(client: &Client, name: &str) -> Option<String> {
    let described = client.describe_table().table_name(name).send().await.expect("the table");
    let table = described.table.expect("the table");
    let is_on = table.stream_specification().is_some_and(StreamSpecification::stream_enabled);
    table.latest_stream_arn.filter(|_| is_on)
}

async fn scale(client: &aws_sdk_applicationautoscaling::Client, name: &str) {
    use scaling::ScalableDimension as D;
    let table = format!("table/{name}");
    let index = format!("table/{name}/index/by-day");
    for (resource, dimension, metric, min) in [
        (&table, D::DynamoDbTableReadCapacityUnits, "DynamoDBReadCapacityUtilization", 5),
        (&table, D::DynamoDbTableWriteCapacityUnits, "DynamoDBWriteCapacityUtilization", 6),
        (&index, D::DynamoDbIndexReadCapacityUnits, "DynamoDBReadCapacityUtilization", 7),
    ] {
        let target = client.register_scalable_target().service_namespace(scaling::ServiceNamespace::Dynamodb);
        let target = target.resource_id(resource).scalable_dimension(dimension.clone());
        target.min_capacity(min).max_capacity(100 + min).send().await.expect("a target");
        let metric = scaling::PredefinedMetricSpecification::builder()
            .predefined_metric_type(scaling::MetricType::from(metric))
            .build()
            .expect("a metric");
        let tracking = scaling::TargetTrackingScalingPolicyConfiguration::builder()
            .target_value(70.0)
            .predefined_metric_specification(metric)
            .scale_in_cooldown(60)
            .scale_out_cooldown(30)
            .build()
            .expect("tracking");
        let policy = client.put_scaling_policy().service_namespace(scaling::ServiceNamespace::Dynamodb);
        let policy = policy.resource_id(resource).scalable_dimension(dimension).policy_name("seventy");
        let policy = policy.policy_type(scaling::PolicyType::TargetTrackingScaling);
        policy.target_tracking_scaling_policy_configuration(tracking).send().await.expect("a policy");
    }
    let action = scaling::ScalableTargetAction::builder().min_capacity(50).max_capacity(90).build();
    let put = client.put_scheduled_action().service_namespace(scaling::ServiceNamespace::Dynamodb);
    let put = put.resource_id(&table).scalable_dimension(D::DynamoDbTableReadCapacityUnits);
    let put = put.scheduled_action_name("mornings").schedule("cron(0 6 * * ? *)").timezone("Europe/Berlin");
    put.scalable_target_action(action).send().await.expect("a scheduled action");
}

/// Takes all auto scaling off a table, its policies and actions included.
pub(super) async fn unscale(stack: &LocalStack, region: &str, name: &str) {
    let client = aws_sdk_applicationautoscaling::Client::new(&stack.auto_scaling_config(region).await);
    let targets = client.describe_scalable_targets().service_namespace(scaling::ServiceNamespace::Dynamodb);
    let targets = targets.send().await.expect("the targets");
    let of_table = |resource: &str| resource.split('/').nth(1) == Some(name);
    for target in targets.scalable_targets().iter().filter(|target| of_table(target.resource_id())) {
        let off = client.deregister_scalable_target().service_namespace(scaling::ServiceNamespace::Dynamodb);
        let off =
            off.resource_id(target.resource_id()).scalable_dimension(target.scalable_dimension().clone());
        off.send().await.expect("it goes");
    }
}

/// Items with every type, also at its limits.
fn items() -> Vec<Item> {
    let text = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let bytes = |value: &[u8]| aws_sdk_dynamodb::primitives::Blob::new(value);
    let nested = AttributeValue::M(
        [
            ("list", AttributeValue::L(vec![s(""), n(1), AttributeValue::Null(true)])),
            ("empty", AttributeValue::M([].into())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    );
    let values = [
        ("text", s("äöü 🦀")),
        ("empty", s("")),
        ("large", n("9.9999999999999999999999999999999999999E+125")),
        ("small", n("-1E-130")),
        ("exact", n("12345678901234567890123456789012345678")),
        ("bytes", AttributeValue::B(bytes(&[0, 255, 7]))),
        ("nothing", AttributeValue::B(bytes(&[]))),
        ("yes", AttributeValue::Bool(true)),
        ("null", AttributeValue::Null(true)),
        ("texts", AttributeValue::Ss(text(&["a", "b"]))),
        ("numbers", AttributeValue::Ns(text(&["1", "2.5", "-3"]))),
        ("blobs", AttributeValue::Bs(vec![bytes(&[1]), bytes(&[2, 3])])),
        ("nested", nested),
        ("list", AttributeValue::L(vec![])),
    ];
    let item = |(i, (name, value)): (usize, (&str, AttributeValue))| {
        let keys = [
            ("id", s(name)),
            ("at", n(i)),
            ("size", n(i * 2)),
            ("day", s(format!("d-{}", i % 3))),
            ("state", s("open")),
        ];
        let mut item: Item = keys.map(|(name, value)| (name.to_owned(), value)).into();
        item.insert("value".to_owned(), value);
        item
    };
    values.into_iter().enumerate().map(item).collect()
}

/// The items of a table by their key; sets in order, for they have none.
pub(super) async fn items_of(stack: &LocalStack, region: &str, name: &str) -> BTreeMap<String, Item> {
    all_items(&Client::new(&stack.sdk_config(region).await), name).await
}

/// The same, by a client that is there.
pub(super) async fn all_items(client: &Client, name: &str) -> BTreeMap<String, Item> {
    let pages = client.scan().table_name(name).consistent_read(true).into_paginator().items().send();
    let items: Vec<Item> = pages.collect::<Result<_, _>>().await.expect("the items");
    let mut items: BTreeMap<String, Item> =
        items.into_iter().map(|item| (item["id"].as_s().expect("a text").clone(), item)).collect();
    for value in items.values_mut().flat_map(|item| item.values_mut()) {
        match value {
            AttributeValue::Ss(set) | AttributeValue::Ns(set) => set.sort(),
            AttributeValue::Bs(set) => set.sort_by(|a, b| a.as_ref().cmp(b.as_ref())),
            _ => {}
        }
    }
    items
}

/// All that AWS says of a table's configuration, call by call, as its own CLI shows it; without what is only this table's.
pub(super) async fn described(stack: &LocalStack, region: &str, name: &str) -> BTreeMap<String, Value> {
    let arn = format!("arn:aws:dynamodb:{region}:{ACCOUNT}:table/{name}");
    let mut all = BTreeMap::new();
    let dynamodb = [
        ("describe-table", vec!["--table-name", name]),
        ("describe-time-to-live", vec!["--table-name", name]),
        ("describe-continuous-backups", vec!["--table-name", name]),
        ("describe-kinesis-streaming-destination", vec!["--table-name", name]),
        ("list-tags-of-resource", vec!["--resource-arn", &arn]),
        ("get-resource-policy", vec!["--resource-arn", &arn]),
        ("describe-contributor-insights", vec!["--table-name", name]),
    ];
    for (call, arguments) in dynamodb {
        all.insert(call.to_owned(), ask(stack, region, "dynamodb", call, &arguments).await);
    }
    if let Some(policy) = stream_policy(stack, region, name).await {
        all.insert("get-resource-policy of the stream".to_owned(), policy);
    }
    for index in ["by-day", "by-state"] {
        let arguments = ["--table-name", name, "--index-name", index];
        let insights = ask(stack, region, "dynamodb", "describe-contributor-insights", &arguments).await;
        all.insert(format!("describe-contributor-insights {index}"), insights);
    }
    for (call, list) in [
        ("describe-scalable-targets", "ScalableTargets"),
        ("describe-scaling-policies", "ScalingPolicies"),
        ("describe-scheduled-actions", "ScheduledActions"),
    ] {
        let arguments = ["--service-namespace", "dynamodb"];
        let mut answer = ask(stack, region, "application-autoscaling", call, &arguments).await;
        let ours = |one: &Value| {
            let resource = one["ResourceId"].as_str().unwrap_or_default();
            resource == format!("table/{name}") || resource.starts_with(&format!("table/{name}/"))
        };
        let found = answer[list].as_array_mut().expect("a list");
        found.retain(ours);
        found.sort_by_key(ToString::to_string);
        all.insert(call.to_owned(), answer);
    }
    for (alarm, described) in alarms::of_table(stack, region, name).await {
        // Auto scaling makes those of its own.
        if alarm.starts_with("TargetTracking-") {
            continue;
        }
        let named = ask(stack, region, "cloudwatch", "describe-alarms", &["--alarm-names", &alarm]).await;
        all.insert(format!("describe-alarms {alarm}"), named);
        let arn = described.alarm_arn().expect("an ARN");
        let tags = ask(stack, region, "cloudwatch", "list-tags-for-resource", &["--resource-arn", arn]).await;
        all.insert(format!("list-tags-for-resource {alarm}"), tags);
    }
    all
}

/// The policy of the table's stream, when that is on and has one, without the label that this stream alone has.
async fn stream_policy(stack: &LocalStack, region: &str, name: &str) -> Option<Value> {
    let client = Client::new(&stack.sdk_config(region).await);
    let stream = stream_of(&client, name).await?;
    match client.get_resource_policy().resource_arn(&stream).send().await {
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetResourcePolicyError::is_policy_not_found_exception) =>
        {
            return None;
        }
        asked => drop(asked.expect("its policy")),
    }
    let policy = ask(stack, region, "dynamodb", "get-resource-policy", &["--resource-arn", &stream]).await;
    let label = stream.rsplit('/').next().expect("a label");
    assert!(policy.to_string().contains(&stream), "it names its stream: {policy}");
    Some(serde_json::from_str(&policy.to_string().replace(label, "<label>")).expect("JSON"))
}

async fn ask(stack: &LocalStack, region: &str, service: &str, call: &str, arguments: &[&str]) -> Value {
    let mut command = stack.aws_cli(region);
    let done = command
        .args([service, call, "--output", "json"])
        .args(arguments)
        .output()
        .await
        .expect("the AWS CLI");
    assert!(done.status.success(), "{call}: {}", String::from_utf8_lossy(&done.stderr));
    let mut answer = serde_json::from_slice(&done.stdout).expect("JSON");
    in_common(&mut answer);
    answer
}

/// Takes out what is only this table's, and sorts lists that have no order.
fn in_common(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !ITS_OWN.contains(&name.as_str()));
            // Nothing suspended is said, or left out.
            members.retain(|name, value| name != "SuspendedState" || value.to_string().contains("true"));
            if let Some(Value::String(policy)) = members.get_mut("Policy") {
                let parsed = serde_json::from_str(policy).expect("a policy");
                members.insert("Policy".to_owned(), parsed);
            }
            members.values_mut().for_each(in_common);
            for unordered in
                ["Tags", "AttributeDefinitions", "GlobalSecondaryIndexes", "Dimensions", "Metrics"]
            {
                if let Some(Value::Array(items)) = members.get_mut(unordered) {
                    items.sort_by_key(ToString::to_string);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(in_common),
        _ => {}
    }
}
