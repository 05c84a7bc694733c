//! A table as a restore makes it: keys, indexes, billing and capacity of the one that was backed up, and nothing that AWS
//! Backup does not restore.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeValue, BillingMode, GlobalSecondaryIndex, GlobalSecondaryIndexDescription, LocalSecondaryIndex,
    LocalSecondaryIndexDescription, ProvisionedThroughput, ProvisionedThroughputDescription, PutRequest,
    SseSpecification, SseType, TableDescription, WriteRequest,
};
use futures::{StreamExt as _, TryStreamExt as _};

use super::describe;

/// The most items in one batch.
const BATCH: usize = 25;
/// Batches that are on their way at the same time.
const AT_ONCE: usize = 4;
/// How often what DynamoDB did not take is sent again, after a pause that doubles each time.
const TRIES: u32 = 8;
const FIRST_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

/// Lets items into a table that is still being created, in the local AWS.
const FILLS: &str = "x-local-fill";

/// With which key a table is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TableKey {
    AwsOwned,
    AwsManaged,
    /// The customer's, by ARN.
    Customer(String),
}

impl TableKey {
    /// The ARN of the customer's key, if it is one.
    pub(crate) fn customer(&self) -> Option<&str> {
        match self {
            Self::Customer(arn) => Some(arn),
            Self::AwsOwned | Self::AwsManaged => None,
        }
    }
}

/// Why a table cannot be made or filled.
#[derive(Debug)]
pub(crate) enum RestoreError {
    /// There is one of this name.
    Exists,
    /// It is not there any more.
    Gone,
    /// DynamoDB did not do what was asked.
    Failed(String),
}

/// Makes an empty table; its id.
pub(crate) async fn create(
    client: &Client,
    name: &str,
    original: &TableDescription,
    key: &TableKey,
) -> Result<String, RestoreError> {
    let input = definition(name, original, key).map_err(|error| RestoreError::Failed(error.to_string()))?;
    let made = input.send_with(client).await.map_err(|error| {
        let taken = error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception);
        if taken { RestoreError::Exists } else { RestoreError::Failed(describe(&error)) }
    })?;
    let id = made.table_description.and_then(|table| table.table_id);
    id.ok_or_else(|| RestoreError::Failed("a table without an id".to_owned()))
}

fn definition(
    name: &str,
    original: &TableDescription,
    key: &TableKey,
) -> Result<CreateTableInputBuilder, BuildError> {
    let billing = original.billing_mode_summary().and_then(|summary| summary.billing_mode());
    let on_demand = billing == Some(&BillingMode::PayPerRequest);
    let mode = if on_demand { BillingMode::PayPerRequest } else { BillingMode::Provisioned };
    let capacity = |recorded: Option<&ProvisionedThroughputDescription>| {
        recorded.filter(|_| !on_demand).map(throughput).transpose()
    };
    let local = original.local_secondary_indexes().iter().map(local_index).collect::<Result<Vec<_>, _>>()?;
    let global = original.global_secondary_indexes().iter();
    let global = global
        .map(|index| global_index(index, capacity(index.provisioned_throughput())?))
        .collect::<Result<Vec<_>, BuildError>>()?;
    Ok(CreateTableInputBuilder::default()
        .table_name(name)
        .set_attribute_definitions(original.attribute_definitions.clone())
        .set_key_schema(original.key_schema.clone())
        .set_local_secondary_indexes((!local.is_empty()).then_some(local))
        .set_global_secondary_indexes((!global.is_empty()).then_some(global))
        .billing_mode(mode)
        .set_provisioned_throughput(capacity(original.provisioned_throughput())?)
        .set_sse_specification(encryption(key)))
}

fn throughput(recorded: &ProvisionedThroughputDescription) -> Result<ProvisionedThroughput, BuildError> {
    ProvisionedThroughput::builder()
        .set_read_capacity_units(recorded.read_capacity_units())
        .set_write_capacity_units(recorded.write_capacity_units())
        .build()
}

fn local_index(index: &LocalSecondaryIndexDescription) -> Result<LocalSecondaryIndex, BuildError> {
    LocalSecondaryIndex::builder()
        .set_index_name(index.index_name.clone())
        .set_key_schema(index.key_schema.clone())
        .set_projection(index.projection.clone())
        .build()
}

fn global_index(
    index: &GlobalSecondaryIndexDescription,
    capacity: Option<ProvisionedThroughput>,
) -> Result<GlobalSecondaryIndex, BuildError> {
    GlobalSecondaryIndex::builder()
        .set_index_name(index.index_name.clone())
        .set_key_schema(index.key_schema.clone())
        .set_projection(index.projection.clone())
        .set_provisioned_throughput(capacity)
        .build()
}

/// An AWS owned key is what a table has that says nothing.
fn encryption(key: &TableKey) -> Option<SseSpecification> {
    let kms = SseSpecification::builder().enabled(true).sse_type(SseType::Kms);
    match key {
        TableKey::AwsOwned => None,
        TableKey::AwsManaged => Some(kms.build()),
        TableKey::Customer(arn) => Some(kms.kms_master_key_id(arn).build()),
    }
}

/// The id of the table that has this name now.
pub(crate) async fn id(client: &Client, name: &str) -> Result<String, RestoreError> {
    let answer = client.describe_table().table_name(name).send().await.map_err(|error| {
        let gone = error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception);
        if gone { RestoreError::Gone } else { RestoreError::Failed(describe(&error)) }
    })?;
    answer.table.and_then(|table| table.table_id).ok_or(RestoreError::Gone)
}

/// Writes items.
pub(crate) async fn load(
    client: &Client,
    table: &str,
    items: &[HashMap<String, AttributeValue>],
) -> Result<(), RestoreError> {
    let batches: Vec<_> = items.chunks(BATCH).map(|some| write(client, table, some)).collect();
    futures::stream::iter(batches).buffer_unordered(AT_ONCE).try_collect().await
}

async fn write(
    client: &Client,
    table: &str,
    items: &[HashMap<String, AttributeValue>],
) -> Result<(), RestoreError> {
    let put = |item: &HashMap<String, AttributeValue>| {
        let put = PutRequest::builder().set_item(Some(item.clone())).build()?;
        Ok(WriteRequest::builder().put_request(put).build())
    };
    let puts = items.iter().map(put).collect::<Result<Vec<_>, BuildError>>();
    let puts = puts.map_err(|error| RestoreError::Failed(error.to_string()))?;
    let mut left = HashMap::from([(table.to_owned(), puts)]);
    for attempt in 0..TRIES {
        let batch = client.batch_write_item().set_request_items(Some(left)).customize();
        let batch = batch.mutate_request(|request| {
            request.headers_mut().insert(FILLS, "1");
        });
        let answer = batch.send().await;
        let answer = answer.map_err(|error| {
            let gone =
                error.as_service_error().is_some_and(BatchWriteItemError::is_resource_not_found_exception);
            if gone { RestoreError::Gone } else { RestoreError::Failed(describe(&error)) }
        })?;
        left = answer.unprocessed_items.unwrap_or_default();
        if left.is_empty() {
            return Ok(());
        }
        // DynamoDB asks for growing pauses before what it left over is sent again ("BatchWriteItem").
        tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(attempt)).await;
    }
    Err(RestoreError::Failed("DynamoDB did not take all items".to_owned()))
}

/// Deletes a table.
pub(crate) async fn delete(client: &Client, name: &str) -> Result<(), RestoreError> {
    let deleted = client.delete_table().table_name(name).send().await;
    deleted.map(|_| ()).map_err(|error| RestoreError::Failed(describe(&error)))
}

#[cfg(test)]
mod tests;
