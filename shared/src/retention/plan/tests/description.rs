//! The example of the product description, sentence by sentence: daily at 07:00 and 11:00 kept for 3 days, weekly on Monday
//! 07:00 for 14 days, on the first Monday of alternate months 07:00 for 6 months; Berlin.

use rstest::rstest;

use super::support::{planned, point, words};
use crate::chain::{Flag, RestorePoint};
use crate::retention::Keep;

const D: (Flag, Keep) = (Flag::D, Keep::Days(3));
const W: (Flag, Keep) = (Flag::W, Keep::Days(14));
const M: (Flag, Keep) = (Flag::M, Keep::Months(6));

/// The chain: the two points of Monday 6 January 2025, and those of the days after, all daily.
fn chain() -> Vec<RestorePoint> {
    let mut chain = vec![
        point("2025-01-06T06:00:00Z", &[D, W, M]),
        point("2025-01-06T10:00:00Z", &[D]),
        point("2025-01-07T06:00:00Z", &[D]),
        point("2025-01-07T10:00:00Z", &[D]),
        point("2025-01-08T06:00:00Z", &[D]),
        point("2025-01-08T10:00:00Z", &[D]),
        point("2025-01-09T06:00:00Z", &[D]),
    ];
    chain.push(point("2025-02-03T06:00:00Z", &[D, W]));
    chain
}

fn first(now: &str) -> String {
    words(&planned(&chain(), now)[0])
}

fn second(now: &str) -> String {
    words(&planned(&chain(), now)[1])
}

#[rstest]
#[case::monday_7_00_serves_all_three_schedules("2025-01-06T06:05:00Z", "keep: flag_D flag_W flag_M")]
#[case::until_thursday_7_00_it_is_daily("2025-01-09T05:59:59Z", "keep: flag_D flag_W flag_M")]
#[case::on_thursday_7_00_it_is_no_longer_daily("2025-01-09T06:00:00Z", "keep: flag_W flag_M")]
#[case::for_two_weeks_it_is_weekly("2025-01-20T05:59:59Z", "keep: flag_W flag_M")]
#[case::after_two_weeks_it_is_monthly("2025-01-20T06:00:00Z", "keep: flag_M")]
#[case::for_six_months_it_is_monthly("2025-07-06T04:59:59Z", "keep: flag_M")]
#[case::after_six_months_it_goes("2025-07-06T05:00:00Z", "delete: no_active_flag")]
fn the_first_point_of_the_day_drops_its_flags_one_by_one(#[case] now: &str, #[case] is: &str) {
    assert_eq!(first(now), is);
}

#[rstest]
#[case::monday_11_00_is_daily("2025-01-06T10:05:00Z", "keep: flag_D")]
#[case::until_thursday_11_00("2025-01-09T09:59:59Z", "keep: flag_D")]
#[case::on_thursday_11_00_it_goes("2025-01-09T10:00:00Z", "delete: no_active_flag")]
fn the_second_point_of_the_day_is_daily_and_goes(#[case] now: &str, #[case] is: &str) {
    assert_eq!(second(now), is);
}

#[test]
fn a_monday_that_is_the_first_of_a_month_left_out_is_daily_and_weekly() {
    let last = chain().len() - 1;
    assert_eq!(words(&planned(&chain(), "2025-02-03T07:00:00Z")[last]), "keep: flag_D flag_W");
    assert_eq!(words(&planned(&chain(), "2025-02-17T06:00:00Z")[last]), "delete: no_active_flag");
}

#[test]
fn removing_one_point_of_the_chain_changes_nothing_for_the_others() {
    let now = "2025-01-09T07:00:00Z";
    let whole = planned(&chain(), now);
    for gone in 0..chain().len() {
        let (mut left, mut expected) = (chain(), whole.clone());
        left.remove(gone);
        expected.remove(gone);
        assert_eq!(planned(&left, now), expected);
    }
}
