use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn policy(zone: &str, schedules: &Value) -> Document {
    serde_json::from_value(json!({
        "name": "p", "scope": {"all": true}, "timezone": zone, "schedules": schedules
    }))
    .unwrap()
}

fn list(policy: &Document, from: &str, to: &str) -> Vec<(String, String)> {
    occurrences(policy, from.parse().unwrap()..to.parse().unwrap())
        .map(|(at, flags)| (at.to_string(), flags.iter().map(|flag| flag.to_string()).collect()))
        .collect()
}

fn times(policy: &Document, from: &str, to: &str) -> Vec<String> {
    list(policy, from, to).into_iter().map(|(at, _)| at).collect()
}

/// Daily 07:00 and 11:00, Monday 07:00, first Monday of alternate months 07:00.
fn worked_example() -> Document {
    policy(
        "Europe/Berlin",
        &json!({
            "daily": {"at": ["07:00", "11:00"], "on": "every day", "keep": {"days": 3}},
            "weekly": {"at": "07:00", "on": ["monday"], "keep": {"days": 14}},
            "monthly": {
                "at": "07:00", "on": "first monday", "keep": {"months": 6},
                "months": ["january", "march", "may", "july", "september", "november"]
            },
        }),
    )
}

#[test]
fn occurrences_at_one_instant_are_one_with_all_their_flags() {
    let list = list(&worked_example(), "2025-01-06T00:00:00Z", "2025-01-07T08:00:00Z");
    let list: Vec<(&str, &str)> = list.iter().map(|(at, flags)| (at.as_str(), flags.as_str())).collect();
    assert_eq!(
        list,
        [("2025-01-06T06:00:00Z", "DWM"), ("2025-01-06T10:00:00Z", "D"), ("2025-01-07T06:00:00Z", "D"),]
    );
}

#[rstest]
#[case("2025-01-06T06:00:00Z", &[Flag::D, Flag::W, Flag::M])]
#[case("2025-01-06T06:00:01Z", &[])]
#[case("2025-01-06T06:00:00.5Z", &[])]
#[case("2025-01-06T10:00:00Z", &[Flag::D])]
#[case::other_month("2025-02-03T06:00:00Z", &[Flag::D, Flag::W])]
#[case::summer_time("2025-07-07T05:00:00Z", &[Flag::D, Flag::W, Flag::M])]
#[case::winter_hour_in_summer("2025-07-07T06:00:00Z", &[])]
fn flags_are_due_exactly_at_their_instant(#[case] at: Timestamp, #[case] flags: &[Flag]) {
    assert_eq!(due(&worked_example(), at), flags.iter().copied().collect());
}

#[test]
fn next_and_previous_leave_out_the_instant_itself() {
    let (policy, monday) = (worked_example(), "2025-01-06T06:00:00Z".parse().unwrap());
    let next = next_after(&policy, monday).unwrap();
    assert_eq!(next.0.to_string(), "2025-01-06T10:00:00Z");
    let (back, flags) = previous_before(&policy, next.0).unwrap();
    assert_eq!((back, flags), (monday, [Flag::D, Flag::W, Flag::M].into_iter().collect()));
    assert_eq!(previous_before(&policy, monday).unwrap().0.to_string(), "2025-01-05T10:00:00Z");
}

#[test]
fn a_policy_without_schedules_is_never_due() {
    let (policy, now) = (policy("UTC", &json!({})), Timestamp::UNIX_EPOCH);
    assert_eq!((next_after(&policy, now), previous_before(&policy, now)), (None, None));
    assert_eq!(times(&policy, "1970-01-01T00:00:00Z", "1980-01-01T00:00:00Z"), Vec::<String>::new());
}

#[test]
fn the_ends_of_the_calendar_are_no_trouble() {
    let policy = worked_example();
    assert_eq!(due(&policy, Timestamp::MIN), Flags::NONE);
    assert_eq!(next_after(&policy, Timestamp::MAX), None);
    assert_eq!(previous_before(&policy, Timestamp::MIN), None);
}

#[rstest]
#[case::skipped_means_the_first_instant_after_the_gap(
    "Europe/Berlin", "02:30", "2025-03-29T12:00:00Z", "2025-03-31T12:00:00Z",
    &["2025-03-30T01:00:00Z", "2025-03-31T00:30:00Z"]
)]
#[case::the_first_skipped_minute("Europe/Berlin", "02:00", "2025-03-30T00:00:00Z", "2025-03-30T12:00:00Z", &["2025-03-30T01:00:00Z"])]
#[case::the_first_minute_after("Europe/Berlin", "03:00", "2025-03-30T00:00:00Z", "2025-03-30T12:00:00Z", &["2025-03-30T01:00:00Z"])]
#[case::doubled_means_the_first("Europe/Berlin", "02:30", "2025-10-25T12:00:00Z", "2025-10-26T12:00:00Z", &["2025-10-26T00:30:00Z"])]
#[case::the_first_minute_once("Europe/Berlin", "03:00", "2025-10-26T00:00:00Z", "2025-10-26T12:00:00Z", &["2025-10-26T02:00:00Z"])]
#[case::new_york_spring("America/New_York", "02:30", "2025-03-09T00:00:00Z", "2025-03-10T00:00:00Z", &["2025-03-09T07:00:00Z"])]
#[case::new_york_autumn("America/New_York", "01:30", "2025-11-02T00:00:00Z", "2025-11-03T00:00:00Z", &["2025-11-02T05:30:00Z"])]
#[case::half_an_hour_at_lord_howe("Australia/Lord_Howe", "02:15", "2025-10-04T00:00:00Z", "2025-10-05T00:00:00Z", &["2025-10-04T15:30:00Z"])]
#[case::half_an_hour_doubled("Australia/Lord_Howe", "01:45", "2025-04-05T00:00:00Z", "2025-04-06T00:00:00Z", &["2025-04-05T14:45:00Z"])]
#[case::kathmandu("Asia/Kathmandu", "00:00", "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z", &["2025-01-01T18:15:00Z"])]
#[case::samoa_had_no_30_december_2011(
    "Pacific/Apia", "12:00", "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z",
    &["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z"]
)]
#[case::a_skipped_midnight("America/Sao_Paulo", "00:00", "2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z", &["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"])]
fn clock_changes_keep_every_day(
    #[case] zone: &str,
    #[case] at: &str,
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: &[&str],
) {
    let policy = policy(zone, &json!({"daily": {"at": at, "on": "every day", "keep": {"days": 1}}}));
    assert_eq!(times(&policy, from, to), expected);
}

#[test]
fn times_that_a_gap_joins_are_one_occurrence() {
    let policy = policy(
        "Europe/Berlin",
        &json!({
            "daily": {"at": ["02:15", "02:45", "03:00"], "on": "every day", "keep": {"days": 1}},
            "weekly": {"at": "02:00", "on": ["sunday"], "keep": {"days": 1}},
        }),
    );
    let list = list(&policy, "2025-03-30T00:00:00Z", "2025-03-30T12:00:00Z");
    assert_eq!(list, [("2025-03-30T01:00:00Z".to_owned(), "DW".to_owned())]);
}

#[test]
fn a_skipped_day_joins_the_one_after_it() {
    let policy = policy(
        "Pacific/Apia",
        &json!({
            "daily": {"at": "00:00", "on": "every day", "keep": {"days": 1}},
            "weekly": {"at": "12:00", "on": ["friday"], "keep": {"days": 1}},
        }),
    );
    let change: Timestamp = "2011-12-30T10:00:00Z".parse().unwrap();
    let both = [Flag::D, Flag::W].into_iter().collect();
    assert_eq!(due(&policy, change), both);
    assert_eq!(next_after(&policy, change - 1.second()), Some((change, both)));
    assert_eq!(previous_before(&policy, change + 1.second()), Some((change, both)));
}

#[rstest]
#[case::workdays(json!({"daily": {"at": "00:00", "on": "workdays", "keep": {"days": 1}}}), "2025-01-03", "2025-01-08", &["03", "06", "07"])]
#[case::listed_days(json!({"daily": {"at": "00:00", "on": ["sunday", "tuesday"], "keep": {"days": 1}}}), "2025-01-03", "2025-01-08", &["05", "07"])]
#[case::last_of_february(json!({"monthly": {"at": "00:00", "on": "last day", "keep": {"days": 1}}}), "2024-02-01", "2024-03-01", &["29"])]
#[case::day_31_in_april(json!({"monthly": {"at": "00:00", "on": "day 31", "keep": {"days": 1}}}), "2025-04-01", "2025-05-01", &["30"])]
#[case::last_friday(json!({"monthly": {"at": "00:00", "on": "last friday", "keep": {"days": 1}}}), "2025-02-01", "2025-03-01", &["28"])]
#[case::other_months(json!({"monthly": {"at": "00:00", "on": "day 1", "months": ["june"], "keep": {"days": 1}}}), "2025-02-01", "2025-05-30", &[])]
#[case::yearly(json!({"yearly": {"at": "00:00", "on": "day 29", "month": "february", "keep": {"days": 1}}}), "2023-01-01", "2025-01-01", &["28", "29"])]
fn every_form_of_on_falls_on_its_days(
    #[case] schedules: Value,
    #[case] from: &str,
    #[case] to: &str,
    #[case] days: &[&str],
) {
    let policy = policy("UTC", &schedules);
    let found = times(&policy, &format!("{from}T00:00:00Z"), &format!("{to}T00:00:00Z"));
    let found: Vec<&str> = found.iter().map(|at| &at[8..10]).collect();
    assert_eq!(found, days);
}

/// An independent reading of the same rules: it walks through time and looks at the local clock at every step.
mod oracle {
    use jiff::SignedDuration;
    use jiff::civil::{DateTime, Weekday};
    use jiff::tz::TimeZone;
    use proptest::prelude::{Just, Strategy, any, prop_oneof};
    use proptest::sample::select;
    use proptest::test_runner::{Config, TestRunner};

    use super::*;

    const ZONES: [&str; 6] =
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"];
    const WEEKDAYS: [&str; 7] =
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    /// All clock changes of these zones since 1985 are whole quarters of an hour, and so are the times used here.
    const STEP: i64 = 15 * 60;
    const STEPS: i64 = 30 * 4;

    fn weekday_name(date: Date) -> &'static str {
        match date.weekday() {
            Weekday::Monday => "monday",
            Weekday::Tuesday => "tuesday",
            Weekday::Wednesday => "wednesday",
            Weekday::Thursday => "thursday",
            Weekday::Friday => "friday",
            Weekday::Saturday => "saturday",
            Weekday::Sunday => "sunday",
        }
    }

    /// The date as `(year, month, day)` counted by hand, and whether the schedule's JSON names it.
    fn names_day(schedule: &Value, date: Date) -> bool {
        let (day, weekday) = (i64::from(date.day()), weekday_name(date));
        let month = MONTHS[usize::try_from(date.month()).unwrap() - 1];
        let leap = date.year() % 4 == 0 && (date.year() % 100 != 0 || date.year() % 400 == 0);
        let length = match month {
            "february" if leap => 29,
            "february" => 28,
            "april" | "june" | "september" | "november" => 30,
            _ => 31,
        };
        let in_list =
            |list: &Value, name: &str| list.as_array().is_some_and(|list| list.contains(&json!(name)));
        if schedule["months"].is_array() && !in_list(&schedule["months"], month) {
            return false;
        }
        if schedule["month"].is_string() && schedule["month"] != json!(month) {
            return false;
        }
        let Some(on) = schedule["on"].as_str() else { return in_list(&schedule["on"], weekday) };
        match on {
            "every day" => true,
            "workdays" => !["saturday", "sunday"].contains(&weekday),
            "last day" => day == length,
            _ => match on.split_once(' ').unwrap() {
                ("day", n) => {
                    let n: i64 = n.parse().unwrap();
                    day == n || (day == length && n > length)
                }
                (nth, name) if name == weekday => match nth {
                    "first" => day <= 7,
                    "second" => (8..=14).contains(&day),
                    "third" => (15..=21).contains(&day),
                    "fourth" => (22..=28).contains(&day),
                    _ => day + 7 > length,
                },
                _ => false,
            },
        }
    }

    fn due_locally(schedules: &Value, local: DateTime) -> Flags {
        let clock = format!("{:02}:{:02}", local.hour(), local.minute());
        Flag::ALL
            .into_iter()
            .filter(|flag| {
                let schedule = &schedules[flag.schedule_name()];
                let at = schedule["at"].as_array().is_some_and(|at| at.contains(&json!(clock)));
                at && names_day(schedule, local.date())
            })
            .collect()
    }

    /// Every local quarter of an hour is due when the clock first shows it or a later one.
    fn walk(schedules: &Value, zone: &TimeZone, from: Timestamp) -> Vec<(Timestamp, Flags)> {
        let mut latest = zone.to_datetime(from - SignedDuration::from_secs(STEP));
        // Whatever the clock has shown in the two days before counts as shown.
        for back in 2..200 {
            latest = latest.max(zone.to_datetime(from - SignedDuration::from_secs(STEP * back)));
        }
        let mut found = Vec::new();
        for step in 0..STEPS {
            let at = from + SignedDuration::from_secs(STEP * step);
            let local = zone.to_datetime(at);
            let mut flags = Flags::NONE;
            while latest < local {
                latest += SignedDuration::from_secs(STEP);
                flags = due_locally(schedules, latest).iter().fold(flags, Flags::with);
            }
            if !flags.is_empty() {
                found.push((at, flags));
            }
        }
        found
    }

    fn at() -> impl Strategy<Value = Value> {
        // Hours around clock changes are as likely as all others together.
        let quarter = prop_oneof![0_u32..96, 0_u32..16];
        proptest::collection::btree_set(quarter, 1..4).prop_map(|quarters| {
            quarters.iter().map(|q| json!(format!("{:02}:{:02}", q / 4, q % 4 * 15))).collect()
        })
    }

    fn weekdays() -> impl Strategy<Value = Value> {
        proptest::sample::subsequence(WEEKDAYS.to_vec(), 1..=7).prop_map(|days| json!(days))
    }

    fn month_day() -> impl Strategy<Value = Value> {
        let nth = (select(vec!["first", "second", "third", "fourth", "last"]), select(WEEKDAYS.to_vec()));
        prop_oneof![
            nth.prop_map(|(nth, day)| json!(format!("{nth} {day}"))),
            (1..=31).prop_map(|n| json!(format!("day {n}"))),
            Just(json!("last day")),
        ]
    }

    fn schedules() -> impl Strategy<Value = Value> {
        let keep = json!({"days": 1});
        let daily = prop_oneof![Just(json!("every day")), Just(json!("workdays")), weekdays()];
        let months = proptest::sample::subsequence(MONTHS.to_vec(), 1..=12);
        let (k1, k2, k3, k4) = (keep.clone(), keep.clone(), keep.clone(), keep);
        (
            (at(), daily).prop_map(move |(at, on)| json!({"at": at, "on": on, "keep": k1})),
            (at(), weekdays()).prop_map(move |(at, on)| json!({"at": at, "on": on, "keep": k2})),
            (at(), month_day(), months)
                .prop_map(move |(at, on, months)| json!({"at": at, "on": on, "months": months, "keep": k3})),
            (at(), month_day(), select(MONTHS.to_vec()))
                .prop_map(move |(at, on, month)| json!({"at": at, "on": on, "month": month, "keep": k4})),
            any::<[bool; 4]>(),
        )
            .prop_map(|(daily, weekly, monthly, yearly, present)| {
                let all = [("daily", daily), ("weekly", weekly), ("monthly", monthly), ("yearly", yearly)];
                let kept = all.into_iter().zip(present).filter(|(_, present)| *present);
                Value::Object(kept.map(|((name, schedule), _)| (name.to_owned(), schedule)).collect())
            })
    }

    /// A quarter of an hour since 1985: anywhere, or in the day around a clock change.
    fn start(zone: &TimeZone, anywhere: i64, near_change: bool) -> Timestamp {
        let anywhere = Timestamp::from_second(anywhere * STEP).unwrap();
        let change = zone.following(anywhere).next().filter(|_| near_change);
        change.map_or(anywhere, |change| {
            let back = SignedDuration::from_secs(STEP * (anywhere.as_second() / STEP % (STEPS - 8)));
            change.timestamp() - back
        })
    }

    #[test]
    fn the_calendar_agrees_with_a_walk_through_time() {
        let cases = 10_000;
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let anywhere = 526_000_i64..2_100_000;
        let inputs = (select(ZONES.to_vec()), schedules(), anywhere, any::<bool>());
        let outcome = runner.run(&inputs, |(zone, schedules, anywhere, near_change)| {
            let policy = policy(zone, &schedules);
            let zone = policy.timezone.rules();
            let from = start(zone, anywhere, near_change);
            let to = from + SignedDuration::from_secs(STEP * STEPS);
            let walked = walk(&schedules, zone, from);
            let found: Vec<(Timestamp, Flags)> = occurrences(&policy, from..to).collect();
            assert_eq!(found, walked);
            for pair in walked.windows(2) {
                assert_eq!(next_after(&policy, pair[0].0), Some(pair[1]));
                assert_eq!(previous_before(&policy, pair[1].0), Some(pair[0]));
            }
            for (at, flags) in walked {
                assert_eq!(due(&policy, at), flags);
                assert_eq!(at, crate::time::whole_seconds(at));
            }
            Ok(())
        });
        outcome.unwrap();
    }
}
