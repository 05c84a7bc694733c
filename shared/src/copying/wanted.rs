//! Which copies a point is to have.

use jiff::{SignedDuration, Timestamp};

use crate::chain::{Flags, PerFlag};
use crate::id::{RecoveryPointArn, VaultArn};
use crate::metadata::{Core, Digest};
use crate::retention::{Keep, Lifespan};

/// A copy is not queued any more, unless somebody asks for it, when its point is older: AWS Backup lists jobs of the last 30
/// days, and whoever looks further back cannot tell whether there was one.
pub const OLDEST: SignedDuration = SignedDuration::from_hours(25 * 24);

/// The target vaults that a point itself names, and where its copy would still be kept for a flag at `now`. A copy whose flags
/// have all ended would be removed at once: nobody wants it.
pub fn wanted(core: &Core, now: Timestamp) -> Vec<VaultArn> {
    let active = |target: &&VaultArn| !Lifespan::of_copy(core, target).active_flags(now).is_empty();
    core.copies.keys().filter(active).cloned().collect()
}

/// How long a copy of a point would be kept in a target that the point does not name, for those of its flags that the target
/// has and that would be active at `now`; `None` when there is nothing to copy for, or the point names the target itself.
pub fn backfilled(
    core: &Core,
    target: &VaultArn,
    keep: &PerFlag<Keep>,
    now: Timestamp,
) -> Option<PerFlag<Keep>> {
    let zone = core.policy.as_ref().map(|policy| policy.timezone.as_str())?;
    let keep = keep.only(core.flags());
    let active = Lifespan::counted(core.scheduled_at, zone, &keep, None).active_flags(now);
    (active != Flags::NONE && !core.copies.contains_key(target)).then_some(keep)
}

/// Whether a point is too old to be queued without being asked for.
pub fn is_too_old(created_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(created_at) > OLDEST
}

/// The idempotency token of one attempt at one copy: the same for every repeat of it, another for the next attempt.
pub fn token(source: &RecoveryPointArn, target: &VaultArn, attempt: u32) -> String {
    Digest::of(format!("{source}\n{target}\n{attempt}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::chain::Flag;
    use crate::metadata::core_tests::core;

    const TARGET: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";
    const OTHER: &str = "arn:aws:backup:us-east-1:111122223333:backup-vault:dynachain";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_copy_is_wanted_as_long_as_a_flag_of_it_would_be_active() {
        let target: [VaultArn; 1] = [TARGET.parse().unwrap()];
        assert_eq!(wanted(&core(), at("2025-01-06T06:05:00Z")), target);
        assert_eq!(wanted(&core(), at("2025-07-06T04:59:59Z")), target);
        assert_eq!(wanted(&core(), at("2025-07-06T05:00:00Z")), []);
        assert_eq!(wanted(&Core { copies: [].into(), ..core() }, at("2025-01-06T06:05:00Z")), []);
    }

    #[rstest]
    #[case::its_own_flags_only(OTHER, "2025-01-07T00:00:00Z", Some("{\"daily\":{\"days\":7}}"))]
    #[case::ended_meanwhile(OTHER, "2025-01-13T06:00:00Z", None)]
    #[case::named_already(TARGET, "2025-01-07T00:00:00Z", None)]
    fn a_backfill_copies_for_the_flags_that_the_point_has(
        #[case] target: &str,
        #[case] now: Timestamp,
        #[case] expected: Option<&str>,
    ) {
        let mut keep = PerFlag::default();
        keep.set(Flag::D, Keep::Days(7));
        keep.set(Flag::W, Keep::Days(70));
        let found = backfilled(&core(), &target.parse().unwrap(), &keep, now);
        assert_eq!(found.map(|keep| serde_json::to_string(&keep).unwrap()).as_deref(), expected);
    }

    #[test]
    fn a_point_is_too_old_after_25_days() {
        assert!(!is_too_old(at("2025-01-06T06:00:00Z"), at("2025-01-31T06:00:00Z")));
        assert!(is_too_old(at("2025-01-06T06:00:00Z"), at("2025-01-31T06:00:01Z")));
    }

    #[test]
    fn a_token_stands_for_one_attempt_at_one_copy() {
        let source = "arn:aws:backup:eu-central-1:111122223333:recovery-point:0b2f".parse().unwrap();
        let (target, other) = (TARGET.parse().unwrap(), OTHER.parse().unwrap());
        assert_eq!(token(&source, &target, 1), token(&source, &target, 1));
        assert_ne!(token(&source, &target, 1), token(&source, &target, 2));
        assert_ne!(token(&source, &target, 1), token(&source, &other, 1));
        assert_eq!(token(&source, &target, 1).len(), 64);
    }
}
