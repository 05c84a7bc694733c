//! What protects a point that no flag keeps.

use std::collections::HashSet;

use jiff::SignedDuration;
use rstest::rstest;

use super::support::{
    at, core_at, facts, keep, made, planned, point, said, settled, with, with_status, words,
};
use crate::chain::{Flag, ListedPoint, Reading, RestorePoint};
use crate::id::VaultArn;
use crate::metadata::{CopyPlan, Core, Kind};
use crate::retention::{End, Facts, Keep, KnownCopies, KnownCopy, plan, wanted_copies};

const D: (Flag, Keep) = (Flag::D, Keep::Days(3));
const MADE: &str = "2025-01-06T06:00:00Z";
const OVER: &str = "2025-01-10T06:00:00Z";
const TARGET: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";

fn target() -> VaultArn {
    TARGET.parse().unwrap()
}

fn listed() -> ListedPoint {
    point(MADE, &[D]).listed
}

#[rstest]
#[case::without_metadata(Reading::NoMetadata, "protected: no_active_flag foreign")]
#[case::that_is_not_authentic(Reading::NotAuthentic("x".into()), "protected: no_active_flag suspect")]
#[case::that_cannot_be_read(Reading::Unreadable("x".into()), "protected: no_active_flag unreadable")]
#[case::taken_by_hand(
    Reading::Opened(Box::new(Core { kind: Kind::Manual, ..core_at(at(MADE), &[]) })),
    "protected: no_active_flag manual"
)]
#[case::of_another_moment(
    Reading::Opened(Box::new(core_at(at("2024-01-06T06:00:00Z"), &[D]))),
    "protected: no_active_flag suspect"
)]
fn a_point_outside_the_chains_is_never_judged(#[case] reading: Reading, #[case] expected: &str) {
    assert_eq!(said(RestorePoint::identify(listed(), reading.clone()), OVER), expected);
    let expired = ListedPoint { status: "EXPIRED".to_owned(), ..listed() };
    assert_eq!(
        said(RestorePoint::identify(expired, reading), OVER),
        expected,
        "even where AWS let it expire"
    );
}

#[rstest]
#[case::completed("COMPLETED", "delete: no_active_flag")]
#[case::available("AVAILABLE", "delete: no_active_flag")]
#[case::expired("EXPIRED", "delete: no_active_flag")]
#[case::partial("PARTIAL", "delete: no_active_flag")]
#[case::creating("CREATING", "protected: no_active_flag not_final")]
#[case::deleting("DELETING", "protected: no_active_flag not_final")]
#[case::unknown("", "protected: no_active_flag not_final")]
fn only_a_status_that_lasts_lets_a_point_go(#[case] status: &str, #[case] expected: &str) {
    assert_eq!(said(with_status(point(MADE, &[D]), status), OVER), expected);
}

#[test]
fn an_expired_point_with_an_active_flag_stays() {
    assert_eq!(said(with_status(point(MADE, &[D]), "EXPIRED"), "2025-01-07T00:00:00Z"), "keep: flag_D");
}

#[rstest]
#[case::five_minutes(300, "keep: flag_D")]
#[case::and_a_second(301, "keep: flag_D future")]
fn a_point_may_be_dated_five_minutes_ahead(#[case] ahead: i64, #[case] expected: &str) {
    let point = point(MADE, &[D]);
    let now = point.listed.created_at - SignedDuration::from_secs(ahead);
    assert_eq!(said(point, &now.to_string()), expected);
}

#[test]
fn a_point_dated_ahead_is_protected_also_without_a_flag() {
    let foreign = RestorePoint::identify(listed(), Reading::NoMetadata);
    assert_eq!(said(foreign, "2025-01-05T06:00:00Z"), "protected: no_active_flag foreign future");
}

#[test]
fn a_hold_and_a_lock_are_said_of_points_that_stay_anyway_too() {
    let points = [point(MADE, &[D]), point("2025-01-09T06:00:00Z", &[D])];
    let held = points.iter().map(|point| point.listed.arn.clone()).collect();
    let settled = KnownCopies::default();
    let all = |facts: &Facts<'_>| plan(&points, facts, at(OVER)).iter().map(words).collect::<Vec<_>>();
    let free = facts(&held, &settled);
    assert_eq!(all(&free), ["protected: no_active_flag legal_hold", "keep: flag_D legal_hold"]);
    let locked = Facts { locked: true, ..free };
    assert_eq!(
        all(&locked),
        ["protected: no_active_flag legal_hold vault_lock", "keep: flag_D legal_hold vault_lock"]
    );
    let nothing_held = HashSet::new();
    let only_locked = Facts { held: &nothing_held, ..locked };
    assert_eq!(all(&only_locked), ["protected: no_active_flag vault_lock", "keep: flag_D vault_lock"]);
}

#[test]
fn a_source_stays_until_its_copy_is_settled_or_would_be_over_itself() {
    let source = with(point(MADE, &[D]), |core| {
        core.copies = [(target(), CopyPlan { keep: keep(&[(Flag::D, Keep::Days(7))]) })].into();
    });
    let pending = |now: &str| {
        let (held, settled) = (HashSet::new(), KnownCopies::default());
        words(&plan(std::slice::from_ref(&source), &facts(&held, &settled), at(now))[0])
    };
    assert_eq!(pending("2025-01-07T00:00:00Z"), "keep: flag_D copy_pending");
    assert_eq!(pending(OVER), "protected: no_active_flag copy_pending");
    assert_eq!(
        pending("2025-01-13T06:00:00Z"),
        "delete: no_active_flag",
        "the copy's flags would have ended"
    );
    assert_eq!(said(source.clone(), OVER), "delete: no_active_flag", "it is settled");
    let wanted = [(source.listed.arn.clone(), target())];
    let asked = KnownCopies::default();
    assert_eq!(wanted_copies(std::slice::from_ref(&source), &asked, at(OVER)), wanted);

    let another: VaultArn = TARGET.replace("eu-west-1", "us-east-1").parse().unwrap();
    let (held, known) = (HashSet::new(), settled([(source.listed.arn.clone(), another)]));
    let elsewhere = plan(std::slice::from_ref(&source), &facts(&held, &known), at(OVER));
    assert_eq!(
        words(&elsewhere[0]),
        "protected: no_active_flag copy_pending",
        "another target's copy is no help"
    );
}

#[rstest]
#[case::still_to_come("2025-01-12T00:00:00Z", false, "protected: no_active_flag copy_pending")]
#[case::its_flags_over_themselves("2025-01-13T06:00:00Z", false, "delete: no_active_flag")]
#[case::settled("2025-01-12T00:00:00Z", true, "delete: no_active_flag")]
fn a_copy_that_somebody_asked_for_needs_its_source_though_that_does_not_name_it(
    #[case] now: &str,
    #[case] settled: bool,
    #[case] expected: &str,
) {
    let source = point(MADE, &[D]);
    let asked = KnownCopy {
        source: source.listed.arn.clone(),
        target: target(),
        settled,
        backfill: Some(keep(&[(Flag::D, Keep::Days(7))])),
    };
    let (held, known) = (HashSet::new(), KnownCopies::from_iter([asked]));
    let verdicts = plan(std::slice::from_ref(&source), &facts(&held, &known), at(now));
    assert_eq!(words(&verdicts[0]), expected);
    let wanted = wanted_copies(std::slice::from_ref(&source), &known, at(now));
    assert_eq!(wanted.len(), usize::from(now < "2025-01-13"), "its state decides as long as it is wanted");
}

#[test]
fn a_copy_waits_for_no_copy_and_counts_its_own_flags() {
    let core = Core {
        copies: [(target(), CopyPlan { keep: keep(&[(Flag::D, Keep::Days(7))]) })].into(),
        ..core_at(at(MADE), &[D])
    };
    let copy =
        RestorePoint::identify(ListedPoint { vault: target(), ..listed() }, Reading::Opened(Box::new(core)));
    let (held, settled) = (HashSet::new(), KnownCopies::default());
    let at_time = |now: &str| words(&plan(std::slice::from_ref(&copy), &facts(&held, &settled), at(now))[0]);
    assert_eq!(at_time(OVER), "keep: flag_D", "three days would be over, its own seven are not");
    assert_eq!(at_time("2025-01-13T06:00:00Z"), "delete: no_active_flag");
}

#[rstest]
#[case::while_a_flag_is_active("2025-01-08T00:00:00Z", "keep: flag_D extended")]
#[case::after_the_flags("2025-01-31T23:59:59Z", "keep: extended")]
#[case::until_its_end("2025-02-01T00:00:00Z", "delete: no_active_flag")]
fn an_extension_keeps_its_point(#[case] now: &str, #[case] expected: &str) {
    let extended = with(point(MADE, &[D]), |core| core.until = Some(End::At(at("2025-02-01T00:00:00Z"))));
    assert_eq!(said(extended, now), expected);
}

#[test]
fn an_extension_that_is_undone_leaves_the_point_to_its_flags() {
    let extended = with(point(MADE, &[D]), |core| core.until = Some(End::Never));
    assert_eq!(said(extended.clone(), "2999-01-01T00:00:00Z"), "keep: extended");
    assert_eq!(said(with(extended, |core| core.until = None), OVER), "delete: no_active_flag");
}

#[test]
fn a_point_kept_by_hand_stays_until_its_own_end() {
    let by_hand = made("x", Core { own_keep: Some(Keep::Days(2)), ..core_at(at(MADE), &[]) });
    assert_eq!(said(by_hand.clone(), "2025-01-08T05:59:59Z"), "keep: extended");
    assert_eq!(said(by_hand, "2025-01-08T06:00:00Z"), "delete: no_active_flag");
}

#[test]
fn a_restamped_point_lives_by_what_it_says_now() {
    let restamped = with(point(MADE, &[D]), |core| core.keep.set(Flag::D, Keep::Days(30)));
    assert_eq!(said(restamped, OVER), "keep: flag_D");
    let shorter = with(point(MADE, &[D]), |core| core.keep.set(Flag::D, Keep::Days(1)));
    assert_eq!(said(shorter, "2025-01-07T06:00:00Z"), "delete: no_active_flag");
}

#[test]
fn every_point_gets_a_verdict_in_its_place() {
    let points = [
        RestorePoint::identify(listed(), Reading::NoMetadata),
        point("2025-01-09T06:00:00Z", &[D]),
        point(MADE, &[D]),
    ];
    let said: Vec<_> = planned(&points, OVER).iter().map(words).collect();
    assert_eq!(said, ["protected: no_active_flag foreign", "keep: flag_D", "delete: no_active_flag"]);
    assert_eq!(planned(&[], OVER), []);
}
