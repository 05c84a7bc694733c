//! Copies that were edited in their own Region, and a source Region that does not remember having made them.

use end_to_end::points;
use local_stack::TARGET_REGION;
use serde_json::{Value, json};

use crate::copies::idle;
use crate::support::{World, only_point};

impl World {
    /// Loses all that the source's catalog knows of copies.
    async fn forget_copies(&self) {
        for prefix in ["COPY#", "COPIED#", "COPY_"] {
            self.drop_from_catalog(prefix).await;
        }
    }

    async fn there(&self, function: &str, request: &Value) -> Value {
        self.stack.invoke(TARGET_REGION, function, request).await.expect("an answer")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_found_again_keeps_what_was_edited_there() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.back_up().await;
    world.pass(5).await;
    let copy = only_point(&world.verified_there().await, "a-1");
    let extend = json!({"extend": {"recovery_point": copy, "until": "forever"}});
    assert_eq!(world.there("chain-edit", &extend).await["edited"], 1);
    let before = points::tags(&world.stack, TARGET_REGION, &copy).await.expect("its tags");

    world.forget_copies().await;
    let found = world.reconcile_copies().await;
    assert_eq!((&found["queued"], &found["settled"], &found["started"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(world.reconcile_copies().await, idle());
    assert_eq!(points::tags(&world.stack, TARGET_REGION, &copy).await.expect("its tags"), before);
    let there = world.verified_there().await;
    assert_eq!(crate::support::points(&there, "a-1")[0]["expires_at"], "forever", "{there:#}");
    world.verified(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_found_again_takes_over_a_longer_life_of_its_source_and_is_mended() {
    let world = World::with_copies(&["a-1"], 3).await;
    world.back_up().await;
    world.pass(5).await;
    let copy = only_point(&world.verified_there().await, "a-1");
    let source = only_point(&world.verified(&[]).await, "a-1");
    let extend = |point: &str, until: &str| json!({"extend": {"recovery_point": point, "until": until}});
    assert_eq!(world.there("chain-edit", &extend(&copy, "2035-01-01T00:00:00Z")).await["edited"], 1);
    assert_eq!(world.ask("chain-edit", &extend(&source, "2036-01-01T00:00:00Z")).await["edited"], 1);
    world.forget_copies().await;
    assert_eq!(world.reconcile_copies().await["settled"], 1);
    // The catalog there remembers what it was.
    let there = world.there("chain-report", &json!({"rebuild": true})).await;
    assert_eq!(crate::support::points(&there, "a-1")[0]["expires_at"], "2036-01-01T00:00:00Z");

    // One whose metadata does not open is mended as before.
    let backup = world.backup_there().await;
    let broken = backup.tag_resource().resource_arn(&copy).tags("dynachain:core:1", "AAAA");
    broken.send().await.expect("a broken copy");
    world.forget_copies().await;
    assert_eq!(world.reconcile_copies().await["settled"], 1);
    assert_eq!(world.verified_there().await["chains"], there["chains"]);
    world.verified(&[]).await;
}
