//! The domain of dynachain, and thin adapters to the AWS services it uses.
//!
//! dynachain keeps *backup chains* for DynamoDB tables: every table that a [`policy`] covers gets a full AWS Backup
//! recovery point each session, whose encrypted [`metadata`] lies in the recovery point's own tags.
//!
//! The modules outside [`aws`], [`catalog`], [`clock`], [`invocation`], [`judge`], [`point_reader`] and [`serve`] are pure: no
//! clock, no I/O, no AWS types.

pub mod aws;
pub mod catalog;
pub mod chain;
pub mod clock;
pub mod config;
pub mod copying;
pub mod error;
pub mod estimate;
pub mod event;
pub mod evolving;
pub mod id;
pub mod invocation;
pub mod judge;
pub mod metadata;
mod open_text;
pub mod permissions;
pub mod point_reader;
pub mod policy;
pub mod request;
pub mod restore;
pub mod retention;
pub mod serve;
pub mod table_config;
pub mod telemetry;
pub mod time;
