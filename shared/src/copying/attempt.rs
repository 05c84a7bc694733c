//! What follows from a copy job that failed.

use jiff::{SignedDuration, Timestamp};

/// What there was no room for is tried again so much later: nothing has failed.
pub const LATER: SignedDuration = SignedDuration::from_mins(5);
/// The first further attempt comes so long after a failure, each one after that twice as long.
const FIRST: SignedDuration = SignedDuration::from_mins(10);
/// No pause between two attempts is longer.
const MOST: SignedDuration = SignedDuration::from_hours(6);

/// What becomes of a copy whose attempt has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, not before this moment.
    Again(Timestamp),
    /// No further attempt: they are used up.
    UsedUp,
    /// No further attempt: time is up.
    Overdue,
}

/// What follows when so many attempts have failed in all, of which a policy allows one and `retries` more, at a copy that is
/// wanted since `queued_at` and given up after some days.
pub fn after_failure(
    failures: u32,
    retries: u32,
    queued_at: Timestamp,
    deadline_days: u32,
    now: Timestamp,
) -> Next {
    if failures > retries {
        return Next::UsedUp;
    }
    if is_overdue(queued_at, deadline_days, now) {
        return Next::Overdue;
    }
    let doublings = failures.saturating_sub(1).min(16);
    let pause = FIRST.checked_mul(1 << doublings).unwrap_or(MOST).min(MOST);
    Next::Again(now.checked_add(pause).unwrap_or(now))
}

/// Whether a copy that is wanted since a moment is given up at `now`.
pub fn is_overdue(queued_at: Timestamp, deadline_days: u32, now: Timestamp) -> bool {
    now.duration_since(queued_at) > SignedDuration::from_hours(24 * i64::from(deadline_days))
}

/// Whether a copy job failed because another job of the table, or too many jobs, ran for too long: AWS Backup had no room for
/// it, and it tells nothing against the copy (AWS Backup Developer Guide, "AWS Backup console dashboards": CONCURRENT_JOB,
/// LIMIT_EXCEEDED).
pub fn too_many_jobs(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["too many copy jobs", "running job for the same resource", "concurrent copy jobs", "maximum concurrent"]
        .iter()
        .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const QUEUED: &str = "2025-01-06T06:00:00Z";

    #[rstest]
    #[case::first(1, 3, "2025-01-06T07:00:00Z", Next::Again(at("2025-01-06T07:10:00Z")))]
    #[case::second(2, 3, "2025-01-06T07:00:00Z", Next::Again(at("2025-01-06T07:20:00Z")))]
    #[case::third(3, 3, "2025-01-06T07:00:00Z", Next::Again(at("2025-01-06T07:40:00Z")))]
    #[case::used_up(4, 3, "2025-01-06T07:00:00Z", Next::UsedUp)]
    #[case::no_retries(1, 0, "2025-01-06T07:00:00Z", Next::UsedUp)]
    #[case::never_longer_than_six_hours(
        9,
        10,
        "2025-01-06T07:00:00Z",
        Next::Again(at("2025-01-06T13:00:00Z"))
    )]
    #[case::on_the_last_day(1, 3, "2025-01-13T06:00:00Z", Next::Again(at("2025-01-13T06:10:00Z")))]
    #[case::overdue(1, 3, "2025-01-13T06:00:01Z", Next::Overdue)]
    fn a_failure_is_followed_by_a_longer_pause_until_attempts_or_days_are_used_up(
        #[case] failures: u32,
        #[case] retries: u32,
        #[case] now: Timestamp,
        #[case] next: Next,
    ) {
        assert_eq!(after_failure(failures, retries, at(QUEUED), 7, now), next);
    }

    #[rstest]
    #[case("There are too many copy jobs running for resource.", true)]
    #[case("Backup job failed because there was a running job for the same resource.", true)]
    #[case("There are 100 concurrent copy jobs to this Region already.", true)]
    #[case("KMS key is either disabled or pending deletion", false)]
    fn want_of_room_is_told_from_failure(#[case] message: &str, #[case] no_room: bool) {
        assert_eq!(too_many_jobs(message), no_room);
    }

    proptest! {
        #[test]
        fn attempts_end_whatever_the_policy_allows(retries in 0_u32..=10, days in 1_u32..=25) {
            let (mut now, mut made) = (at(QUEUED), 0);
            loop {
                made += 1;
                match after_failure(made, retries, at(QUEUED), days, now) {
                    Next::Again(later) => {
                        prop_assert!(later > now && later.duration_since(now) <= MOST);
                        now = later;
                    }
                    Next::UsedUp | Next::Overdue => break,
                }
            }
            prop_assert!(made <= retries + 1);
        }
    }
}
