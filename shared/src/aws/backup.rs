//! AWS Backup: the calls that sessions and reports make, one adapter per capability.
//!
//! Timestamps are cut to milliseconds as AWS gives them; missing required members are errors, never guesses.

mod client;
mod copy_jobs;
mod date;
mod holds;
mod jobs;
mod restores;
mod settings;
mod tags;
mod vault;

pub use copy_jobs::{CopyJobStatus, CopyJobs, StartCopy};
pub use holds::{Held, LegalHolds};
pub use jobs::{BackupJobs, JobStatus, StartBackup, StartedJob};
pub use restores::{RestoreJobStatus, RestoreJobs, StartRestore};
pub use settings::RegionSettings;
pub use tags::PointTagger;
pub use vault::{PointPage, PointState, Vault, VaultReader};

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// The instant that AWS gave; `None` beyond the calendar.
fn instant(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// A size that AWS gave, when it makes sense.
fn size(bytes: Option<i64>) -> Option<u64> {
    bytes.and_then(|bytes| u64::try_from(bytes).ok())
}
