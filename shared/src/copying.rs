//! Copying: which copies are wanted of a point, when each may begin, and what follows from how its job ended.
//!
//! A copy's life: wanted ([`wanted`]), dispatched when there is room ([`plan`]), started with a lifecycle of its own
//! ([`CopyLifecycle`]) and a token that stands for the attempt ([`token`]), tried again after a while when its job fails
//! ([`after_failure`]), and on arrival looked at and repaired ([`missing_tags`], [`naming_target`]).

mod arrival;
mod attempt;
mod destination;
mod dispatch;
mod lifecycle;
mod naming;
mod wanted;

pub use arrival::{keeps_its_core, missing_tags};
pub use attempt::{LATER, Next, after_failure, is_overdue, too_many_jobs};
pub use destination::Destination;
pub use dispatch::{Busy, Candidate, Pick, QUIET, plan};
pub use lifecycle::{CopyLifecycle, LONGEST};
pub use naming::{NotNamed, naming_target};
pub use wanted::{OLDEST, backfilled, is_too_old, token, wanted};
