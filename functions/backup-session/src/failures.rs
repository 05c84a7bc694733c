//! Trouble with one thing that keeps nothing from the others.

use std::fmt::Display;

use dynachain::catalog::SessionRecord;
use dynachain::error::Refusal;
use dynachain::id::TableArn;
use serde::Serialize;

/// An answer names so many; the log has all of them.
const NAMED: usize = 100;

/// What could not be done this time: each with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Failures(Vec<String>);

impl Failures {
    /// What came of a thing; nothing when it failed, which is noted.
    pub(crate) fn caught<T: Default>(&mut self, what: impl Display, outcome: Result<T, Refusal>) -> T {
        outcome.unwrap_or_else(|refusal| {
            self.note(what, &refusal);
            T::default()
        })
    }

    pub(crate) fn note(&mut self, what: impl Display, refusal: &Refusal) {
        tracing::warn!(%what, %refusal, "could not be looked after");
        match self.0.len() {
            named if named < NAMED => self.0.push(format!("{what}: {refusal}")),
            NAMED => self.0.push("and more, which the log names".to_owned()),
            _ => {}
        }
    }
}

/// What a failure calls a table of a session.
pub(crate) fn table_of(session: &SessionRecord, table: &TableArn) -> String {
    format!("{}: {table}", session.session)
}

#[cfg(test)]
mod tests {
    use dynachain::error::ErrorType;

    use super::*;

    #[test]
    fn a_hundred_failures_are_named_and_the_rest_is_said_to_be_in_the_log() {
        let mut failures = Failures::default();
        let refused = || Err::<u64, _>(Refusal::new(ErrorType::Internal, "no answer"));
        assert_eq!(failures.caught("done", Ok(7)), 7);
        let sum: u64 = (0..1000).map(|n| failures.caught(format_args!("table-{n}"), refused())).sum();
        assert_eq!((sum, failures.0.len()), (0, 101));
        assert_eq!(failures.0[0], "table-0: $: no answer");
        assert_eq!(failures.0[100], "and more, which the log names");
    }
}
