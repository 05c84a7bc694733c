use anyhow::{Context as _, Result};
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ContributorInsightsAction,
    CreateReplicationGroupMemberAction, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex,
    OnDemandThroughput, PointInTimeRecoverySpecification, Projection, ProjectionType, ProvisionedThroughput,
    ReplicationGroupUpdate, ScalarAttributeType, StreamSpecification, StreamViewType, TableClass, Tag,
    TimeToLiveSpecification, TimeToLiveStatus,
};

use super::*;

fn key(names: [&str; 2]) -> Result<Vec<KeySchemaElement>> {
    let of = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    Ok(vec![of(names[0], KeyType::Hash)?, of(names[1], KeyType::Range)?])
}

fn capacity(read: i64, write: i64) -> Result<ProvisionedThroughput> {
    Ok(ProvisionedThroughput::builder().read_capacity_units(read).write_capacity_units(write).build()?)
}

fn projection(kind: ProjectionType, names: Option<&[&str]>) -> Projection {
    let names = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    Projection::builder().projection_type(kind).set_non_key_attributes(names).build()
}

/// A table with two keys, three global indexes and two local ones, of all three projections.
fn indexed(stack: &Stack, name: &str, provisioned: bool) -> Result<CreateTableFluentBuilder> {
    let mut table = stack.dynamodb.create_table().table_name(name).set_key_schema(Some(key(["id", "n"])?));
    for (name, kind) in [
        ("id", ScalarAttributeType::S),
        ("n", ScalarAttributeType::N),
        ("b", ScalarAttributeType::B),
        ("s", ScalarAttributeType::S),
    ] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        table = table.attribute_definitions(attribute.build()?);
    }
    for (number, name, keys, projection) in [
        (3, "by-s", ["s", "n"], projection(ProjectionType::Include, Some(&["a", "c"]))),
        (5, "by-b", ["b", "n"], projection(ProjectionType::All, None)),
        (7, "by-n", ["n", "s"], projection(ProjectionType::KeysOnly, None)),
    ] {
        let index = GlobalSecondaryIndex::builder().index_name(name).set_key_schema(Some(key(keys)?));
        let capacity = if provisioned { Some(capacity(number, number + 1)?) } else { None };
        let index = index.projection(projection).set_provisioned_throughput(capacity);
        table = table.global_secondary_indexes(index.build()?);
    }
    for (name, range, kind) in
        [("local-b", "b", ProjectionType::KeysOnly), ("local-s", "s", ProjectionType::All)]
    {
        let index = LocalSecondaryIndex::builder().index_name(name).set_key_schema(Some(key(["id", range])?));
        table = table.local_secondary_indexes(index.projection(projection(kind, None)).build()?);
    }
    Ok(if provisioned {
        table.billing_mode(BillingMode::Provisioned).provisioned_throughput(capacity(11, 13)?)
    } else {
        table.billing_mode(BillingMode::PayPerRequest)
    })
}

/// A table with everything that a table can have, and two items.
pub(super) async fn rich_table(stack: &Stack, name: &str) -> Result<()> {
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewImage);
    indexed(stack, name, true)?
        .stream_specification(stream.build()?)
        .deletion_protection_enabled(true)
        .table_class(TableClass::StandardInfrequentAccess)
        .tags(Tag::builder().key("team").value("shop").build()?)
        .send()
        .await?;
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires").build()?;
    stack.dynamodb.update_time_to_live().table_name(name).time_to_live_specification(ttl).send().await?;
    let pitr = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build()?;
    let pitr = stack.dynamodb.update_continuous_backups().point_in_time_recovery_specification(pitr);
    pitr.table_name(name).send().await?;
    for n in ["1", "2"] {
        let put = stack.dynamodb.put_item().table_name(name);
        put.item("id", AttributeValue::S("a".to_owned()))
            .item("n", AttributeValue::N(n.to_owned()))
            .send()
            .await?;
    }
    Ok(())
}

/// What a restore keeps of a table, with the names of the table and its index ARNs left out.
fn kept(table: &TableDescription) -> impl std::fmt::Debug + PartialEq + use<> {
    let mode = table.billing_mode_summary().and_then(|summary| summary.billing_mode().cloned());
    let capacity = |throughput: Option<&aws_sdk_dynamodb::types::ProvisionedThroughputDescription>| {
        throughput.map(|throughput| (throughput.read_capacity_units(), throughput.write_capacity_units()))
    };
    let mut global: Vec<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|i| {
            let capacity = capacity(i.provisioned_throughput());
            (
                i.index_name.clone(),
                i.key_schema.clone(),
                i.projection.clone(),
                capacity,
                i.index_status.clone(),
            )
        })
        .collect();
    global.sort_by(|a, b| a.0.cmp(&b.0));
    let mut local: Vec<_> = table
        .local_secondary_indexes()
        .iter()
        .map(|i| (i.index_name.clone(), i.key_schema.clone(), i.projection.clone()))
        .collect();
    local.sort_by(|a, b| a.0.cmp(&b.0));
    (
        (table.key_schema.clone(), table.attribute_definitions.clone(), table.table_status.clone()),
        (mode, capacity(table.provisioned_throughput()), table.item_count),
        (global, local),
    )
}

/// Original and restored table.
async fn restored(stack: &Stack, table: &str) -> Result<(TableDescription, TableDescription)> {
    let point = point(stack, table).await?;
    let original = described(stack, table).await.context("no original")?;
    assert_eq!(outcome(&run(stack, restore(stack, &point)).await?), ("COMPLETED", ""));
    Ok((original, described(stack, "restored").await.context("no table")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_table_has_the_keys_indexes_billing_and_capacity_of_the_backup() -> Result<()> {
    let stack = stack().await?;
    rich_table(&stack, "rich").await?;
    let (original, table) = restored(&stack, "rich").await?;
    assert_eq!(kept(&table), kept(&original));
    assert_eq!((table.global_secondary_indexes().len(), table.local_secondary_indexes().len()), (3, 2));
    assert_ne!(table.table_id(), original.table_id());
    assert_eq!(table.table_arn(), Some(arn("restored").as_str()));
    let on_demand = indexed(&stack, "on-demand", false)?;
    on_demand.send().await?;
    let point = point(&stack, "on-demand").await?;
    let restore = restore(&stack, &point).metadata("targetTableName", "again");
    assert_eq!(outcome(&run(&stack, restore).await?), ("COMPLETED", ""));
    let (original, again) = (described(&stack, "on-demand").await, described(&stack, "again").await);
    assert_eq!(kept(&again.context("no table")?), kept(&original.context("no original")?));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_leaves_out_tags_ttl_pitr_stream_protection_and_table_class() -> Result<()> {
    let stack = stack().await?;
    rich_table(&stack, "rich").await?;
    let (original, table) = restored(&stack, "rich").await?;
    assert_eq!(original.deletion_protection_enabled(), Some(true));
    assert_eq!(table.deletion_protection_enabled(), Some(false));
    assert!(original.table_class_summary().is_some() && original.stream_specification().is_some());
    assert_eq!((table.table_class_summary(), table.stream_specification()), (None, None));
    assert_eq!(table.latest_stream_arn(), None);
    let found = async |name: &str| -> Result<(usize, Option<TimeToLiveStatus>, Option<String>)> {
        let client = &stack.dynamodb;
        let tags = client.list_tags_of_resource().resource_arn(arn(name)).send().await?.tags().len();
        let ttl = client.describe_time_to_live().table_name(name).send().await?;
        let ttl = ttl.time_to_live_description.and_then(|ttl| ttl.time_to_live_status);
        let backups = client.describe_continuous_backups().table_name(name).send().await?;
        let pitr = backups.continuous_backups_description.and_then(|d| d.point_in_time_recovery_description);
        let pitr = pitr.and_then(|pitr| pitr.point_in_time_recovery_status);
        Ok((tags, ttl, pitr.map(|status| status.as_str().to_owned())))
    };
    assert_eq!(found("rich").await?, (1, Some(TimeToLiveStatus::Enabled), Some("ENABLED".to_owned())));
    assert_eq!(found("restored").await?, (0, Some(TimeToLiveStatus::Disabled), Some("DISABLED".to_owned())));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_leaves_out_maxima_policy_replicas_kinesis_and_contributor_insights() -> Result<()> {
    let stack = stack().await?;
    let most = OnDemandThroughput::builder().max_read_request_units(10).max_write_request_units(20).build();
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    let table = indexed(&stack, "capped", false)?.on_demand_throughput(most);
    table.stream_specification(stream.build()?).send().await?;
    let replica = CreateReplicationGroupMemberAction::builder().region_name("eu-west-1").build()?;
    let replica = ReplicationGroupUpdate::builder().create(replica).build();
    stack.dynamodb.update_table().table_name("capped").replica_updates(replica).send().await?;
    let kinesis = stack.dynamodb.enable_kinesis_streaming_destination().table_name("capped");
    kinesis.stream_arn(format!("arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/changes")).send().await?;
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    stack.dynamodb.put_resource_policy().resource_arn(arn("capped")).policy(policy).send().await?;
    let insights = stack.dynamodb.update_contributor_insights().table_name("capped");
    insights.contributor_insights_action(ContributorInsightsAction::Enable).send().await?;
    let (original, table) = restored(&stack, "capped").await?;
    assert!(original.on_demand_throughput().is_some());
    assert_eq!((original.replicas().len(), table.replicas().len()), (1, 0));
    assert_eq!(table.on_demand_throughput(), None);
    let found = async |name: &str| -> Result<(bool, usize, Option<String>)> {
        let client = &stack.dynamodb;
        let policy = client.get_resource_policy().resource_arn(arn(name)).send().await.is_ok();
        let insights = client.describe_contributor_insights().table_name(name).send().await?;
        let kinesis = client.describe_kinesis_streaming_destination().table_name(name).send().await?;
        let kinesis = kinesis.kinesis_data_stream_destinations().len();
        Ok((policy, kinesis, insights.contributor_insights_status.map(|status| status.as_str().to_owned())))
    };
    assert!(matches!(found("capped").await?, (true, 1, Some(status)) if status != "DISABLED"));
    assert_eq!(found("restored").await?, (false, 0, Some("DISABLED".to_owned())));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_without_advanced_features_can_be_restored() -> Result<()> {
    let stack = stack().await?;
    stack.table("orders", 3, &[]).await?;
    let off = stack.backup.update_region_settings().resource_type_management_preference("DynamoDB", false);
    off.send().await?;
    let point = point(&stack, "orders").await?;
    assert!(point.starts_with(&format!("{}/backup/", arn("orders"))), "{point}");
    stack.allow("restore", &RESTORE_POLICY.replace("RestoreTableFromAwsBackup", "ListTables")).await?;
    assert_eq!(outcome(&run(&stack, restore(&stack, &point)).await?), ("COMPLETED", ""));
    assert_eq!(stack.dynamodb.scan().table_name("restored").send().await?.count(), 3);
    stack.allow("restore", &RESTORE_POLICY.replace("RestoreTableFromBackup", "ListTables")).await?;
    let other = restore(&stack, &point).metadata("targetTableName", "other");
    let denied = run(&stack, other).await?;
    let says = format!("is not authorized to perform: dynamodb:RestoreTableFromBackup on resource: {point}");
    assert!(outcome(&denied).1.contains(&says), "{:?}", outcome(&denied));
    Ok(())
}
