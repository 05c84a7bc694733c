//! A table comes back from a point with its whole configuration.

mod alarms;
mod choices;
mod configs;
mod disaster;
mod events;
mod everything;
mod killed;
mod refusals;
mod scaling;
mod streams;

use end_to_end::tables::Item;
use local_stack::SOURCE_REGION;
use rstest::rstest;
use serde_json::{Value, json};

use self::everything::{Billing, described, items_of};
use crate::support::{CATALOG, World, list, only_point};

impl World {
    /// Asks for a restore, or how it stands.
    pub(crate) async fn restore(&self, request: &Value) -> Value {
        self.ask("table-restore", request).await
    }

    /// A manual backup of a table; its point.
    async fn backed_up(&self, table: &str) -> String {
        self.session(&json!({"backup_now": {"table": table}})).await;
        self.finish_jobs().await;
        only_point(&self.report(&json!({})).await, table)
    }

    /// Asks for a restore, and lets AWS Backup make the table that is configured next; what the catalog says then.
    async fn restoring(&self, request: &Value) -> Vec<Item> {
        self.stack.control().set_events(&json!({"lose": 1.0})).await.expect("events are lost");
        self.restore(request).await;
        self.finish_jobs().await;
        let catalog = self.catalog().await.into_iter();
        let restores = catalog.filter(|((pk, _), _)| pk.starts_with("RESTORE#"));
        restores.map(|(_, item)| item).collect()
    }

    /// Configures a table from the start, whatever has been done already; how it stands then.
    async fn configured(&self, restoring: &[Item]) -> Value {
        for item in restoring {
            let put = self.dynamodb().await.put_item().table_name(CATALOG).set_item(Some(item.clone()));
            put.send().await.expect("as if nothing had been done yet");
        }
        let id = restoring.iter().find_map(|item| item.get("restore_id")?.as_s().ok()).expect("an id");
        let status = json!({"status": id});
        assert_eq!(self.restore(&status).await["state"], "restoring");
        self.restore(&json!({"reconcile": true})).await;
        self.restore(&status).await
    }

    /// A table with all that hangs on it, so that nothing is left to be found again.
    async fn delete_table(&self, table: &str) {
        everything::unscale(&self.stack, SOURCE_REGION, table).await;
        alarms::unwatch(&self.stack, SOURCE_REGION, table).await;
        let client = self.dynamodb().await;
        client
            .update_table()
            .table_name(table)
            .deletion_protection_enabled(false)
            .send()
            .await
            .expect("unprotected");
        client.delete_table().table_name(table).send().await.expect("the table goes");
    }
}

/// The steps of an answer: property, action, state.
fn steps(answer: &Value) -> Vec<(&str, &str, &str)> {
    list(&answer["steps"])
        .iter()
        .map(|step| {
            let word = |name: &str| step[name].as_str().unwrap_or_default();
            (word("property"), word("action"), word("state"))
        })
        .collect()
}

#[rstest]
#[case::provisioned(Billing::Provisioned)]
#[case::on_demand(Billing::OnDemand)]
#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_everything_set_comes_back_as_it_was(#[case] billing: Billing) {
    let world = World::start().await;
    everything::create(&world.stack, SOURCE_REGION, "orders", billing).await;
    let before = described(&world.stack, SOURCE_REGION, "orders").await;
    let items = items_of(&world.stack, SOURCE_REGION, "orders").await;
    assert!(items.len() > 10);
    let point = world.backed_up("orders").await;
    world.delete_table("orders").await;

    let request = json!({
        "restore": {"recovery_point": point}, "reason": "a drill", "overrides": {"alarms": "recorded"},
    });
    let planned = world.restore(&json!({"restore": {"recovery_point": point}, "dry_run": true})).await;
    assert_eq!((&planned["state"], &planned["restore_id"]), (&json!("planned"), &Value::Null));
    let asked = world.restore(&request).await;
    assert_eq!((&asked["state"], &asked["reason"]), (&json!("restoring"), &json!("a drill")));
    assert_eq!(list(&asked["steps"]).len(), 16);
    world.finish_jobs().await;
    let status = json!({"status": asked["restore_id"]});
    let answer = world.restore(&status).await;
    assert_eq!(answer["state"], "done", "{answer:#}");

    let after = described(&world.stack, SOURCE_REGION, "orders").await;
    for (call, said) in &before {
        assert_eq!(&after[call], said, "{call}");
    }
    assert_eq!(items_of(&world.stack, SOURCE_REGION, "orders").await, items);
    for (property, action, state) in steps(&answer) {
        assert_eq!(state, "done", "{property} {action}");
    }
}
