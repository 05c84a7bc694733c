//! All recovery points of an account in a Region, kept so that a page of a list costs no more than its entries, however many
//! points there are.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use super::legal_hold::Selection;
use super::recovery_point::RecoveryPoint;

/// What lists are sorted by: newest first, and by ARN what is equally new.
type Place = (Reverse<Timestamp>, Arc<str>);

/// Recovery points by ARN, by vault and by table.
#[derive(Debug, Default)]
pub(crate) struct Points {
    all: HashMap<Arc<str>, RecoveryPoint>,
    vaults: HashMap<String, BTreeSet<Place>>,
    resources: HashMap<String, BTreeSet<Place>>,
}

impl Points {
    pub(crate) fn get(&self, arn: &str) -> Option<&RecoveryPoint> {
        self.all.get(arn)
    }

    /// To change a point, but neither its ARN, nor its creation date, nor where it lies and what it is of.
    pub(crate) fn get_mut(&mut self, arn: &str) -> Option<&mut RecoveryPoint> {
        self.all.get_mut(arn)
    }

    pub(crate) fn insert(&mut self, point: RecoveryPoint) {
        let place = place(&point);
        self.vaults.entry(point.vault.clone()).or_default().insert(place.clone());
        self.resources.entry(point.resource_arn.clone()).or_default().insert(place.clone());
        self.all.insert(place.1, point);
    }

    pub(crate) fn remove(&mut self, arn: &str) -> Option<RecoveryPoint> {
        let point = self.all.remove(arn)?;
        let place = place(&point);
        forget(&mut self.vaults, &point.vault, &place);
        forget(&mut self.resources, &point.resource_arn, &place);
        Some(point)
    }

    /// How many recovery points, whatever their status, are in a vault.
    pub(crate) fn count_in(&self, vault: &str) -> usize {
        self.vaults.get(vault).map_or(0, BTreeSet::len)
    }

    /// A vault's points, newest first, beginning after one's place in the list.
    pub(crate) fn in_vault<'a>(
        &'a self,
        vault: &str,
        after: Option<(Timestamp, &str)>,
    ) -> impl Iterator<Item = &'a RecoveryPoint> + use<'a> {
        self.list(self.vaults.get(vault), after)
    }

    /// A table's points, as [`Points::in_vault`] gives them.
    pub(crate) fn of_resource<'a>(
        &'a self,
        arn: &str,
        after: Option<(Timestamp, &str)>,
    ) -> impl Iterator<Item = &'a RecoveryPoint> + use<'a> {
        self.list(self.resources.get(arn), after)
    }

    /// The resources that have points, in no order.
    pub(crate) fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.keys().map(String::as_str)
    }

    /// The indexes that together have every point that a legal hold may select, in alphabetical order: those of resources
    /// when it names some, as a resource has fewer points than a vault.
    pub(crate) fn indexes(&self, selection: Option<&Selection>) -> Vec<Index<'_>> {
        let by_resource = selection.is_some_and(|selection| !selection.resources.is_empty());
        let all = if by_resource { &self.resources } else { &self.vaults };
        let wanted = |name: &str| match selection {
            Some(selection) if by_resource => selection.wants_resource(name),
            Some(selection) => selection.vaults.is_empty() || selection.vaults.contains(name),
            None => true,
        };
        let mut indexes: Vec<Index<'_>> = all
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, places)| Index { name, places })
            .collect();
        indexes.sort_unstable_by_key(|index| index.name);
        indexes
    }

    /// An index's points, as [`Points::in_vault`] gives them.
    pub(crate) fn in_index<'a>(
        &'a self,
        index: Index<'a>,
        after: Option<(Timestamp, &str)>,
    ) -> impl Iterator<Item = &'a RecoveryPoint> + use<'a> {
        self.list(Some(index.places), after)
    }

    fn list<'a>(
        &'a self,
        places: Option<&'a BTreeSet<Place>>,
        after: Option<(Timestamp, &str)>,
    ) -> impl Iterator<Item = &'a RecoveryPoint> + use<'a> {
        let start = match after {
            Some((created, arn)) => Bound::Excluded((Reverse(created), Arc::from(arn))),
            None => Bound::Unbounded,
        };
        let places =
            places.into_iter().flat_map(move |places| places.range((start.clone(), Bound::Unbounded)));
        places.filter_map(|(_, arn)| self.all.get(arn))
    }
}

/// The points of one vault or one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index<'a> {
    name: &'a str,
    places: &'a BTreeSet<Place>,
}

impl<'a> Index<'a> {
    /// The vault's name, or the table's ARN.
    pub(crate) fn name(self) -> &'a str {
        self.name
    }
}

fn place(point: &RecoveryPoint) -> Place {
    (Reverse(point.created), Arc::from(point.arn.as_str()))
}

fn forget(places: &mut HashMap<String, BTreeSet<Place>>, name: &str, place: &Place) {
    let Some(set) = places.get_mut(name) else { return };
    set.remove(place);
    if set.is_empty() {
        places.remove(name);
    }
}
