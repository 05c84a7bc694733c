//! What holds for every vault, whatever lies in it.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;

use super::support::{arn, at, core_at, keep};
use crate::chain::{ChainKind, Flag, ListedPoint, PerFlag, Reading, RestorePoint};
use crate::id::RecoveryPointArn;
use crate::metadata::{CopyPlan, Core, Kind};
use crate::retention::{Decision, End, Facts, Keep, KnownCopies, KnownCopy, Verdict, plan};

const HERE: &str = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
const ELSEWHERE: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";
/// Points are made within this many days; now lies somewhere among them or after.
const DAYS: i64 = 40;

/// A vault with all that retention knows of it.
#[derive(Clone, Debug)]
struct Case {
    points: Vec<RestorePoint>,
    held: HashSet<RecoveryPointArn>,
    copies: KnownCopies,
    locked: bool,
    now: Timestamp,
}

impl Case {
    fn plan(&self, points: &[RestorePoint]) -> Vec<Verdict> {
        let facts = Facts { locked: self.locked, held: &self.held, copies: &self.copies };
        plan(points, &facts, self.now)
    }

    fn by_arn(&self, points: &[RestorePoint]) -> BTreeMap<RecoveryPointArn, Verdict> {
        points.iter().map(|point| point.listed.arn.clone()).zip(self.plan(points)).collect()
    }

    fn deleted(&self, points: &[RestorePoint]) -> HashSet<RecoveryPointArn> {
        let verdicts = self.by_arn(points).into_iter();
        verdicts.filter(|(_, verdict)| verdict.decision == Decision::Delete).map(|(arn, _)| arn).collect()
    }

    /// What a prune leaves.
    fn pruned(&self) -> Vec<RestorePoint> {
        let deleted = self.deleted(&self.points);
        self.points.iter().filter(|point| !deleted.contains(&point.listed.arn)).cloned().collect()
    }
}

fn begin() -> Timestamp {
    at("2025-03-01T06:00:00Z")
}

fn a_keep() -> impl Strategy<Value = Keep> {
    prop_oneof![
        6 => (1..50u32).prop_map(Keep::Days),
        1 => (1..400u32).prop_map(Keep::Hours),
        1 => (1..4u32).prop_map(Keep::Months),
        1 => Just(Keep::Forever),
    ]
}

fn flags() -> impl Strategy<Value = Vec<(Flag, Keep)>> {
    prop::collection::vec((prop::sample::select(Flag::ALL.to_vec()), a_keep()), 0..3)
}

fn an_end() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => (0..2 * DAYS).prop_map(|day| End::At(begin() + SignedDuration::from_hours(24 * day))),
        1 => Just(End::Never),
    ]
}

prop_compose! {
    /// What the metadata of a point in this vault says.
    fn a_core()(
        hour in 0..24 * DAYS,
        flags in flags(),
        copied in prop::option::weighted(0.3, flags()),
        is_copy in prop::bool::weighted(0.25),
        own_keep in prop::option::weighted(0.1, a_keep()),
        until in prop::option::weighted(0.15, an_end()),
        keep_last in 0..4u32,
        table_id in 0..2u8,
    ) -> Core {
        // Few distinct hours, so that points of the same moment are common.
        let core = core_at(begin() + SignedDuration::from_hours(hour / 8 * 8), &flags);
        let target = if is_copy { HERE } else { ELSEWHERE };
        let home = if is_copy { ELSEWHERE } else { HERE };
        let here = is_copy.then_some(flags);
        let plan = here.or(copied).map(|flags| (target.parse().unwrap(), CopyPlan { keep: keep(&flags) }));
        Core {
            home_vault: home.parse().unwrap(),
            copies: plan.into_iter().collect(),
            own_keep: own_keep.filter(|_| !is_copy),
            until,
            keep_last,
            table_id: table_id.to_string(),
            ..core
        }
    }
}

fn a_reading() -> impl Strategy<Value = fn(Core) -> Reading> {
    prop_oneof![
        12 => Just((|core| Reading::Opened(Box::new(core))) as fn(Core) -> Reading),
        1 => Just((|_| Reading::NoMetadata) as fn(Core) -> Reading),
        1 => Just((|_| Reading::Unreadable(String::new())) as fn(Core) -> Reading),
        1 => Just((|_| Reading::NotAuthentic(String::new())) as fn(Core) -> Reading),
        1 => Just((|core| Reading::Opened(Box::new(Core { kind: Kind::Manual, ..core }))) as fn(Core) -> Reading),
    ]
}

fn a_status() -> impl Strategy<Value = &'static str> {
    let rare = ["AVAILABLE", "EXPIRED", "PARTIAL", "CREATING", "DELETING", "NEVER HEARD OF"];
    prop_oneof![5 => Just("COMPLETED"), 3 => prop::sample::select(rare.to_vec())]
}

prop_compose! {
    fn a_point()(
        core in a_core(),
        reading in a_reading(),
        status in a_status(),
        table in 0..2u8,
        moved in prop::bool::weighted(0.05),
    ) -> RestorePoint {
        let off = SignedDuration::from_hours(if moved { 30 } else { 0 });
        let listed = ListedPoint {
            arn: arn("x"),
            table: format!("arn:aws:dynamodb:eu-central-1:111122223333:table/table-{table}").parse().unwrap(),
            vault: HERE.parse().unwrap(),
            created_at: core.started_at + off,
            status: status.to_owned(),
            size_bytes: None,
        };
        RestorePoint::identify(listed, reading(core))
    }
}

/// Whether a copy elsewhere is settled, and what for somebody asked for it.
fn a_known_copy() -> impl Strategy<Value = Option<(bool, Option<PerFlag<Keep>>)>> {
    let backfill = prop::option::weighted(0.3, flags().prop_map(|flags| keep(&flags)));
    prop::option::weighted(0.6, (prop::bool::weighted(0.7), backfill))
}

prop_compose! {
    fn a_case()(
        points in prop::collection::vec((a_point(), prop::bool::weighted(0.05), a_known_copy()), 0..9),
        locked in prop::bool::weighted(0.05),
        hour in 0..24 * 2 * DAYS,
    ) -> Case {
        let mut case = Case {
            points: Vec::new(),
            held: HashSet::new(),
            copies: KnownCopies::default(),
            locked,
            now: begin() + SignedDuration::from_hours(hour),
        };
        for (n, (mut point, held, copy)) in points.into_iter().enumerate() {
            point.listed.arn = arn(&n.to_string());
            if held {
                case.held.insert(point.listed.arn.clone());
            }
            case.copies.extend(copy.map(|(settled, backfill)| KnownCopy {
                source: point.listed.arn.clone(),
                target: ELSEWHERE.parse().unwrap(),
                settled,
                backfill,
            }));
            case.points.push(point);
        }
        case
    }
}

fn a_case_and_an_order() -> impl Strategy<Value = (Case, Vec<RestorePoint>)> {
    a_case().prop_flat_map(|case| {
        let shuffled = Just(case.points.clone()).prop_shuffle();
        (Just(case), shuffled)
    })
}

/// A change of one point that makes somebody keep more.
fn more(point: &mut RestorePoint, flag: Flag, longer: Keep) {
    let Some(core) = point.core.as_deref_mut() else { return };
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let longer = |keep: Keep| {
        let ends = |keep: Keep| keep.end(core.scheduled_at, &zone);
        if ends(longer) > ends(keep) { longer } else { keep }
    };
    match flag {
        Flag::D => core.keep = core.keep.map(|keep| longer(*keep)),
        Flag::W => core.keep_last += 1,
        Flag::M => {
            core.until = core.until.max(Some(End::At(begin() + SignedDuration::from_hours(24 * DAYS))));
        }
        Flag::Y => {
            for plan in core.copies.values_mut() {
                plan.keep = plan.keep.map(|keep| longer(*keep));
            }
        }
    }
}

/// The usable points of the chain that `one` belongs to which are not dated ahead, newest first: written down by hand, and
/// not with the planner's own words.
fn newest_of_chain<'a>(case: &'a Case, one: &RestorePoint) -> Vec<&'a RestorePoint> {
    let table_id = |point: &RestorePoint| point.core.as_ref().map(|core| core.table_id.clone());
    let mut found = Vec::new();
    for point in &case.points {
        let same = point.listed.table == one.listed.table
            && point.chain == one.chain
            && table_id(point) == table_id(one);
        let usable = ["COMPLETED", "AVAILABLE"].contains(&point.listed.status.as_str());
        if same && usable && point.listed.created_at <= case.now + SignedDuration::from_mins(5) {
            found.push(point);
        }
    }
    found.sort_by(|a, b| {
        b.listed.created_at.cmp(&a.listed.created_at).then_with(|| b.listed.arn.cmp(&a.listed.arn))
    });
    found
}

fn in_a_chain(point: &RestorePoint) -> bool {
    matches!(point.chain, ChainKind::Regular | ChainKind::Copy)
}

proptest! {
    // The plain generator of random numbers: the other is most of the time that unoptimised tests take.
    #![proptest_config(ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn the_order_of_the_points_is_irrelevant((case, shuffled) in a_case_and_an_order()) {
        prop_assert_eq!(case.by_arn(&case.points), case.by_arn(&shuffled));
    }

    #[test]
    fn a_second_prune_finds_nothing_more(case in a_case()) {
        let left = case.pruned();
        let before = case.by_arn(&case.points);
        for (arn, verdict) in case.by_arn(&left) {
            prop_assert_eq!(verdict, before[&arn]);
        }
        prop_assert!(case.deleted(&left).is_empty());
    }

    #[test]
    fn keeping_longer_never_removes_more(
        case in a_case(),
        chosen in any::<prop::sample::Index>(),
        flag in prop::sample::select(Flag::ALL.to_vec()),
        longer in a_keep(),
    ) {
        let mut points = case.points.clone();
        if !points.is_empty() {
            more(chosen.get_mut(&mut points), flag, longer);
        }
        let before = case.deleted(&case.points);
        prop_assert!(case.deleted(&points).is_subset(&before));
    }

    #[test]
    fn time_alone_never_brings_a_point_back_that_a_flag_let_go(case in a_case(), hours in 0..2000i64) {
        let later = Case { now: case.now + SignedDuration::from_hours(hours), ..case.clone() };
        let (kept, kept_later) = (case.by_arn(&case.points), later.by_arn(&case.points));
        for (arn, verdict) in kept_later {
            let keeps = verdict.decision == Decision::Keep;
            prop_assert!(!keeps || kept[&arn].decision == Decision::Keep);
        }
    }

    #[test]
    fn a_point_with_an_active_flag_never_goes(case in a_case()) {
        for (point, verdict) in case.points.iter().zip(case.plan(&case.points)) {
            let active = point.lifespan().is_some_and(|lifespan| {
                !lifespan.active_flags(case.now).is_empty() || lifespan.is_extended(case.now)
            });
            prop_assert_eq!(active, verdict.decision == Decision::Keep);
        }
    }

    #[test]
    fn the_floor_holds_whatever_the_statuses(case in a_case()) {
        let deleted = case.deleted(&case.points);
        for point in case.points.iter().filter(|point| in_a_chain(point)) {
            let asked = usize::try_from(point.core.as_ref().unwrap().keep_last).unwrap();
            let newest = newest_of_chain(&case, point);
            // The newest of all decides for itself; every other point speaks as long as it stays.
            if newest.first().is_some_and(|newest| newest.listed.arn == point.listed.arn) && asked > 0 {
                prop_assert!(!deleted.contains(&point.listed.arn));
            }
            if !deleted.contains(&point.listed.arn) {
                for one in newest.into_iter().take(asked) {
                    prop_assert!(!deleted.contains(&one.listed.arn));
                }
            }
        }
    }

    #[test]
    fn nothing_without_valid_metadata_of_a_chain_ever_goes(case in a_case()) {
        let deleted = case.deleted(&case.points);
        for point in &case.points {
            let valid = point.core.as_ref().is_some_and(|core| core.kind == Kind::Chain);
            prop_assert!(valid || !deleted.contains(&point.listed.arn));
        }
    }

    #[test]
    fn what_is_held_locked_unfinished_or_dated_ahead_never_goes(case in a_case()) {
        let deleted = case.deleted(&case.points);
        prop_assert!(!case.locked || deleted.is_empty());
        for point in case.points.iter().filter(|point| deleted.contains(&point.listed.arn)) {
            prop_assert!(!case.held.contains(&point.listed.arn));
            prop_assert!(!["CREATING", "DELETING", "NEVER HEARD OF"].contains(&point.listed.status.as_str()));
            prop_assert!(point.listed.created_at <= case.now + SignedDuration::from_mins(5));
        }
    }

    #[test]
    fn a_source_never_goes_while_a_copy_that_somebody_asked_for_is_still_to_come(
        case in a_case(),
        n in 0..9u8,
        days in 1..100u32,
    ) {
        let asked = KnownCopy {
            source: arn(&n.to_string()),
            target: ELSEWHERE.parse().unwrap(),
            settled: false,
            backfill: Some(keep(&[(Flag::D, Keep::Days(days))])),
        };
        let mut later = case.clone();
        later.copies.replace(&arn(&n.to_string()), vec![asked]);
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        for point in later.points.iter().filter(|point| later.deleted(&later.points).contains(&point.listed.arn)) {
            let scheduled_at = point.core.as_ref().unwrap().scheduled_at;
            let over = !Keep::Days(days).end(scheduled_at, &zone).is_active(case.now);
            prop_assert!(over || point.chain == ChainKind::Copy || point.listed.arn != arn(&n.to_string()));
        }
    }

    #[test]
    fn chains_never_influence_each_other(case in a_case()) {
        let whole = case.by_arn(&case.points);
        for one in &case.points {
            let table_id = |point: &RestorePoint| point.core.as_ref().map(|core| core.table_id.clone());
            let same = |point: &&RestorePoint| {
                (&point.listed.table, point.chain, table_id(point)) == (&one.listed.table, one.chain, table_id(one))
            };
            let alone: Vec<_> = case.points.iter().filter(same).cloned().collect();
            prop_assert_eq!(case.by_arn(&alone)[&one.listed.arn], whole[&one.listed.arn]);
        }
    }
}
