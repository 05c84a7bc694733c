//! What the lists of backup, copy and restore jobs have in common.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::recovery_points::is_resource_type;
use super::time_span::TimeSpan;
use crate::http::{ApiError, Call, Page, newest_first};

/// The filters that every list of jobs has.
#[derive(Debug)]
pub(super) struct Common {
    created: TimeSpan,
    completed: TimeSpan,
    /// No job can be wanted: jobs of other accounts and of other services there are none, nor such as have a parent.
    none: bool,
}

impl Common {
    /// As the call's query gives them; which account ids it may have differs from list to list.
    pub(super) fn of(call: &Call, account: fn(&str) -> bool) -> Result<Self, ApiError> {
        let account = call.checked("accountId", account)?;
        let kind = call.checked("resourceType", is_resource_type)?;
        let none = account.is_some_and(|account| account != "*" && account != call.scope.account)
            || kind.is_some_and(|kind| kind != "DynamoDB")
            || call.query("parentJobId").is_some();
        Ok(Self {
            created: TimeSpan::of(call, "createdAfter", "createdBefore")?,
            completed: TimeSpan::of(call, "completeAfter", "completeBefore")?,
            none,
        })
    }

    /// Is a job wanted that was created and completed then?
    pub(super) fn holds(&self, created: Timestamp, completed: Option<Timestamp>) -> bool {
        !self.none && self.created.holds(Some(created)) && self.completed.holds(completed)
    }
}

/// A page of jobs, newest first, under this name; `place` gives what a job is sorted by.
pub(super) fn page<'a, T: 'a>(
    page: &Page,
    name: &str,
    jobs: impl Iterator<Item = &'a T>,
    place: impl Fn(&'a T) -> (Timestamp, &'a str),
    describe: impl Fn(&T) -> Value,
) -> Value {
    let placed = jobs.map(|job| {
        let (created, id) = place(job);
        (newest_first(created, id), job)
    });
    let (jobs, next) = page.cut(placed.collect());
    let jobs: Value = jobs.into_iter().map(describe).collect();
    Value::Object(Map::from_iter([(name.to_owned(), jobs), ("NextToken".to_owned(), next)]))
}
