//! Chains: the restore points of one table in one vault.

mod flag;
mod point;

pub use flag::{Flag, Flags, PerFlag};
pub use point::{ChainKind, ListedPoint, PointView, Reading, RestorePoint};
