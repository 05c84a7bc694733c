//! `keep_last`: the newest usable points of each chain and table id.

use jiff::SignedDuration;
use rstest::rstest;

use super::support::{arn, at, core_at, decisions, keep, made, planned, point, with, with_status, words};
use crate::chain::{ChainKind, Flag, Reading, RestorePoint};
use crate::id::VaultArn;
use crate::metadata::{CopyPlan, Core};
use crate::retention::{Decision, Keep};
use Decision::{Delete, Keep as Kept, Protected};

const D: (Flag, Keep) = (Flag::D, Keep::Days(3));
const LONG_AFTER: &str = "2025-06-01T00:00:00Z";

/// Daily points of 1 to `n` January, oldest first, that each ask for the newest `keep_last`.
fn days(n: u32, keep_last: u32) -> Vec<RestorePoint> {
    let day =
        |day| with(point(&format!("2025-01-{day:02}T06:00:00Z"), &[D]), |core| core.keep_last = keep_last);
    (1..=n).map(day).collect()
}

#[rstest]
#[case::none(0, 0)]
#[case::one(1, 1)]
#[case::some(3, 3)]
#[case::all_there_are(9, 5)]
fn the_newest_points_stay_although_no_flag_keeps_them(#[case] keep_last: u32, #[case] stay: usize) {
    let decisions = decisions(&days(5, keep_last), LONG_AFTER);
    assert!(decisions[..5 - stay].iter().all(|decision| *decision == Delete));
    assert!(decisions[5 - stay..].iter().all(|decision| *decision == Protected));
}

#[test]
fn the_floor_is_a_reason_of_points_that_flags_keep_too() {
    let verdicts = planned(&days(5, 2), "2025-01-07T07:00:00Z");
    let said: Vec<_> = verdicts.iter().map(words).collect();
    let expected =
        ["delete: no_active_flag", "protected: no_active_flag keep_last", "keep: flag_D keep_last"];
    assert_eq!(said[2..], expected);
}

#[rstest]
#[case::available("AVAILABLE", [Delete, Delete, Protected])]
#[case::partial("PARTIAL", [Delete, Protected, Delete])]
#[case::expired("EXPIRED", [Delete, Protected, Delete])]
#[case::still_being_made("CREATING", [Delete, Protected, Protected])]
#[case::going("DELETING", [Delete, Protected, Protected])]
#[case::of_a_status_nobody_knows("FROZEN", [Delete, Protected, Protected])]
fn only_usable_points_are_counted(#[case] newest: &str, #[case] expected: [Decision; 3]) {
    let mut points = days(3, 1);
    points[2] = with_status(points[2].clone(), newest);
    assert_eq!(decisions(&points, LONG_AFTER), expected);
}

#[test]
fn a_point_dated_ahead_is_not_counted() {
    let mut points = days(2, 1);
    points.push(with(point("2025-06-01T00:10:00Z", &[D]), |core| core.keep_last = 1));
    assert_eq!(decisions(&points, LONG_AFTER), [Delete, Protected, Kept]);
}

#[test]
fn a_table_created_anew_begins_its_own_count() {
    let mut points = days(3, 1);
    points[2] = with(points[2].clone(), |core| core.table_id = "another".to_owned());
    assert_eq!(decisions(&points, LONG_AFTER), [Delete, Protected, Protected]);
}

#[test]
fn tables_and_kinds_of_chain_count_apart() {
    let target = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain".parse::<VaultArn>().unwrap();
    let copies = [(target.clone(), CopyPlan { keep: keep(&[D]) })];
    let mut points = days(4, 1);
    points[3].listed.table = "arn:aws:dynamodb:eu-central-1:111122223333:table/users".parse().unwrap();
    points[2].listed.vault = target;
    let core = Core { copies: copies.into(), ..*points[2].core.take().unwrap() };
    points[2] = RestorePoint::identify(points[2].listed.clone(), Reading::Opened(Box::new(core)));
    assert_eq!(points[2].chain, ChainKind::Copy);
    assert_eq!(decisions(&points, LONG_AFTER), [Delete, Protected, Protected, Protected]);
}

#[test]
fn of_points_of_the_same_moment_the_greater_arn_is_the_newer() {
    let moment = at("2025-01-06T06:00:00Z");
    let of = |id: &str| with(made(id, core_at(moment, &[D])), |core| core.keep_last = 1);
    for points in [[of("a"), of("b"), of("c")], [of("c"), of("a"), of("b")]] {
        let stays: Vec<_> = points
            .iter()
            .zip(decisions(&points, LONG_AFTER))
            .filter(|(_, decision)| *decision == Protected)
            .map(|(point, _)| point.listed.arn.clone())
            .collect();
        assert_eq!(stays, [arn("c")]);
    }
}

#[test]
fn fractions_of_a_second_order_points() {
    let moment = at("2025-01-06T06:00:00Z");
    let of = |id: &str, milliseconds| {
        let mut point = with(made(id, core_at(moment, &[D])), |core| core.keep_last = 1);
        point.listed.created_at += SignedDuration::from_millis(milliseconds);
        point
    };
    assert_eq!(decisions(&[of("a", 200), of("b", 100)], LONG_AFTER), [Protected, Delete]);
}

#[test]
fn the_largest_number_recorded_in_the_chain_counts() {
    let mut points = days(5, 1);
    points[4] = with(points[4].clone(), |core| core.keep_last = 3);
    assert_eq!(decisions(&points, LONG_AFTER), [Delete, Delete, Protected, Protected, Protected]);
    // Also where it is an older point of those that stay that asks for it.
    let mut points = days(5, 1);
    points[2] = with(points[2].clone(), |core| core.keep_last = 3);
    assert_eq!(decisions(&points, LONG_AFTER), [Delete, Delete, Protected, Protected, Protected]);
    // Or one that a flag keeps.
    points = days(5, 1);
    points[0] = with(points[0].clone(), |core| {
        core.keep_last = 4;
        core.keep.set(Flag::Y, Keep::Years(2));
    });
    assert_eq!(decisions(&points, LONG_AFTER), [Kept, Protected, Protected, Protected, Protected]);
}

#[test]
fn a_point_that_goes_takes_its_number_along() {
    // The first asks for three and is the fourth itself: it goes, and with it the only one that asked for more than one.
    let mut points = days(4, 1);
    points[0] = with(points[0].clone(), |core| core.keep_last = 3);
    assert_eq!(decisions(&points, LONG_AFTER), [Delete, Delete, Delete, Protected]);
    points.remove(0);
    assert_eq!(decisions(&points, LONG_AFTER), [Delete, Delete, Protected], "a second run finds the same");
}
