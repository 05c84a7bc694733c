//! Tags of recovery points and vaults: limits, patterns, and the merge of a table's tags with assigned ones.

use std::collections::BTreeMap;

/// User tags, in alphabetical order.
pub(crate) type Tags = BTreeMap<String, String>;

/// The most user tags that a resource can have.
pub(crate) const MOST: usize = 50;

/// Why a tag is refused.
pub(crate) fn problem(key: &str, value: &str) -> Option<String> {
    let length = key.chars().count();
    if !(1..=128).contains(&length) {
        return Some(format!("A tag key must have 1 to 128 characters, this one has {length}."));
    }
    if value.chars().count() > 256 {
        return Some(format!("The value of the tag {key} has more than 256 characters."));
    }
    if key.to_ascii_lowercase().starts_with("aws:") {
        return Some(format!("The tag key {key} begins with aws:, which is reserved for system use."));
    }
    [key, value].iter().any(|text| !text.chars().all(allowed)).then(|| {
        format!("The tag {key} has characters other than letters, numbers, spaces and + - = . _ : / @.")
    })
}

/// Letters, numbers, spaces and `_ . : / = + - @` of any script (Tag Editor User Guide, "Tag naming limits").
fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}

/// A point's tags: those of the table, those assigned at the start having priority.
///
/// # Errors
/// The number of tags when there are too many.
pub(crate) fn merge(table: Tags, assigned: &Tags) -> Result<Tags, usize> {
    let mut merged = table;
    merged.extend(assigned.clone());
    if merged.len() > MOST { Err(merged.len()) } else { Ok(merged) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::ours("dynachain:core:1", "AQIDAHh+/=", true)]
    #[case::empty_value("team", "", true)]
    #[case::any_script("équipe", "größe 1", true)]
    #[case::braces("a", "{}", false)]
    #[case::tab("a", "\t", false)]
    fn a_tag_has_letters_numbers_spaces_and_a_few_signs_of_any_script(
        #[case] key: &str,
        #[case] value: &str,
        #[case] good: bool,
    ) {
        assert_eq!(problem(key, value).is_none(), good, "{:?}", problem(key, value));
    }

    #[test]
    fn a_tag_key_that_begins_with_aws_is_reserved() {
        for key in ["aws:x", "AWS:x", "aws:"] {
            assert!(problem(key, "x").is_some_and(|problem| problem.contains("reserved")), "{key}");
        }
        assert_eq!(problem("awsx:", "x"), None);
    }

    #[test]
    fn a_tag_key_has_1_to_128_characters_and_a_value_256_at_most() {
        assert!(problem("", "x").is_some());
        assert_eq!(problem(&"ä".repeat(128), &"ä".repeat(256)), None);
        assert!(problem(&"a".repeat(129), "").is_some());
        assert!(problem("a", &"a".repeat(257)).is_some());
    }

    #[test]
    fn assigned_tags_win_and_fifty_is_the_most() {
        let tags = |n: usize| -> Tags { (0..n).map(|i| (format!("t{i}"), "table".to_owned())).collect() };
        let assigned = Tags::from([("t0".to_owned(), "assigned".to_owned())]);
        assert_eq!(merge(tags(50), &assigned).unwrap()["t0"], "assigned");
        assert_eq!(merge(tags(50), &Tags::from([("more".to_owned(), String::new())])), Err(51));
    }
}
