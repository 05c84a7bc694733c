//! Locked vaults: AWS refuses every delete there, so AWS itself must end their points.

use jiff::{SignedDuration, Timestamp};

use super::End;

/// The bounds of an active vault lock (AWS Backup Developer Guide, "AWS Backup Vault Lock").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VaultLock {
    /// The shortest retention in days.
    pub min_days: Option<u32>,
    /// The longest retention in days.
    pub max_days: Option<u32>,
}

/// The lock does not allow the wanted retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockConflict {
    /// Kept for ever, where the lock has a maximum.
    #[error("the points would be kept for ever, and the vault's lock allows {max} days at most")]
    Forever {
        /// The lock's maximum in days.
        max: u32,
    },
    /// Kept too long.
    #[error("the points would be kept for {days} days, and the vault's lock allows {max} at most")]
    TooLong {
        /// Whole days to the latest end.
        days: u32,
        /// The lock's maximum in days.
        max: u32,
    },
}

impl VaultLock {
    /// The `DeleteAfterDays` of a backup that starts now: whole days to the latest end of its flags, raised to the lock's
    /// minimum. `None` keeps it for ever.
    ///
    /// # Errors
    /// When the lock's maximum is shorter: AWS would fail the job.
    pub fn delete_after_days(self, now: Timestamp, expires_at: End) -> Result<Option<u32>, LockConflict> {
        let End::At(end) = expires_at else {
            return self.max_days.map_or(Ok(None), |max| Err(LockConflict::Forever { max }));
        };
        let days = whole_days(end.duration_since(now)).max(self.min_days.unwrap_or(1));
        match self.max_days {
            Some(max) if days > max => Err(LockConflict::TooLong { days, max }),
            _ => Ok(Some(days)),
        }
    }
}

/// Days, rounded up and at least one: a point never ends before its flags do.
fn whole_days(left: SignedDuration) -> u32 {
    let seconds = left.as_secs().max(1);
    u32::try_from((seconds + 86_399) / 86_400).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::whole_days_are_rounded_up("2025-01-09T06:00:01Z", None, None, Ok(Some(4)))]
    #[case::an_exact_number_stays("2025-01-09T06:00:00Z", None, None, Ok(Some(3)))]
    #[case::the_minimum_lifts("2025-01-09T06:00:00Z", Some(7), Some(30), Ok(Some(7)))]
    #[case::the_maximum_just_fits("2025-02-05T06:00:00Z", None, Some(30), Ok(Some(30)))]
    #[case::the_maximum_refuses("2025-02-05T06:00:01Z", None, Some(30), Err(LockConflict::TooLong { days: 31, max: 30 }))]
    #[case::an_end_gone_by_is_a_day("2025-01-05T06:00:00Z", None, None, Ok(Some(1)))]
    fn a_locked_vault_gets_whole_days_within_its_bounds(
        #[case] end: Timestamp,
        #[case] min_days: Option<u32>,
        #[case] max_days: Option<u32>,
        #[case] days: Result<Option<u32>, LockConflict>,
    ) {
        let now = "2025-01-06T06:00:00Z".parse().unwrap();
        assert_eq!(VaultLock { min_days, max_days }.delete_after_days(now, End::At(end)), days);
    }

    #[test]
    fn for_ever_needs_a_lock_without_a_maximum() {
        let now = "2025-01-06T06:00:00Z".parse().unwrap();
        assert_eq!(VaultLock::default().delete_after_days(now, End::Never), Ok(None));
        let lock = VaultLock { min_days: None, max_days: Some(9) };
        assert_eq!(lock.delete_after_days(now, End::Never), Err(LockConflict::Forever { max: 9 }));
    }
}
