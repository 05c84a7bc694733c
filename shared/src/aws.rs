//! Thin adapters to AWS: they translate and retry, they never decide.
//!
//! Each adapter has just the calls that its users may make: none here can delete a recovery point, and none gives out the
//! client it holds.

pub mod backup;
mod bus;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod key_states;
mod keys;
mod rate;
pub mod roles;
pub mod scheduler;
pub mod table_reader;
mod table_states;
pub mod table_writer;
pub mod tables;

pub use bus::EventBus;
pub use error::{AwsError, Fault};
pub use key_states::{KeyState, KeyStates};
pub use keys::{KeyMaker, KeyOpener, NewDataKey};
pub use rate::Rate;
pub use table_states::{TableSize, TableState, TableStates};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};

/// The SDK settings every client shares: the environment's, with some more attempts than usual.
///
/// Calls are slowed down after a throttled answer by their own [`Rate`]. The SDK's adaptive mode would slow down all calls to
/// the service, the catalog's among them: it is for clients of one resource (AWS SDKs and Tools Reference Guide, "Retry
/// behavior").
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(6))
        .load()
        .await
}
