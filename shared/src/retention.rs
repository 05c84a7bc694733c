//! Retention: how long a restore point lives, from what its own metadata says.

mod keep;

pub use keep::{End, Keep};
