//! Retention: how long a restore point lives, from what its own metadata says, and which points are to go.

mod floor;
mod keep;
mod lifespan;
mod lock;
mod plan;
mod reason;

pub use keep::{End, Keep};
pub use lifespan::Lifespan;
pub use lock::{LockConflict, VaultLock};
pub use plan::{Facts, Verdict, plan, wanted_copies};
pub use reason::{Decision, Reason, Reasons};
