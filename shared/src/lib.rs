//! The domain of dynachain, and thin adapters to the AWS services it uses.
//!
//! dynachain keeps *backup chains* for DynamoDB tables: every table that a [`policy`] covers gets a full AWS Backup
//! recovery point each session, whose encrypted [`metadata`] lies in the recovery point's own tags.
//!
//! The modules outside [`aws`], [`catalog`] and [`clock`] are pure: no clock, no I/O, no AWS types.

pub mod chain;
pub mod error;
pub mod id;
pub mod retention;
