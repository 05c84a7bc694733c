//! The names of alarms that are made anew.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;

/// The longest name of an alarm, in characters (CloudWatch API Reference, `PutMetricAlarm`).
const LONGEST: usize = 255;

/// The new name of each alarm by its old one.
///
/// A table of the same name keeps the names of its alarms. For one of another name, the new name has the new table's name
/// where the old one had the old table's as a word of its own, and otherwise behind it: it is never a name that an alarm of
/// the old table has, nor one that two alarms get.
pub(super) fn of_alarms<'a>(
    old: impl Iterator<Item = &'a String> + Clone,
    place: &Place,
) -> BTreeMap<String, String> {
    let (source, target) = (place.source.name(), place.target.name());
    if source == target {
        return old.map(|name| (name.clone(), name.clone())).collect();
    }
    let mut taken: BTreeSet<String> = old.clone().cloned().collect();
    let mut names = BTreeMap::new();
    for name in old {
        let new = free(name, source, target, &taken);
        taken.insert(new.clone());
        names.insert(name.clone(), new);
    }
    names
}

/// The first of the names that the alarm could get which nobody has.
fn free(name: &str, source: &str, target: &str, taken: &BTreeSet<String>) -> String {
    let renamed = replace_word(name, source, target).map(|name| cut(&name, ""));
    let numbered = (2_u32..).map(|number| format!(" ({target} {number})"));
    let endings = std::iter::once(format!(" ({target})")).chain(numbered);
    let mut all = renamed.into_iter().chain(endings.map(|ending| cut(name, &ending)));
    all.find(|name| !taken.contains(name)).unwrap_or_else(|| name.to_owned())
}

/// The text with this ending, its own end cut off as far as both are too long for a name.
fn cut(text: &str, ending: &str) -> String {
    let room = LONGEST.saturating_sub(ending.chars().count());
    text.chars().take(room).chain(ending.chars()).collect()
}

/// The text with a word in another's place; `None` when it does not have it. A word ends where no letter or digit follows.
fn replace_word(text: &str, word: &str, other: &str) -> Option<String> {
    let mut replaced = String::new();
    let (mut copied, mut from) = (0, 0);
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(word)) {
        let (start, end) = (from + found, from + found + word.len());
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        if [before, after].into_iter().flatten().any(char::is_alphanumeric) {
            from = start + text[start..].chars().next().map_or(1, char::len_utf8);
        } else {
            replaced.push_str(&text[copied..start]);
            replaced.push_str(other);
            (copied, from) = (end, end);
        }
    }
    replaced.push_str(&text[copied..]);
    (copied > 0).then_some(replaced)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn place(target: &str) -> Place {
        let arn = |name: &str| format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{name}").parse();
        Place { source: arn("orders").unwrap(), target: arn(target).unwrap() }
    }

    fn renamed(old: &[&str], target: &str) -> Vec<String> {
        let old: Vec<String> = old.iter().map(|name| (*name).to_owned()).collect();
        let names = of_alarms(old.iter(), &place(target));
        old.iter().map(|name| names[name].clone()).collect()
    }

    #[rstest]
    #[case::at_the_start("orders-throttles", "orders-2-throttles")]
    #[case::at_the_end("throttles of orders", "throttles of orders-2")]
    #[case::alone("orders", "orders-2")]
    #[case::in_a_path("prod/orders/reads", "prod/orders-2/reads")]
    #[case::twice("orders: errors of orders", "orders-2: errors of orders-2")]
    #[case::within_a_word("reorders", "reorders (orders-2)")]
    #[case::within_one_and_by_itself("reorders of orders", "reorders of orders-2")]
    #[case::before_a_letter("orders2", "orders2 (orders-2)")]
    #[case::beside_a_letter_of_any_script("ördersä orders", "ördersä orders-2")]
    #[case::not_at_all("Too slow", "Too slow (orders-2)")]
    fn a_name_with_the_old_tables_as_a_word_has_the_new_tables_there(#[case] old: &str, #[case] new: &str) {
        assert_eq!(renamed(&[old], "orders-2"), [new]);
    }

    #[test]
    fn a_table_of_the_same_name_keeps_the_names_of_its_alarms() {
        assert_eq!(renamed(&["orders", "slow"], "orders"), ["orders", "slow"]);
    }

    #[test]
    fn a_name_that_is_taken_is_not_taken_again() {
        let old = ["copy slow", "orders slow", "slow", "slow (orders)"];
        let new = ["copy slow (copy)", "orders slow (copy)", "slow (copy)", "slow (orders) (copy)"];
        assert_eq!(renamed(&old, "copy"), new);
    }

    #[test]
    fn a_name_that_gets_too_long_is_cut() {
        let long = "ä".repeat(255);
        let new = &renamed(&[&long], "orders-2")[0];
        assert!(new.ends_with("ä (orders-2)"), "{new}");
        assert_eq!(new.chars().count(), 255);
    }

    proptest! {
        #[test]
        fn no_new_name_is_an_old_one_or_given_twice_and_all_fit(
            old in prop::collection::btree_set("(orders|copy|slow|[ -/()]|ä){1,60}", 1..8),
            target in "orders-2|copy|slow|orders[.]orders",
        ) {
            let names = of_alarms(old.iter(), &place(&target));
            prop_assert!(names.keys().eq(old.iter()));
            let new: BTreeSet<_> = names.values().collect();
            prop_assert_eq!(new.len(), old.len());
            prop_assert!(new.iter().all(|name| !old.contains(*name) && name.chars().count() <= 255));
        }
    }
}
