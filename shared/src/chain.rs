//! Chains: the restore points of one table in one vault.

mod flag;

pub use flag::{Flag, Flags, PerFlag};
