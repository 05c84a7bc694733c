//! AWS Backup for DynamoDB, emulated for tests and demos on a local AWS.
//!
//! Strict as AWS is, traps included, and never friendlier: jobs are asynchronous on an emulated clock ([`Timeline`]), their
//! items are captured by a consistent Scan of the real table in the local AWS, IAM policies of the calling role and of the
//! passed one are enforced, and events go to the functions that the local AWS's EventBridge rules name.
//!
//! The local AWS is asked who calls: `GET <aws_endpoint>/_local/callers/<access key id>` answers
//! `{"arn", "account", "session_token"}`, or 404. `PUT <aws_endpoint>/_local/regions/<region>` with `{"available": false}`
//! switches a Region of it off, as `PUT /regions/<region>` on the control endpoint does with the emulator's own.
//! It shows a table as it is while a restore makes it: `PUT <aws_endpoint>/_local/tables/<status>/<table ARN>`.
//!
//! What it does, row by row with the document that says so or the reason for a choice of its own: `docs/emulator.md`.

mod agenda;
mod aws;
mod cache;
mod caller;
mod calls;
mod chance;
mod control;
mod emulator;
mod event;
mod faults;
mod http;
mod iam;
mod jobs;
mod limits;
mod operation;
mod principal;
mod regions;
mod service;
mod state;
mod time;
mod timeline;

pub use aws::table::Snapshot;
pub use emulator::{Emulator, Settings, StartError};
pub use timeline::{Source, SpeedError, Timeline};
