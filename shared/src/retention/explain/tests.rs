use std::collections::HashSet;

use rstest::rstest;

use super::*;
use crate::chain::{ListedPoint, Reading};
use crate::metadata::{CopyPlan, Kind};
use crate::retention::plan_tests::{at, core_at, keep, made, point, with, with_status};
use crate::retention::{KnownCopies, plan};

const D: (Flag, Keep) = (Flag::D, Keep::Days(3));
const M: (Flag, Keep) = (Flag::M, Keep::Months(6));
const MADE: &str = "2025-01-06T06:00:00Z";

fn explained(point: &RestorePoint, locked: bool, now: &str) -> Explanation {
    let nothing = (HashSet::new(), KnownCopies::default());
    let facts = Facts { locked, held: &nothing.0, copies: &nothing.1 };
    let verdict = plan(std::slice::from_ref(point), &facts, at(now))[0];
    explain(point, &verdict, &facts, at(now))
}

fn functions(explanation: &Explanation) -> Vec<(&str, String)> {
    explanation.earlier.iter().map(|earlier| (earlier.function, earlier.request.to_string())).collect()
}

#[test]
fn a_kept_point_tells_every_end_and_who_could_let_it_go_earlier() {
    let explained = explained(&point(MADE, &[D, M]), false, "2025-01-10T00:00:00Z");
    assert_eq!(
        explained.sentences,
        [
            "It is kept until 2025-07-06T05:00:00Z.",
            "Its flag D (daily), 3 days from 2025-01-06T06:00:00Z on, counted in Europe/Berlin, ended at 2025-01-09T06:00:00Z.",
            "Its flag M (monthly), 6 months from 2025-01-06T06:00:00Z on, counted in Europe/Berlin, ends at 2025-07-06T05:00:00Z.",
            "Once the policy orders keeps its points for a shorter time, a restamp by dynachain-chain-edit, in the policy's own Region, lets it go earlier.",
            "dynachain-retention-prune removes it by hand: it plans first, and asks for a confirmation.",
        ]
    );
    let ends = serde_json::to_value(&explained.ends).unwrap();
    assert_eq!(
        ends,
        json!([
            {"flag": "D", "keep": {"days": 3}, "ends_at": "2025-01-09T06:00:00Z", "active": false},
            {"flag": "M", "keep": {"months": 6}, "ends_at": "2025-07-06T05:00:00Z", "active": true},
        ])
    );
    assert_eq!(explained.protections, []);
}

#[test]
fn an_extended_point_tells_how_to_undo_that() {
    let extended = with(point(MADE, &[D]), |core| core.until = Some(End::Never));
    let explained = explained(&extended, false, "2025-02-01T00:00:00Z");
    assert_eq!(explained.sentences[0], "It is kept forever.");
    assert_eq!(explained.sentences[2], "The extension that somebody gave it, never ends.");
    let undo = json!({"extend": {"recovery_point": extended.listed.arn, "until": null}}).to_string();
    assert_eq!(functions(&explained)[0], ("dynachain-chain-edit", undo));
    let end = serde_json::to_value(&explained.ends[1]).unwrap();
    assert_eq!(end, json!({"flag": null, "keep": null, "ends_at": "forever", "active": true}));
}

#[test]
fn a_point_kept_by_hand_tells_its_own_keep() {
    let by_hand = made("x", Core { own_keep: Some(Keep::Days(2)), ..core_at(at(MADE), &[]) });
    let explained = explained(&by_hand, false, "2025-01-07T00:00:00Z");
    assert_eq!(
        explained.sentences[1],
        "The keep it was started with by hand, 2 days from 2025-01-06T06:00:00Z on, counted in Europe/Berlin, ends at 2025-01-08T06:00:00Z."
    );
}

#[test]
fn a_point_that_goes_says_so() {
    let explained = explained(&point(MADE, &[D]), false, "2025-02-01T00:00:00Z");
    assert_eq!(
        explained.sentences[0],
        "Nothing keeps it any more: the next run of dynachain-retention-prune deletes it."
    );
}

#[test]
fn the_last_point_of_a_chain_says_what_takes_its_place() {
    let last = with(point(MADE, &[D]), |core| core.keep_last = 2);
    let explained = explained(&last, false, "2025-02-01T00:00:00Z");
    assert_eq!(
        explained.sentences[0],
        "It has outlived its flags since 2025-01-09T06:00:00Z, and is protected all the same."
    );
    assert_eq!(explained.protections[0].reason, Reason::KeepLast);
    assert!(explained.sentences[2].contains("its own keep_last is 2"), "{}", explained.sentences[2]);
}

#[test]
fn a_copy_that_is_still_wanted_is_named_with_its_end() {
    let target: VaultArn = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain".parse().unwrap();
    let plan = CopyPlan { keep: keep(&[(Flag::D, Keep::Days(30))]) };
    let source = with(point(MADE, &[D]), |core| core.copies = [(target, plan)].into());
    let explained = explained(&source, false, "2025-01-20T00:00:00Z");
    assert_eq!(explained.protections[0].until, Some(End::At(at("2025-02-05T06:00:00Z"))));
    assert!(explained.protections[0].message.contains("eu-west-1"), "{explained:?}");
}

#[test]
fn in_a_locked_vault_nothing_removes_a_point_earlier() {
    let explained = explained(&point(MADE, &[M]), true, "2025-01-20T00:00:00Z");
    assert_eq!(explained.protections[0].reason, Reason::VaultLock);
    assert_eq!(explained.earlier, []);
    assert_eq!(
        explained.sentences.last().unwrap(),
        "Nothing removes it earlier: the lock of its vault does not let anybody."
    );
}

#[test]
fn under_a_legal_hold_nothing_removes_a_point_earlier() {
    let point = point(MADE, &[M]);
    let (held, copies) = ([point.listed.arn.clone()].into(), KnownCopies::default());
    let facts = Facts { locked: false, held: &held, copies: &copies };
    let now = at("2025-01-20T00:00:00Z");
    let verdict = plan(std::slice::from_ref(&point), &facts, now)[0];
    let explained = explain(&point, &verdict, &facts, now);
    assert_eq!(explained.protections[0].reason, Reason::LegalHold);
    assert_eq!(
        explained.sentences.last().unwrap(),
        "Nothing removes it earlier: the legal hold does not let anybody."
    );
}

#[rstest]
#[case::foreign(Reading::NoMetadata, "It carries no metadata of dynachain: it is not ours to remove.", None)]
#[case::suspect(
    Reading::NotAuthentic("it was changed".into()),
    "Its metadata does not belong to it, so it stays: it was changed.",
    None
)]
#[case::unreadable(
    Reading::Unreadable("a piece is missing".into()),
    "Its metadata cannot be read, so it stays: a piece is missing.",
    None
)]
#[case::manual(
    Reading::Opened(Box::new(Core { kind: Kind::Manual, ..core_at(at(MADE), &[]) })),
    "It was taken by hand: retention never removes it.",
    Some("dynachain-manual-removal")
)]
fn a_point_outside_the_chains_says_what_it_is(
    #[case] reading: Reading,
    #[case] sentence: &str,
    #[case] remover: Option<&str>,
) {
    let listed = ListedPoint { ..point(MADE, &[D]).listed };
    let explained = explained(&RestorePoint::identify(listed, reading), false, "2025-02-01T00:00:00Z");
    assert_eq!(explained.sentences[1], sentence);
    assert_eq!(explained.ends, []);
    assert_eq!(explained.earlier.first().map(|earlier| earlier.function), remover);
}

#[test]
fn a_point_dated_ahead_or_unfinished_says_so() {
    let unfinished = with_status(point(MADE, &[D]), "CREATING");
    let explained = explained(&unfinished, false, "2025-01-01T00:00:00Z");
    let reasons: Vec<_> = explained.protections.iter().map(|protection| protection.reason).collect();
    assert_eq!(reasons, [Reason::NotFinal, Reason::Future]);
    assert!(explained.protections[0].message.ends_with("its status is CREATING."));
    assert!(explained.protections[1].message.contains("ahead of now (2025-01-01T00:00:00Z)"));
}
