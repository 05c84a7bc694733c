//! `UpdateTable`, one kind of change at a time.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    BillingMode, GlobalSecondaryIndexUpdate, OnDemandThroughput, ProvisionedThroughput, StreamSpecification,
    StreamViewType, TableClass, UpdateGlobalSecondaryIndexAction, WarmThroughput as Warm,
};

use super::{TableWriter, done};
use crate::aws::AwsError;
use crate::id::TableArn;
use crate::restore::TableUpdate;
use crate::table_config::{MaxThroughput, Throughput, WarmThroughput};

const OPERATION: &str = "UpdateTable";

impl TableWriter {
    pub(super) async fn update_table(&self, table: &TableArn, update: &TableUpdate) -> Result<(), AwsError> {
        let call = self.dynamodb.update_table().table_name(table.as_str());
        let call = match update {
            TableUpdate::OnDemandBilling => call.billing_mode(BillingMode::PayPerRequest),
            TableUpdate::ProvisionedBilling(units, indexes) => call
                .billing_mode(BillingMode::Provisioned)
                .provisioned_throughput(built(provisioned(units))?)
                .set_global_secondary_index_updates(built(of_indexes(indexes, provision))?),
            TableUpdate::Throughput(units, indexes) => call
                .set_provisioned_throughput(built(units.as_ref().map(provisioned).transpose())?)
                .set_global_secondary_index_updates(built(of_indexes(indexes, provision))?),
            TableUpdate::Maxima(bounds, indexes) => call
                .set_on_demand_throughput(bounds.as_ref().map(on_demand))
                .set_global_secondary_index_updates(built(of_indexes(indexes, bound))?),
            TableUpdate::Warm(units, indexes) => call
                .set_warm_throughput(units.as_ref().map(warm))
                .set_global_secondary_index_updates(built(of_indexes(indexes, warm_up))?),
            TableUpdate::Class(class) => call.table_class(TableClass::from(class.as_str())),
            TableUpdate::Stream(view) => {
                let view = StreamViewType::from(view.as_str());
                let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(view);
                call.stream_specification(built(stream.build())?)
            }
            TableUpdate::DeletionProtection(on) => call.deletion_protection_enabled(*on),
        };
        done(OPERATION, call.send().await)
    }
}

type Action = aws_sdk_dynamodb::types::builders::UpdateGlobalSecondaryIndexActionBuilder;

/// Every index's update; `None` without any, since an empty list is refused.
fn of_indexes<T>(
    indexes: &BTreeMap<String, T>,
    set: impl Fn(Action, &T) -> Result<Action, BuildError>,
) -> Result<Option<Vec<GlobalSecondaryIndexUpdate>>, BuildError> {
    let updates = indexes.iter().map(|(name, value)| {
        let action = set(UpdateGlobalSecondaryIndexAction::builder().index_name(name), value)?.build()?;
        Ok(GlobalSecondaryIndexUpdate::builder().update(action).build())
    });
    let updates = updates.collect::<Result<Vec<_>, BuildError>>()?;
    Ok((!updates.is_empty()).then_some(updates))
}

fn provision(action: Action, units: &Throughput) -> Result<Action, BuildError> {
    Ok(action.provisioned_throughput(provisioned(units)?))
}

#[expect(clippy::unnecessary_wraps, reason = "as the other settings of an index")]
fn bound(action: Action, bounds: &MaxThroughput) -> Result<Action, BuildError> {
    Ok(action.on_demand_throughput(on_demand(bounds)))
}

#[expect(clippy::unnecessary_wraps, reason = "as the other settings of an index")]
fn warm_up(action: Action, units: &WarmThroughput) -> Result<Action, BuildError> {
    Ok(action.warm_throughput(warm(units)))
}

fn provisioned(units: &Throughput) -> Result<ProvisionedThroughput, BuildError> {
    ProvisionedThroughput::builder().read_capacity_units(units.read).write_capacity_units(units.write).build()
}

fn on_demand(bounds: &MaxThroughput) -> OnDemandThroughput {
    OnDemandThroughput::builder()
        .set_max_read_request_units(bounds.read)
        .set_max_write_request_units(bounds.write)
        .build()
}

fn warm(units: &WarmThroughput) -> Warm {
    Warm::builder().read_units_per_second(units.read).write_units_per_second(units.write).build()
}

fn built<T>(built: Result<T, BuildError>) -> Result<T, AwsError> {
    built.map_err(|_| AwsError::incomplete(OPERATION, "complete change"))
}
