//! All recovery points of an account in a Region, kept so that a page of a list costs no more than its entries, however many
//! points there are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;

use super::legal_hold::Selection;
use super::recovery_point::RecoveryPoint;
use super::recovery_point::fate::Step;
use super::shared::{Shared, Texts};

/// What lists are sorted by: newest first, and by ARN what is equally new.
type Place = (Reverse<Timestamp>, Arc<str>);

/// Recovery points by ARN, by vault and by table, and what is to happen to them.
#[derive(Debug, Default)]
pub(crate) struct Points {
    all: HashMap<Arc<str>, Entry>,
    vaults: BTreeMap<Shared, BTreeSet<Place>>,
    resources: BTreeMap<Shared, BTreeSet<Place>>,
    texts: Texts,
    /// The next step of each point that has one.
    steps: BTreeMap<(Timestamp, Arc<str>), Step>,
    /// How many points lists have looked at.
    #[cfg(test)]
    looked_at: std::cell::Cell<usize>,
}

#[derive(Debug)]
struct Entry {
    point: RecoveryPoint,
    /// Its place among the steps.
    due: Option<Timestamp>,
}

impl Points {
    pub(crate) fn get(&self, arn: &str) -> Option<&RecoveryPoint> {
        self.all.get(arn).map(|entry| &entry.point)
    }

    /// To change a point, but neither its ARN, nor its creation date, nor where it lies and what it is of. A change of its
    /// status, its storage or its lifecycle needs a new plan: [`Points::plan`].
    pub(crate) fn get_mut(&mut self, arn: &str) -> Option<&mut RecoveryPoint> {
        self.all.get_mut(arn).map(|entry| &mut entry.point)
    }

    /// Plans anew what happens to a point next, in place of what was planned.
    pub(crate) fn plan(&mut self, arn: &str, now: Timestamp) {
        let step = self.get(arn).and_then(|point| point.next_step(now));
        self.replan(arn, step);
    }

    /// Puts a step off that cannot be done yet.
    pub(crate) fn put_off(&mut self, arn: &str, step: Step, until: Timestamp) {
        self.replan(arn, Some((until, step)));
    }

    fn replan(&mut self, arn: &str, step: Option<(Timestamp, Step)>) {
        let Some((arn, _)) = self.all.get_key_value(arn) else { return };
        let arn = arn.clone();
        let Some(entry) = self.all.get_mut(&arn) else { return };
        let before = std::mem::replace(&mut entry.due, step.map(|(due, _)| due));
        if let Some(due) = before {
            self.steps.remove(&(due, arn.clone()));
        }
        if let Some((due, step)) = step {
            self.steps.insert((due, arn), step);
        }
    }

    /// When the next step of any point is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.steps.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes all steps out that are due at or before a moment.
    pub(crate) fn take_due(&mut self, at: Timestamp) -> Vec<(Arc<str>, Step)> {
        let mut taken = Vec::new();
        while let Some(first) = self.steps.first_entry().filter(|first| first.key().0 <= at) {
            let ((_, arn), step) = first.remove_entry();
            if let Some(entry) = self.all.get_mut(&arn) {
                entry.due = None;
            }
            taken.push((arn, step));
        }
        taken
    }

    pub(crate) fn insert(&mut self, mut point: RecoveryPoint) {
        point.share(&mut self.texts);
        let place = place(&point);
        self.vaults.entry(point.vault.clone()).or_default().insert(place.clone());
        self.resources.entry(point.resource_arn.clone()).or_default().insert(place.clone());
        self.all.insert(place.1, Entry { point, due: None });
    }

    pub(crate) fn remove(&mut self, arn: &str) -> Option<RecoveryPoint> {
        self.replan(arn, None);
        let point = self.all.remove(arn)?.point;
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

    /// The resources that have points, in alphabetical order, beginning after one.
    pub(crate) fn resources(&self, after: Option<&str>) -> impl Iterator<Item = &str> + use<'_> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.resources.range::<str, _>((from, Bound::Unbounded)).map(|(arn, _)| &**arn)
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
        all.iter().filter(|(name, _)| wanted(name)).map(|(name, places)| Index { name, places }).collect()
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
        places.filter_map(|(_, arn)| {
            #[cfg(test)]
            self.looked_at.set(self.looked_at.get() + 1);
            self.get(arn)
        })
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

fn forget(places: &mut BTreeMap<Shared, BTreeSet<Place>>, name: &str, place: &Place) {
    let Some(set) = places.get_mut(name) else { return };
    set.remove(place);
    if set.is_empty() {
        places.remove(name);
    }
}

#[cfg(test)]
mod tests;
