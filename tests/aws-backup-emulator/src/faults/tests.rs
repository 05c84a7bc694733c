use rstest::rstest;

use super::*;
use crate::state::failure::Failure;

fn caller(arn: &str) -> Caller {
    Caller { arn: arn.to_owned(), account: "111122223333".to_owned(), region: "eu-central-1".to_owned() }
}

fn root() -> Caller {
    caller("arn:aws:iam::111122223333:root")
}

fn rule(operation: &str, when: When, effect: OnCall) -> Rule {
    Rule::new(operation, None, when, Effect::OnCall(effect), 7)
}

fn faults(rules: Vec<Rule>) -> Faults {
    let faults = Faults::default();
    faults.set(rules);
    faults
}

fn strikes(faults: &Faults) -> Vec<u64> {
    faults.rules().iter().map(|rule| rule.struck).collect()
}

fn ending(end: End) -> EndingRule {
    EndingRule { end, message: None, category: None }
}

#[test]
fn the_first_fault_that_fits_strikes() {
    let faults = faults(vec![
        rule("TagResource", When::Always, OnCall::Error500),
        rule("*", When::Times(1), OnCall::Throttle),
        rule("List*", When::Always, OnCall::DropBefore),
    ]);
    let struck: Vec<_> = ["TagResource", "ListTags", "ListTags", "DescribeBackupJob"]
        .iter()
        .map(|operation| faults.on_call(operation, &root()))
        .collect();
    assert_eq!(struck, [Some(OnCall::Error500), Some(OnCall::Throttle), Some(OnCall::DropBefore), None]);
    assert_eq!(strikes(&faults), [1, 1, 1]);
}

#[test]
fn a_fault_with_a_count_strikes_so_often_and_no_more() {
    let faults = faults(vec![rule("*", When::Times(2), OnCall::Throttle)]);
    let struck: Vec<_> = (0..4).map(|_| faults.on_call("ListTags", &root()).is_some()).collect();
    assert_eq!((struck, strikes(&faults)), (vec![true, true, false, false], vec![2]));
}

#[test]
fn a_fault_with_a_probability_strikes_the_same_calls_in_every_run() {
    let run = |seed| {
        let when = When::Probability(0.5);
        let faults = faults(vec![Rule::new("*", None, when, Effect::OnCall(OnCall::Throttle), seed)]);
        (0..64).map(|_| faults.on_call("ListTags", &root()).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
    assert!(run(7).contains(&true) && run(7).contains(&false));
}

#[test]
fn a_fault_with_a_principal_strikes_that_one_alone() {
    let effect = Effect::OnCall(OnCall::AccessDenied);
    let faults = faults(vec![Rule::new("*", Some("dynachain-*".to_owned()), When::Always, effect, 7)]);
    let session = caller("arn:aws:sts::111122223333:assumed-role/dynachain-policy/x");
    assert_eq!(faults.on_call("ListTags", &session), Some(OnCall::AccessDenied));
    assert_eq!(faults.on_call("ListTags", &root()), None);
}

#[test]
fn faults_of_calls_and_endings_of_jobs_are_asked_for_separately() {
    let ends = Rule::new("*", None, When::Times(1), Effect::Ending(ending(End::Failed)), 7);
    let faults = faults(vec![ends, rule("*", When::Always, OnCall::DropAfter)]);
    assert_eq!(faults.on_call("StartBackupJob", &root()), Some(OnCall::DropAfter));
    let failure = Failure::new("FATAL_ERROR", "Backup job encountered a fatal error.");
    let struck = faults.ending("StartBackupJob", &root());
    assert_eq!(struck, Some(Ending { end: End::Failed, failure }));
    assert_eq!((faults.ending("StartBackupJob", &root()), strikes(&faults)), (None, vec![1, 1]));
}

#[rstest]
#[case::backup("StartBackupJob", &[End::Failed, End::Expired, End::Aborted, End::Partial])]
#[case::copy("StartCopyJob", &[End::Failed, End::Partial])]
#[case::restore("StartRestoreJob", &[End::Failed, End::Aborted])]
#[case::none("ListTags", &[])]
fn jobs_end_only_in_states_that_their_kind_has(#[case] operation: &str, #[case] expected: &[End]) {
    let all = [End::Failed, End::Expired, End::Aborted, End::Partial];
    let possible = all.into_iter().filter(|end| ending(*end).of(operation).is_some());
    assert_eq!(possible.collect::<Vec<_>>(), expected);
}

#[test]
fn an_ending_takes_the_message_and_category_that_the_fault_gives() {
    let given = EndingRule {
        message: Some("Table not found.".to_owned()),
        category: Some("RESOURCE_NOT_FOUND"),
        ..ending(End::Failed)
    };
    let failure = Failure::new("RESOURCE_NOT_FOUND", "Table not found.");
    assert_eq!(given.of("StartBackupJob"), Some(Ending { end: End::Failed, failure }));
}

#[test]
fn a_delete_that_leaves_a_point_expired_strikes_deletes_alone() {
    let faults = faults(vec![Rule::new("*", None, When::Times(1), Effect::LeaveExpired, 7)]);
    assert_eq!(faults.on_call("DeleteRecoveryPoint", &root()), None);
    assert_eq!(faults.ending("StartBackupJob", &root()), None);
    assert!(faults.leaves_expired(&root()));
    assert!(!faults.leaves_expired(&root()));
}
