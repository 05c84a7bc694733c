//! Our tags among all the tags of a recovery point.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::pieces::{Part, join};
use super::{Kind, PartName};

/// What the keys of all our tags begin with.
pub const PREFIX: &str = "dynachain:";

/// The plain tag that IAM conditions look at.
pub const MANAGED: &str = "dynachain:managed";

/// The tag that holds the data key wrapped for recipient `n`, counted from 1.
pub fn key_tag(n: u8) -> String {
    format!("{PREFIX}key:{n}")
}

/// The tag that holds piece `n` of a part, counted from 1.
pub(super) fn piece_tag(part: PartName, n: u8) -> String {
    format!("{PREFIX}{part}:{n}")
}

/// Our metadata as it lies in a recovery point's tags, nothing opened yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointTags {
    /// What the plain tag claims.
    pub managed: Option<Kind>,
    /// The wrapped data keys, by recipient.
    pub keys: BTreeMap<u8, Vec<u8>>,
    /// The sealed core.
    pub core: Part,
    /// The sealed configuration, as far as it is in tags.
    pub config: Part,
    /// Tags that begin like ours but are not part of this metadata, inherited from a table, say.
    pub ignored: Vec<String>,
}

impl PointTags {
    /// Finds our metadata among a recovery point's tags.
    pub fn read(tags: &BTreeMap<String, String>) -> Self {
        let mut found = Self {
            managed: None,
            keys: BTreeMap::new(),
            core: Part::Absent,
            config: Part::Absent,
            ignored: Vec::new(),
        };
        let (mut core, mut config) = (BTreeMap::new(), BTreeMap::new());
        for (tag, value) in tags.iter().filter(|(tag, _)| tag.starts_with(PREFIX)) {
            match Name::of(tag) {
                Some(Name::Managed) => match Kind::from_tag(value) {
                    Some(kind) => found.managed = Some(kind),
                    None => found.ignored.push(tag.clone()),
                },
                Some(Name::Key(n)) => match STANDARD.decode(value) {
                    Ok(bytes) => drop(found.keys.insert(n, bytes)),
                    Err(_) => found.ignored.push(tag.clone()),
                },
                Some(Name::Piece(PartName::Core, n)) => drop(core.insert(n, value.as_str())),
                Some(Name::Piece(PartName::Config, n)) => drop(config.insert(n, value.as_str())),
                None => found.ignored.push(tag.clone()),
            }
        }
        for (part, pieces) in [(PartName::Core, &core), (PartName::Config, &config)] {
            let (whole, stray) = join(pieces);
            found.ignored.extend(stray.into_iter().map(|n| piece_tag(part, n)));
            match part {
                PartName::Core => found.core = whole,
                PartName::Config => found.config = whole,
            }
        }
        found.ignored.sort();
        found
    }

    /// Whether there is anything at all that only dynachain writes.
    pub fn is_empty(&self) -> bool {
        self.managed.is_none() && self.keys.is_empty() && self.core == Part::Absent
    }
}

enum Name {
    Managed,
    Key(u8),
    Piece(PartName, u8),
}

impl Name {
    fn of(tag: &str) -> Option<Self> {
        if tag == MANAGED {
            return Some(Self::Managed);
        }
        let (name, n) = tag.strip_prefix(PREFIX)?.split_once(':')?;
        let number: u8 = n.parse().ok().filter(|number| *number >= 1)?;
        // "01" or "+1" is not how we write 1.
        if number.to_string() != n {
            return None;
        }
        match name {
            "key" => Some(Self::Key(number)),
            "core" => Some(Self::Piece(PartName::Core, number)),
            "config" => Some(Self::Piece(PartName::Config, number)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::pieces::cut;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tags_of_others_are_not_ours() {
        let found =
            PointTags::read(&tags(&[("Name", "orders"), ("aws:backup:source", "x"), ("dynachain", "no")]));
        assert!(found.is_empty());
        assert!(found.ignored.is_empty());
    }

    #[test]
    fn inherited_tags_that_look_like_ours_are_ignored_and_named() {
        let core = cut(&[1; 10]).unwrap().remove(0);
        let found = PointTags::read(&tags(&[
            ("dynachain:managed", "chain"),
            ("dynachain:key:1", "AQID"),
            ("dynachain:key:x", "AQID"),
            ("dynachain:key:01", "AQID"),
            ("dynachain:key:2", "not base64"),
            ("dynachain:core:1", &core),
            ("dynachain:core:7", "stray"),
            ("dynachain:other", "x"),
        ]));
        assert_eq!(found.managed, Some(Kind::Chain));
        assert_eq!(found.keys, BTreeMap::from([(1, vec![1, 2, 3])]));
        assert_eq!(found.core, Part::Whole(vec![1; 10]));
        assert_eq!(found.config, Part::Absent);
        assert_eq!(
            found.ignored,
            ["dynachain:core:7", "dynachain:key:01", "dynachain:key:2", "dynachain:key:x", "dynachain:other"]
        );
    }
}
