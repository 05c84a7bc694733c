use rstest::rstest;

use super::*;
use crate::state::recovery_point::Lifecycle;
use crate::state::samples::{self, COPY, POINT, at, copy_job, point};
use crate::state::vault::Lock;

/// A copy job that waits, with its source and its destination in place.
fn regions(source: Option<RecoveryPoint>) -> Regions {
    let (job, mut regions) = (copy_job(), Regions::default());
    let there = regions.at(&job.destination.scope);
    there.vaults.insert(job.destination.vault.clone(), samples::vault());
    let state = regions.at(&samples::scope());
    state.copy_jobs.insert(job.id.clone(), job);
    if let Some(source) = source {
        state.points.insert(source);
    }
    regions
}

fn attempted(source: Option<RecoveryPoint>, now: &str) -> Attempt {
    attempt(regions(source).at(&samples::scope()), &copy_job().id, at(now))
}

#[rstest]
#[case::gone(None)]
#[case::deleting(Some(RecoveryPoint { status: Status::Deleting, ..point() }))]
#[case::expired(Some(RecoveryPoint { status: Status::Expired, ..point() }))]
#[case::cold(Some(RecoveryPoint { storage: Storage::Cold, ..point() }))]
fn a_copy_whose_source_has_gone_or_cooled_before_it_starts_fails(#[case] source: Option<RecoveryPoint>) {
    let attempt = attempted(source, "2026-01-31T03:07:00Z");
    let Attempt::Refused(failure) = attempt else { panic!("{attempt:?}") };
    assert_eq!(failure.category, "RESOURCE_NOT_FOUND");
    assert!(failure.message.contains(POINT), "{failure:?}");
}

#[test]
fn a_copy_whose_source_goes_while_it_runs_fails() {
    let mut regions = regions(Some(point()));
    let (scope, id) = (samples::scope(), copy_job().id);
    let (_, copy) = begin(&mut regions, &scope, &id).unwrap().unwrap();
    assert_eq!((copy.arn.as_str(), copy.status), (COPY, Status::Creating));
    assert!(regions.at(&scope).is_being_copied(POINT));
    regions.at(&scope).points.remove(POINT);
    let failure = complete(&mut regions, &scope, &id, at("2026-01-31T03:08:00Z")).unwrap().unwrap_err();
    assert_eq!(failure.category, "RESOURCE_NOT_FOUND");
}

#[test]
fn a_copy_whose_source_cools_while_it_runs_completes() {
    let mut regions = regions(Some(point()));
    let (scope, id) = (samples::scope(), copy_job().id);
    begin(&mut regions, &scope, &id).unwrap().unwrap();
    regions.at(&scope).points.get_mut(POINT).unwrap().storage = Storage::Cold;
    let Made { copy, .. } = complete(&mut regions, &scope, &id, at("2026-01-31T03:08:00Z")).unwrap().unwrap();
    assert_eq!((copy.status, copy.storage), (Status::Completed, Storage::Warm));
}

#[test]
fn a_job_that_has_ended_meanwhile_neither_begins_nor_completes() {
    let mut regions = regions(Some(point()));
    let (scope, id) = (samples::scope(), copy_job().id);
    if let Some(job) = regions.at(&scope).copy_jobs.get_mut(&id) {
        job.state = State::Failed;
    }
    assert!(begin(&mut regions, &scope, &id).is_none());
    assert!(complete(&mut regions, &scope, &id, at("2026-01-31T03:08:00Z")).is_none());
    assert!(matches!(attempt(regions.at(&scope), &id, at("2026-01-31T03:08:00Z")), Attempt::Over));
    assert!(!regions.at(&scope).is_being_copied(POINT));
}

#[rstest]
#[case(99, false)]
#[case(100, true)]
fn a_copy_is_held_to_a_lock_by_the_retention_that_it_inherits(#[case] days: i64, #[case] permitted: bool) {
    let lifecycle = Some(Lifecycle { cold_after: None, delete_after: Some(days) });
    let mut regions = regions(Some(RecoveryPoint { lifecycle, ..point() }));
    let destination = copy_job().destination;
    let vault = regions.at(&destination.scope).vaults.get_mut(&destination.vault).unwrap();
    vault.lock = Some(Lock { min_days: Some(100), max_days: None, date: None });
    let begun = begin(&mut regions, &samples::scope(), &copy_job().id).unwrap();
    assert_eq!(begun.is_ok(), permitted, "{begun:?}");
    assert_eq!(regions.at(&destination.scope).points.get(COPY).is_some(), permitted);
}
