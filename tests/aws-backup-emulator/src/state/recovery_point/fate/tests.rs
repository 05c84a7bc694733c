use std::collections::HashSet;

use proptest::prelude::*;

use super::super::Lifecycle;
use super::*;
use crate::state::samples::{days, living};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn after(point: &RecoveryPoint, days: i64) -> Timestamp {
    point.created + HOUR * i32::try_from(24 * days).unwrap()
}

fn plan(status: Status, storage: Storage, lifecycle: Option<Lifecycle>) -> Option<(Timestamp, Step)> {
    let mut point = living("a", lifecycle);
    (point.status, point.storage) = (status, storage);
    point.next_step(point.created)
}

proptest! {
    #[test]
    fn a_point_always_expires_at_the_same_moment_within_8_hours_after_its_end(
        id in "[0-9a-f]{8}",
        keep in 1_i64..36_500,
    ) {
        let point = living(&id, days(None, Some(keep)));
        let (when, step) = point.next_step(point.created).unwrap();
        prop_assert_eq!(step, Step::Expire);
        let late = when.duration_since(after(&point, keep));
        prop_assert!(late > SignedDuration::ZERO && late <= HOUR * 8, "{late}");
        prop_assert_eq!(point.next_step(point.created + HOUR), Some((when, Step::Expire)));
    }

    #[test]
    fn what_expires_under_a_hold_goes_within_24_hours_after_its_release(
        release in 0_i64..4_000_000_000,
    ) {
        let release = Timestamp::from_second(release).unwrap();
        let wait = put_off(true, true, release).unwrap().duration_since(release);
        prop_assert!(wait > SignedDuration::ZERO && wait <= HOUR * 24, "{wait}");
    }
}

#[test]
fn points_that_end_together_do_not_expire_together() {
    let moments: HashSet<Timestamp> = (0..200)
        .map(|n| {
            let point = living(&format!("{n:08x}"), days(None, Some(35)));
            point.next_step(point.created).unwrap().0
        })
        .collect();
    assert!(moments.len() > 20, "{moments:?}");
}

#[test]
fn a_point_whose_end_is_past_already_expires_within_8_hours_from_now() {
    let point = living("a", days(None, Some(1)));
    let now = after(&point, 100);
    let (when, step) = point.next_step(now).unwrap();
    assert_eq!(step, Step::Expire);
    assert!(when > now && when <= now + HOUR * 8, "{when}");
}

#[test]
fn a_point_moves_to_cold_storage_before_it_expires() {
    let lifecycle = || days(Some(30), Some(120));
    let created = living("a", None).created;
    let cold = (created + HOUR * 24 * 30, Step::MoveToCold);
    assert_eq!(plan(Status::Completed, Storage::Warm, lifecycle()), Some(cold));
    let end = plan(Status::Completed, Storage::Cold, lifecycle());
    assert!(matches!(end, Some((_, Step::Expire))), "{end:?}");
}

#[test]
fn nothing_happens_by_itself_to_points_without_an_end_nor_to_expired_ones() {
    let lifecycle = || days(None, Some(35));
    assert_eq!(plan(Status::Completed, Storage::Warm, None), None);
    assert_eq!(plan(Status::Completed, Storage::Cold, days(Some(30), None)), None);
    assert_eq!(plan(Status::Creating, Storage::Warm, lifecycle()), None);
    assert_eq!(plan(Status::Expired, Storage::Warm, lifecycle()), None);
    assert!(matches!(plan(Status::Deleting, Storage::Warm, None), Some((_, Step::Vanish))));
}

#[test]
fn a_step_is_due_only_as_long_as_the_point_is_as_it_was_planned() {
    let mut point = living("a", days(None, Some(35)));
    let now = after(&point, 36);
    assert!(point.is_due(Step::Expire, now) && !point.is_due(Step::Vanish, now));
    point.lifecycle = days(None, Some(37));
    assert!(!point.is_due(Step::Expire, now));
    (point.lifecycle, point.status) = (days(None, Some(35)), Status::Deleting);
    assert!(!point.is_due(Step::Expire, now) && point.is_due(Step::Vanish, now));
    (point.lifecycle, point.status) = (days(Some(30), None), Status::Completed);
    assert!(point.is_due(Step::MoveToCold, now));
    point.storage = Storage::Cold;
    assert!(!point.is_due(Step::MoveToCold, now));
}

#[test]
fn a_lifecycle_beyond_the_calendar_never_comes_to_its_end() {
    for end in [10_000_000, i64::MAX / 24, i64::MAX] {
        assert_eq!(plan(Status::Completed, Storage::Warm, days(None, Some(end))), None);
    }
}

#[test]
fn an_end_waits_for_what_aws_backup_does_with_the_point() {
    let now = living("a", None).created;
    assert_eq!(put_off(false, true, now), Some(now + SignedDuration::from_mins(10)));
    assert_eq!(put_off(false, false, now), None);
}
