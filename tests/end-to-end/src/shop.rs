//! A shop's three tables: orders with everything a table can have, events with nested items, and customers with
//! provisioned capacity under auto scaling.

use anyhow::Context as _;
use aws_sdk_applicationautoscaling::types as scaling;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, BillingMode, GlobalSecondaryIndex, KeyType, LocalSecondaryIndex,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType,
    StreamSpecification, StreamViewType, Tag, TimeToLiveSpecification,
};
use local_stack::LocalStack;

use crate::tables::{Item, attribute, fill, key, n, s};

/// Items in each table.
pub const ITEMS: u32 = 1_200;
/// The tables' names.
pub const TABLES: [&str; 3] = ["shop-customers", "shop-events", "shop-orders"];

/// Makes the tables in a Region and fills them.
///
/// # Errors
/// When AWS refuses.
pub async fn create(stack: &LocalStack, region: &str) -> anyhow::Result<()> {
    let client = Client::new(&stack.sdk_config(region).await);
    tokio::try_join!(orders(&client), events(&client), customers(&client, stack, region))?;
    Ok(())
}

/// Two global indexes, a local one, TTL, a stream, point-in-time recovery, tags.
async fn orders(client: &Client) -> anyhow::Result<()> {
    const NAME: &str = "shop-orders";
    let index = |name: &str, hash: &str, range: &str| -> anyhow::Result<GlobalSecondaryIndex> {
        GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(key(hash, KeyType::Hash)?)
            .key_schema(key(range, KeyType::Range)?)
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .build()
            .context("an index")
    };
    let by_total = LocalSecondaryIndex::builder()
        .index_name("by-total")
        .key_schema(key("customer", KeyType::Hash)?)
        .key_schema(key("total", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()?;
    let mut create = client.create_table().table_name(NAME).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [
        ("customer", ScalarAttributeType::S),
        ("order", ScalarAttributeType::S),
        ("day", ScalarAttributeType::S),
        ("state", ScalarAttributeType::S),
        ("total", ScalarAttributeType::N),
    ] {
        create = create.attribute_definitions(attribute(name, kind)?);
    }
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()?;
    create
        .key_schema(key("customer", KeyType::Hash)?)
        .key_schema(key("order", KeyType::Range)?)
        .global_secondary_indexes(index("by-day", "day", "order")?)
        .global_secondary_indexes(index("by-state", "state", "day")?)
        .local_secondary_indexes(by_total)
        .stream_specification(stream)
        .tags(Tag::builder().key("team").value("checkout").build()?)
        .tags(Tag::builder().key("cost-center").value("4711").build()?)
        .send()
        .await
        .context("create shop-orders")?;
    let ttl = TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build()?;
    client
        .update_time_to_live()
        .table_name(NAME)
        .time_to_live_specification(ttl)
        .send()
        .await
        .context("TTL")?;
    let pitr = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build()?;
    client
        .update_continuous_backups()
        .table_name(NAME)
        .point_in_time_recovery_specification(pitr)
        .send()
        .await
        .context("point-in-time recovery")?;
    fill(client, NAME, (0..ITEMS).map(order)).await?;
    Ok(())
}

fn order(i: u32) -> Item {
    let states = ["open", "paid", "shipped", "returned"];
    let state = states[usize::try_from(i % 4).unwrap_or_default()];
    [
        ("customer", s(format!("c-{:05}", i % 311))),
        ("order", s(format!("2027-{i:06}"))),
        ("day", s(format!("2026-12-{:02}", 1 + i % 28))),
        ("state", s(state)),
        ("total", n(format!("{}.{:02}", 5 + i % 300, i % 100))),
        ("lines", n(1 + i % 7)),
        ("express", AttributeValue::Bool(i.is_multiple_of(5))),
        ("expires", n(1_830_000_000_u64 + u64::from(i))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// On-demand, with nested items of every type.
async fn events(client: &Client) -> anyhow::Result<()> {
    const NAME: &str = "shop-events";
    client
        .create_table()
        .table_name(NAME)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("source", ScalarAttributeType::S)?)
        .attribute_definitions(attribute("at", ScalarAttributeType::N)?)
        .key_schema(key("source", KeyType::Hash)?)
        .key_schema(key("at", KeyType::Range)?)
        .tags(Tag::builder().key("team").value("data").build()?)
        .send()
        .await
        .context("create shop-events")?;
    fill(client, NAME, (0..ITEMS).map(event)).await?;
    Ok(())
}

fn event(i: u32) -> Item {
    let visitor: Item = [
        ("ip", s(format!("198.51.100.{}", i % 250))),
        ("languages", AttributeValue::Ss(vec!["de".into(), format!("x-{}", i % 9)])),
        (
            "referrer",
            if i.is_multiple_of(3) { AttributeValue::Null(true) } else { s("https://example.com/") },
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let basket = (0..i % 4)
        .map(|line| {
            let line = [("sku", s(format!("sku-{}", i + line))), ("price", n(f64::from(line) + 0.99))];
            AttributeValue::M(line.map(|(name, value)| (name.to_owned(), value)).into())
        })
        .collect();
    [
        ("source", s(format!("web-{}", i % 17))),
        ("at", n(1_798_000_000_000_u64 + u64::from(i))),
        ("visitor", AttributeValue::M(visitor)),
        ("basket", AttributeValue::L(basket)),
        ("trace", AttributeValue::B(i.to_be_bytes().to_vec().into())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Provisioned capacity, under auto scaling.
async fn customers(client: &Client, stack: &LocalStack, region: &str) -> anyhow::Result<()> {
    const NAME: &str = "shop-customers";
    let capacity =
        ProvisionedThroughput::builder().read_capacity_units(20).write_capacity_units(10).build()?;
    client
        .create_table()
        .table_name(NAME)
        .billing_mode(BillingMode::Provisioned)
        .provisioned_throughput(capacity)
        .attribute_definitions(attribute("customer", ScalarAttributeType::S)?)
        .key_schema(key("customer", KeyType::Hash)?)
        .tags(Tag::builder().key("team").value("checkout").build()?)
        .send()
        .await
        .context("create shop-customers")?;
    let scaling = aws_sdk_applicationautoscaling::Client::new(&stack.auto_scaling_config(region).await);
    scaling
        .register_scalable_target()
        .service_namespace(scaling::ServiceNamespace::Dynamodb)
        .resource_id(format!("table/{NAME}"))
        .scalable_dimension(scaling::ScalableDimension::DynamoDbTableReadCapacityUnits)
        .min_capacity(5)
        .max_capacity(200)
        .send()
        .await
        .context("auto scaling")?;
    fill(client, NAME, (0..ITEMS).map(customer)).await?;
    Ok(())
}

fn customer(i: u32) -> Item {
    [
        ("customer", s(format!("c-{i:05}"))),
        ("name", s(format!("Customer {i}"))),
        ("mail", s(format!("customer-{i}@example.com"))),
        ("points", n(i * 7 % 1000)),
        ("note", s("")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
