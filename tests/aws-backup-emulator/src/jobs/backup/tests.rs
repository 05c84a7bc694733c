use rstest::rstest;

use super::*;
use crate::state::samples::{POINT, at, backup_job, point, vault};
use crate::state::vault::Lock;

/// A job in a Region with its vault, and with its point when it has begun to make it.
fn region(job: BackupJob) -> (RegionState, String) {
    let mut state = RegionState::default();
    let id = job.id.clone();
    if matches!(job.state, State::Running | State::Aborting) {
        state.points.insert(creating());
    }
    state.vaults.insert(vault().name, vault());
    state.backup_jobs.insert(id.clone(), job);
    (state, id)
}

fn creating() -> RecoveryPoint {
    RecoveryPoint { status: Status::Creating, completed: None, ..point() }
}

fn status(state: &RegionState) -> Option<Status> {
    state.points.get(POINT).map(|point| point.status)
}

fn begun(state: &mut RegionState, id: &str) -> Option<Result<BackupJob, Failure>> {
    begin(state, id, creating(), at("2026-01-31T02:11:05.921Z"))
}

fn starting() -> BackupJob {
    BackupJob { starting: true, ..backup_job(State::Created) }
}

#[test]
fn a_backup_whose_vault_is_deleted_while_its_table_is_read_fails() {
    let (mut state, id) = region(starting());
    state.vaults.clear();
    let failure = begun(&mut state, &id).unwrap().unwrap_err();
    assert_eq!((failure.category, status(&state)), ("RESOURCE_NOT_FOUND", None));
    state.vaults.insert(vault().name, vault());
    assert_eq!(begun(&mut state, &id).unwrap().unwrap().state, State::Running);
    assert_eq!(status(&state), Some(Status::Creating));
}

#[test]
fn a_backup_whose_vault_is_locked_while_its_table_is_read_obeys_the_lock() {
    let (mut state, id) = region(starting());
    let lock = Lock { min_days: None, max_days: Some(30), date: None };
    state.vaults.insert(vault().name, Vault { lock: Some(lock), ..vault() });
    let failure = begun(&mut state, &id).unwrap().unwrap_err();
    assert_eq!((failure.category, status(&state)), ("INVALID_LIFECYCLE", None));
}

#[rstest]
#[case(State::Completed)]
#[case(State::Partial)]
#[case(State::Failed)]
#[case(State::Expired)]
fn a_job_that_is_being_stopped_ends_in_no_other_way(#[case] how: State) {
    let (mut state, id) = region(backup_job(State::Aborting));
    let now = at("2026-01-31T02:11:05.921Z");
    assert!(close(&mut state, &id, how, None, now).is_none());
    assert_eq!(status(&state), Some(Status::Creating));
    let (job, point) = close(&mut state, &id, State::Aborted, None, now).unwrap();
    assert_eq!((job.state, point.is_some(), status(&state)), (State::Aborted, false, None));
    assert!(begun(&mut state, &id).is_none());
}

#[test]
fn a_job_and_its_point_complete_in_one_step() {
    let (mut state, id) = region(backup_job(State::Running));
    let now = at("2026-01-31T02:11:05.921Z");
    let (job, point) = close(&mut state, &id, State::Completed, None, now).unwrap();
    assert_eq!((job.state, job.completed), (State::Completed, Some(now)));
    assert_eq!(point.map(|point| (point.status, point.completed)), Some((Status::Completed, Some(now))));
    assert_eq!(status(&state), Some(Status::Completed));
    assert!(close(&mut state, &id, State::Failed, None, now).is_none());
}
