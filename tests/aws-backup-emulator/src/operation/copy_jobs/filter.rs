//! Which copy jobs a list is to give.

use jiff::{SignedDuration, Timestamp};

use crate::http::{ApiError, Call};
use crate::operation::job_list::Common;
use crate::operation::recovery_points::is_arn;
use crate::operation::vaults::is_account;
use crate::state::copy_job::CopyJob;

/// A list goes back so far; no document tells, so as for backup jobs.
const LISTED: SignedDuration = SignedDuration::from_hours(30 * 24);
const STATES: [&str; 5] = ["CREATED", "RUNNING", "COMPLETED", "FAILED", "PARTIAL"];
/// Categories that mean all of them.
const ALL: [&str; 2] = ["ANY", "AGGREGATE_ALL"];

#[derive(Debug)]
pub(super) struct Filter<'a> {
    resource: Option<&'a str>,
    source: Option<&'a str>,
    destination: Option<&'a str>,
    state: Option<&'a str>,
    category: Option<&'a str>,
    oldest: Timestamp,
    common: Common,
}

impl<'a> Filter<'a> {
    pub(super) fn of(call: &'a Call) -> Result<Self, ApiError> {
        let common = Common::of(call, is_account)?;
        Ok(Self {
            resource: call.checked("resourceArn", is_arn)?,
            source: call.checked("sourceRecoveryPointArn", is_arn)?,
            destination: call.checked("destinationVaultArn", is_arn)?,
            state: call.checked("state", |text| STATES.contains(&text))?,
            category: call.query("messageCategory").filter(|category| !ALL.contains(category)),
            oldest: call.now().checked_sub(LISTED).unwrap_or(Timestamp::MIN),
            common,
        })
    }

    pub(super) fn wants(&self, job: &CopyJob) -> bool {
        job.created >= self.oldest
            && self.resource.is_none_or(|arn| job.resource_arn == arn)
            && self.source.is_none_or(|arn| job.source.arn == arn)
            && self.destination.is_none_or(|arn| job.destination.vault_arn == arn)
            && self.state.is_none_or(|state| job.state.as_str() == state)
            && self.category.is_none_or(|category| job.category() == Some(category))
            && self.common.holds(job.created, job.completed)
    }
}
