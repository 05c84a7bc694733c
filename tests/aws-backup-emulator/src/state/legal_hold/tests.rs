use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::state::samples::point_of;

const ORDERS: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders";
const USERS: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/users";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// In force, placed at second 100.
fn hold(id: &str, selection: Option<Selection>) -> LegalHold {
    LegalHold {
        id: id.to_owned(),
        arn: format!("arn:aws:backup:eu-central-1:111122223333:legal-hold:{id}"),
        title: "case".to_owned(),
        description: "42".to_owned(),
        selection,
        tags: Tags::new(),
        created: at(100),
        status: Status::Active,
        cancellation: None,
        released: None,
    }
}

fn names(names: &[&str]) -> std::collections::BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `a` of orders in vault `one` from second 10, `b` of users in `one` from 20, `c` of orders in `two` from 30.
fn region(holds: Vec<LegalHold>) -> RegionState {
    let mut state = RegionState::default();
    for (arn, vault, table, created) in
        [("a", "one", ORDERS, 10), ("b", "one", USERS, 20), ("c", "two", ORDERS, 30)]
    {
        state.points.insert(point_of(arn, vault, table, at(created)));
    }
    for hold in holds {
        state.legal_holds.insert(hold, None).unwrap();
    }
    state
}

fn held(state: &RegionState, arn: &str) -> bool {
    state.points.get(arn).is_some_and(|point| state.held(point))
}

/// The points under the hold `h`, by both questions, which must agree.
fn covered(state: &RegionState) -> String {
    let hold = state.legal_holds.get("h").unwrap();
    let listed: Vec<&str> = state.held_by(hold, None).map(|(_, point)| &*point.arn).collect();
    for arn in ["a", "b", "c"] {
        assert_eq!(listed.contains(&arn), held(state, arn), "{arn}");
    }
    listed.concat()
}

#[rstest]
#[case::creating(Status::Creating, false)]
#[case::active(Status::Active, true)]
#[case::canceling(Status::Canceling, false)]
#[case::canceled(Status::Canceled, false)]
fn only_an_active_hold_keeps_its_points_from_deletion(#[case] status: Status, #[case] keeps: bool) {
    let state = region(vec![LegalHold { status, ..hold("h", None) }]);
    assert_eq!((held(&state, "a"), held(&state, "missing")), (keeps, false));
}

#[test]
fn a_hold_is_on_the_points_that_were_complete_when_it_was_created() {
    let mut state = region(vec![hold("h", None)]);
    state.points.get_mut("a").unwrap().completed = Some(at(101));
    state.points.get_mut("b").unwrap().completed = Some(at(100));
    let creating = state.points.get_mut("c").unwrap();
    (creating.status, creating.completed) = (PointStatus::Creating, None);
    assert_eq!(covered(&state), "b");
}

#[rstest]
#[case(PointStatus::Expired)]
#[case(PointStatus::Deleting)]
fn points_that_are_expired_or_deleting_are_under_no_hold(#[case] status: PointStatus) {
    let mut state = region(vec![hold("h", None)]);
    state.points.get_mut("b").unwrap().status = status;
    assert_eq!(covered(&state), "ac");
}

#[test]
fn a_copy_does_not_bring_its_sources_hold_along() {
    let mut state =
        region(vec![hold("h", Some(Selection { resources: names(&[ORDERS]), ..Selection::default() }))]);
    // It has its source's creation date, and was made later than the hold.
    let mut copy = point_of("copy", "two", ORDERS, at(10));
    copy.completed = Some(at(150));
    state.points.insert(copy);
    assert!(held(&state, "a") && !held(&state, "copy"));
}

#[rstest]
#[case::vault(Selection { vaults: names(&["one"]), ..Selection::default() }, "ba")]
#[case::vaults(Selection { vaults: names(&["one", "two", "none"]), ..Selection::default() }, "bac")]
#[case::resource(Selection { resources: names(&[ORDERS]), ..Selection::default() }, "ca")]
#[case::both(Selection { resources: names(&[ORDERS]), vaults: names(&["one"]), ..Selection::default() }, "a")]
#[case::neither(Selection { resources: names(&[USERS]), vaults: names(&["two"]), ..Selection::default() }, "")]
#[case::dates(
    Selection { vaults: names(&["one"]), dates: Some(DateRange { from: at(15), to: at(99) }), ..Selection::default() },
    "b"
)]
fn a_point_must_satisfy_every_criterion_that_a_hold_has(#[case] selection: Selection, #[case] points: &str) {
    assert_eq!(covered(&region(vec![hold("h", Some(selection))])), points);
}

#[rstest]
#[case(10, 30, "bac")]
#[case(10, 10, "a")]
#[case(11, 29, "b")]
#[case(30, 200, "c")]
fn both_ends_of_a_holds_date_range_are_inclusive(#[case] from: i64, #[case] to: i64, #[case] points: &str) {
    let dates = Some(DateRange { from: at(from), to: at(to) });
    assert_eq!(covered(&region(vec![hold("h", Some(Selection { dates, ..Selection::default() }))])), points);
}

#[rstest]
#[case(None)]
#[case(Some(Selection::default()))]
fn a_hold_without_criteria_is_on_every_point_of_the_region(#[case] selection: Option<Selection>) {
    assert_eq!(covered(&region(vec![hold("h", selection)])), "bac");
}

#[rstest]
#[case("arn:aws:dynamodb:*:*:table/*", "cba")]
#[case("arn:aws:dynamodb:*:*:table/o*", "ca")]
#[case("arn:aws:s3:::*", "")]
fn resource_identifiers_of_a_hold_may_have_wildcards(#[case] pattern: &str, #[case] points: &str) {
    let selection = Selection { resources: names(&[pattern]), ..Selection::default() };
    let by_table = covered(&region(vec![hold("h", Some(selection))]));
    // Table by table, newest first in each.
    assert_eq!(by_table, if points == "cba" { "cab" } else { points });
}

#[test]
fn an_account_has_at_most_50_holds_that_are_not_cancelled() {
    let mut holds = LegalHolds::default();
    for n in 0..50 {
        holds.insert(hold(&format!("h{n}"), None), None).unwrap();
    }
    assert_eq!(holds.insert(hold("more", None), None), Err(TooMany));
    holds.get_mut("h7").unwrap().status = Status::Canceling;
    assert_eq!(holds.insert(hold("more", None), None), Err(TooMany));
    holds.get_mut("h7").unwrap().status = Status::Canceled;
    assert_eq!(holds.insert(hold("more", None), None), Ok(()));
}

#[test]
fn a_point_is_held_until_the_last_of_its_holds_has_ended() {
    let mut state = region(vec![hold("h", None), hold("other", None)]);
    for id in ["other", "h"] {
        assert!(held(&state, "a"));
        state.legal_holds.get_mut(id).unwrap().status = Status::Canceling;
    }
    assert!(!held(&state, "a"));
}

proptest! {
    #[test]
    fn pages_of_held_points_give_each_once(created in prop::collection::vec(0_i64..20, 0..30), by_table: bool) {
        let mut state = RegionState::default();
        for (n, second) in created.iter().enumerate() {
            let (vault, table) = (["one", "two"][n % 2], [ORDERS, USERS][n / 2 % 2]);
            state.points.insert(point_of(&format!("p{n:02}"), vault, table, at(*second)));
        }
        let resources = if by_table { names(&[ORDERS, USERS]) } else { names(&[]) };
        let dates = Some(DateRange { from: at(5), to: at(15) });
        let hold = hold("h", Some(Selection { resources, dates, ..Selection::default() }));
        let all: Vec<&str> = state.held_by(&hold, None).map(|(_, point)| &*point.arn).collect();
        prop_assert_eq!(all.len(), created.iter().filter(|second| (5..=15).contains(*second)).count());
        // One after the other, each found after the one before.
        let (mut walked, mut last) = (Vec::new(), None);
        while let Some((index, point)) = state.held_by(&hold, last).next() {
            walked.push(&*point.arn);
            last = Some((index, point.created, &*point.arn));
            prop_assert!(walked.len() <= all.len());
        }
        prop_assert_eq!(walked, all);
    }
}
