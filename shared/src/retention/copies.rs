//! Which copies still need their source: those that its own metadata names, and those that somebody asked for afterwards.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{End, Keep, Lifespan};
use crate::chain::{ChainKind, PerFlag, RestorePoint};
use crate::id::{RecoveryPointArn, VaultArn};
use crate::metadata::Core;

/// What is known of one copy that was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCopy {
    /// The point in its home vault.
    pub source: RecoveryPointArn,
    /// The vault it is wanted in.
    pub target: VaultArn,
    /// Whether it needs its source no more.
    pub settled: bool,
    /// How long it is kept there for each flag, where somebody asked for it that the point's own metadata does not name.
    pub backfill: Option<PerFlag<Keep>>,
}

/// What is known of the copies of some points. A copy that a point names and that is not in here is still to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownCopies(HashMap<RecoveryPointArn, BTreeMap<VaultArn, KnownCopy>>);

impl KnownCopies {
    /// What is known of the copies of a point, in place of what was known before.
    pub fn replace(&mut self, source: &RecoveryPointArn, copies: Vec<KnownCopy>) {
        self.0.remove(source);
        self.extend(copies);
    }

    /// With what is known of the copies of other points, or of other copies of the same.
    pub fn merge(&mut self, others: Self) {
        self.extend(others.0.into_values().flat_map(BTreeMap::into_values));
    }

    fn of(&self, point: &RestorePoint) -> Option<&BTreeMap<VaultArn, KnownCopy>> {
        self.0.get(&point.listed.arn)
    }
}

impl Extend<KnownCopy> for KnownCopies {
    fn extend<T: IntoIterator<Item = KnownCopy>>(&mut self, copies: T) {
        for copy in copies {
            self.0.entry(copy.source.clone()).or_default().insert(copy.target.clone(), copy);
        }
    }
}

impl FromIterator<KnownCopy> for KnownCopies {
    fn from_iter<T: IntoIterator<Item = KnownCopy>>(copies: T) -> Self {
        let mut known = Self::default();
        known.extend(copies);
        known
    }
}

/// The copies, each a source and a target vault, whose state decides about the points: those that a point names or that
/// somebody asked for, and that at least one flag would still keep in their target.
pub fn wanted_copies(
    points: &[RestorePoint],
    asked: &KnownCopies,
    now: Timestamp,
) -> Vec<(RecoveryPointArn, VaultArn)> {
    let mut wanted = Vec::new();
    for point in points {
        wanted.extend(
            wanted_of(point, asked, now).map(|(target, _)| (point.listed.arn.clone(), target.clone())),
        );
    }
    wanted
}

/// The targets of a point's wanted copies that are not settled, and when the last flag there ends.
pub(super) fn pending_copies<'a>(
    point: &'a RestorePoint,
    known: &'a KnownCopies,
    now: Timestamp,
) -> impl Iterator<Item = (&'a VaultArn, End)> {
    let settled = |target: &VaultArn| known.of(point)?.get(target).map(|copy| copy.settled);
    wanted_of(point, known, now).filter(move |(target, _)| settled(target) != Some(true))
}

fn wanted_of<'a>(
    point: &'a RestorePoint,
    known: &'a KnownCopies,
    now: Timestamp,
) -> impl Iterator<Item = (&'a VaultArn, End)> {
    let core = point.core.as_deref().filter(|_| point.chain == ChainKind::Regular);
    let of_point = known.of(point);
    core.into_iter()
        .flat_map(move |core| {
            let named = core.copies.keys();
            let asked = of_point.into_iter().flat_map(|copies| copies.keys());
            let targets = named.chain(asked.filter(|target| !core.copies.contains_key(target)));
            targets.filter_map(move |target| {
                let backfill = of_point.and_then(|copies| copies.get(target)?.backfill.as_ref());
                let ends = copy_lifespan(core, target, backfill);
                Some((target, ends.ends().map(|(_, end)| end).max()?))
            })
        })
        .filter(move |(_, end)| end.is_active(now))
}

/// How long a copy of a point with this core lives in a target vault: for the flags that somebody asked for it with, or else
/// for those that the point itself names.
pub fn copy_lifespan(core: &Core, target: &VaultArn, backfill: Option<&PerFlag<Keep>>) -> Lifespan {
    let zone = core.policy.as_ref().map_or("UTC", |policy| policy.timezone.as_str());
    match backfill {
        Some(keep) => Lifespan::counted(core.scheduled_at, zone, keep, None),
        None => Lifespan::of_copy(core, target),
    }
}
