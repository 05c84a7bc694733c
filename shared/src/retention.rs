//! Retention: how long a restore point lives, from what its own metadata says.

mod keep;
mod lifespan;
mod lock;

pub use keep::{End, Keep};
pub use lifespan::Lifespan;
pub use lock::{LockConflict, VaultLock};
