//! Table names and `*` globs.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::reader::Spot;
use crate::id::TableName;

/// Table names and globs, in which `*` stands for any characters or none. Case matters, as it does to DynamoDB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TablePatterns {
    literals: BTreeSet<TableName>,
    globs: BTreeSet<String>,
}

impl TablePatterns {
    /// Whether no table can match.
    pub fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.globs.is_empty()
    }

    /// Whether a table's name is listed or matches a glob.
    pub fn matches(&self, name: &TableName) -> bool {
        self.literals.contains(name) || self.globs.iter().any(|glob| glob_matches(glob, name.as_str()))
    }

    /// The names that are listed as they are.
    pub fn literals(&self) -> impl Iterator<Item = &TableName> {
        self.literals.iter()
    }

    pub(super) fn read(spot: &Spot<'_>) -> Option<Self> {
        let mut patterns = Self::default();
        let mut sound = true;
        for item in spot.list_or_empty("a list of table names or * globs")? {
            let Some(text) = item.text("a table's name or a glob such as \"order-*\"") else {
                sound = false;
                continue;
            };
            match patterns.add(text) {
                Ok(true) => {}
                Ok(false) => {
                    item.note(format!("{text:?} is listed twice; list it once"));
                    sound = false;
                }
                Err(message) => {
                    item.note(message);
                    sound = false;
                }
            }
        }
        sound.then_some(patterns)
    }

    /// Adds a name or glob; whether it was new, or what is wrong with it.
    fn add(&mut self, text: &str) -> Result<bool, String> {
        if text.starts_with("arn:") {
            return Err(
                "is an ARN; a policy covers tables of its own Region and account, give the name alone"
                    .to_owned(),
            );
        }
        if !text.contains('*') {
            let name: TableName = text.parse().map_err(|error| format!("{error}, nor a * glob"))?;
            return Ok(self.literals.insert(name));
        }
        let odd = text.chars().find(|c| !(c.is_ascii_alphanumeric() || "_.-*".contains(*c)));
        match odd {
            Some(odd) => Err(format!("contains {odd:?}; a glob has only A-Z a-z 0-9 _ . - and *")),
            None if text.len() > 255 => Err("is longer than any table's name (255)".to_owned()),
            None => Ok(self.globs.insert(text.to_owned())),
        }
    }
}

impl Serialize for TablePatterns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.literals.iter().map(TableName::as_str).chain(self.globs.iter().map(String::as_str)),
        )
    }
}

/// Whether `glob` describes the whole of `text`: the piece before the first `*` begins it, the one after the last ends
/// it, and those between follow in order. Taking each as early as possible is enough, as `*` is the only wildcard.
pub(crate) fn glob_matches(glob: &str, text: &str) -> bool {
    let Some((head, tail)) = glob.split_once('*') else { return glob == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    for piece in middle.split('*') {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("order-*", "order-2025", true)]
    #[case("order-*", "order-", true)]
    #[case("order-*", "Order-2025", false)]
    #[case("order-*", "my-order-1", false)]
    #[case("*", "anything", true)]
    #[case("*-eu-*", "a-eu-b", true)]
    #[case("*-eu-*", "a-us-b", false)]
    #[case("a*a", "a", false)]
    #[case("a*a", "aa", true)]
    #[case("a*b*c", "a-b-b-c", true)]
    #[case("a**c", "abc", true)]
    #[case("a.c*", "abcd", false)]
    fn a_star_stands_for_any_characters(#[case] glob: &str, #[case] text: &str, #[case] matches: bool) {
        assert_eq!(glob_matches(glob, text), matches);
    }

    fn letters(alphabet: &'static [char]) -> impl Strategy<Value = String> {
        let letter = prop_oneof![Just(alphabet[0]), Just(alphabet[1]), Just(alphabet[alphabet.len() - 1])];
        proptest::collection::vec(letter, 0..8).prop_map(|letters| letters.into_iter().collect())
    }

    /// The definition itself: `*` takes nothing, or one character more.
    fn by_definition(glob: &[u8], text: &[u8]) -> bool {
        match (glob, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                by_definition(rest, text) || (!text.is_empty() && by_definition(glob, &text[1..]))
            }
            ([g, glob @ ..], [t, text @ ..]) => g == t && by_definition(glob, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn globs_match_as_their_definition_says(glob in letters(&['a', 'b', '*']), text in letters(&['a', 'b'])) {
            assert_eq!(glob_matches(&glob, &text), by_definition(glob.as_bytes(), text.as_bytes()));
        }
    }
}
