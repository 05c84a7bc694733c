//! The real process of a function, killed at some of its writes: no different from a function that is killed in this one.

use std::time::Duration;

use end_to_end::processes::{kill, of_function};
use jiff::SignedDuration;
use local_stack::{InvokeError, SOURCE_REGION};
use serde_json::{Value, json};

use super::table::{self, Clients};
use super::{FUNCTION, request};
use crate::support::{World, list};

const POLL: Duration = Duration::from_millis(20);
/// Longer than a killed invocation holds a restore, and than the interval of reconciliation.
const LATER: SignedDuration = SignedDuration::from_mins(20);
/// How many writes it makes before: none, the claim, the start, some of the configuration, nearly all of it.
const BEFORE: [usize; 5] = [0, 1, 2, 9, 16];

impl World {
    /// Lets so many writes of the function pass and holds the next one; `None` lets go.
    async fn hold_writes(&self, after: Option<usize>) {
        let body = json!({"function": FUNCTION, "after": after});
        self.local("PUT", "/_local/hold", Some(&body)).await;
    }

    async fn is_held(&self) -> bool {
        self.local("GET", "/_local/hold", None).await["held"] == true
    }
}

/// Restores, and kills the function when it is held; whether it was.
async fn restore_and_kill(world: &World, point: &str, after: usize) -> bool {
    world.hold_writes(Some(after)).await;
    let request = request(point);
    let restore = async {
        let asked: Result<Value, InvokeError> = world.stack.invoke(SOURCE_REGION, FUNCTION, &request).await;
        world.finish_jobs().await;
        asked
    };
    futures::pin_mut!(restore);
    let mut killed = false;
    loop {
        if tokio::time::timeout(POLL, &mut restore).await.is_ok() {
            break;
        }
        if !killed && world.is_held().await {
            of_function(&world.stack, FUNCTION)
                .expect("processes")
                .into_iter()
                .for_each(|it| kill(it).expect("killed"));
            killed = true;
            world.hold_writes(None).await;
        }
    }
    world.hold_writes(None).await;
    killed
}

/// The restores of the catalog: how each stands.
async fn states(world: &World) -> Vec<String> {
    let catalog = world.catalog().await;
    let restores = catalog.iter().filter(|((pk, _), _)| pk.starts_with("RESTORE#"));
    restores.map(|(_, item)| item["state"].as_s().expect("a text").clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_whose_process_is_killed_comes_to_the_same_end() {
    let world = World::start().await;
    table::create(&world).await;
    let seen = Clients::of(&world.stack.in_process_config(SOURCE_REGION).await);
    let table = seen.table().await;
    let point = world.backed_up(table::NAME).await;
    for (restores, writes) in (1..).zip(BEFORE) {
        seen.delete().await;
        assert!(restore_and_kill(&world, &point, writes).await, "it makes more than {writes} writes");
        // What was killed is gone on with when its time is up; what was not even written down is asked for again.
        for _ in 0..3 {
            world.stack.jump_to(world.stack.now() + LATER).await;
        }
        if states(&world).await.is_empty() {
            assert_eq!(writes, 0, "only before the first write nothing is known");
            world.restore(&request(&point)).await;
            world.finish_jobs().await;
        }
        let states = states(&world).await;
        assert!(states.iter().all(|state| state == "done"), "{writes}: {states:?}");
        assert_eq!(seen.table().await, table, "killed at write {writes}");
        assert_eq!(seen.restore_jobs().await, restores, "one job for each restore, killed at write {writes}");
    }
    let report = world.report(&json!({})).await;
    assert!(list(&report["findings"]).is_empty());
}
