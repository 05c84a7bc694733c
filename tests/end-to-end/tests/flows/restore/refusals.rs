//! What cannot be restored is refused with one clear error, and nothing is touched.

use jiff::SignedDuration;
use local_stack::{ACCOUNT, SOURCE_REGION, VAULT};
use serde_json::{Value, json};

use crate::support::{World, arn};

/// A table with one point, and the catalog as it is then.
async fn world() -> (World, String) {
    let world = World::start().await;
    world.tables(&["orders", "users"]).await;
    let point = world.backed_up("orders").await;
    (world, point)
}

impl World {
    /// Asks for a restore that is refused with this type and these words; nothing has changed afterwards.
    async fn not_restored(&self, request: &Value, error_type: &str, said: &str) {
        let catalog = self.catalog().await;
        let refused = self.refused("table-restore", request).await;
        assert_eq!(refused.error_type, error_type, "{request}: {refused}");
        assert!(refused.error_message.contains(said), "{request}: {refused}");
        assert_eq!(refused.error_message.lines().count(), 1, "{refused}");
        assert_eq!(self.catalog().await, catalog, "{request}");
        let jobs = self.backup().await.list_restore_jobs().send().await.expect("the jobs");
        assert_eq!(jobs.restore_jobs().len(), 0, "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_refused_and_nothing_is_touched() {
    let (world, point) = world().await;
    let of_point = |target: &str| json!({"restore": {"recovery_point": point}, "target": {"table": target}});
    let exists = json!({"restore": {"recovery_point": point}});
    world.not_restored(&exists, "TargetExists", "$.target: the table").await;
    world.not_restored(&of_point("users"), "TargetExists", "$.target.table: the table").await;

    let elsewhere = point.replace(SOURCE_REGION, "eu-west-1");
    let request = json!({"restore": {"recovery_point": elsewhere}});
    world.not_restored(&request, "PointNotFound", "$.restore.recovery_point: lies in eu-west-1").await;
    let unknown = format!(
        "arn:aws:backup:{SOURCE_REGION}:{ACCOUNT}:recovery-point:11111111-2222-4333-8444-555555555555"
    );
    let request = json!({"restore": {"recovery_point": unknown}});
    world.not_restored(&request, "PointNotFound", "is not in the vault dynachain").await;

    let request = json!({"restore": {"table": "missing"}});
    world
        .not_restored(&request, "TableNotFound", "$.restore.table: no recovery point of a table missing")
        .await;
    let request =
        json!({"restore": {"table": "orders", "at": "2027-01-01T00:00:00Z"}, "target": {"table": "old"}});
    world
        .not_restored(
            &request,
            "PointNotFound",
            "$.restore.at: 2027-01-01T00:00:00Z is before the first point",
        )
        .await;

    let mut request = of_point("orders-2");
    request["overrides"] = json!({"colour": "red"});
    world
        .not_restored(&request, "InvalidRequest", "$.overrides.colour: is unknown; known are \"alarms\"")
        .await;
    request["overrides"] = json!({"provisioned": {"read": 1, "write": 1}});
    world
        .not_restored(&request, "InvalidRequest", "$.overrides.provisioned: the table is billed on demand")
        .await;
    request["overrides"] = json!({"encryption": format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/mrk-1")});
    world.not_restored(&request, "InvalidRequest", "is of another Region than the new table").await;
    request["overrides"] = json!({"encryption": format!("arn:aws:kms:{SOURCE_REGION}:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555")});
    world.not_restored(&request, "KeyUnavailable", "is not there, or not for this function").await;

    let twice = json!({"restores": [
        {"recovery_point": point, "target": {"table": "orders-2"}},
        {"table": "orders", "target": {"table": "orders-2"}},
    ]});
    world.not_restored(&twice, "InvalidRequest", "$.restores[1].target.table: two restores would make").await;
    let one_of_two =
        json!({"restores": [{"table": "orders", "target": {"table": "orders-2"}}, {"table": "orders"}]});
    world.not_restored(&one_of_two, "TargetExists", "$.restores[1].target: ").await;
    world
        .not_restored(
            &json!({"status": "unknown"}),
            "InvalidRequest",
            "$.status: no restore unknown is known",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_is_going_or_gone_is_refused() {
    let (world, point) = world().await;
    let expired = json!([{
        "region": SOURCE_REGION, "vault": VAULT, "table": arn("orders"), "created": ["2027-01-01T00:00:00Z"],
        "tags": {}, "status": "EXPIRED",
    }]);
    world.control("POST", "/points", Some(&expired)).await;
    let listed =
        world.backup().await.list_recovery_points_by_backup_vault().backup_vault_name(VAULT).send().await;
    let listed = listed.expect("points");
    let expired =
        listed.recovery_points().iter().find(|point| point.status().is_some_and(|s| s.as_str() == "EXPIRED"));
    let expired = expired.and_then(|point| point.recovery_point_arn()).expect("an expired point").to_owned();
    let of = |point: &str| json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}});
    world.not_restored(&of(&expired), "InvalidRequest", "$.restore.recovery_point: is EXPIRED").await;

    let delete =
        world.backup().await.delete_recovery_point().backup_vault_name(VAULT).recovery_point_arn(&point);
    delete.send().await.expect("it is being deleted");
    world.not_restored(&of(&point), "InvalidRequest", "$.restore.recovery_point: is DELETING").await;
    let request = json!({"restore": {"table": "orders"}, "target": {"table": "orders-2"}});
    world.not_restored(&request, "PointNotFound", "none of the 2 points").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_used_is_refused_and_another_can_be_said() {
    let world = World::start().await;
    let kms = world.kms().await;
    let key = kms.create_key().send().await.expect("a key").key_metadata.expect("metadata");
    let sse = aws_sdk_dynamodb::types::SseSpecification::builder().enabled(true);
    let sse = sse
        .sse_type(aws_sdk_dynamodb::types::SseType::Kms)
        .kms_master_key_id(key.arn().expect("an ARN"))
        .build();
    world.tables(&["orders"]).await;
    world
        .dynamodb()
        .await
        .update_table()
        .table_name("orders")
        .sse_specification(sse)
        .send()
        .await
        .expect("encrypted");
    let point = world.backed_up("orders").await;
    kms.disable_key().key_id(key.key_id()).send().await.expect("disabled");
    let mut request = json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}});
    world.not_restored(&request, "KeyUnavailable", "is Disabled; make it usable, or say another").await;
    request["overrides"] = json!({"encryption": "none"});
    world.restore(&request).await;
    world.finish_jobs().await;
    let table =
        world.dynamodb().await.describe_table().table_name("orders-2").send().await.expect("the table");
    assert!(table.table().and_then(|table| table.sse_description()).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_in_cold_storage_is_restored_and_the_answer_says_that_it_takes_hours() {
    let world = World::start().await;
    world.tables(&["orders"]).await;
    let roles = crate::permissions::roles(&world).await;
    let role = roles.iter().find(|role| role.short() == "BackupRole").expect("a role").arn();
    let soon = aws_sdk_backup::types::Lifecycle::builder().move_to_cold_storage_after_days(1).build();
    let start = world.backup().await.start_backup_job().backup_vault_name(VAULT).iam_role_arn(role);
    let job = start.resource_arn(arn("orders").as_str()).lifecycle(soon).send().await.expect("a job");
    world.stack.jump_to(world.stack.now() + SignedDuration::from_hours(26)).await;
    let request =
        json!({"restore": {"recovery_point": job.recovery_point_arn()}, "target": {"table": "orders-2"}});
    let asked = world.restore(&request).await;
    let notes = asked["notes"].as_array().expect("notes");
    assert!(
        notes.iter().any(|note| note.as_str().is_some_and(|note| note.contains("four hours"))),
        "{asked:#}"
    );
    world.stack.jump_to(world.stack.now() + SignedDuration::from_hours(5)).await;
    let answer = world.restore(&json!({"status": asked["restore_id"]})).await;
    assert_eq!(answer["state"], "done_with_problems", "all but its configuration: {answer:#}");
}
