//! When the flags of one point end, and so the point itself.

use jiff::Timestamp;

use super::{End, Keep};
use crate::chain::{Flag, Flags, PerFlag};
use crate::id::VaultArn;
use crate::metadata::Core;
use crate::policy::Zone;

/// When each flag of a point ends, and what the point's life ends with. The empty one is of a point that nothing keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifespan {
    flags: Vec<(Flag, End)>,
    /// By the `keep` of a session started by hand.
    own_end: Option<End>,
    /// By an extension.
    extended_until: Option<End>,
}

impl Lifespan {
    /// Of a point in its home vault.
    pub fn of_regular(core: &Core) -> Self {
        Self::of_core(core, &core.keep, core.own_keep)
    }

    /// Of its copy in a target vault: the flags that the target names, counted from the source's scheduled moment.
    pub fn of_copy(core: &Core, target: &VaultArn) -> Self {
        match core.copies.get(target) {
            Some(plan) => Self::of_core(core, &plan.keep, None),
            None => Self { own_end: Some(End::Never), ..Self::default() },
        }
    }

    fn of_core(core: &Core, keep: &PerFlag<Keep>, own_keep: Option<Keep>) -> Self {
        let timezone = core.policy.as_ref().map_or("UTC", |policy| policy.timezone.as_str());
        Self { extended_until: core.until, ..Self::counted(core.scheduled_at, timezone, keep, own_keep) }
    }

    /// Of a point scheduled for `from`, in an IANA time zone. In a zone that the time-zone database does not know nothing
    /// ends: nothing is deleted on doubt.
    pub fn counted(from: Timestamp, timezone: &str, keep: &PerFlag<Keep>, own_keep: Option<Keep>) -> Self {
        let zone = Zone::named(timezone);
        let end = |keep: Keep| zone.as_ref().map_or(End::Never, |zone| keep.end(from, zone.rules()));
        let flags = keep.iter().map(|(flag, keep)| (flag, end(*keep))).collect();
        Self { flags, own_end: own_keep.map(end), extended_until: None }
    }

    /// The point's flags.
    pub fn flags(&self) -> Flags {
        self.flags.iter().map(|(flag, _)| *flag).collect()
    }

    /// The flags still active at `now`.
    pub fn active_flags(&self, now: Timestamp) -> Flags {
        self.flags.iter().filter(|(_, end)| end.is_active(now)).map(|(flag, _)| *flag).collect()
    }

    /// The flags with the end of each, daily first.
    pub fn ends(&self) -> impl Iterator<Item = (Flag, End)> {
        self.flags.iter().copied()
    }

    /// The end by the `keep` of a session started by hand.
    pub fn end_by_hand(&self) -> Option<End> {
        self.own_end
    }

    /// The end by an extension.
    pub fn extended_until(&self) -> Option<End> {
        self.extended_until
    }

    /// Whether an end that no flag gives is still to come at `now`.
    pub fn is_extended(&self, now: Timestamp) -> bool {
        self.own_end.max(self.extended_until).is_some_and(|end| end.is_active(now))
    }

    /// The latest of the ends.
    pub fn expires_at(&self) -> Option<End> {
        self.ends().map(|(_, end)| end).chain(self.own_end).chain(self.extended_until).max()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::metadata::core_tests::core;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_point_drops_its_flags_one_by_one_and_ends_with_the_last() {
        let lifespan = Lifespan::of_regular(&core());
        assert_eq!(lifespan.flags(), [Flag::D, Flag::M].into_iter().collect());
        assert_eq!(lifespan.active_flags(at("2025-01-09T05:59:59Z")), lifespan.flags());
        assert_eq!(lifespan.active_flags(at("2025-01-09T06:00:00Z")), [Flag::M].into_iter().collect());
        assert_eq!(lifespan.active_flags(at("2025-07-06T05:00:00Z")), Flags::NONE);
        assert_eq!(lifespan.expires_at(), Some(End::At(at("2025-07-06T05:00:00Z"))));
    }

    #[test]
    fn a_point_kept_by_hand_has_no_flag_and_ends_by_its_own_keep() {
        let core = Core { keep: PerFlag::default(), own_keep: Some(Keep::Days(2)), ..core() };
        let lifespan = Lifespan::of_regular(&core);
        assert_eq!(lifespan.flags(), Flags::NONE);
        assert_eq!(lifespan.expires_at(), Some(End::At(at("2025-01-08T06:00:00Z"))));
    }

    #[rstest]
    #[case::longer("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")]
    #[case::shorter_changes_nothing("2025-02-01T00:00:00Z", "2025-07-06T05:00:00Z")]
    fn an_extension_governs_where_it_is_the_latest_end(#[case] until: Timestamp, #[case] expires_at: &str) {
        let core = Core { until: Some(End::At(until)), ..core() };
        let lifespan = Lifespan::of_regular(&core);
        assert_eq!(lifespan.expires_at(), Some(End::At(at(expires_at))));
        assert_eq!(lifespan.flags(), core.flags(), "it is no flag");
        assert!(lifespan.is_extended(at("2025-01-31T23:59:59Z")));
        assert!(!lifespan.is_extended(until));
        let target = core.copies.keys().next().unwrap();
        assert_eq!(Lifespan::of_copy(&core, target).expires_at(), Some(End::At(at(expires_at))));
    }

    #[test]
    fn a_zone_nobody_knows_ends_nothing() {
        let mut core = core();
        core.policy.as_mut().unwrap().timezone = "Mars/Olympus".to_owned();
        assert_eq!(Lifespan::of_regular(&core).expires_at(), Some(End::Never));
    }
}
