//! A vault's backup jobs as AWS Backup lists them: the last 30 days, in a few calls rather than one per job.

use std::collections::HashMap;

use dynachain::aws::backup::{BackupJobs, JobStatus};
use dynachain::error::Refusal;
use dynachain::id::TableArn;
use jiff::{SignedDuration, Timestamp};

/// Jobs by their ids in lower case.
pub(crate) type Jobs = HashMap<String, JobStatus>;

/// `ListBackupJobs` tells of jobs of so many days (AWS Backup API Reference, "ListBackupJobs").
const LISTED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Clocks of ours and of AWS Backup differ by less.
pub(crate) const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// Whose jobs are wanted: tables, with the oldest claim of each that a job may belong to. A vault lists the jobs of all tables
/// for 30 days, and keeping them all would take more memory than there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted(HashMap<TableArn, Timestamp>);

impl Wanted {
    pub(crate) fn add(&mut self, table: TableArn, claimed_at: Timestamp) {
        let oldest = self.0.entry(table).or_insert(claimed_at);
        *oldest = claimed_at.min(*oldest);
    }

    /// Since when jobs are to be listed; `None` when none are wanted.
    fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let oldest = *self.0.values().min()?;
        Some(before(oldest.max(now.checked_sub(LISTED).unwrap_or(oldest))))
    }

    fn has(&self, job: &JobStatus) -> bool {
        let claimed_at = job.table.as_ref().and_then(|table| self.0.get(table));
        // One without a date may be any.
        claimed_at
            .is_some_and(|claimed_at| job.created_at.is_none_or(|created| created >= before(*claimed_at)))
    }
}

fn before(claimed_at: Timestamp) -> Timestamp {
    claimed_at.checked_sub(CLOCKS).unwrap_or(claimed_at)
}

/// The jobs of a vault that are wanted.
pub(crate) async fn wanted(jobs: &BackupJobs, wanted: &Wanted, now: Timestamp) -> Result<Jobs, Refusal> {
    let Some(since) = wanted.since(now) else { return Ok(Jobs::new()) };
    let jobs = jobs.since(since, |job| wanted.has(job)).await.map_err(|error| error.refusal())?;
    Ok(jobs.into_iter().map(|job| (job.job_id.clone(), job)).collect())
}

/// Whether a claim is so old that AWS Backup does not list its job any more.
pub(crate) fn is_forgotten(claimed_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(claimed_at) > LISTED
}

#[cfg(test)]
mod tests {
    use dynachain::event::JobState;

    use super::*;

    fn arn(name: &str) -> TableArn {
        format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{name}").parse().unwrap()
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn job(table: &str, created_at: &str) -> JobStatus {
        JobStatus {
            job_id: "job".to_owned(),
            state: JobState::Completed,
            message: None,
            table: Some(arn(table)),
            recovery_point: None,
            vault: None,
            size_bytes: None,
            created_at: Some(at(created_at)),
        }
    }

    #[test]
    fn only_jobs_that_a_claim_can_have_are_kept() {
        let mut wanted = Wanted::default();
        wanted.add(arn("orders"), at("2025-01-06T06:00:00Z"));
        wanted.add(arn("users"), at("2025-01-20T06:00:00Z"));
        wanted.add(arn("users"), at("2025-01-13T06:00:00Z"));
        let kept = [
            ("orders", "2025-01-06T05:55:00Z", true),
            ("orders", "2025-01-06T05:54:59Z", false),
            ("users", "2025-01-13T06:00:00Z", true),
            ("users", "2025-01-06T06:00:00Z", false),
            ("others", "2025-01-20T06:00:00Z", false),
        ];
        for (table, created_at, expected) in kept {
            assert_eq!(wanted.has(&job(table, created_at)), expected, "{table} {created_at}");
        }
        assert!(wanted.has(&JobStatus { created_at: None, ..job("orders", "2025-01-06T05:00:00Z") }));
        assert!(!wanted.has(&JobStatus { table: None, ..job("orders", "2025-01-06T06:00:00Z") }));
    }

    #[test]
    fn jobs_are_listed_from_the_oldest_claim_or_from_30_days_ago() {
        let mut wanted = Wanted::default();
        let now = at("2025-02-10T06:00:00Z");
        assert_eq!(wanted.since(now), None);
        wanted.add(arn("users"), at("2025-02-10T05:00:00Z"));
        assert_eq!(wanted.since(now), Some(at("2025-02-10T04:55:00Z")));
        wanted.add(arn("orders"), at("2025-01-06T06:00:00Z"));
        assert_eq!(wanted.since(now), Some(at("2025-01-11T05:55:00Z")));
    }
}
