//! How long AWS itself keeps a copy: always said, so that nothing is inherited by accident.
//!
//! A copy started without a lifecycle has its source's, and one that is never to be deleted keeps its source's deletion (AWS
//! Backup Developer Guide, "Creating backup copies"). Days count from the creation of the *source*.

use jiff::Timestamp;

use crate::retention::{End, LockConflict, VaultLock};

/// The most days that AWS Backup takes (API Reference, "Lifecycle"; "PutBackupVaultLockConfiguration").
pub const LONGEST: u32 = 36_500;

/// The lifecycle to start a copy with. Copies stay warm: they are there for the day when their source is lost, and a point in
/// cold storage comes back hours later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyLifecycle {
    /// AWS never deletes it; retention does.
    Never,
    /// AWS deletes it so many days after the creation of its source.
    DeleteAfterDays(u32),
}

impl CopyLifecycle {
    /// For a copy whose flags all end at `end`, of a source created then.
    ///
    /// In a locked vault only AWS can delete: whole days to the end, within the lock's bounds. Elsewhere dynachain's own
    /// retention ends the copy, and AWS is to leave it alone. Where the source has an end of its own (it lies in a locked
    /// vault, or somebody gave it one), "never" would bring that end along: only a later one keeps it off.
    ///
    /// # Errors
    /// When the lock's maximum is shorter than the copy is wanted: AWS would fail the job.
    pub fn of(
        lock: Option<VaultLock>,
        created_at: Timestamp,
        end: End,
        source_ends: bool,
    ) -> Result<Self, LockConflict> {
        let days = lock.map_or(Ok(None), |lock| lock.delete_after_days(created_at, end))?;
        Ok(match days {
            Some(days) => Self::DeleteAfterDays(days.min(LONGEST)),
            None if source_ends => Self::DeleteAfterDays(LONGEST),
            None => Self::Never,
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LOCK: VaultLock = VaultLock { min_days: Some(7), max_days: Some(365) };
    const OPEN_LOCK: VaultLock = VaultLock { min_days: None, max_days: None };

    #[rstest]
    #[case::retention_ends_it(None, Some("2025-02-05T06:00:00Z"), false, Ok(CopyLifecycle::Never))]
    #[case::for_ever(None, None, false, Ok(CopyLifecycle::Never))]
    #[case::the_sources_end_is_kept_off(
        None,
        Some("2025-02-05T06:00:00Z"),
        true,
        Ok(CopyLifecycle::DeleteAfterDays(36_500))
    )]
    #[case::for_ever_though_the_source_ends(None, None, true, Ok(CopyLifecycle::DeleteAfterDays(36_500)))]
    #[case::locked(Some(LOCK), Some("2025-02-05T06:00:00Z"), true, Ok(CopyLifecycle::DeleteAfterDays(30)))]
    #[case::raised_to_the_minimum(
        Some(LOCK),
        Some("2025-01-08T06:00:00Z"),
        false,
        Ok(CopyLifecycle::DeleteAfterDays(7))
    )]
    #[case::locked_for_ever(Some(OPEN_LOCK), None, false, Ok(CopyLifecycle::Never))]
    #[case::locked_for_ever_though_the_source_ends(
        Some(OPEN_LOCK),
        None,
        true,
        Ok(CopyLifecycle::DeleteAfterDays(36_500))
    )]
    #[case::longer_than_the_lock(Some(LOCK), Some("2026-02-05T06:00:00Z"), false, Err(LockConflict::TooLong { days: 395, max: 365 }))]
    #[case::for_ever_under_a_maximum(Some(LOCK), None, false, Err(LockConflict::Forever { max: 365 }))]
    fn a_copy_ends_by_retention_or_in_a_locked_vault_by_whole_days_from_its_sources_creation(
        #[case] lock: Option<VaultLock>,
        #[case] end: Option<&str>,
        #[case] source_ends: bool,
        #[case] lifecycle: Result<CopyLifecycle, LockConflict>,
    ) {
        let created = "2025-01-06T06:00:00Z".parse().unwrap();
        let end = end.map_or(End::Never, |end| End::At(end.parse().unwrap()));
        assert_eq!(CopyLifecycle::of(lock, created, end, source_ends), lifecycle);
    }
}
