//! Resources that have recovery points, whatever became of the resources themselves.

use serde_json::{Value, json};

use crate::http::{ApiError, Call};
use crate::state::recovery_point::RecoveryPoint;

pub(super) async fn list(call: &Call) -> Result<Value, ApiError> {
    let page = call.page()?;
    call.state(|state| {
        let (resources, next) = page.begin(state.points.resources(page.after()), |arn| (*arn).to_owned());
        let newest = |arn| state.points.of_resource(arn, None).next();
        let results: Vec<Value> = resources.into_iter().filter_map(newest).map(entry).collect();
        Ok(json!({ "Results": results, "NextToken": next }))
    })
}

/// A resource by its newest point, whatever that one's status.
fn entry(point: &RecoveryPoint) -> Value {
    json!({
        "ResourceArn": point.resource_arn,
        "ResourceName": point.resource_arn.rsplit('/').next(),
        "ResourceType": "DynamoDB",
        "LastBackupTime": crate::time::epoch(point.created),
        "LastBackupVaultArn": point.vault_arn,
        "LastRecoveryPointArn": point.arn,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::state::points::Points;
    use crate::state::samples::point_of;

    const ORDERS: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";

    #[test]
    fn a_resource_without_points_is_not_protected() {
        let mut points = Points::default();
        let at = Timestamp::UNIX_EPOCH;
        points.insert(point_of("a", "one", ORDERS, at));
        points.insert(point_of("b", "two", ORDERS, at));
        points.remove("a").unwrap();
        assert_eq!(points.resources(None).collect::<Vec<_>>(), [ORDERS]);
        points.remove("b").unwrap();
        assert_eq!(points.resources(None).next(), None);
    }
}
