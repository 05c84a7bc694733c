use rstest::rstest;

use super::*;
use crate::state::samples;

const LOCK: Lock = Lock { min_days: Some(7), max_days: Some(30), date: None };

fn vault(lock: Option<Lock>) -> Vault {
    Vault { lock, ..samples::vault() }
}

fn keep(days: i64) -> Option<Lifecycle> {
    Some(Lifecycle { cold_after: None, delete_after: Some(days) })
}

#[rstest]
#[case::shortest(Some(LOCK), keep(7), true)]
#[case::longest(Some(LOCK), keep(30), true)]
#[case::too_short(Some(LOCK), keep(6), false)]
#[case::too_long(Some(LOCK), keep(31), false)]
#[case::for_ever(Some(LOCK), None, false)]
#[case::no_maximum(Some(Lock { max_days: None, ..LOCK }), None, true)]
#[case::no_minimum(Some(Lock { min_days: None, ..LOCK }), keep(1), true)]
#[case::no_lock(None, keep(1), true)]
fn a_lock_bounds_the_retention_of_new_points(
    #[case] lock: Option<Lock>,
    #[case] lifecycle: Option<Lifecycle>,
    #[case] good: bool,
) {
    let admitted = vault(lock).admit("Copy", lifecycle.as_ref(), 0);
    let message = "Copy job failed. The retention specified in the job is not within the range specified for the target \
                   Backup Vault.";
    let refused = Err(Failure::new("INVALID_LIFECYCLE", message));
    assert_eq!(admitted, if good { Ok(()) } else { refused });
}

#[test]
fn a_job_into_a_vault_with_1_000_000_points_fails() {
    let admit = |points| vault(None).admit("Backup", None, points);
    assert_eq!(admit(999_999), Ok(()));
    assert_eq!(admit(1_000_000).unwrap_err().category, "LIMIT_EXCEEDED");
}

#[test]
fn a_compliance_lock_is_immutable_from_its_lock_date_on() {
    let date: Timestamp = "2025-01-09T06:00:00Z".parse().unwrap();
    let second = jiff::SignedDuration::from_secs(1);
    let compliance = Lock { date: Some(date), ..LOCK };
    assert!(!compliance.is_immutable(date - second));
    assert!(compliance.is_immutable(date) && compliance.is_immutable(date + second));
    assert!(!LOCK.is_immutable(Timestamp::MAX));
}
