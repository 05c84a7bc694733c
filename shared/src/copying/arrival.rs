//! What a copy that has just arrived lacks.

use std::collections::BTreeMap;

use crate::metadata::PREFIX;

/// The tags of the source that its copy has to be given: those that it lacks, and those of our metadata that say something else
/// there. Tags of others that were changed in the copy are theirs; AWS's own cannot be set.
pub fn missing_tags(
    source: &BTreeMap<String, String>,
    copy: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let lacks = |(tag, value): &(&String, &String)| match copy.get(*tag) {
        None => !tag.starts_with("aws:"),
        Some(found) => tag.starts_with(PREFIX) && found != *value,
    };
    source.iter().filter(lacks).map(|(tag, value)| (tag.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_copy_is_given_what_it_lacks_and_metadata_that_was_changed() {
        let source = tags(&[
            ("dynachain:core:1", "a"),
            ("dynachain:core:2", "b"),
            ("team", "x"),
            ("stage", "y"),
            ("aws:id", "z"),
        ]);
        let copy = tags(&[("dynachain:core:1", "changed"), ("team", "changed"), ("their", "own")]);
        let missing = tags(&[("dynachain:core:1", "a"), ("dynachain:core:2", "b"), ("stage", "y")]);
        assert_eq!(missing_tags(&source, &copy), missing);
        assert_eq!(missing_tags(&source, &source), tags(&[]));
    }
}
