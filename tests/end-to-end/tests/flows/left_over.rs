//! Sessions that were interrupted and that nobody went on with for hours: their moment has passed.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::recovery::two_tables_with;
use crate::support::{CATALOG, FINISHED, SEVEN, World, arn, chains, details, list, points};

/// Just more than six hours after seven in Berlin.
const TOO_LATE: &str = "2027-01-04T12:01:00Z";
/// The session of 11:00, which is run late then.
const ELEVEN: &str = "2027-01-04T10:00:00Z";

impl World {
    /// Makes the session what it is when the function died on its way.
    async fn interrupt_session(&self) {
        let key = (format!("SESSION#a@{SEVEN}"), "SESSION".to_owned());
        let mut record = self.catalog().await[&key].clone();
        record.extend([("state".to_owned(), AttributeValue::S("starting".to_owned()))]);
        let put = self.dynamodb().await.put_item().table_name(CATALOG).set_item(Some(record));
        put.send().await.expect("the session");
    }

    async fn reconcile_late(&self) -> Value {
        let done = self.session(&json!({"reconcile": true})).await;
        self.finish_jobs().await;
        done
    }
}

/// The moments and flags of a table's points, oldest first.
fn moments<'a>(report: &'a Value, table: &str) -> Vec<(&'a Value, &'a Value)> {
    points(report, table).iter().map(|point| (&point["scheduled_at"], &point["flags"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_interrupted_session_had_not_started_is_not_started_after_six_hours_and_its_flags_are_owed() {
    let world = two_tables_with(3).await;
    world.jump(SEVEN).await;
    world.fall_silent().await;
    world.interrupt_session().await;
    // A table that it had not come to.
    world.tables(&["a-3"]).await;
    world.finish_jobs().await;
    world.jump(TOO_LATE).await;
    assert_eq!(world.starts().await, 2);

    let done = world.reconcile_late().await;
    assert_eq!((&done["resumed"], &done["failures"]), (&json!(1), &json!([])), "{done:#}");
    assert_eq!(done["caught_up"]["late"], json!([format!("a@{ELEVEN}")]));
    let told = world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    let expected = [("a-1", "started", ""), ("a-2", "started", ""), ("a-3", "failed", "too_late")];
    assert_eq!((details(&told).as_slice(), &told["finished"]), (expected.as_slice(), &json!(true)));
    let finished = world.events(FINISHED, 2).await;
    let ours = finished.iter().find(|event| event["scheduled_at"] == SEVEN).expect("its end");
    assert_eq!(ours["tables"], json!({"covered": 3, "started": 2, "skipped": 0, "failed": 1}));
    let [failure] = list(&ours["failures"]) else { unreachable!("{ours:#}") };
    let (table, said) = (arn("a-3"), failure["message"].as_str().unwrap_or_default());
    assert_eq!((&failure["table"], said.contains(SEVEN)), (&json!(table.as_str()), true), "{said}");

    let catalog = world.catalog().await;
    assert_eq!(world.reconcile_late().await["open"], json!([]), "once");
    assert_eq!((world.catalog().await, world.starts().await), (catalog, 5));
    let report = world.verified(&[]).await;
    assert_eq!(chains(&report), [("a-1", "regular", 2), ("a-2", "regular", 2), ("a-3", "regular", 1)]);
    let (all, daily, seven, eleven) =
        (json!(["D", "W", "M", "Y"]), json!(["D"]), json!(SEVEN), json!(ELEVEN));
    assert_eq!(moments(&report, "a-1"), [(&seven, &all), (&eleven, &daily)]);
    assert_eq!(moments(&report, "a-3"), [(&eleven, &all)], "the next point carries what it owes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_not_heard_is_not_made_after_six_hours() {
    let world = two_tables_with(3).await;
    world
        .control("PUT", "/faults", Some(&json!([{"operation": "StartBackupJob", "effect": "drop_before"}])))
        .await;
    world.jump(SEVEN).await;
    world.fall_silent().await;
    world.control("PUT", "/faults", Some(&json!([]))).await;
    assert_eq!(world.jobs().await, []);
    world.jump(TOO_LATE).await;

    world.reconcile_late().await;
    let told = world.session(&json!({"policy": "a", "scheduled_at": SEVEN})).await;
    assert_eq!(details(&told), [("a-1", "failed", "too_late"), ("a-2", "failed", "too_late")]);
    assert_eq!(told["finished"], true);
    let report = world.verified(&[]).await;
    let (all, eleven) = (json!(["D", "W", "M", "Y"]), json!(ELEVEN));
    for table in ["a-1", "a-2"] {
        assert_eq!(moments(&report, table), [(&eleven, &all)], "{table}");
    }
}
