//! Slots of copies, and the copies that have lost theirs.

use dynachain::catalog::{Catalog, CopyRecord, CopyState};
use local_stack::SOURCE_REGION;
use serde_json::json;

use crate::copies::idle;
use crate::support::{CATALOG, World, chains};

impl World {
    async fn own_catalog(&self) -> Catalog {
        Catalog::new(&self.stack.sdk_config(SOURCE_REGION).await, CATALOG)
    }

    async fn copies_missing(&self) -> Vec<CopyRecord> {
        self.own_catalog().await.copies().missing(None).await.expect("the catalog")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_another_copy_has_taken_since_is_left_to_it() {
    let world = World::with_copies(&["a-1", "a-2"], 3).await;
    // Noted and no more: nothing starts by itself.
    world
        .stack
        .control()
        .set_faults(&json!([{"operation": "StartCopyJob", "effect": "drop_before"}]))
        .await
        .expect("no copies");
    world.back_up().await;
    world.pass(1).await;
    let copies = world.own_catalog().await.copies();
    let [first, second] = &world.copies_missing().await[..] else { unreachable!("two copies") };
    for record in [first, second] {
        let waiting = CopyRecord { state: CopyState::Queued, slot: None, ..record.clone() };
        copies.change(waiting, record).await.expect("the catalog").expect("nobody else");
    }
    let claimed =
        |record: &CopyRecord| CopyRecord { state: CopyState::Running, slot: Some(0), ..record.clone() };
    let of = async |record: &CopyRecord| {
        copies.get(&record.source, &record.target).await.expect("the catalog").expect("the copy")
    };

    let read = of(first).await;
    let running = copies.claim(claimed(&read), &read).await.expect("the catalog").expect("a slot");
    let stale = copies.slots().await.expect("the catalog");
    let [slot] = &stale[..] else { unreachable!("one slot") };
    let settled = running.clone().settled(
        CopyState::Impossible,
        running.queued_at,
        Some(("source_gone", String::new())),
    );
    copies.change(settled, &running).await.expect("the catalog").expect("nobody else");
    let read = of(second).await;
    copies.claim(claimed(&read), &read).await.expect("the catalog").expect("the slot that is free again");
    copies.free(slot).await.expect("the catalog");
    let slots = copies.slots().await.expect("the catalog");
    assert_eq!(slots.iter().map(|slot| &slot.source).collect::<Vec<_>>(), [&second.source]);

    // Whoever holds a slot that another has taken can write down how it ended all the same.
    let stranger = CopyRecord { state: CopyState::Running, slot: Some(0), ..of(first).await };
    let ended = CopyRecord { state: CopyState::Queued, slot: None, ..stranger.clone() };
    copies.change(ended, &stranger).await.expect("the catalog").expect("it is written");
    assert_eq!(copies.slots().await.expect("the catalog").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_slot_is_lost_is_looked_after_all_the_same() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.back_up().await;
    world.stack.control().set_events(&json!({"lose": 1.0})).await.expect("events are lost");
    let client = world.dynamodb().await;
    for (pk, sk) in world.catalog().await.into_keys().filter(|(pk, _)| pk == "COPY_SLOTS") {
        let text = aws_sdk_dynamodb::types::AttributeValue::S;
        let lost = client.delete_item().table_name(CATALOG).key("pk", text(pk)).key("sk", text(sk));
        lost.send().await.expect("a slot is lost");
    }
    world.pass(30).await;
    assert_eq!(world.copies_in_catalog().await, [("usable".to_owned(), 1, String::new())]);
    assert_eq!(world.copy_jobs().await.len(), 1);
    assert_eq!(chains(&world.verified_there().await), [("a-1", "copy", 1)]);
    assert_eq!(world.reconcile_copies().await, idle());
    assert!(world.holds_no_slots().await);
}
