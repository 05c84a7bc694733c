use rstest::rstest;

use super::*;

/// The next moments after one, in a zone.
fn moments(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let expression = Expression::parse(expression).unwrap();
    let zone = TimeZone::get(zone).unwrap();
    let mut after: Timestamp = after.parse().unwrap();
    let anchor = after;
    let mut found = Vec::new();
    while found.len() < count
        && let Some(next) = expression.next(after, &zone, anchor)
    {
        found.push(next.to_string());
        after = next;
    }
    found
}

#[rstest]
#[case::berlin_winter("cron(0 7 * * ? *)", "Europe/Berlin", "2025-01-05T12:00:00Z", &["2025-01-06T06:00:00Z", "2025-01-07T06:00:00Z"])]
#[case::spring_forward_moves_the_utc_time("cron(0 7 * * ? *)", "Europe/Berlin", "2025-03-29T05:00:00Z", &["2025-03-29T06:00:00Z", "2025-03-30T05:00:00Z"])]
#[case::a_skipped_local_time_is_skipped("cron(30 2 * * ? *)", "Europe/Berlin", "2025-03-29T00:00:00Z", &["2025-03-29T01:30:00Z", "2025-03-31T00:30:00Z"])]
#[case::the_edges_of_the_gap_fire("cron(0 2,3 * * ? *)", "Europe/Berlin", "2025-03-30T00:00:00Z", &["2025-03-30T01:00:00Z", "2025-03-31T00:00:00Z"])]
#[case::a_doubled_local_time_fires_once("cron(30 2 * * ? *)", "Europe/Berlin", "2025-10-25T12:00:00Z", &["2025-10-26T00:30:00Z", "2025-10-27T01:30:00Z"])]
#[case::also_asked_between_the_two("cron(30 2 * * ? *)", "Europe/Berlin", "2025-10-26T00:45:00Z", &["2025-10-27T01:30:00Z"])]
#[case::an_hourly_one_fires_once_in_the_doubled_hour("cron(0 * * * ? *)", "Europe/Berlin", "2025-10-25T23:30:00Z", &["2025-10-26T00:00:00Z", "2025-10-26T02:00:00Z"])]
#[case::utc_knows_no_change("cron(30 2 * * ? *)", "UTC", "2025-03-29T12:00:00Z", &["2025-03-30T02:30:00Z", "2025-03-31T02:30:00Z"])]
#[case::kathmandu("cron(0 7 * * ? *)", "Asia/Kathmandu", "2025-01-06T00:00:00Z", &["2025-01-06T01:15:00Z", "2025-01-07T01:15:00Z"])]
#[case::a_day_that_a_zone_skipped("cron(0 7 * * ? *)", "Pacific/Apia", "2011-12-29T00:00:00Z", &["2011-12-29T17:00:00Z", "2011-12-30T17:00:00Z"])]
#[case::lists_ranges_steps("cron(0/20 8-9,23 ? * MON-FRI *)", "UTC", "2025-01-03T09:30:00Z", &["2025-01-03T09:40:00Z", "2025-01-03T23:00:00Z", "2025-01-03T23:20:00Z", "2025-01-03T23:40:00Z", "2025-01-06T08:00:00Z"])]
#[case::days_of_the_week_count_from_sunday("cron(0 0 ? * 1 *)", "UTC", "2025-01-01T00:00:00Z", &["2025-01-05T00:00:00Z"])]
#[case::last_day_of_february("cron(0 0 L 2 ? *)", "UTC", "2023-03-01T00:00:00Z", &["2024-02-29T00:00:00Z", "2025-02-28T00:00:00Z"])]
#[case::the_31st_only_where_there_is_one("cron(0 0 31 * ? *)", "UTC", "2025-03-31T00:00:00Z", &["2025-05-31T00:00:00Z"])]
#[case::workday_near_saturday_the_first("cron(0 0 1W * ? *)", "UTC", "2025-02-04T00:00:00Z", &["2025-03-03T00:00:00Z", "2025-04-01T00:00:00Z"])]
#[case::workday_near_sunday("cron(0 0 15W 6 ? *)", "UTC", "2025-01-01T00:00:00Z", &["2025-06-16T00:00:00Z"])]
#[case::last_workday("cron(0 0 LW 8 ? *)", "UTC", "2025-01-01T00:00:00Z", &["2025-08-29T00:00:00Z"])]
#[case::first_monday("cron(0 7 ? JAN,MAR MON#1 *)", "UTC", "2025-01-01T00:00:00Z", &["2025-01-06T07:00:00Z", "2025-03-03T07:00:00Z"])]
#[case::last_friday("cron(0 7 ? * 6L *)", "UTC", "2025-01-01T00:00:00Z", &["2025-01-31T07:00:00Z", "2025-02-28T07:00:00Z"])]
#[case::years_end("cron(0 0 1 1 ? 2025-2026)", "UTC", "2025-01-01T00:00:00Z", &["2026-01-01T00:00:00Z"])]
#[case::never("cron(0 0 30 2 ? *)", "UTC", "2025-01-01T00:00:00Z", &[])]
#[case::at("at(2025-06-15T10:30:00)", "Europe/Berlin", "2025-01-01T00:00:00Z", &["2025-06-15T08:30:00Z"])]
#[case::at_in_the_gap("at(2025-03-30T02:30:00)", "Europe/Berlin", "2025-01-01T00:00:00Z", &[])]
#[case::at_is_over("at(2025-06-15T10:30:00)", "UTC", "2025-06-15T10:30:00Z", &[])]
fn fires_at_these_moments(
    #[case] expression: &str,
    #[case] zone: &str,
    #[case] after: &str,
    #[case] expected: &[&str],
) {
    let found = moments(expression, zone, after, expected.len().max(1));
    assert_eq!(found, expected);
}

#[rstest]
#[case::counted_from_the_anchor(
    "rate(15 minutes)",
    "2025-01-01T00:05:00Z",
    "2025-01-01T00:00:00Z",
    "2025-01-01T00:15:00Z"
)]
#[case::strictly_after(
    "rate(1 hour)",
    "2025-01-01T01:00:00Z",
    "2025-01-01T00:00:00Z",
    "2025-01-01T02:00:00Z"
)]
#[case::at_the_anchor("rate(1 day)", "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z")]
#[case::before_the_anchor(
    "rate(15 minutes)",
    "2024-12-31T23:50:00Z",
    "2025-01-01T00:00:00Z",
    "2025-01-01T00:00:00Z"
)]
#[case::between_seconds(
    "rate(1 minute)",
    "2025-01-01T00:00:59.5Z",
    "2025-01-01T00:00:00Z",
    "2025-01-01T00:01:00Z"
)]
#[case::a_fraction_before_the_anchor(
    "rate(1 minute)",
    "2024-12-31T23:59:59.5Z",
    "2025-01-01T00:00:00Z",
    "2025-01-01T00:00:00Z"
)]
fn a_rate_counts_from_its_anchor(
    #[case] expression: &str,
    #[case] after: &str,
    #[case] anchor: &str,
    #[case] next: &str,
) {
    let expression = Expression::parse(expression).unwrap();
    let found = expression.next(after.parse().unwrap(), &TimeZone::UTC, anchor.parse().unwrap());
    assert_eq!(found.unwrap().to_string(), next);
}

#[rstest]
#[case("every(5)", "neither cron")]
#[case("cron(0 7 * * ?)", "has 5 fields")]
#[case("cron(0 7 * * * *)", "needs ? in one")]
#[case("cron(0 7 ? * ? *)", "? in both")]
#[case("cron(60 7 * * ? *)", "\"60\" is not within 0 to 59")]
#[case("cron(0 7 ? * MON#6 *)", "\"6\" is not within 1 to 5")]
#[case("cron(0 9-7 * * ? *)", "runs backwards")]
#[case("cron(0 */0 * * ? *)", "\"0\" is not within")]
#[case("rate(0 minutes)", "positive")]
#[case("rate(1 minutes)", "unit \"minutes\"")]
#[case("rate(2 hour)", "unit \"hour\"")]
#[case("rate(5 weeks)", "unit \"weeks\"")]
#[case("at(yesterday)", "at(yesterday)")]
fn what_aws_does_not_take_is_an_error(#[case] expression: &str, #[case] said: &str) {
    let error = Expression::parse(expression).unwrap_err().to_string();
    assert!(error.contains(said), "{error}");
}
