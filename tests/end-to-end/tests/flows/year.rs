//! Sessions never lose a point, whatever fails meanwhile. `make bench` lives through the whole year over 20 tables.

use end_to_end::year::{Year, live};
use jiff::civil::date;

/// Ten days of jobs that often fail, from the year's first to the first Monday's successor and beyond.
#[tokio::test(flavor = "multi_thread")]
async fn of_days_with_failing_jobs_and_lost_events_every_point_is_there_or_reported() {
    let year = Year { tables: 4, from: date(2027, 1, 3), until: date(2027, 1, 6), seed: 1, failing: 0.4 };
    let figures = live(year).await.expect("as the oracle says");
    assert_eq!(figures.occurrences, 6);
    assert_eq!(figures.points + figures.failed, 24, "{figures:?}");
}
