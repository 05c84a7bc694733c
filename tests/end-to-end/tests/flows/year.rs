//! Sessions never lose a point, whatever fails meanwhile: stretches of a year that `make bench PARTS=year` lives through as a whole.

use end_to_end::year::{Figures, Year, live};
use jiff::civil::{Date, date};

/// So many of the jobs fail. Which ones follows from the order of calls, which is another in every run: what is asserted here
/// holds whatever it is, and the oracle looks at each point.
async fn lived(from: Date, until: Date, failing: f64) -> Figures {
    let year = Year { tables: 4, from, until, seed: 1, failing };
    let figures = live(year).await.expect("as the oracle says");
    let sessions = figures.occurrences - figures.owed;
    assert_eq!(figures.points + figures.failed, sessions * year.tables, "{figures:?}");
    assert!(figures.failed_jobs > 0 && figures.lost_events + figures.doubled_events > 0, "{figures:?}");
    figures
}

#[tokio::test(flavor = "multi_thread")]
async fn every_point_of_the_first_monday_is_there_or_reported() {
    // Of two attempts at each of 24 points, so many fail that some are lost for good.
    let figures = lived(date(2027, 1, 3), date(2027, 1, 6), 0.6).await;
    assert_eq!((figures.occurrences, figures.late, figures.owed), (6, 0, 0));
    assert!(figures.failed > 0, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_on_which_the_scheduler_is_silent_is_run_late() {
    let figures = lived(date(2027, 2, 28), date(2027, 3, 3), 0.4).await;
    assert_eq!((figures.occurrences, figures.late, figures.owed), (6, 2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nine_days_with_nothing_at_all_are_owed_once() {
    let figures = lived(date(2027, 7, 3), date(2027, 7, 14), 0.2).await;
    assert_eq!((figures.occurrences, figures.late, figures.owed), (22, 1, 17));
    assert!(figures.carriers >= 4, "every chain has lost its flags of the fifth: {figures:?}");
}
