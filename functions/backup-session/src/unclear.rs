//! Tables that are claimed while nobody knows whether their backup was started: the invocation died, or got no answer.
//!
//! A start that is repeated soon, with the bytes and the token that were stored before, changes nothing at AWS. Later the
//! token may be forgotten and a job that it makes would not fit its metadata any more; then the vault's jobs tell whether
//! there is one, and if there is none, the table gets another attempt.

use std::collections::BTreeMap;

use dynachain::aws::Fault;
use dynachain::aws::backup::JobStatus;
use dynachain::catalog::{SessionRecord, TableRecord};
use dynachain::error::Refusal;
use dynachain::metadata::key_tag;
use jiff::{SignedDuration, Timestamp};

use crate::listed::{CLOCKS, Jobs};
use crate::{Deps, backup_table, settle};

/// A claim so young may be carried out as it is: its point is created within the time that its metadata allows for.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Whether a claimed table's start may be repeated as it is.
pub(crate) fn is_fresh(record: &TableRecord, now: Timestamp) -> bool {
    record.claimed_at.is_some_and(|claimed_at| now.duration_since(claimed_at) <= FRESH)
}

/// What became of a start.
pub(crate) enum Found<'a> {
    Job(&'a JobStatus),
    Nothing,
    /// A job that may be the one has no recovery point yet to tell by.
    NotYet,
}

/// Clears up one claimed table; true when something was done.
pub(crate) async fn settle(
    deps: &Deps,
    session: &SessionRecord,
    record: TableRecord,
    jobs: &Jobs,
    now: Timestamp,
) -> Result<bool, Refusal> {
    if is_fresh(&record, now) {
        backup_table::start(deps, session, record).await?;
        return Ok(true);
    }
    let claimed_at = record.claimed_at.unwrap_or(session.claimed_at);
    match find(deps, &record, claimed_at, jobs).await? {
        Found::NotYet => Ok(false),
        Found::Job(job) => {
            tracing::info!(session = %session.session, table = %record.table, job = job.job_id, "a start without an answer had been heard");
            let started = record.started(&job.job_id, job.recovery_point.clone());
            deps.catalog.sessions().record_job(session, &started, &job.job_id).await?;
            Ok(true)
        }
        Found::Nothing => {
            let message = "AWS Backup has no job for it: its start was not heard".to_owned();
            settle::unsuccessful(deps, session, record, "start_unheard", message).await
        }
    }
}

/// The job whose recovery point carries the very bytes that were stored for the table.
pub(crate) async fn find<'a>(
    deps: &Deps,
    record: &TableRecord,
    claimed_at: Timestamp,
    jobs: &'a Jobs,
) -> Result<Found<'a>, Refusal> {
    let about = |job: &&JobStatus| {
        let soon = |created: Timestamp| {
            let after = created.duration_since(claimed_at);
            after >= -CLOCKS && after <= FRESH + CLOCKS
        };
        job.table.as_ref() == Some(&record.table) && job.created_at.is_some_and(soon)
    };
    let mut not_yet = false;
    for job in jobs.values().filter(about) {
        if deps.catalog.sessions().job(&job.job_id).await?.is_some() {
            continue;
        }
        match carries(deps, record, job).await? {
            Some(true) => return Ok(Found::Job(job)),
            Some(false) => {}
            None => not_yet |= !job.state.is_final(),
        }
    }
    Ok(if not_yet { Found::NotYet } else { Found::Nothing })
}

/// Whether the job's point has the tags that were stored; `None` while there is no point.
async fn carries(deps: &Deps, record: &TableRecord, job: &JobStatus) -> Result<Option<bool>, Refusal> {
    let Some(point) = &job.recovery_point else { return Ok(None) };
    match deps.vault.tags(point).await {
        Ok(tags) => Ok(tells(record, &tags, job.state.is_final())),
        Err(error) if error.fault() == Fault::NotFound => Ok(None),
        Err(error) => Err(error.refusal()),
    }
}

/// Whether these tags are those that were stored. Of a point without a key of ours whose job has not ended nobody knows: AWS does
/// not say that a point shows its tags while it is CREATING.
fn tells(record: &TableRecord, tags: &BTreeMap<String, String>, has_ended: bool) -> Option<bool> {
    let shows_none = !tags.contains_key(&key_tag(1));
    (has_ended || !shows_none)
        .then(|| record.start_tags.iter().all(|(key, value)| tags.get(key) == Some(value)))
}

#[cfg(test)]
mod tests {
    use dynachain::catalog::TableState;
    use rstest::rstest;

    use super::*;

    fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[rstest]
    #[case::ours(&[("dynachain:key:1", "ours"), ("team", "x")], false, Some(true))]
    #[case::another_backup_of_ours(&[("dynachain:key:1", "theirs")], false, Some(false))]
    #[case::no_tags_to_be_seen_yet(&[], false, None)]
    #[case::only_the_tables_to_be_seen_yet(&[("team", "x")], false, None)]
    #[case::somebody_elses_that_is_done(&[("team", "x")], true, Some(false))]
    #[case::ours_that_is_done(&[("dynachain:key:1", "ours")], true, Some(true))]
    fn a_point_whose_tags_are_not_to_be_seen_yet_may_be_the_one(
        #[case] found: &[(&str, &str)],
        #[case] has_ended: bool,
        #[case] expected: Option<bool>,
    ) {
        let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap();
        let start_tags = tags(&[("dynachain:key:1", "ours")]);
        let record =
            TableRecord { start_tags, ..TableRecord::without_job(table, TableState::Claimed, "", "") };
        assert_eq!(tells(&record, &tags(found), has_ended), expected);
    }
}
