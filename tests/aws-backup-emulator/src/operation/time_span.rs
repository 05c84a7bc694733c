//! A pair of query members that says between which moments something must have happened.

use jiff::Timestamp;

use crate::http::{ApiError, Call};

/// Both ends are exclusive; without either, also what has not happened is within.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeSpan {
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl TimeSpan {
    /// As two members of the call's query give it.
    pub(super) fn of(call: &Call, after: &str, before: &str) -> Result<Self, ApiError> {
        Ok(Self { after: call.time(after)?, before: call.time(before)? })
    }

    pub(super) fn holds(&self, at: Option<Timestamp>) -> bool {
        let Self { after, before } = *self;
        (after.is_none() && before.is_none())
            || at.is_some_and(|at| {
                after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
            })
    }
}
