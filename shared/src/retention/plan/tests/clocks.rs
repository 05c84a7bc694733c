//! Ends on days whose clocks change, at the ends of months, in leap years.

use rstest::rstest;

use super::support::{at, core_at, made, said, with};
use crate::chain::Flag;
use crate::metadata::PolicyStamp;
use crate::retention::{End, Keep};

#[rstest]
#[case::days_over_the_spring_change_end_on_local_time(
    "2025-03-28T06:00:00Z",
    Keep::Days(3),
    "2025-03-31T05:00:00Z"
)]
#[case::days_over_the_autumn_change_end_on_local_time(
    "2025-10-24T05:00:00Z",
    Keep::Days(3),
    "2025-10-27T06:00:00Z"
)]
#[case::an_end_that_clocks_skip_is_the_first_instant_after(
    "2025-03-29T01:30:00Z",
    Keep::Days(1),
    "2025-03-30T01:00:00Z"
)]
#[case::an_end_that_comes_twice_is_the_second("2025-10-25T00:30:00Z", Keep::Days(1), "2025-10-26T01:30:00Z")]
#[case::hours_are_elapsed_whatever_clocks_do("2025-03-29T12:00:00Z", Keep::Hours(24), "2025-03-30T12:00:00Z")]
#[case::a_month_after_the_31st_ends_on_the_last_day(
    "2025-01-31T06:00:00Z",
    Keep::Months(1),
    "2025-02-28T06:00:00Z"
)]
#[case::half_a_year_after_31_august_ends_in_february(
    "2025-08-31T05:00:00Z",
    Keep::Months(6),
    "2026-02-28T06:00:00Z"
)]
#[case::a_leap_year_has_a_29_february("2024-01-31T06:00:00Z", Keep::Months(1), "2024-02-29T06:00:00Z")]
#[case::a_year_after_29_february_ends_on_the_28th(
    "2024-02-29T06:00:00Z",
    Keep::Years(1),
    "2025-02-28T06:00:00Z"
)]
#[case::four_years_after_29_february_end_on_the_29th(
    "2024-02-29T06:00:00Z",
    Keep::Years(4),
    "2028-02-29T06:00:00Z"
)]
fn a_flag_keeps_its_point_until_its_end_and_not_a_second_longer(
    #[case] scheduled_at: &str,
    #[case] keep: Keep,
    #[case] end: &str,
) {
    let point = made("x", core_at(at(scheduled_at), &[(Flag::M, keep)]));
    assert_eq!(point.lifespan().unwrap().expires_at(), Some(End::At(at(end))));
    let before = at(end) - jiff::SignedDuration::from_secs(1);
    assert_eq!(said(point.clone(), &before.to_string()), "keep: flag_M");
    assert_eq!(said(point, end), "delete: no_active_flag");
}

#[rstest]
#[case::in_the_recorded_zone("Asia/Kathmandu", "2025-03-31T06:00:00Z")]
#[case::in_utc("UTC", "2025-03-31T06:00:00Z")]
#[case::in_a_zone_that_changes_later("America/New_York", "2025-03-31T06:00:00Z")]
#[case::in_a_zone_that_changes_in_between("Europe/Berlin", "2025-03-31T05:00:00Z")]
fn ends_count_in_the_zone_that_the_point_recorded(#[case] zone: &str, #[case] end: &str) {
    let point = with(made("x", core_at(at("2025-03-28T06:00:00Z"), &[(Flag::D, Keep::Days(3))])), |core| {
        let stamp = core.policy.take().unwrap();
        core.policy = Some(PolicyStamp { timezone: zone.to_owned(), ..stamp });
    });
    assert_eq!(point.lifespan().unwrap().expires_at(), Some(End::At(at(end))));
}

#[test]
fn in_a_zone_that_nobody_knows_nothing_ends() {
    let point = with(made("x", core_at(at("2025-03-28T06:00:00Z"), &[(Flag::D, Keep::Days(3))])), |core| {
        core.policy.as_mut().unwrap().timezone = "Mars/Olympus".to_owned();
    });
    assert_eq!(said(point, "2999-01-01T00:00:00Z"), "keep: flag_D");
}

#[test]
fn a_flag_kept_forever_never_ends() {
    let point =
        made("x", core_at(at("2025-03-28T06:00:00Z"), &[(Flag::D, Keep::Days(3)), (Flag::Y, Keep::Forever)]));
    assert_eq!(said(point, "9000-01-01T00:00:00Z"), "keep: flag_Y");
}
