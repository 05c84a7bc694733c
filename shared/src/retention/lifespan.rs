//! When the flags of one point end, and so the point itself.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{End, Keep};
use crate::chain::{Flag, Flags, PerFlag};
use crate::id::VaultArn;
use crate::metadata::Core;

/// When each flag of a point ends, and what the point's life ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifespan {
    flags: Vec<(Flag, End)>,
    own_end: Option<End>,
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
            None => Self { flags: Vec::new(), own_end: Some(End::Never) },
        }
    }

    fn of_core(core: &Core, keep: &PerFlag<Keep>, own_keep: Option<Keep>) -> Self {
        let timezone = core.policy.as_ref().map_or("UTC", |policy| policy.timezone.as_str());
        Self::counted(core.scheduled_at, timezone, keep, own_keep)
    }

    /// Of a point scheduled for `from`, in an IANA time zone. In a zone that the time-zone database does not know nothing
    /// ends: nothing is deleted on doubt.
    pub fn counted(from: Timestamp, timezone: &str, keep: &PerFlag<Keep>, own_keep: Option<Keep>) -> Self {
        let zone = TimeZone::get(timezone).ok();
        let end = |keep: Keep| zone.as_ref().map_or(End::Never, |zone| keep.end(from, zone));
        let flags = keep.iter().map(|(flag, keep)| (flag, end(*keep))).collect();
        Self { flags, own_end: own_keep.map(end) }
    }

    /// The point's flags.
    pub fn flags(&self) -> Flags {
        self.flags.iter().map(|(flag, _)| *flag).collect()
    }

    /// The flags still active at `now`.
    pub fn active_flags(&self, now: Timestamp) -> Flags {
        self.flags.iter().filter(|(_, end)| end.is_active(now)).map(|(flag, _)| *flag).collect()
    }

    /// The latest of the ends.
    pub fn expires_at(&self) -> Option<End> {
        self.flags.iter().map(|(_, end)| *end).chain(self.own_end).max()
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_zone_nobody_knows_ends_nothing() {
        let mut core = core();
        core.policy.as_mut().unwrap().timezone = "Mars/Olympus".to_owned();
        assert_eq!(Lifespan::of_regular(&core).expires_at(), Some(End::Never));
    }
}
