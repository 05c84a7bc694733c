//! What one invocation has done.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dynachain::catalog::CopyRecord;

/// Counts what is done, from wherever it is done.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

/// So far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Copies that are new in the queue, and wait: the index may not have them yet.
    pub(crate) fresh: Vec<CopyRecord>,
    /// Copies that were queued.
    pub(crate) queued: u64,
    /// Copy jobs that were started.
    pub(crate) started: u64,
    /// Copies that were settled.
    pub(crate) settled: u64,
    /// Those of them that came to nothing.
    pub(crate) owed: Vec<CopyRecord>,
}

impl Tally {
    pub(crate) fn queued(&self, records: Vec<CopyRecord>) {
        let mut counts = self.counts();
        counts.queued += u64::try_from(records.len()).unwrap_or(u64::MAX);
        counts.fresh.extend(records);
    }

    pub(crate) fn started(&self) {
        self.counts().started += 1;
    }

    pub(crate) fn settled(&self, record: &CopyRecord) {
        let mut counts = self.counts();
        counts.settled += 1;
        if record.state.is_owed() {
            counts.owed.push(record.clone());
        }
    }

    /// What is new in the queue since this was asked last.
    pub(crate) fn take_fresh(&self) -> Vec<CopyRecord> {
        std::mem::take(&mut self.counts().fresh)
    }

    pub(crate) fn so_far(&self) -> Counts {
        self.counts().clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
