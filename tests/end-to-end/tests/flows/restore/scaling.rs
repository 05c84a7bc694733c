//! Auto scaling, otherwise than it was recorded.

use std::collections::BTreeMap;

use local_stack::SOURCE_REGION;
use serde_json::{Value, json};

use super::everything::{self, Billing, described};
use crate::support::{World, list};

/// What of a list that Application Auto Scaling gives is about a table: by resource and dimension, or by name as well.
fn by_place<T>(
    described: &BTreeMap<String, Value>,
    call: &str,
    members: &str,
    of: impl Fn(&Value) -> T,
) -> BTreeMap<String, T> {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let place = |one: &Value| {
        let dimension = text(one, "ScalableDimension");
        format!("{} {}", text(one, "ResourceId"), dimension.rsplit(':').next().unwrap_or_default())
    };
    list(&described[call][members]).iter().map(|one| (place(one), of(one))).collect()
}

fn texts<const N: usize, T>(pairs: [(&str, T); N]) -> BTreeMap<String, T> {
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn capacities_are_scaled_as_they_are_said_to_be_and_the_others_as_they_were() {
    let world = World::start().await;
    everything::create(&world.stack, SOURCE_REGION, "orders", Billing::Provisioned).await;
    let point = world.backed_up("orders").await;
    let scaling = json!({
        "table": {"read": {"min": 2, "max": 40, "target": 65.5}, "write": {"min": 3, "max": 30}},
        "indexes": {"by-day": {"read": "none"}, "by-state": {"write": {"min": 1, "max": 9, "target": 50}}},
    });
    let request = json!({
        "restore": {"recovery_point": point}, "target": {"table": "orders-2"}, "overrides": {"auto_scaling": scaling},
    });
    let restoring = world.restoring(&request).await;
    let done = world.configured(&restoring).await;
    assert_eq!(done["state"], "done", "{done:#}");
    let step = list(&done["steps"]).iter().find(|step| step["property"] == "auto_scaling").expect("a step");
    assert_eq!((&step["action"], &step["state"]), (&json!("override"), &json!("done")));

    let after = described(&world.stack, SOURCE_REGION, "orders-2").await;
    let bounds = by_place(&after, "describe-scalable-targets", "ScalableTargets", |target| {
        (target["MinCapacity"].as_i64().expect("units"), target["MaxCapacity"].as_i64().expect("units"))
    });
    let (reads, writes) = ("table/orders-2 ReadCapacityUnits", "table/orders-2 WriteCapacityUnits");
    let by_state = "table/orders-2/index/by-state WriteCapacityUnits";
    assert_eq!(bounds, texts([(reads, (2, 40)), (writes, (3, 30)), (by_state, (1, 9))]));
    let policies = by_place(&after, "describe-scaling-policies", "ScalingPolicies", |policy| {
        let tracking = &policy["TargetTrackingScalingPolicyConfiguration"];
        let metric = &tracking["PredefinedMetricSpecification"]["PredefinedMetricType"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&policy["PolicyName"]), tracking["TargetValue"].as_f64().expect("a target"), text(metric))
    });
    let (read, write) = ("DynamoDBReadCapacityUtilization", "DynamoDBWriteCapacityUtilization");
    let own = |metric: &str, of: &str, target: f64| (format!("{metric}:{of}"), target, metric.to_owned());
    let expected = [
        (reads, own(read, "table/orders-2", 65.5)),
        (writes, ("seventy".to_owned(), 70.0, write.to_owned())),
        (by_state, own(write, "table/orders-2/index/by-state", 50.0)),
    ];
    assert_eq!(policies, texts(expected));
    // The recorded action is of the reads of the table, which are held at a target of their own now.
    let actions = by_place(&after, "describe-scheduled-actions", "ScheduledActions", |_| ());
    assert_eq!(actions, BTreeMap::new());

    let done = world.configured(&restoring).await;
    assert_eq!(done["state"], "done", "{done:#}");
    assert_eq!(described(&world.stack, SOURCE_REGION, "orders-2").await, after);
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_action_goes_on_within_other_bounds() {
    let world = World::start().await;
    everything::create(&world.stack, SOURCE_REGION, "orders", Billing::Provisioned).await;
    let before = described(&world.stack, SOURCE_REGION, "orders").await;
    let point = world.backed_up("orders").await;
    world.delete_table("orders").await;
    let scaling = json!({"table": {"read": {"min": 2, "max": 95}}});
    let request = json!({"restore": {"recovery_point": point}, "overrides": {"auto_scaling": scaling}});
    let asked = world.restore(&request).await;
    world.finish_jobs().await;
    let done = world.restore(&json!({"status": asked["restore_id"]})).await;
    assert_eq!(done["state"], "done", "{done:#}");
    let after = described(&world.stack, SOURCE_REGION, "orders").await;
    for call in ["describe-scaling-policies", "describe-scheduled-actions"] {
        assert_eq!(after[call], before[call], "{call}");
    }
    let max = by_place(&after, "describe-scalable-targets", "ScalableTargets", |target| {
        target["MaxCapacity"].as_i64()
    });
    let index = "table/orders/index/by-day ReadCapacityUnits";
    let (reads, writes) = ("table/orders ReadCapacityUnits", "table/orders WriteCapacityUnits");
    assert_eq!(max, texts([(reads, Some(95)), (writes, Some(106)), (index, Some(107))]));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_scaling_is_said_at_once_and_nothing_is_started() {
    let world = World::start().await;
    world.tables(&["orders"]).await;
    let point = world.backed_up("orders").await;
    let asked = |scaling: Value| json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}, "overrides": {"auto_scaling": scaling}});
    let scaling = json!({
        "table": {"read": {"min": 9, "max": 5, "target": 91}},
        "indexes": {"by-day": {"write": {"min": 0, "max": 5}}},
    });
    let refused = world.refused("table-restore", &asked(scaling)).await;
    let at = "$.overrides.auto_scaling";
    let expected = [
        format!("{at}.indexes.by-day.write.min: must be a whole number of capacity units, at least 1"),
        format!("{at}.table.read.min: is more than \"max\", which is 5"),
        format!("{at}.table.read.target: must be a utilisation from 20 to 90 percent"),
    ];
    let mut lines: Vec<_> = refused.error_message.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        (refused.error_type.as_str(), lines),
        ("InvalidRequest", expected.iter().map(String::as_str).collect())
    );
    let scaling = json!({"indexes": {"by-day": {"write": {"min": 1, "max": 5, "target": 70}}}});
    let refused = world.refused("table-restore", &asked(scaling)).await;
    let lines: Vec<_> = refused.error_message.lines().collect();
    assert_eq!(
        lines,
        [
            format!("{at}: names by-day, which is no global secondary index of the table"),
            format!("{at}: the table is billed on demand; say \"billing_mode\": \"PROVISIONED\" as well"),
        ]
    );
    let jobs = world.backup().await.list_restore_jobs().send().await.expect("the jobs");
    assert_eq!(jobs.restore_jobs().len(), 0);
}
