//! What the functions answer.

use dynachain::aws::AwsError;
use dynachain::chain::{ChainKind, ListedPoint, RestorePoint};
use dynachain::id::{RecoveryPointArn, TableArn, VaultArn};
use dynachain::request::Place;
use dynachain::retention::{BlockedChain, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::findings::Finding;
use crate::input::How;

/// Lists are cut after so many entries.
pub(crate) const LIMIT: usize = 1000;

/// The answer to a request.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    pub(crate) now: Timestamp,
    pub(crate) vault: VaultArn,
    /// Of all points that are to go, those of blocked chains included.
    pub(crate) digest: String,
    /// What a removal by hand is to be repeated with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirm: Option<String>,
    /// Whether this was only planned.
    pub(crate) dry_run: bool,
    pub(crate) points: Vec<Value>,
    /// How many points were deleted, or would be.
    pub(crate) deleted: u64,
    /// How many are left, or would be.
    pub(crate) kept: u64,
    pub(crate) blocked: Vec<Blocked>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) findings: Vec<Finding>,
    /// False while the run goes on in a further invocation.
    pub(crate) finished: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// What a run did not do, and waits for somebody to confirm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Blocked {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table: Option<TableArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chain: Option<ChainKind>,
    pub(crate) reason: &'static str,
    pub(crate) would_delete: usize,
    pub(crate) message: String,
}

impl Blocked {
    /// A chain that would lose too much.
    pub(crate) fn chain(chain: &BlockedChain) -> Self {
        let BlockedChain { table, chain, would_delete, usable } = chain;
        Self {
            table: Some(table.clone()),
            chain: Some(*chain),
            reason: "more_than_half",
            would_delete: *would_delete,
            message: format!(
                "{would_delete} points of the {chain} chain are due, more than half of its {usable} usable ones: look \
                 at them, and confirm with the digest"
            ),
        }
    }

    /// A run that would delete too much.
    pub(crate) fn run(would_delete: usize, most: usize) -> Self {
        Self {
            table: None,
            chain: None,
            reason: "max_deletes",
            would_delete,
            message: format!(
                "{would_delete} points are due, and MaxDeletes allows {most} in one run: nothing was deleted; look at \
                 them, and confirm with the digest"
            ),
        }
    }
}

/// A point that is to go and is still there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    table: TableArn,
    recovery_point: RecoveryPointArn,
    reason: String,
    message: String,
    /// For their order alone.
    #[serde(skip)]
    created_at: Timestamp,
}

impl Failure {
    pub(crate) fn new(point: &ListedPoint, reason: &str, message: impl Into<String>) -> Self {
        Self {
            table: point.table.clone(),
            recovery_point: point.arn.clone(),
            reason: reason.to_owned(),
            message: message.into(),
            created_at: point.created_at,
        }
    }

    /// As all lists of one table are sorted.
    pub(crate) fn sort(failures: &mut [Self]) {
        failures.sort_by(|one, other| {
            (one.created_at, &one.recovery_point).cmp(&(other.created_at, &other.recovery_point))
        });
    }

    pub(crate) fn point(&self) -> &RecoveryPointArn {
        &self.recovery_point
    }

    /// AWS did not answer, or refused.
    pub(crate) fn of_call(point: &ListedPoint, reason: &str, error: &AwsError) -> Self {
        Self::new(point, reason, format!("{error}; the next run tries again"))
    }
}

/// The points of an answer, cut to a page.
#[derive(Debug)]
pub(crate) struct Page {
    now: Timestamp,
    after: Option<Place>,
    points: Vec<Value>,
    last: Option<Place>,
    cut: bool,
}

impl Page {
    pub(crate) fn new(now: Timestamp, how: &How) -> Self {
        Self { now, after: how.after.clone(), points: Vec::new(), last: None, cut: false }
    }

    /// Takes points in that follow those before; whether each is shown on this page.
    pub(crate) fn add<'a>(
        &mut self,
        points: impl IntoIterator<Item = (&'a RestorePoint, Verdict)>,
    ) -> Vec<&'a RestorePoint> {
        let mut placed: Vec<_> =
            points.into_iter().map(|(point, verdict)| (Place::of(&point.listed), point, verdict)).collect();
        placed.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut shown = Vec::new();
        for (place, point, verdict) in placed {
            if self.after.as_ref().is_some_and(|after| place <= *after) {
                continue;
            }
            if self.points.len() == LIMIT {
                self.cut = true;
                break;
            }
            let view = point.view(self.now).decided(&verdict);
            self.points.push(serde_json::to_value(view).unwrap_or_default());
            self.last = Some(place);
            shown.push(point);
        }
        shown
    }

    /// The points, and where the next page begins.
    pub(crate) fn finish(self) -> (Vec<Value>, Option<String>) {
        (self.points, self.last.filter(|_| self.cut).map(|place| place.to_string()))
    }
}
