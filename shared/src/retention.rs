//! Retention: how long a restore point lives, from what its own metadata says, and which points are to go.

mod breaker;
mod copies;
mod digest;
mod explain;
mod floor;
mod keep;
mod lifespan;
mod lock;
mod plan;
mod reason;
mod restamp;

pub use breaker::{BlockedChain, blocked_chains};
pub use copies::{KnownCopies, KnownCopy, copy_lifespan, wanted_copies};
pub use digest::plan_digest;
pub use explain::{Earlier, Explanation, NamedEnd, Protection, explain};
pub use keep::{End, Keep, NoEnd};
pub use lifespan::Lifespan;
pub use lock::{LockConflict, VaultLock};
pub use plan::{Facts, Verdict, plan};
pub use reason::{Decision, Reason, Reasons};
pub use restamp::restamped;

#[cfg(test)]
pub(crate) use plan::tests::support as plan_tests;
