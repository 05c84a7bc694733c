//! What `DescribeTable` says, as a configuration.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingModeSummary, GlobalSecondaryIndexDescription, IndexStatus, KeySchemaElement,
    LocalSecondaryIndexDescription, OnDemandThroughput, Projection as DescribedProjection,
    ProvisionedThroughputDescription, SseDescription, SseStatus, StreamSpecification, TableClassSummary,
    TableDescription, VectorIndexDescription,
};

use crate::table_config::{
    AttributeType, BillingMode, Encryption, EncryptionKind, GlobalIndex, GlobalTable, KeyElement, KeyKind,
    LocalIndex, MaxThroughput, Part, Projection, ProjectionKind, Stream, StreamView, TableClass, TableConfig,
    Throughput, WarmThroughput,
};

/// The part of the configuration that the description of a table gives; the rest is left at its default.
pub(super) fn config_of(table: TableDescription) -> TableConfig {
    let global_table = global_table(&table);
    TableConfig {
        key: key(table.key_schema),
        attributes: table.attribute_definitions.into_iter().flatten().map(attribute).collect(),
        local_indexes: table.local_secondary_indexes.into_iter().flatten().filter_map(local_index).collect(),
        global_indexes: table
            .global_secondary_indexes
            .into_iter()
            .flatten()
            .filter_map(global_index)
            .collect(),
        billing_mode: billing_mode(table.billing_mode_summary.as_ref()),
        provisioned: provisioned(table.provisioned_throughput.as_ref()),
        on_demand: on_demand(table.on_demand_throughput.as_ref()),
        warm_throughput: table
            .warm_throughput
            .and_then(|warm| warm_throughput(warm.read_units_per_second, warm.write_units_per_second)),
        table_class: table_class(table.table_class_summary.as_ref()),
        encryption: table.sse_description.and_then(encryption),
        stream: table.stream_specification.and_then(stream),
        deletion_protection: table.deletion_protection_enabled.unwrap_or_default(),
        global_table,
        unrecorded: unrecorded(table.vector_indexes.as_deref()),
        ..TableConfig::default()
    }
}

/// Partition key before sort key; several of a kind stay in the order they have.
fn key(schema: Option<Vec<KeySchemaElement>>) -> Vec<KeyElement> {
    let element = |element: KeySchemaElement| KeyElement {
        kind: KeyKind::from(element.key_type.as_str()),
        name: element.attribute_name,
    };
    let mut key: Vec<_> = schema.into_iter().flatten().map(element).collect();
    key.sort_by(|a, b| a.kind.cmp(&b.kind));
    key
}

fn attribute(definition: AttributeDefinition) -> (String, AttributeType) {
    let kind = AttributeType::from(definition.attribute_type.as_str());
    (definition.attribute_name, kind)
}

fn projection(described: Option<DescribedProjection>) -> Projection {
    let Some(described) = described else { return Projection::default() };
    Projection {
        kind: described.projection_type.map(|kind| ProjectionKind::from(kind.as_str())).unwrap_or_default(),
        attributes: described.non_key_attributes.into_iter().flatten().collect(),
    }
}

fn local_index(index: LocalSecondaryIndexDescription) -> Option<(String, LocalIndex)> {
    let (key, projection) = (key(index.key_schema), projection(index.projection));
    Some((index.index_name?, LocalIndex { key, projection }))
}

/// An index that is being deleted is no part of the configuration any more.
fn global_index(index: GlobalSecondaryIndexDescription) -> Option<(String, GlobalIndex)> {
    if index.index_status == Some(IndexStatus::Deleting) {
        return None;
    }
    let warm = index.warm_throughput;
    let described = GlobalIndex {
        key: key(index.key_schema),
        projection: projection(index.projection),
        provisioned: provisioned(index.provisioned_throughput.as_ref()),
        on_demand: on_demand(index.on_demand_throughput.as_ref()),
        warm_throughput: warm
            .and_then(|warm| warm_throughput(warm.read_units_per_second, warm.write_units_per_second)),
        ..GlobalIndex::default()
    };
    Some((index.index_name?, described))
}

fn billing_mode(summary: Option<&BillingModeSummary>) -> BillingMode {
    let mode = summary.and_then(|summary| summary.billing_mode());
    mode.map(|mode| BillingMode::from(mode.as_str())).unwrap_or_default()
}

/// With on-demand billing DynamoDB states zeros.
fn provisioned(described: Option<&ProvisionedThroughputDescription>) -> Option<Throughput> {
    let (read, write) = (described?.read_capacity_units(), described?.write_capacity_units());
    let (read, write) = (read.unwrap_or_default(), write.unwrap_or_default());
    (read > 0 || write > 0).then_some(Throughput { read, write })
}

/// DynamoDB says -1 for a bound that was taken off again.
fn on_demand(described: Option<&OnDemandThroughput>) -> Option<MaxThroughput> {
    let bound = |units: Option<i64>| units.filter(|units| *units > 0);
    let read = bound(described?.max_read_request_units());
    let write = bound(described?.max_write_request_units());
    (read.is_some() || write.is_some()).then_some(MaxThroughput { read, write })
}

/// Every table has some: zeros say nothing.
fn warm_throughput(read: Option<i64>, write: Option<i64>) -> Option<WarmThroughput> {
    let (read, write) = (read.unwrap_or_default(), write.unwrap_or_default());
    (read > 0 || write > 0).then_some(WarmThroughput { read, write })
}

fn table_class(summary: Option<&TableClassSummary>) -> TableClass {
    let class = summary.and_then(|summary| summary.table_class());
    class.map(|class| TableClass::from(class.as_str())).unwrap_or_default()
}

/// No description, or a disabled one, is the key that DynamoDB owns.
fn encryption(described: SseDescription) -> Option<Encryption> {
    if matches!(described.status, Some(SseStatus::Disabled | SseStatus::Disabling)) {
        return None;
    }
    let kind = described.sse_type.map(|kind| EncryptionKind::from(kind.as_str())).unwrap_or_default();
    Some(Encryption { kind, key: described.kms_master_key_arn })
}

fn stream(specification: StreamSpecification) -> Option<Stream> {
    let view = specification.stream_view_type.map(|view| StreamView::from(view.as_str())).unwrap_or_default();
    specification.stream_enabled.then_some(Stream { view, policy: Part::Off })
}

fn global_table(table: &TableDescription) -> Option<GlobalTable> {
    let replicas = table.replicas().iter().filter_map(|replica| replica.region_name());
    let witnesses = table.global_table_witnesses().iter().filter_map(|witness| witness.region_name());
    let global = GlobalTable {
        version: table.global_table_version().map(str::to_owned),
        replicas: replicas.map(str::to_owned).collect(),
        witnesses: witnesses.map(str::to_owned).collect(),
        consistency: table.multi_region_consistency().map(|consistency| consistency.as_str().to_owned()),
    };
    (global != GlobalTable::default()).then_some(global)
}

fn unrecorded(vector_indexes: Option<&[VectorIndexDescription]>) -> BTreeMap<String, String> {
    let mut names: Vec<&str> =
        vector_indexes.into_iter().flatten().filter_map(|index| index.index_name()).collect();
    names.sort_unstable();
    if names.is_empty() {
        return BTreeMap::new();
    }
    BTreeMap::from([("vector_indexes".to_owned(), format!("not recorded: {}", names.join(", ")))])
}
