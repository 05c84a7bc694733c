//! Chains: the restore points of one table in one vault.

mod debt;
mod flag;
mod newest;
mod point;

pub use debt::Debt;
pub use flag::{Flag, Flags, PerFlag};
pub use newest::{NewestPoints, Standing};
pub use point::{ChainKind, ListedPoint, PointView, Reading, RestorePoint};
