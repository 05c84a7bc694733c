//! Keeping edits out while points are looked at again and deleted. An edit that is answered as done must not lose its point,
//! and one that has begun may change the verdict on every point of its table.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use dynachain::error::Refusal;
use dynachain::id::RecoveryPointArn;
use dynachain::invocation::Invocation;
use tokio::time::sleep;

use crate::Deps;

/// How long a run works before it lets edits have their turn; what it does with the points in its hand it finishes first.
const TURN: Duration = Duration::from_secs(5);
/// How long it then waits: longer than `dynachain-chain-edit` does between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// How often an invocation waits in all for edits that last longer. What it cannot come to is left for the next run.
const WAITS: u32 = 20;

/// The lock of the vault's edits, as far as this run holds it.
pub(crate) struct Exclusion<'a> {
    deps: &'a Deps,
    pub(crate) invocation: &'a Invocation,
    held: Option<Held>,
    waits: u32,
}

struct Held {
    since: Instant,
    /// The points of edits that have begun; none begins while the lock is held.
    begun: HashSet<RecoveryPointArn>,
}

impl<'a> Exclusion<'a> {
    /// Holds nothing yet.
    pub(crate) fn new(deps: &'a Deps, invocation: &'a Invocation) -> Self {
        Self { deps, invocation, held: None, waits: WAITS }
    }

    /// Makes sure that nobody edits, now and until the next call: the points of edits that have begun. `None` when edits are
    /// being made and do not end.
    ///
    /// # Errors
    /// When the catalog is out of reach.
    pub(crate) async fn take(&mut self) -> Result<Option<&HashSet<RecoveryPointArn>>, Refusal> {
        if self.held.as_ref().is_some_and(|held| held.since.elapsed() >= TURN) {
            self.give_back().await;
            // Whoever waits for the lock tries it in this time.
            sleep(PAUSE).await;
        }
        while self.held.is_none() {
            let edits = self.deps.catalog.edits();
            if edits.lock(self.invocation.request_id(), self.deps.now().await?).await? {
                // Held from here on, so that it is given back should the next call fail.
                let held = self.held.insert(Held { since: Instant::now(), begun: HashSet::new() });
                held.begun = edits.begun_points().await?;
            } else if self.waits == 0 {
                return Ok(None);
            } else {
                self.waits -= 1;
                // Nobody tells when an edit ends.
                sleep(PAUSE).await;
            }
        }
        Ok(self.held.as_ref().map(|held| &held.begun))
    }

    /// Lets others edit again. Where that fails, the lock lapses by itself.
    pub(crate) async fn give_back(&mut self) {
        if self.held.take().is_none() {
            return;
        }
        let given_back = self.deps.catalog.edits().unlock(self.invocation.request_id()).await;
        if let Err(error) = given_back {
            tracing::warn!(%error, "the lock of edits was not given back; its lease lapses by itself");
        }
    }
}
