//! Restamping: what a point's core would say if the policy were as it is now.

use crate::chain::PerFlag;
use crate::metadata::Core;
use crate::policy::Document;

use super::Keep;

/// The core as the policy would have it in this version: its zone, its floor, and its keep for every flag that the point
/// has and the policy has a schedule for; the same for the point's copies in every target that the policy still names.
///
/// A flag or a target that the policy no longer has keeps the point as long as before, and no point gets a flag that it did
/// not have. A point that a session started by hand keeps (`own_keep`), and an extension, stay as they are. Where nothing
/// else changes the version does not either.
#[must_use]
pub fn restamped(core: &Core, version: u64, document: &Document) -> Core {
    let mut restamped = core.clone();
    let schedules = &document.schedules;
    set(&mut restamped.keep, |flag| schedules.get(flag).map(|schedule| schedule.keep));
    for (target, plan) in &mut restamped.copies {
        if let Some(named) = document.copies.iter().find(|named| named.vault == *target) {
            set(&mut plan.keep, |flag| named.keep.get(flag).copied());
        }
    }
    restamped.keep_last = document.keep_last;
    if let Some(stamp) = &mut restamped.policy {
        document.timezone.name().clone_into(&mut stamp.timezone);
    }
    if restamped != *core
        && let Some(stamp) = &mut restamped.policy
    {
        stamp.version = version;
    }
    restamped
}

/// Replaces what is said for flags that are there already.
fn set(keeps: &mut PerFlag<Keep>, now: impl Fn(crate::chain::Flag) -> Option<Keep>) {
    for flag in keeps.flags().iter() {
        if let Some(keep) = now(flag) {
            keeps.set(flag, keep);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::chain::Flag;
    use crate::metadata::core_tests::core;
    use crate::retention::{End, Lifespan};

    const TARGET: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";

    fn document(more: &Value) -> Document {
        let mut document = json!({
            "name": "orders", "timezone": "Europe/Berlin", "scope": {"all": true}, "keep_last": 1,
            "schedules": {"daily": {"at": "07:00", "on": "every day", "keep": {"days": 5}}},
        });
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn flags_that_the_policy_still_has_get_its_keep_and_no_flag_comes_or_goes() {
        let restamped = restamped(&core(), 9, &document(&json!({})));
        assert_eq!(restamped.keep.daily, Some(Keep::Days(5)));
        assert_eq!(restamped.keep.monthly, core().keep.monthly);
        assert_eq!(restamped.flags(), core().flags());
        assert_eq!(restamped.policy.unwrap().version, 9);
        assert_eq!(restamped.copies, core().copies, "the policy does not name the target any more");
    }

    #[test]
    fn copies_get_the_keep_of_their_target() {
        let copies = json!({"copies": [{"vault": TARGET, "keep": {"daily": {"days": 90}}}]});
        let restamped = restamped(&core(), 9, &document(&copies));
        let target = TARGET.parse().unwrap();
        assert_eq!(restamped.copies[&target].keep.get(Flag::D), Some(&Keep::Days(90)));
        assert_eq!(restamped.copies[&target].keep.get(Flag::M), Some(&Keep::Months(6)));
        let end = Lifespan::of_copy(&restamped, &target).ends().next().unwrap().1;
        assert_eq!(end, End::At("2025-04-06T05:00:00Z".parse().unwrap()));
    }

    #[test]
    fn where_nothing_changes_nothing_is_stamped() {
        let daily = json!({"daily": {"at": "09:00", "on": "every day", "keep": {"days": 3}}});
        let same = document(&json!({"schedules": daily}));
        assert_eq!(restamped(&core(), 9, &same), core());
        assert_ne!(restamped(&core(), 9, &document(&json!({"schedules": daily, "keep_last": 2}))), core());
        assert_ne!(restamped(&core(), 9, &document(&json!({"schedules": daily, "timezone": "UTC"}))), core());
    }

    #[test]
    fn extensions_and_keeps_by_hand_stay() {
        let by_hand = Core { own_keep: Some(Keep::Days(2)), until: Some(End::Never), ..core() };
        let restamped = restamped(&by_hand, 9, &document(&json!({})));
        assert_eq!((restamped.own_keep, restamped.until), (by_hand.own_keep, by_hand.until));
    }
}
