//! Tags in a policy document, by the rules all AWS services share (AWS Tagging Resources User Guide, "Best practices").

use std::collections::BTreeMap;

use super::reader::Spot;

/// How many tags of its own a policy may give to its recovery points.
pub(super) const MOST: usize = 5;

/// Tags that recovery points get besides dynachain's own: at most five, none with a reserved prefix.
pub(super) fn read_own(spot: &Spot<'_>) -> Option<BTreeMap<String, String>> {
    let members = spot.map("an object of tags, such as {\"cost-center\": \"42\"}")?;
    let too_many = members.len() > MOST;
    if too_many {
        spot.note(format!("has {} tags, at most {MOST} are possible", members.len()));
    }
    let mut sound = !too_many;
    for member in members.iter() {
        let lower = member.name.to_lowercase();
        if let Some(reserved) = ["aws:", "dynachain:"].into_iter().find(|prefix| lower.starts_with(prefix)) {
            member.spot.note(format!("the prefix {reserved:?} is reserved; choose another key"));
            sound = false;
        }
    }
    read(spot).filter(|_| sound)
}

/// Pairs of tag key and value.
pub(super) fn read(spot: &Spot<'_>) -> Option<BTreeMap<String, String>> {
    let members = spot.map("an object of tags, such as {\"backup\": \"gold\"}")?;
    let mut tags = BTreeMap::new();
    let mut sound = true;
    for member in members.iter() {
        let key_problem = problem("key", member.name, 1..=128);
        let value = member.spot.text("the tag's value, a text");
        let value_problem = value.and_then(|value| problem("value", value, 0..=256));
        for message in [key_problem, value_problem].into_iter().flatten() {
            member.spot.note(message);
            sound = false;
        }
        match value {
            Some(value) => drop(tags.insert(member.name.to_owned(), value.to_owned())),
            None => sound = false,
        }
    }
    sound.then_some(tags)
}

fn problem(what: &str, text: &str, length: std::ops::RangeInclusive<usize>) -> Option<String> {
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    let (count, low, high) = (text.chars().count(), length.start(), length.end());
    if !length.contains(&count) {
        return Some(format!("the tag's {what} has {count} characters, it must have {low} to {high}"));
    }
    let odd = text.chars().find(|c| !allowed(*c))?;
    Some(format!(
        "the tag's {what} contains {odd:?}; letters, digits, spaces and _ . : / = + - @ are possible"
    ))
}
