//! Legal holds: what they are on, and from when to when (AWS Backup Developer Guide, "Legal holds and AWS Backup").
//!
//! A hold keeps its criteria, not a list of points: which points it is on follows from the indexes, so a hold on a million
//! points costs no more than one on ten.

mod selection;

pub(crate) use selection::{DateRange, Selection};

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::RegionState;
use super::recovery_point::{RecoveryPoint, Status as PointStatus};
use super::tags::Tags;
use crate::time::epoch;

/// The most holds of an account that are not cancelled.
const MOST: usize = 50;

/// Where a hold is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Not in force yet.
    Creating,
    Active,
    /// No longer in force, and not over.
    Canceling,
    Canceled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Canceling => "CANCELING",
            Self::Canceled => "CANCELED",
        }
    }
}

/// That a hold is to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cancellation {
    pub(crate) description: String,
    /// How long its record stays after its end; `None` for ever.
    pub(crate) retain: Option<SignedDuration>,
}

/// A legal hold.
#[derive(Clone, Debug)]
pub(crate) struct LegalHold {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// `None` when the caller gave none, which is as if every point were selected.
    pub(crate) selection: Option<Selection>,
    pub(crate) tags: Tags,
    pub(crate) created: Timestamp,
    pub(crate) status: Status,
    pub(crate) cancellation: Option<Cancellation>,
    /// When it ended.
    pub(crate) released: Option<Timestamp>,
}

impl LegalHold {
    /// Is this one of the points that it was placed on? Those are the ones that were whole when it was created, and so
    /// neither later ones nor copies made later; nor are such that are on their way out.
    fn covers(&self, point: &RecoveryPoint) -> bool {
        point.status == PointStatus::Completed
            && point.completed.is_some_and(|completed| completed <= self.created)
            && self.selection.as_ref().is_none_or(|selection| selection.wants(point))
    }

    /// Until when its record stays, once it has ended.
    pub(crate) fn retained_until(&self) -> Option<Timestamp> {
        let retain = self.cancellation.as_ref()?.retain?;
        self.released?.checked_add(retain).ok()
    }

    /// As `ListLegalHolds` gives it.
    pub(crate) fn list_entry(&self) -> Value {
        json!({
            "Title": self.title,
            "Status": self.status.as_str(),
            "Description": self.description,
            "LegalHoldId": self.id,
            "LegalHoldArn": self.arn,
            "CreationDate": epoch(self.created),
            "CancellationDate": self.released.map(epoch),
        })
    }

    /// As `CreateLegalHold` gives it.
    pub(crate) fn creation(&self) -> Value {
        let mut answer = self.list_entry();
        answer["RecoveryPointSelection"] = self.selection.as_ref().map(Selection::describe).into();
        answer
    }

    /// As `GetLegalHold` gives it.
    pub(crate) fn describe(&self) -> Value {
        let mut answer = self.creation();
        answer["CancelDescription"] =
            self.cancellation.as_ref().map(|cancellation| cancellation.description.as_str()).into();
        answer["RetainRecordUntil"] = self.retained_until().map(epoch).into();
        answer
    }
}

/// The holds of an account in a Region, those that have ended included.
#[derive(Debug, Default)]
pub(crate) struct LegalHolds {
    all: BTreeMap<String, LegalHold>,
    /// What `CreateLegalHold` made of each idempotency token: an id.
    tokens: HashMap<String, String>,
}

/// No hold can be added to those there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The account has {MOST} legal holds already.")]
pub(crate) struct TooMany;

impl LegalHolds {
    pub(crate) fn get(&self, id: &str) -> Option<&LegalHold> {
        self.all.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut LegalHold> {
        self.all.get_mut(id)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &LegalHold> {
        self.all.values()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut LegalHold> {
        self.all.values_mut()
    }

    /// The hold that the same token made before.
    pub(crate) fn made_by(&self, token: &str) -> Option<&LegalHold> {
        self.all.get(self.tokens.get(token)?)
    }

    /// One hold more, unless there are [`MOST`] that are not cancelled.
    pub(crate) fn insert(&mut self, hold: LegalHold, token: Option<String>) -> Result<(), TooMany> {
        if self.all.values().filter(|hold| hold.status != Status::Canceled).count() >= MOST {
            return Err(TooMany);
        }
        if let Some(token) = token {
            self.tokens.insert(token, hold.id.clone());
        }
        self.all.insert(hold.id.clone(), hold);
        Ok(())
    }

    /// The record of a hold goes, and what its token made is forgotten.
    pub(crate) fn remove(&mut self, id: &str) {
        self.all.remove(id);
        self.tokens.retain(|_, made| made != id);
    }
}

/// Where a point stands in the list of a hold's points: in which index, and where in it.
pub(crate) type HeldPlace<'a> = (&'a str, Timestamp, &'a str);

impl RegionState {
    /// Does a hold keep this point from deletion, and delay what its lifecycle has in store? Only those in force do.
    pub(crate) fn held(&self, point: &RecoveryPoint) -> bool {
        self.legal_holds.values().any(|hold| hold.status == Status::Active && hold.covers(point))
    }

    /// The points that a hold was placed on, with the index that each was found in: index by index, newest first, beginning
    /// after one's place.
    pub(crate) fn held_by<'a>(
        &'a self,
        hold: &'a LegalHold,
        after: Option<HeldPlace<'_>>,
    ) -> impl Iterator<Item = (&'a str, &'a RecoveryPoint)> {
        let (from, place) = match after {
            Some((index, created, arn)) => (index.to_owned(), Some((created, arn.to_owned()))),
            None => (String::new(), None),
        };
        let selection = hold.selection.as_ref();
        let newest = selection.and_then(Selection::newest);
        let indexes = self.points.indexes(selection).into_iter().filter({
            let from = from.clone();
            move |index| index.name() >= from.as_str()
        });
        indexes.flat_map(move |index| {
            let begun = place.as_ref().filter(|_| index.name() == from);
            let start = begun.map(|(created, arn)| (*created, arn.as_str())).or(newest.map(|at| (at, "")));
            let points = self.points.in_index(index, start);
            let points = points.take_while(move |point| selection.is_none_or(|s| s.may_go_on(point)));
            points.filter(|point| hold.covers(point)).map(move |point| (index.name(), point))
        })
    }
}

#[cfg(test)]
mod tests;
