//! Policies: what to back up, when, how long to keep it and where to copy it.
//!
//! [`Document`] is the policy document, validated whole; [`calendar`] says which flags are due when; [`Scope`] and
//! [`assign`] say which tables a policy covers; [`wake`] says which EventBridge schedules it needs.

pub mod calendar;
mod document;
mod json_schema;
mod keep;
mod pattern;
mod reader;
mod schedule;
mod scope;
mod tag_room;
mod tags;
mod target;
pub mod wake;
mod zone;

pub use document::{ColdStorage, Document, Home};
pub use json_schema::json_schema;
pub use keep::parse_keep;
pub use pattern::TablePatterns;
#[cfg(test)]
pub(crate) use pattern::glob_matches;
pub use schedule::{Days, MonthDay, Schedule, Schedules};
pub use scope::{Assignment, Scope, Selection, Table, assign, tag_keys};
pub use tag_room::TagRoom;
pub use target::CopyTarget;
pub use zone::Zone;
