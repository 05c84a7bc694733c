use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::retention::Lifespan;

fn policy(schedules: &Value, cold: Option<u32>, zone: &str) -> Document {
    let mut document = json!({"name": "p", "scope": {"all": true}, "timezone": zone, "schedules": schedules});
    if let Some(days) = cold {
        document["cold_storage"] = json!({"after_days": days});
    }
    serde_json::from_value(document).unwrap()
}

fn now() -> Timestamp {
    "2026-11-25T13:00:00Z".parse().unwrap()
}

/// Seconds in the steady year, in which a policy keeps its points at home.
fn steady(policy: &Document) -> (Seen, Period) {
    let year = Period::steady_year(policy, now());
    (Kept::at_home(policy).seen_in(&year), year)
}

fn daily(keep: &Value) -> Value {
    json!({"daily": {"at": ["07:00", "11:00"], "on": "every day", "keep": keep}})
}

#[rstest]
#[case::twice_a_day_for_three_days(daily(&json!({"days": 3})), 6)]
#[case::hours(daily(&json!({"hours": 24})), 2)]
#[case::weeks(json!({"weekly": {"at": "07:00", "on": ["monday", "friday"], "keep": {"weeks": 2}}}), 4)]
#[case::months(json!({"monthly": {"at": "07:00", "on": "day 1", "keep": {"months": 6}}}), 6)]
#[case::years(json!({"yearly": {"at": "07:00", "on": "day 4", "month": "july", "keep": {"years": 7}}}), 7)]
#[case::a_hundred_years(json!({"yearly": {"at": "07:00", "on": "day 4", "month": "july", "keep": {"years": 99}}}), 99)]
#[case::no_schedule(json!({}), 0)]
fn a_steady_chain_has_the_same_number_of_points_all_year(#[case] schedules: Value, #[case] points: u64) {
    let (seen, year) = steady(&policy(&schedules, None, "UTC"));
    assert_eq!(seen.warm, year.seconds() * u128::from(points));
    assert_eq!((seen.cold, seen.most, seen.endless), (0, points, 0));
}

#[test]
fn flags_that_fall_on_one_moment_are_one_point_that_lives_as_long_as_the_longest() {
    let (seen, year) = steady(&policy(
        &json!({
            "daily": {"at": "07:00", "on": "every day", "keep": {"days": 7}},
            "weekly": {"at": "07:00", "on": ["monday"], "keep": {"days": 28}},
        }),
        None,
        "Europe/Berlin",
    ));
    // Seven points of the last week, one of them with the weekly flag; three more of the weeks before.
    assert_eq!((seen.warm, seen.most), (year.seconds() * 10, 10));
    assert_eq!(seen.made, 365);
}

#[rstest]
#[case::a_day_too_short(119, 0, 119)]
#[case::just_long_enough(120, 90, 30)]
#[case::much_longer(365, 335, 30)]
fn points_go_cold_only_when_they_live_ninety_days_longer(
    #[case] days: u32,
    #[case] cold: u128,
    #[case] warm: u128,
) {
    let schedules = json!({"daily": {"at": "07:00", "on": "every day", "keep": {"days": days}}});
    let (seen, year) = steady(&policy(&schedules, Some(30), "UTC"));
    assert_eq!((seen.cold, seen.warm), (year.seconds() * cold, year.seconds() * warm));
}

#[test]
fn copies_live_by_what_the_target_keeps_and_stay_warm() {
    let policy = policy(
        &json!({
            "daily": {"at": "07:00", "on": "every day", "keep": {"days": 7}},
            "weekly": {"at": "07:00", "on": ["monday"], "keep": {"days": 14}},
        }),
        Some(8),
        "UTC",
    );
    let mut keep = PerFlag::default();
    keep.set(Flag::W, Keep::Weeks(52));
    let year = Period::steady_year(&policy, now());
    let seen = Kept::in_target(&policy, &keep).seen_in(&year);
    assert_eq!((seen.warm, seen.cold, seen.most), (year.seconds() * 52, 0, 52));
}

#[test]
fn the_first_month_sees_only_what_is_made_in_it() {
    let policy = policy(&daily(&json!({"years": 1})), None, "UTC");
    let month = Period::first_month(now());
    let seen = Kept::at_home(&policy).made_in(&month);
    // 30 days and 10 hours from 13:00: every day at 07:00 and at 11:00, and once at neither.
    assert_eq!((seen.made, seen.most), (60, 60));
    let all_month = 60 * month.seconds();
    assert!(seen.warm > all_month / 3 && seen.warm < all_month * 2 / 3);
}

#[test]
fn points_that_never_end_are_counted_as_after_ten_years() {
    let kept = policy(&daily(&json!("forever")), None, "UTC");
    let (seen, year) = steady(&kept);
    assert_eq!(Kept::at_home(&kept).endless(), Flags::NONE.with(Flag::D));
    assert_eq!((seen.made, seen.endless), (730, 730));
    assert_eq!(seen.most, 2 * 3653 + 730);
    assert!(seen.warm > year.seconds() * 2 * 3653);
}

#[test]
fn a_point_a_minute_for_a_thousand_years_is_cut_off_and_said_to_grow() {
    let minutes: Vec<String> = (0..24 * 60).map(|i| format!("{:02}:{:02}", i / 60, i % 60)).collect();
    let dense = json!({"daily": {"at": minutes, "on": "every day", "keep": {"years": 1000}}});
    let dense = policy(&dense, None, "UTC");
    let (seen, _) = steady(&dense);
    assert_eq!(Kept::at_home(&dense).endless(), Flags::NONE.with(Flag::D));
    assert!(seen.most <= u64::from(MOST_POINTS) + 366 * 24 * 60);
}

#[test]
fn every_year_has_each_yearly_and_monthly_occurrence_once() {
    let policy = policy(
        &json!({
            "monthly": {"at": "07:00", "on": "first monday", "keep": {"days": 1}},
            "yearly": {"at": "12:00", "on": "first monday", "month": "january", "keep": {"days": 1}},
        }),
        None,
        "Asia/Tokyo",
    );
    for year in 2026..2046 {
        let now = format!("{year}-03-01T00:00:00Z").parse().unwrap();
        let seen = Kept::at_home(&policy).seen_in(&Period::steady_year(&policy, now));
        assert_eq!(seen.made, 13, "{year}");
    }
}

#[test]
fn the_rhythm_is_that_of_the_calendar() {
    let policy = policy(&daily(&json!({"days": 3})), None, "Europe/Berlin");
    let rhythm = Rhythm::of(&policy, &Period::steady_year(&policy, now()));
    let expected =
        Rhythm { sessions: 730, shortest_gap: Some(SignedDuration::from_hours(4)), wakes_a_day: 2 };
    assert_eq!(rhythm, expected);
}

fn keeps() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1..3000_u32).prop_map(|n| json!({"hours": n})),
        (1..300_u32).prop_map(|n| json!({"days": n})),
        (1..40_u32).prop_map(|n| json!({"weeks": n})),
        (1..10_u32).prop_map(|n| json!({"months": n})),
        Just(json!({"years": 1})),
    ]
}

fn times() -> impl Strategy<Value = Value> {
    let all = ["00:00", "02:30", "07:00", "11:00", "23:59"];
    proptest::sample::subsequence(all.to_vec(), 1..4).prop_map(|times| json!(times))
}

fn schedules() -> impl Strategy<Value = Value> {
    let weekly = proptest::sample::subsequence(vec!["monday", "thursday", "sunday"], 1..3);
    let monthly = proptest::sample::select(vec!["first monday", "day 31", "last day", "last friday"]);
    let schedule = |on: Value| move |(at, keep): (Value, Value)| json!({"at": at, "on": on, "keep": keep});
    (
        (times(), keeps()).prop_map(schedule(json!("every day"))),
        proptest::option::of(
            (times(), weekly, keeps()).prop_map(|(at, on, keep)| json!({"at": at, "on": on, "keep": keep})),
        ),
        proptest::option::of(
            (times(), monthly, keeps()).prop_map(|(at, on, keep)| json!({"at": at, "on": on, "keep": keep})),
        ),
    )
        .prop_map(|(daily, weekly, monthly)| {
            let mut schedules = json!({"daily": daily});
            if let Some(weekly) = weekly {
                schedules["weekly"] = weekly;
            }
            if let Some(monthly) = monthly {
                schedules["monthly"] = monthly;
            }
            schedules
        })
}

fn zones() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns"])
}

/// How many seconds points live on each day of the period, one day after the other: every occurrence of years is tried.
fn day_by_day(policy: &Document, period: &Period) -> u128 {
    let points: Vec<(Timestamp, Timestamp)> = calendar::occurrences(
        policy,
        period.from.checked_sub(SignedDuration::from_hours(24 * 500)).unwrap()..period.until,
    )
    .map(|(at, flags)| {
        let mut keep = PerFlag::default();
        for flag in flags.iter() {
            keep.set(flag, policy.schedules.get(flag).unwrap().keep);
        }
        match Lifespan::counted(at, policy.timezone.name(), &keep, None).expires_at() {
            Some(End::At(end)) => (at, end),
            other => panic!("{other:?}"),
        }
    })
    .collect();
    let mut lived = 0;
    let mut day = period.from;
    while day < period.until {
        let next = period.until.min(day.checked_add(SignedDuration::from_hours(24)).unwrap());
        lived += points.iter().map(|(at, end)| seconds(day.max(*at), next.min(*end))).sum::<u128>();
        day = next;
    }
    lived
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_steady_state_is_what_a_simulation_day_by_day_comes_to(
        schedules in schedules(),
        zone in zones(),
        cold in proptest::option::of(8..60_u32),
    ) {
        let policy = policy(&schedules, cold, zone);
        let (seen, year) = steady(&policy);
        prop_assert_eq!(seen.warm + seen.cold, day_by_day(&policy, &year));
    }

    #[test]
    fn a_longer_keep_never_means_a_shorter_life(
        schedules in schedules(),
        zone in zones(),
        more in 1..200_u32,
        cold in proptest::option::of(8..60_u32),
    ) {
        let mut longer = schedules.clone();
        let (unit, n) = longer["daily"]["keep"].as_object().unwrap().iter().next().map(|(u, n)| (u.clone(), n.as_u64().unwrap())).unwrap();
        longer["daily"]["keep"] = json!({unit: n + u64::from(more)});
        let ((less, _), (long, _)) = (steady(&policy(&schedules, cold, zone)), steady(&policy(&longer, cold, zone)));
        prop_assert!(less.warm + less.cold <= long.warm + long.cold);
        prop_assert!(less.most <= long.most && less.made == long.made);
    }
}
