use super::*;
use crate::state::samples::{self, restore_job};

/// A Region with so many running restores, and one that is to start.
fn region(running: usize) -> RegionState {
    let mut state = RegionState::default();
    for number in 0..running {
        state.restore_jobs.insert(number.to_string(), restore_job(State::Running));
    }
    state.restore_jobs.insert("next".to_owned(), restore_job(State::Pending));
    state
}

fn ending(attempt: Attempt) -> (State, Failure) {
    match attempt {
        Attempt::End(state, failure) => (state, failure),
        Attempt::Over | Attempt::Go(..) => panic!("the job is not ended"),
    }
}

#[test]
fn the_51st_restore_at_once_fails() {
    let (state, failure) = ending(attempt(&mut region(50), "next"));
    assert_eq!((state, failure.category), (State::Failed, "LIMIT_EXCEEDED"));
    assert!(failure.message.contains("a limit of 50 concurrent table restores"), "{failure:?}");
    let (state, _) = ending(attempt(&mut region(49), "next"));
    assert_ne!(state, State::Failed);
    let mut starting = region(49);
    starting.restore_jobs.get_mut("0").unwrap().state = State::Pending;
    starting.restore_jobs.get_mut("0").unwrap().starting = true;
    starting.restore_jobs.insert("ended".to_owned(), restore_job(State::Completed));
    starting.restore_jobs.insert("50th".to_owned(), restore_job(State::Running));
    assert_eq!(ending(attempt(&mut starting, "next")).0, State::Failed);
}

#[test]
fn a_restore_whose_point_has_gone_before_it_runs_is_aborted() {
    let (state, failure) = ending(attempt(&mut region(0), "next"));
    assert_eq!((state, failure.category), (State::Aborted, "RESOURCE_NOT_FOUND"));
    let mut over = region(0);
    over.restore_jobs.get_mut("next").unwrap().state = State::Failed;
    assert!(matches!(attempt(&mut over, "next"), Attempt::Over));
    assert!(matches!(attempt(&mut over, "none"), Attempt::Over));
}

#[test]
fn a_restore_needs_another_action_for_a_point_without_advanced_features() {
    let table = "arn:aws:dynamodb:eu-west-1:111122223333:table/new";
    let native = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/backup/01736143200000-ab";
    let job = restore_job(State::Pending);
    assert_eq!(
        needed(&job.recovery_point, table, None, None)[0],
        ("dynamodb:RestoreTableFromAwsBackup", table)
    );
    assert_eq!(needed(native, table, None, None)[0], ("dynamodb:RestoreTableFromBackup", native));
}

#[test]
fn a_restore_needs_its_role_to_use_the_tables_and_the_vaults_key() {
    let job = restore_job(State::Pending);
    let with = needed(&job.recovery_point, "table", Some("key"), Some("vault key"));
    let on = |wanted: &str| -> Vec<&str> {
        with.iter().filter(|(_, on)| *on == wanted).map(|(action, _)| *action).collect()
    };
    assert_eq!(on("vault key"), ["kms:DescribeKey", "kms:Decrypt"]);
    assert_eq!(on("key"), ON_KEY);
    assert_eq!(on("table").len(), 1 + ON_TABLE.len());
}

#[test]
fn a_point_whose_restore_is_just_being_started_cannot_be_deleted() {
    let point = samples::point();
    let work = |job: RestoreJob| {
        let mut state = RegionState::default();
        state.restore_jobs.insert(job.id.clone(), job);
        state.work_on(&point)
    };
    assert_eq!(work(restore_job(State::Pending)), None);
    assert_eq!(work(RestoreJob { starting: true, ..restore_job(State::Pending) }), Some("restored"));
    assert_eq!(work(restore_job(State::Running)), Some("restored"));
    assert_eq!(work(restore_job(State::Completed)), None);
}
