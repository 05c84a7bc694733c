mod alarms;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::aws::fake;
use crate::table_config::{
    BillingMode, Encryption, GlobalIndex, GlobalTable, Insights, InsightsMode, KeyKind, KinesisPrecision,
    MaxThroughput, ProjectionKind, Stream, StreamView, TableClass, TargetTracking, Throughput, TimeToLive,
    WarmThroughput,
};

const TABLE: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";

const STREAM: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/stream/2026-01-05T07:00:00.123";

/// AWS as a table of answers: operation, or operation and a word of the request, to status and body.
#[derive(Clone, Debug, Default)]
struct FakeAws {
    answers: Arc<Mutex<HashMap<String, (u16, Value)>>>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl FakeAws {
    /// A table with nothing special about it.
    fn plain() -> Self {
        let aws = Self::default();
        aws.answers("DescribeTable", json!({ "Table": described() }));
        aws.answers("ListTagsOfResource", json!({ "Tags": [] }));
        aws.answers(
            "DescribeTimeToLive",
            json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "DISABLED" } }),
        );
        aws.answers(
            "DescribeContinuousBackups",
            json!({ "ContinuousBackupsDescription": { "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" } } }),
        );
        aws.refuses("GetResourcePolicy", "PolicyNotFoundException");
        aws.answers("DescribeKinesisStreamingDestination", json!({ "KinesisDataStreamDestinations": [] }));
        aws.answers("DescribeContributorInsights", json!({ "ContributorInsightsStatus": "DISABLED" }));
        aws.answers("DescribeScalableTargets", json!({ "ScalableTargets": [] }));
        aws.answers("DescribeScalingPolicies", json!({ "ScalingPolicies": [] }));
        aws.answers("DescribeScheduledActions", json!({ "ScheduledActions": [] }));
        aws.answers("DescribeAlarms", json!({ "MetricAlarms": [] }));
        aws.answers("ListTagsForResource", json!({ "Tags": [] }));
        aws
    }

    /// `call` is an operation, or `operation word` for requests that contain the word.
    fn answers(&self, call: &str, body: Value) {
        self.answers.lock().unwrap().insert(call.to_owned(), (200, body));
    }

    fn refuses(&self, call: &str, code: &str) {
        let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no" });
        self.answers.lock().unwrap().insert(call.to_owned(), (400, body));
    }

    fn reader(&self) -> TableReader {
        TableReader::new(&fake::config(self.clone()), 1_000)
    }

    async fn capture(&self) -> Result<Captured, CaptureError> {
        self.reader().capture(&TABLE.parse().unwrap()).await
    }

    fn calls(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(called, _)| called == operation).map(|(_, request)| request.clone()).collect()
    }
}

/// The operation and the members of a request: of AWS JSON, or of Smithy RPC v2 CBOR, which CloudWatch speaks.
fn asked(request: &HttpRequest) -> (String, Value) {
    let body = request.body().bytes().unwrap_or_default();
    match request.headers().get("x-amz-target") {
        Some(target) => {
            (target.rsplit('.').next().unwrap().to_owned(), serde_json::from_slice(body).unwrap())
        }
        None => (request.uri().rsplit('/').next().unwrap().to_owned(), ciborium::from_reader(body).unwrap()),
    }
}

/// The answer in the protocol of the request.
fn answered(request: &HttpRequest, status: u16, body: &Value) -> HttpResponse {
    let is_json = request.headers().get("x-amz-target").is_some();
    let status = status.try_into().unwrap();
    if is_json {
        return HttpResponse::new(status, SdkBody::from(body.to_string()));
    }
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    let mut answer = HttpResponse::new(status, SdkBody::from(bytes));
    answer.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    answer
}

impl HttpConnector for FakeAws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (operation, asked) = asked(&request);
        let text = asked.to_string();
        let answers = self.answers.lock().unwrap();
        let special = answers.iter().find(|(call, _)| {
            call.split_once(' ').is_some_and(|(called, word)| called == operation && text.contains(word))
        });
        let answer = special.map(|(_, answer)| answer).or_else(|| answers.get(&operation));
        let (status, body) = answer.cloned().unwrap_or_else(|| panic!("no answer to {operation} {text}"));
        self.calls.lock().unwrap().push((operation, asked));
        HttpConnectorFuture::ready(Ok(answered(&request, status, &body)))
    }
}

fn described() -> Value {
    json!({
        "TableName": "orders", "TableArn": TABLE, "TableId": "0c7c1e7a-0000-4000-8000-000000000002",
        "TableStatus": "ACTIVE", "ItemCount": 1200, "TableSizeBytes": 36048,
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 6, "NumberOfDecreasesToday": 0 }
    })
}

#[tokio::test]
async fn what_dynamodb_leaves_out_is_its_default_and_off() {
    let captured = FakeAws::plain().capture().await.unwrap();
    let expected = TableConfig {
        key: captured.config.key.clone(),
        attributes: captured.config.attributes.clone(),
        provisioned: Some(Throughput { read: 5, write: 6 }),
        ..TableConfig::default()
    };
    assert_eq!(captured.config, expected);
    assert_eq!(captured.config.billing_mode, BillingMode::Provisioned);
    assert_eq!(
        (captured.config.key[0].name.as_str(), &captured.config.key[0].kind),
        ("id", &KeyKind::Partition)
    );
    assert_eq!(
        (captured.status.as_str(), captured.item_count, captured.size_bytes),
        ("ACTIVE", 1_200, 36_048)
    );
    assert_eq!(
        (captured.table_id.as_str(), captured.tags_count),
        ("0c7c1e7a-0000-4000-8000-000000000002", 0)
    );
}

#[tokio::test]
async fn everything_that_a_description_says_is_kept() {
    let aws = FakeAws::plain();
    let mut table = described();
    let full = json!({
        "TableStatus": "UPDATING",
        "KeySchema": [{ "AttributeName": "line", "KeyType": "RANGE" }, { "AttributeName": "id", "KeyType": "HASH" }],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
        "ProvisionedThroughput": { "ReadCapacityUnits": 0, "WriteCapacityUnits": 0 },
        "OnDemandThroughput": { "MaxReadRequestUnits": 4000, "MaxWriteRequestUnits": -1 },
        "WarmThroughput": { "ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE" },
        "TableClassSummary": { "TableClass": "STANDARD_INFREQUENT_ACCESS" },
        "SSEDescription": { "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/k" },
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "OLD_IMAGE" },
        "LatestStreamArn": STREAM,
        "DeletionProtectionEnabled": true,
        "GlobalTableVersion": "2019.11.21", "MultiRegionConsistency": "STRONG",
        "Replicas": [{ "RegionName": "eu-west-1" }], "GlobalTableWitnesses": [{ "RegionName": "eu-north-1" }],
        "LocalSecondaryIndexes": [{ "IndexName": "by-price", "Projection": { "ProjectionType": "KEYS_ONLY" },
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }, { "AttributeName": "price", "KeyType": "RANGE" }] }],
        "GlobalSecondaryIndexes": [
            { "IndexName": "by-day", "IndexStatus": "ACTIVE", "KeySchema": [{ "AttributeName": "day", "KeyType": "HASH" }],
              "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["z", "a"] },
              "OnDemandThroughput": { "MaxReadRequestUnits": 100 },
              "WarmThroughput": { "ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000 } },
            { "IndexName": "going", "IndexStatus": "DELETING", "KeySchema": [{ "AttributeName": "x", "KeyType": "HASH" }] }],
        "VectorIndexes": [{ "IndexName": "by-likeness" }]
    });
    table.as_object_mut().unwrap().extend(full.as_object().unwrap().clone());
    aws.answers("DescribeTable", json!({ "Table": table }));
    aws.answers(
        "DescribeContributorInsights by-day",
        json!({ "ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": "THROTTLED_KEYS" }),
    );
    let captured = aws.capture().await.unwrap();
    let config = captured.config;
    assert_eq!(captured.status, "UPDATING");
    assert_eq!(config.key.iter().map(|element| element.name.as_str()).collect::<Vec<_>>(), ["id", "line"]);
    assert_eq!((config.billing_mode, config.provisioned), (BillingMode::OnDemand, None));
    assert_eq!(config.on_demand, Some(MaxThroughput { read: Some(4_000), ..MaxThroughput::default() }));
    let warm = Some(WarmThroughput { read: 12_000, write: 4_000 });
    assert_eq!((&config.warm_throughput, config.table_class), (&warm, TableClass::InfrequentAccess));
    let key = Some("arn:aws:kms:eu-central-1:111122223333:key/k".to_owned());
    assert_eq!(config.encryption, Some(Encryption { key, ..Encryption::default() }));
    assert_eq!(config.stream, Some(Stream { view: StreamView::OldImage, policy: Part::Off }));
    assert_eq!(captured.stream_arn.as_deref(), Some(STREAM));
    let global = GlobalTable {
        version: Some("2019.11.21".to_owned()),
        replicas: ["eu-west-1".to_owned()].into(),
        witnesses: ["eu-north-1".to_owned()].into(),
        consistency: Some("STRONG".to_owned()),
    };
    assert_eq!((config.global_table, config.deletion_protection), (Some(global), true));
    assert_eq!(config.local_indexes["by-price"].projection.kind, ProjectionKind::KeysOnly);
    assert_eq!(config.local_indexes["by-price"].key[1].name, "price");
    let index = GlobalIndex {
        key: config.global_indexes["by-day"].key.clone(),
        projection: config.global_indexes["by-day"].projection.clone(),
        on_demand: Some(MaxThroughput { read: Some(100), ..MaxThroughput::default() }),
        warm_throughput: warm,
        contributor_insights: Part::On(Insights { mode: InsightsMode::Throttled }),
        ..GlobalIndex::default()
    };
    assert!(index.projection.attributes.iter().eq(["a", "z"]));
    assert_eq!(config.global_indexes, [("by-day".to_owned(), index)].into());
    assert_eq!(config.unrecorded["vector_indexes"], "not recorded: by-likeness");
}

#[tokio::test]
async fn what_other_calls_say_is_kept_too() {
    let aws = FakeAws::plain();
    aws.answers(
        "ListTagsOfResource",
        json!({ "Tags": [{ "Key": "backup", "Value": "gold" }, { "Key": "aws:cloudformation:stack-name", "Value": "shop" }], "NextToken": "page-2" }),
    );
    aws.answers("ListTagsOfResource page-2", json!({ "Tags": [{ "Key": "cost-center", "Value": "42" }] }));
    aws.answers(
        "DescribeTimeToLive",
        json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "ENABLING", "AttributeName": "expires" } }),
    );
    aws.answers(
        "DescribeContinuousBackups",
        json!({ "ContinuousBackupsDescription": { "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 14 } } }),
    );
    aws.answers("GetResourcePolicy", json!({ "Policy": "{\"Version\":\"2012-10-17\"}", "RevisionId": "1" }));
    aws.answers(
        "DescribeKinesisStreamingDestination",
        json!({ "KinesisDataStreamDestinations": [
            { "StreamArn": "arn:b", "DestinationStatus": "ACTIVE", "ApproximateCreationDateTimePrecision": "MICROSECOND" },
            { "StreamArn": "arn:old", "DestinationStatus": "DISABLED" }] }),
    );
    aws.answers("DescribeContributorInsights", json!({ "ContributorInsightsStatus": "ENABLED" }));
    let captured = aws.capture().await.unwrap();
    let config = captured.config;
    let tags: Vec<&str> = config.tags.keys().map(String::as_str).collect();
    assert_eq!(
        (tags, captured.tags_count),
        (vec!["aws:cloudformation:stack-name", "backup", "cost-center"], 2)
    );
    let ttl = TimeToLive { attribute: "expires".to_owned() };
    assert_eq!(config.ttl, Part::On(ttl));
    assert_eq!(config.pitr.on().unwrap().days, Some(14));
    assert_eq!(config.resource_policy.on().unwrap(), "{\"Version\":\"2012-10-17\"}");
    let destinations = config.kinesis.on().unwrap();
    assert_eq!((destinations.len(), &destinations["arn:b"].precision), (1, &KinesisPrecision::Microsecond));
    assert_eq!(config.contributor_insights, Part::On(Insights::default()));
    assert_eq!(config.auto_scaling, Part::Off);
}

impl FakeAws {
    /// A table that has, or had, a stream.
    fn with_stream(enabled: bool) -> Self {
        let aws = Self::plain();
        let mut table = described();
        table["StreamSpecification"] = json!({ "StreamEnabled": enabled, "StreamViewType": "OLD_IMAGE" });
        table["LatestStreamArn"] = json!(STREAM);
        aws.answers("DescribeTable", json!({ "Table": table }));
        aws
    }
}

#[tokio::test]
async fn the_policy_of_a_stream_is_read_where_there_is_a_stream_and_only_there() {
    let aws = FakeAws::with_stream(true);
    aws.answers(&format!("GetResourcePolicy {STREAM}"), json!({ "Policy": "{}", "RevisionId": "1" }));
    let captured = aws.capture().await.unwrap();
    assert_eq!(captured.config.stream.unwrap().policy, Part::On("{}".to_owned()));
    assert_eq!((captured.config.resource_policy, captured.stream_arn.as_deref()), (Part::Off, Some(STREAM)));
    assert_eq!(aws.calls("GetResourcePolicy").len(), 2);

    // DynamoDB goes on naming a stream that was switched off.
    for aws in [FakeAws::with_stream(false), FakeAws::plain()] {
        let captured = aws.capture().await.unwrap();
        assert_eq!((captured.config.stream, captured.stream_arn), (None, None));
        assert_eq!(aws.calls("GetResourcePolicy"), [json!({ "ResourceArn": TABLE })]);
    }
}

#[tokio::test]
async fn the_policy_of_a_stream_that_may_not_be_read_is_unknown() {
    let aws = FakeAws::with_stream(true);
    let denied =
        json!({ "__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "no" });
    aws.answers.lock().unwrap().insert(format!("GetResourcePolicy {STREAM}"), (400, denied));
    let config = aws.capture().await.unwrap().config;
    assert_eq!(config.unknown(), [("stream policy".to_owned(), "GetResourcePolicy: AccessDeniedException")]);
}

#[tokio::test]
async fn a_part_that_may_not_be_read_is_unknown_never_off() {
    let calls = [
        ("DescribeTimeToLive", "ttl"),
        ("DescribeContinuousBackups", "pitr"),
        ("GetResourcePolicy", "resource_policy"),
        ("DescribeKinesisStreamingDestination", "kinesis"),
        ("DescribeContributorInsights", "contributor_insights"),
        ("DescribeScheduledActions", "auto_scaling"),
        ("DescribeAlarms", "alarms"),
    ];
    for (call, property) in calls {
        let aws = FakeAws::plain();
        aws.refuses(call, "AccessDeniedException");
        let config = aws.capture().await.unwrap().config;
        assert_eq!(
            config.unknown(),
            [(property.to_owned(), format!("{call}: AccessDeniedException").as_str())]
        );
    }
}

#[rstest]
#[case::vanished(
    "DescribeTable",
    "ResourceNotFoundException",
    "the table arn:aws:dynamodb:eu-central-1:111122223333:table/orders does not exist"
)]
#[case::vanished_since("ListTagsOfResource", "ResourceNotFoundException", "does not exist")]
#[case::hidden_tags("ListTagsOfResource", "AccessDeniedException", "the tags of the table")]
#[case::hidden_table(
    "DescribeTable",
    "AccessDeniedException",
    "could not be described: DescribeTable was refused: AccessDeniedException"
)]
#[tokio::test]
async fn without_description_or_tags_there_is_no_capture(
    #[case] call: &str,
    #[case] code: &str,
    #[case] said: &str,
) {
    let aws = FakeAws::plain();
    aws.refuses(call, code);
    let error = aws.capture().await.unwrap_err().to_string();
    assert!(error.contains(said), "{error}");
}

#[rstest]
#[case("CREATING")]
#[case("DELETING")]
#[case("INACCESSIBLE_ENCRYPTION_CREDENTIALS")]
#[case("ARCHIVED")]
#[case("SOMETHING_NEW")]
#[tokio::test]
async fn a_table_in_another_state_is_refused_before_anything_else_is_read(#[case] status: &str) {
    let aws = FakeAws::plain();
    let mut table = described();
    table["TableStatus"] = json!(status);
    aws.answers("DescribeTable", json!({ "Table": table }));
    let error = aws.capture().await.unwrap_err();
    assert_eq!(error, CaptureError::NotActive { table: TABLE.parse().unwrap(), status: status.to_owned() });
    assert_eq!(aws.calls.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn auto_scaling_is_read_once_for_all_tables_page_by_page() {
    let aws = FakeAws::plain();
    let target = |resource: &str, dimension: &str, max: i32| {
        json!({ "ServiceNamespace": "dynamodb", "ResourceId": resource, "ScalableDimension": dimension, "MinCapacity": 5,
                "MaxCapacity": max, "RoleARN": "arn:r", "CreationTime": 1.0,
                "SuspendedState": { "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": true } })
    };
    let (reads, index_writes) = ("dynamodb:table:ReadCapacityUnits", "dynamodb:index:WriteCapacityUnits");
    aws.answers(
        "DescribeScalableTargets",
        json!({ "ScalableTargets": [target("table/orders", reads, 100), target("table/others", reads, 7)], "NextToken": "page-2" }),
    );
    aws.answers(
        "DescribeScalableTargets page-2",
        json!({ "ScalableTargets": [target("table/orders/index/by-day", index_writes, 50)] }),
    );
    let policy = |name: &str, resource: &str, dimension: &str, kind: &str, configuration: Value| {
        json!({ "PolicyARN": "arn:p", "PolicyName": name, "ServiceNamespace": "dynamodb", "ResourceId": resource,
                "ScalableDimension": dimension, "PolicyType": kind, "CreationTime": 1.0,
                "TargetTrackingScalingPolicyConfiguration": configuration })
    };
    let tracking = json!({ "TargetValue": 70.5, "ScaleInCooldown": 60, "DisableScaleIn": true,
                           "PredefinedMetricSpecification": { "PredefinedMetricType": "DynamoDBReadCapacityUtilization" } });
    let custom = json!({ "TargetValue": 50, "CustomizedMetricSpecification": { "MetricName": "m", "Namespace": "n",
                         "Dimensions": [{ "Name": "d", "Value": "v" }], "Statistic": "Average" } });
    let math = json!({ "TargetValue": 50, "CustomizedMetricSpecification": { "Metrics": [{ "Id": "m1", "Expression": "1" }] } });
    aws.answers(
        "DescribeScalingPolicies",
        json!({ "ScalingPolicies": [
            policy("reads", "table/orders", reads, "TargetTrackingScaling", tracking),
            policy("math", "table/orders", reads, "TargetTrackingScaling", math),
            policy("steps", "table/orders", reads, "StepScaling", Value::Null),
            policy("writes", "table/orders/index/by-day", index_writes, "TargetTrackingScaling", custom),
            policy("orphan", "table/gone", reads, "StepScaling", Value::Null)] }),
    );
    aws.answers(
        "DescribeScheduledActions",
        json!({ "ScheduledActions": [{ "ScheduledActionName": "morning", "ScheduledActionARN": "arn:s", "ServiceNamespace": "dynamodb",
            "Schedule": "cron(0 7 * * ? *)", "Timezone": "Europe/Berlin", "ResourceId": "table/orders", "ScalableDimension": reads,
            "StartTime": 1769839200.0, "ScalableTargetAction": { "MinCapacity": 50 }, "CreationTime": 1.0 }] }),
    );
    let reader = aws.reader();
    let config = reader.capture(&TABLE.parse().unwrap()).await.unwrap().config;
    let scaling = config.auto_scaling.on().unwrap();
    let target = &scaling.table["ReadCapacityUnits"];
    assert_eq!(
        (target.min, target.max, target.suspended.scheduled, target.suspended.scaling_in),
        (5, 100, true, false)
    );
    let tracking = TargetTracking {
        value: 70.5,
        predefined_metric: Some("DynamoDBReadCapacityUtilization".to_owned()),
        scale_in_cooldown: Some(60),
        disable_scale_in: true,
        ..TargetTracking::default()
    };
    assert_eq!(target.policies["reads"], Part::On(tracking));
    assert_eq!(target.policies["math"].unknown_reason(), Some("a policy with metric math is not recorded"));
    assert_eq!(target.policies["steps"].unknown_reason(), Some("a StepScaling policy is not recorded"));
    let action = &target.scheduled_actions["morning"];
    assert_eq!((action.min, action.max, action.start), (Some(50), None, Some(1_769_839_200)));
    let writes = scaling.indexes["by-day"]["WriteCapacityUnits"].policies["writes"].on().unwrap();
    assert_eq!(writes.custom_metric.as_ref().unwrap().dimensions["d"], "v");

    let others = "arn:aws:dynamodb:eu-central-1:111122223333:table/others".parse().unwrap();
    let others = reader.capture(&others).await.unwrap().config;
    assert_eq!(others.auto_scaling.on().unwrap().table["ReadCapacityUnits"].max, 7);
    assert_eq!(aws.calls("DescribeScalableTargets").len(), 2);
    reader.afresh().capture(&TABLE.parse().unwrap()).await.unwrap();
    assert_eq!(aws.calls("DescribeScalableTargets").len(), 4);
    assert_eq!(aws.calls("DescribeScalingPolicies")[0], json!({ "ServiceNamespace": "dynamodb" }));
}
