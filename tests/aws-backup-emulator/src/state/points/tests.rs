use super::*;
use crate::state::samples::{days, living, point_of};

fn arn(points: &Points) -> Arc<str> {
    points.all.keys().next().unwrap().clone()
}

fn one(keep: i64) -> (Points, Arc<str>, Timestamp) {
    let mut points = Points::default();
    let made = living("a", days(None, Some(keep)));
    let now = made.created;
    points.insert(made);
    let arn = arn(&points);
    points.plan(&arn, now);
    (points, arn, now)
}

#[test]
fn a_new_plan_takes_the_place_of_the_old_one() {
    let (mut points, arn, now) = one(35);
    let first = points.next_due().unwrap();
    points.get_mut(&arn).unwrap().lifecycle = days(None, Some(10));
    points.plan(&arn, now);
    assert!(points.next_due().unwrap() < first);
    assert_eq!(points.steps.len(), 1);
    points.get_mut(&arn).unwrap().lifecycle = None;
    points.plan(&arn, now);
    assert_eq!((points.next_due(), points.steps.len()), (None, 0));
}

#[test]
fn a_point_that_goes_takes_its_plan_along() {
    let (mut points, arn, _) = one(35);
    points.remove(&arn);
    assert_eq!((points.next_due(), points.count_in("ddb")), (None, 0));
    points.plan(&arn, Timestamp::UNIX_EPOCH);
    assert_eq!(points.next_due(), None);
}

#[test]
fn steps_come_out_once_and_in_order() {
    let mut points = Points::default();
    for n in 0..5_000_i64 {
        let made = living(&format!("{n:08x}"), days(None, Some(1 + n % 730)));
        let (arn, now) = (made.arn.clone(), made.created);
        points.insert(made);
        points.plan(&arn, now);
    }
    let (mut taken, mut last) = (0, Timestamp::MIN);
    while let Some(due) = points.next_due() {
        assert!(due > last);
        taken += points.take_due(due).len();
        last = due;
    }
    assert_eq!(taken, 5_000);
}

#[test]
fn a_step_that_is_put_off_comes_back_later() {
    let (mut points, arn, _) = one(35);
    let due = points.next_due().unwrap();
    assert_eq!(points.take_due(due), [(arn.clone(), Step::Expire)]);
    let later = due + jiff::SignedDuration::from_hours(24);
    points.put_off(&arn, Step::Expire, later);
    assert_eq!(points.take_due(due), []);
    assert_eq!(points.take_due(later), [(arn, Step::Expire)]);
}

/// A vault of 100,000 points, a second apart and the newest one first, of 1,000 tables.
fn full() -> Points {
    let mut points = Points::default();
    for n in 0..100_000_i64 {
        let table = format!("arn:aws:dynamodb:eu-central-1:111122223333:table/t{}", n % 1_000);
        let created = Timestamp::from_second(n).unwrap();
        points.insert(point_of(&format!("p{n:06}"), "ddb", &table, created));
    }
    points
}

#[test]
fn a_page_costs_its_own_entries_however_many_points_a_vault_has() {
    let points = full();
    let at = |second| Timestamp::from_second(second).unwrap();
    let cost = |act: &dyn Fn() -> usize| {
        let before = points.looked_at.get();
        (act(), points.looked_at.get() - before)
    };
    let page = |after| cost(&|| points.in_vault("ddb", after).take(101).count());
    assert_eq!(page(None), (101, 101));
    assert_eq!(page(Some((at(50_000), "p050000"))), (101, 101));
    assert_eq!(page(Some((at(50), "p000050"))), (50, 50));
    let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/t7";
    assert_eq!(cost(&|| points.of_resource(table, None).take(101).count()), (100, 100));
    let tables =
        || points.resources(Some(table)).take(50).filter_map(|arn| points.of_resource(arn, None).next());
    assert_eq!(cost(&|| tables().count()), (50, 50));
}
