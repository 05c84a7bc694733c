//! Restores whose events go astray, whose jobs fail, and whose tables are busy.

use serde_json::{Value, json};

use super::steps;
use crate::support::{World, arn, list};

/// The detail-type of the event that ends a restore.
const FINISHED: &str = "Restore Finished";

/// A table with a stream and a tag, backed up.
async fn world() -> (World, String) {
    let world = World::start().await;
    world.tables(&["orders"]).await;
    world.tag_table("orders", [("team".to_owned(), "checkout".to_owned())]).await;
    let class = aws_sdk_dynamodb::types::TableClass::StandardInfrequentAccess;
    let update = world.dynamodb().await.update_table().table_name("orders").table_class(class);
    update.send().await.expect("another class");
    let point = world.backed_up("orders").await;
    (world, point)
}

async fn status(world: &World, asked: &Value) -> Value {
    world.restore(&json!({"status": asked["restore_id"]})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_and_doubled_events_change_nothing_about_a_restore() {
    let (world, point) = world().await;
    world.subscribe().await;
    world.stack.control().set_events(&json!({"lose": 1.0})).await.expect("events are lost");
    let asked =
        world.restore(&json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}})).await;
    world.finish_jobs().await;
    assert_eq!(status(&world, &asked).await["state"], "restoring");
    let looked = world.restore(&json!({"reconcile": true, "dry_run": true})).await;
    assert_eq!(looked["restores"][0]["state"], "restoring");
    let looked = world.restore(&json!({"reconcile": true})).await;
    assert_eq!(
        (&looked["restores"][0]["state"], &looked["failures"]),
        (&json!("done"), &json!([])),
        "{looked:#}"
    );
    let done = status(&world, &asked).await;
    assert_eq!(done["state"], "done");
    assert_eq!(
        world.restore(&json!({"reconcile": true})).await["restores"],
        json!([]),
        "nothing is open any more"
    );

    world.stack.control().set_events(&json!({"double": 1.0})).await.expect("events are doubled");
    let again =
        world.restore(&json!({"restore": {"table": "orders"}, "target": {"table": "orders-3"}})).await;
    world.finish_jobs().await;
    assert_eq!(status(&world, &again).await["state"], "done");
    let finished = world.events(FINISHED, 2).await;
    assert_eq!(finished.len(), 2, "each restore is told of once: {finished:#?}");
    let tables: Vec<_> = finished.iter().map(|event| event["table"].clone()).collect();
    assert_eq!(tables, [json!(arn("orders-2")), json!(arn("orders-3"))]);
    assert_eq!((&finished[0]["state"], &finished[0]["problems"]), (&json!("done"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_is_a_restore_that_failed_with_the_reason() {
    let (world, point) = world().await;
    world.subscribe().await;
    let fault = json!([{"operation": "StartRestoreJob", "effect": "job_failed", "count": 1}]);
    world.stack.control().set_faults(&fault).await.expect("a fault");
    let request = json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}});
    let asked = world.restore(&request).await;
    world.finish_jobs().await;
    let failed = status(&world, &asked).await;
    assert_eq!(failed["state"], "failed");
    let said = failed["message"].as_str().expect("a reason");
    assert!(said.contains("ended FAILED: "), "{said}");
    assert!(steps(&failed).iter().all(|(_, _, state)| *state == "skipped"), "{failed:#}");
    let [event] = &world.events(FINISHED, 1).await[..] else { unreachable!("one event") };
    assert_eq!((&event["state"], &event["message"]), (&json!("failed"), &failed["message"]));
    // The name is free again.
    let asked = world.restore(&request).await;
    world.finish_jobs().await;
    assert_eq!(status(&world, &asked).await["state"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_heard_and_not_answered_is_one_job() {
    let (world, point) = world().await;
    for effect in ["drop_before", "drop_after"] {
        // As often as the SDK tries it, and once more when reconciliation does.
        let fault = json!([{"operation": "StartRestoreJob", "effect": effect, "count": 7}]);
        world.stack.control().set_faults(&fault).await.expect("a fault");
        let target = effect.replace('_', "-");
        let request = json!({"restore": {"recovery_point": point}, "target": {"table": target}});
        let asked = world.restore(&request).await;
        assert_eq!(asked["state"], "planned", "{asked:#}");
        assert!(
            asked["message"].as_str().is_some_and(|said| said.contains("it is tried again")),
            "{asked:#}"
        );
        world.stack.control().set_faults(&json!([])).await.expect("no fault");
        world.restore(&json!({"reconcile": true})).await;
        world.finish_jobs().await;
        assert_eq!(status(&world, &asked).await["state"], "done");
    }
    let jobs = world.backup().await.list_restore_jobs().send().await.expect("the jobs");
    assert_eq!(jobs.restore_jobs().len(), 2, "one each");
}

/// Restores a point as `orders-2`, which is being updated when somebody comes to configure it.
async fn restored_busy(world: &World, point: &str) -> Value {
    // So that the table can be made busy before anybody configures it.
    world.stack.control().set_events(&json!({"lose": 1.0})).await.expect("events are lost");
    let asked =
        world.restore(&json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}})).await;
    world.finish_jobs().await;
    world.table_status("orders-2", "UPDATING").await;
    world.restore(&json!({"reconcile": true})).await;
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_being_updated_is_come_back_to() {
    let (world, point) = world().await;
    let asked = restored_busy(&world, &point).await;
    let waiting = status(&world, &asked).await;
    assert_eq!(waiting["state"], "configuring");
    let class =
        list(&waiting["steps"]).iter().find(|step| step["property"] == "table_class").expect("a step");
    assert_eq!(
        (&class["state"], &class["error"]),
        (&json!("pending"), &json!("the table is UPDATING, not ACTIVE"))
    );
    // What is no change of the table itself does not wait for it.
    let tags = list(&waiting["steps"]).iter().find(|step| step["property"] == "tags").expect("a step");
    assert_eq!(tags["state"], "done");
    world.table_status("orders-2", "ACTIVE").await;
    world.restore(&json!({"reconcile": true})).await;
    let done = status(&world, &asked).await;
    assert_eq!(done["state"], "done", "{done:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_has_taken_the_place_of_the_restored_one_is_left_alone() {
    let (world, point) = world().await;
    let asked = restored_busy(&world, &point).await;
    assert_eq!(status(&world, &asked).await["state"], "configuring");

    world.table_status("orders-2", "ACTIVE").await;
    world.delete_table("orders-2").await;
    world.tables(&["orders-2"]).await;
    let twice =
        [world.restore(&json!({"reconcile": true})).await, world.restore(&json!({"reconcile": true})).await];
    assert_eq!(twice[1]["restores"], json!([]), "nothing is open any more");
    let over = status(&world, &asked).await;
    assert_eq!(over["state"], "done_with_problems", "{over:#}");
    let class = list(&over["steps"]).iter().find(|step| step["property"] == "table_class").expect("a step");
    assert_eq!(class["error"], "the table does not exist any more");
    let client = world.dynamodb().await;
    let table = client.describe_table().table_name("orders-2").send().await.expect("the other table");
    assert_eq!(table.table().and_then(|table| table.table_class_summary()), None, "it is as it was made");
    let tags =
        client.list_tags_of_resource().resource_arn(arn("orders-2").as_str()).send().await.expect("tags");
    assert_eq!(tags.tags().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_refused_for_good_hides_and_undoes_nothing() {
    let (world, point) = world().await;
    world.subscribe().await;
    world.stack.control().set_events(&json!({"lose": 1.0})).await.expect("events are lost");
    let asked =
        world.restore(&json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}})).await;
    world.finish_jobs().await;
    let client = world.dynamodb().await;
    for class in ["STANDARD_INFREQUENT_ACCESS", "STANDARD"] {
        let update = client.update_table().table_name("orders-2").table_class(class.into());
        update.send().await.expect("the class changes twice");
    }
    world.restore(&json!({"reconcile": true})).await;
    let answer = status(&world, &asked).await;
    assert_eq!(answer["state"], "done_with_problems", "{answer:#}");
    let class = list(&answer["steps"]).iter().find(|step| step["property"] == "table_class").expect("a step");
    assert_eq!(class["state"], "failed");
    assert!(class["error"].as_str().is_some_and(|said| said.contains("twice in 30 days")), "{class}");
    let failed: Vec<_> = steps(&answer).into_iter().filter(|(_, _, state)| *state == "failed").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let tags =
        client.list_tags_of_resource().resource_arn(arn("orders-2").as_str()).send().await.expect("tags");
    assert_eq!(tags.tags().len(), 1);
    let [event] = &world.events(FINISHED, 1).await[..] else { unreachable!("one event") };
    assert_eq!(event["problems"][0]["property"], "table_class");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_cannot_be_looked_after_for_once_is_let_go_of() {
    let (world, point) = world().await;
    world.stack.control().set_events(&json!({"lose": 1.0})).await.expect("events are lost");
    let asked =
        world.restore(&json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}})).await;
    world.finish_jobs().await;
    let fault = json!([{"operation": "DescribeRestoreJob", "effect": "access_denied"}]);
    world.stack.control().set_faults(&fault).await.expect("a fault");
    let looked = world.restore(&json!({"reconcile": true})).await;
    assert_eq!(looked["failures"][0]["reason"], "AccessDenied", "{looked:#}");
    world.stack.control().set_faults(&json!([])).await.expect("no fault");
    // The clock stands still: as Lambda tries an event again within minutes.
    world.restore(&json!({"reconcile": true})).await;
    assert_eq!(status(&world, &asked).await["state"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_nobody_takes_on_for_six_hours_has_failed_and_makes_no_table_later() {
    let (world, point) = world().await;
    world.subscribe().await;
    let fault = json!([{"operation": "StartRestoreJob", "effect": "throttle"}]);
    world.stack.control().set_faults(&fault).await.expect("a fault");
    let request = json!({"restore": {"recovery_point": point}, "target": {"table": "orders-2"}});
    let asked = world.restore(&request).await;
    assert_eq!(asked["state"], "planned", "{asked:#}");
    world.fall_silent().await;
    world.jump("2027-01-04T11:55:00Z").await;
    world.restore(&json!({"reconcile": true})).await;
    assert_eq!(status(&world, &asked).await["state"], "planned", "it may still be taken on");
    world.stack.control().set_faults(&json!([])).await.expect("no fault");
    world.jump("2027-01-04T12:05:00Z").await;
    world.restore(&json!({"reconcile": true})).await;
    let failed = status(&world, &asked).await;
    let said = failed["message"].as_str().unwrap_or_default();
    assert_eq!(failed["state"], "failed", "{failed:#}");
    assert!(said.starts_with("given up after 6 hours: ") && said.contains("ThrottlingException"), "{said}");
    assert_eq!(world.events(FINISHED, 1).await[0]["message"], failed["message"]);
    let jobs = world.backup().await.list_restore_jobs().send().await.expect("the jobs");
    assert_eq!(jobs.restore_jobs(), []);
    // The name is free again.
    let again = world.restore(&request).await;
    world.finish_jobs().await;
    world.restore(&json!({"reconcile": true})).await;
    assert_eq!(status(&world, &again).await["state"], "done");
}
