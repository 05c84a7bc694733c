//! Making DynamoDB tables and filling them.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, PutRequest,
    ScalarAttributeType, WriteRequest,
};

/// An item.
pub type Item = HashMap<String, AttributeValue>;

/// A text attribute.
pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub fn n(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(format!("{number}"))
}

/// One element of a key.
///
/// # Errors
/// Never: name and type are given.
pub fn key(name: &str, kind: KeyType) -> anyhow::Result<KeySchemaElement> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().context("a key element")
}

/// The type of one key attribute.
///
/// # Errors
/// Never: name and type are given.
pub fn attribute(name: &str, kind: ScalarAttributeType) -> anyhow::Result<AttributeDefinition> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().context("an attribute")
}

/// Makes the plainest of tables: one text key called `id`, on-demand billing.
///
/// # Errors
/// When DynamoDB refuses.
pub async fn create_plain(client: &Client, name: &str) -> anyhow::Result<()> {
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("id", ScalarAttributeType::S)?)
        .key_schema(key("id", KeyType::Hash)?)
        .send()
        .await
        .with_context(|| format!("create {name}"))?;
    Ok(())
}

/// Fills a table.
///
/// # Errors
/// When DynamoDB refuses.
pub async fn fill(
    client: &Client,
    table: &str,
    items: impl IntoIterator<Item = Item>,
) -> anyhow::Result<usize> {
    let mut written = 0;
    let mut batch = Vec::new();
    for item in items {
        let put = PutRequest::builder().set_item(Some(item)).build().context("an item")?;
        batch.push(WriteRequest::builder().put_request(put).build());
        written += 1;
        if batch.len() == 25 {
            write(client, table, std::mem::take(&mut batch)).await?;
        }
    }
    if !batch.is_empty() {
        write(client, table, batch).await?;
    }
    Ok(written)
}

async fn write(client: &Client, table: &str, batch: Vec<WriteRequest>) -> anyhow::Result<()> {
    let answer = client.batch_write_item().request_items(table, batch).send().await.context("write items")?;
    let left = answer.unprocessed_items.map_or(0, |left| left.len());
    anyhow::ensure!(left == 0, "DynamoDB left {left} items of {table} unwritten");
    Ok(())
}
