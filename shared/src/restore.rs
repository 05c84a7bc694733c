//! Restores: which table comes back, from which point, and how its configuration gets there. Pure.
//!
//! AWS Backup brings back items, keys, indexes, billing mode and capacity, and encrypts the new table as it is told. All
//! else a table had is recorded in the point's metadata and put back afterwards, one [`Property`] after the other:
//!
//! 1. [`plan`] takes what was recorded and what the caller wants otherwise ([`Overrides`]), and says for each property what
//!    is to become of it. What is wanted in the end is a [`TableConfig`](crate::table_config::TableConfig) again.
//! 2. [`changes`] compares what is wanted with what the new table has, and names the calls that are missing. It is asked
//!    again after each of them, so a restore that is cut short anywhere goes on from what the table says, not from what
//!    somebody remembers. Nothing is ever taken off a table.

mod alarms;
mod arns;
mod auto_scaling;
mod change;
mod encryption;
mod forms;
mod overrides;
mod place;
mod plan;
mod progress;
mod property;
mod request;
mod scaling_override;
mod show;
mod stream;

pub use alarms::obstacles;
pub use change::{Change, TableUpdate, changes};
pub use encryption::{Encryption, NoKey, encryption};
pub use overrides::Overrides;
pub use place::{Place, ScaledPlace};
pub use plan::{Known, Plan, plan};
pub use progress::{Action, RestoreState, Step, StepState};
pub use property::Property;
pub use request::{RestoreRequest, Which};
pub use show::show;

use overrides::{EncryptionOverride, ProvisionedOverride, Setting};
