//! What a copy that has just arrived, or is found again, lacks.

use std::collections::BTreeMap;

use crate::chain::{ChainKind, RestorePoint};
use crate::metadata::PREFIX;
use crate::retention::End;

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

/// Whether a copy is left with the core that it has rather than given its source's. It may have been edited where it lies: what
/// it proves to be there counts, unless it lives longer with the other.
pub fn keeps_its_core(own: &RestorePoint, with_its_sources: &RestorePoint) -> bool {
    own.chain == ChainKind::Copy && end(with_its_sources) <= end(own)
}

fn end(point: &RestorePoint) -> Option<End> {
    point.lifespan().and_then(|lifespan| lifespan.expires_at())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::chain::{ListedPoint, Reading};
    use crate::metadata::Core;
    use crate::metadata::core_tests::core;

    /// The copy of a point that ends on 6 July 2025, with its own core changed so; `None` where it does not open.
    fn copy(until: Option<Option<End>>) -> RestorePoint {
        let listed = ListedPoint {
            arn: "arn:aws:backup:eu-west-1:111122223333:recovery-point:0b2f".parse().unwrap(),
            table: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
            vault: core().copies.into_keys().next().unwrap(),
            created_at: core().started_at,
            status: "COMPLETED".to_owned(),
            size_bytes: None,
        };
        let reading = match until {
            Some(until) => Reading::Opened(Box::new(Core { until, ..core() })),
            None => Reading::NotAuthentic("changed".to_owned()),
        };
        RestorePoint::identify(listed, reading)
    }

    #[rstest]
    #[case::as_it_came(Some(None), Some(None), true)]
    #[case::extended_here(Some(Some(End::Never)), Some(None), true)]
    #[case::extended_further_at_home(Some(None), Some(Some(End::Never)), false)]
    #[case::broken_here(None, Some(None), false)]
    #[case::broken_at_home(Some(None), None, true)]
    #[case::broken_everywhere(None, None, false)]
    fn a_copy_keeps_the_core_that_opens_unless_it_lives_longer_with_its_sources(
        #[case] own: Option<Option<End>>,
        #[case] source: Option<Option<End>>,
        #[case] kept: bool,
    ) {
        assert_eq!(keeps_its_core(&copy(own), &copy(source)), kept);
    }

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
