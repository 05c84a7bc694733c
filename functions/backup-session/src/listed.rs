//! A vault's backup jobs as AWS Backup lists them: the last 30 days, in a few calls rather than one per job.

use std::collections::HashMap;

use dynachain::aws::backup::{BackupJobs, JobStatus};
use dynachain::error::Refusal;
use jiff::{SignedDuration, Timestamp};

/// Jobs by their ids in lower case.
pub(crate) type Jobs = HashMap<String, JobStatus>;

/// `ListBackupJobs` tells of jobs of so many days (AWS Backup API Reference, "ListBackupJobs").
const LISTED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Clocks of ours and of AWS Backup differ by less.
pub(crate) const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// All jobs that a claim of this age can have.
pub(crate) async fn since(jobs: &BackupJobs, claimed_at: Timestamp, now: Timestamp) -> Result<Jobs, Refusal> {
    let since = claimed_at.max(now.checked_sub(LISTED).unwrap_or(claimed_at));
    let since = since.checked_sub(CLOCKS).unwrap_or(since);
    let jobs = jobs.since(since).await.map_err(|error| error.refusal())?;
    Ok(jobs.into_iter().map(|job| (job.job_id.clone(), job)).collect())
}

/// Whether a claim is so old that AWS Backup does not list its job any more.
pub(crate) fn is_forgotten(claimed_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(claimed_at) > LISTED
}
