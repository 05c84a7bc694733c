//! Copying: which copies are wanted of a point, when each may begin, and what follows from how its job ended.

mod destination;

pub use destination::Destination;
