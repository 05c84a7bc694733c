//! Where the metadata goes: tags at the start of a backup, tags after its completion, the catalog for what is left.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::pieces::cut;
use super::tags::{MANAGED, key_tag, piece_tag};
use super::{Kind, PartName};

/// Tags that a backup may be started with (AWS Backup Developer Guide, "Quotas": tags added to a recovery point).
pub(crate) const AT_START: usize = 10;
/// User tags that a recovery point may have, those it takes over from the table included.
pub(crate) const IN_ALL: usize = 50;
/// The longest tag value.
const VALUE: usize = 256;

/// The metadata of one point, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPoint {
    /// What the plain tag says.
    pub kind: Kind,
    /// The data key, wrapped for each recipient in order.
    pub keys: Vec<Vec<u8>>,
    /// The sealed core.
    pub core: Vec<u8>,
    /// The sealed configuration.
    pub config: Vec<u8>,
}

/// How the metadata of one point is stored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Layout {
    /// Tags to start the backup with, the policy's own included.
    pub at_start: BTreeMap<String, String>,
    /// Tags to add once it has completed, before anything copies it.
    pub after_completion: BTreeMap<String, String>,
    /// Whether the configuration does not fit into tags and goes to the catalog instead.
    pub config_in_catalog: bool,
}

/// The tags leave no room for what every point must carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTagRoom {
    /// The table has too many tags of its own.
    #[error(
        "the table has {table} tags, which every backup takes over; {ours} more are needed and a recovery point can have \
         {IN_ALL}: remove {} of the table's tags",
        table + ours - IN_ALL
    )]
    Table {
        /// Tags of the table (that ours don't replace).
        table: usize,
        /// Tags that we must add.
        ours: usize,
    },
    /// More is needed at the start than AWS Backup takes.
    #[error(
        "the backup would have to start with {ours} tags and AWS Backup takes {AT_START}: give the policy fewer tags, or \
         fewer copy targets in other accounts"
    )]
    AtStart {
        /// Tags that we must start with.
        ours: usize,
    },
    /// A wrapped data key is longer than a tag value.
    #[error("KMS made a data key of {length} bytes, too long for a tag")]
    Key {
        /// Its length in bytes.
        length: usize,
    },
    /// The core alone is too long.
    #[error("the metadata is too long for tags: {length} bytes")]
    Core {
        /// Its length in bytes.
        length: usize,
    },
}

/// The tags of a sealed core; `None` when it is too long for any number of tags.
pub fn core_tags(sealed: &[u8]) -> Option<BTreeMap<String, String>> {
    Some((1..).zip(cut(sealed)?).map(|(n, piece)| (piece_tag(PartName::Core, n), piece)).collect())
}

/// Lays out a point's metadata beside the policy's own tags and those that the table passes on.
///
/// # Errors
/// When there is no room even for key and core.
pub fn lay_out(
    sealed: &SealedPoint,
    policy_tags: &BTreeMap<String, String>,
    table_tags: &BTreeSet<String>,
) -> Result<Layout, NoTagRoom> {
    let mut at_start = policy_tags.clone();
    at_start.insert(MANAGED.to_owned(), sealed.kind.as_tag().to_owned());
    for (n, key) in (1..).zip(&sealed.keys) {
        let value = STANDARD.encode(key);
        if value.len() > VALUE {
            return Err(NoTagRoom::Key { length: key.len() });
        }
        at_start.insert(key_tag(n), value);
    }
    at_start.extend(core_tags(&sealed.core).ok_or(NoTagRoom::Core { length: sealed.core.len() })?);
    if at_start.len() > AT_START {
        return Err(NoTagRoom::AtStart { ours: at_start.len() });
    }

    let inherited = table_tags.iter().filter(|tag| !at_start.contains_key(*tag)).count();
    let room = IN_ALL
        .checked_sub(inherited + at_start.len())
        .ok_or(NoTagRoom::Table { table: inherited, ours: at_start.len() })?;
    let config: Vec<_> = match cut(&sealed.config) {
        Some(pieces) if pieces.len() <= room => {
            (1..).zip(pieces).map(|(n, piece)| (piece_tag(PartName::Config, n), piece)).collect()
        }
        _ => return Ok(Layout { at_start, after_completion: BTreeMap::new(), config_in_catalog: true }),
    };
    let now = AT_START - at_start.len();
    at_start.extend(config.iter().take(now).cloned());
    Ok(Layout {
        at_start,
        after_completion: config.into_iter().skip(now).collect(),
        config_in_catalog: false,
    })
}

/// How the tags of a point change with a new core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreTags {
    /// The tags that hold the new core.
    pub set: BTreeMap<String, String>,
    /// Pieces of the old one that the new one does not need.
    pub remove: Vec<String>,
}

/// Lays out a newly sealed core in place of the one among a point's tags; everything else stays.
///
/// # Errors
/// When it needs more tags than the point has room for.
pub fn lay_out_core(sealed: &[u8], tags: &BTreeMap<String, String>) -> Result<CoreTags, NoTagRoom> {
    let set = core_tags(sealed).ok_or(NoTagRoom::Core { length: sealed.len() })?;
    // AWS's own tags do not count (AWS General Reference, "Tag naming limits and requirements").
    let others = tags.keys().filter(|tag| !tag.starts_with("aws:") && !set.contains_key(*tag)).count();
    if others + set.len() > IN_ALL {
        return Err(NoTagRoom::Table { table: others, ours: set.len() });
    }
    let old = (1..=u8::MAX).map(|n| piece_tag(PartName::Core, n));
    Ok(CoreTags { remove: old.filter(|tag| tags.contains_key(tag) && !set.contains_key(tag)).collect(), set })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::metadata::{Part, PointTags};

    fn sealed(core: usize, config: usize) -> SealedPoint {
        SealedPoint {
            kind: Kind::Chain,
            keys: vec![vec![3; 184]],
            core: vec![1; core],
            config: vec![2; config],
        }
    }

    fn named(prefix: &str, n: usize) -> BTreeSet<String> {
        (0..n).map(|i| format!("{prefix}{i}")).collect()
    }

    fn policy_tags(n: usize) -> BTreeMap<String, String> {
        named("policy", n).into_iter().map(|tag| (tag, "x".to_owned())).collect()
    }

    #[test]
    fn a_small_point_starts_with_all_its_tags() {
        let layout = lay_out(&sealed(300, 300), &policy_tags(1), &named("table", 5)).unwrap();
        assert_eq!(layout.at_start.len(), 1 + 1 + 1 + 2 + 2);
        assert!(layout.after_completion.is_empty());
        let found = PointTags::read(&layout.at_start);
        assert_eq!(found.core, Part::Whole(vec![1; 300]));
        assert_eq!(found.config, Part::Whole(vec![2; 300]));
        assert_eq!(found.keys[&1], vec![3; 184]);
    }

    #[test]
    fn the_rest_of_a_configuration_is_added_after_completion() {
        let layout = lay_out(&sealed(300, 2000), &policy_tags(5), &named("table", 5)).unwrap();
        assert_eq!(layout.at_start.len(), 10);
        assert_eq!(layout.after_completion.len(), 10);
        let all = layout.at_start.into_iter().chain(layout.after_completion).collect();
        assert_eq!(PointTags::read(&all).config, Part::Whole(vec![2; 2000]));
    }

    #[rstest]
    #[case::one_tag_too_little(36, true)]
    #[case::just_enough(35, false)]
    fn what_does_not_fit_into_fifty_tags_goes_to_the_catalog(#[case] table: usize, #[case] catalog: bool) {
        // One plain tag, one key, two pieces of core and eleven of configuration.
        let layout = lay_out(&sealed(300, 2100), &policy_tags(0), &named("table", table)).unwrap();
        assert_eq!(layout.config_in_catalog, catalog);
        let config =
            PointTags::read(&layout.at_start.into_iter().chain(layout.after_completion).collect()).config;
        assert_eq!(config == Part::Absent, catalog);
    }

    #[test]
    fn a_table_without_tag_room_is_refused_with_the_numbers() {
        assert!(lay_out(&sealed(300, 10), &policy_tags(0), &named("table", 46)).is_ok());
        let refusal = lay_out(&sealed(300, 10), &policy_tags(0), &named("table", 48)).unwrap_err();
        assert!(refusal.to_string().contains("remove 2 of the table's tags"), "{refusal}");
        let refusal = lay_out(&sealed(900, 10), &policy_tags(5), &named("table", 0)).unwrap_err();
        assert_eq!(refusal, NoTagRoom::AtStart { ours: 12 });
    }

    #[rstest]
    #[case::shorter(100, &["dynachain:core:2", "dynachain:core:3"])]
    #[case::as_long(500, &[])]
    #[case::longer(700, &[])]
    fn a_new_core_takes_the_place_of_the_old_and_of_nothing_else(
        #[case] length: usize,
        #[case] removed: &[&str],
    ) {
        let mut tags = lay_out(&sealed(500, 300), &policy_tags(1), &BTreeSet::new()).unwrap().at_start;
        let new = lay_out_core(&vec![7; length], &tags).unwrap();
        assert_eq!(new.remove, removed);
        tags.extend(new.set);
        tags.retain(|tag, _| !new.remove.contains(tag));
        let found = PointTags::read(&tags);
        assert_eq!(found.core, Part::Whole(vec![7; length]));
        assert_eq!((found.config, found.ignored), (Part::Whole(vec![2; 300]), vec![]));
        assert_eq!(tags["policy0"], "x");
    }

    #[test]
    fn a_longer_core_needs_room_among_fifty_tags() {
        let mut tags = lay_out(&sealed(100, 100), &policy_tags(0), &BTreeSet::new()).unwrap().at_start;
        tags.extend(named("table", 50 - tags.len()).into_iter().map(|tag| (tag, String::new())));
        tags.insert("aws:backup:source-resource".to_owned(), "x".to_owned());
        assert!(lay_out_core(&[7; 100], &tags).is_ok());
        assert!(lay_out_core(&[7; 200], &tags).is_err());
    }

    #[test]
    fn a_tag_that_the_policy_sets_over_the_tables_own_counts_once() {
        let table = named("policy", 46);
        let layout = lay_out(&sealed(300, 10), &policy_tags(4), &table).unwrap();
        assert!(layout.at_start.len() >= 8);
    }
}
