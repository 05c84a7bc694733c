//! What is still to happen, and when: the steps of jobs and the deliveries of events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::aws::Scope;
use crate::event::Event;
use crate::state::recovery_point::fate::Step;
use crate::timeline::Timeline;

/// One thing to do.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// Try to start a backup job.
    StartBackup { scope: Scope, job: String },
    /// A backup job has run its time.
    FinishBackup { scope: Scope, job: String },
    /// A backup job did not finish within its completion window.
    ExpireBackup { scope: Scope, job: String },
    /// A backup job that was to be stopped has stopped.
    AbortBackup { scope: Scope, job: String },
    /// A legal hold comes into force, or ends, or its record does.
    StepLegalHold { scope: Scope, hold: String },
    /// What a recovery point's lifecycle or deletion brings next. Planned with the point itself, so that it changes with it.
    StepPoint { scope: Scope, point: Arc<str>, step: Step },
    /// Start a restore job.
    StartRestore { scope: Scope, job: String },
    /// A restore job has run its time.
    FinishRestore { scope: Scope, job: String },
    /// Try to start a copy job.
    StartCopy { scope: Scope, job: String },
    /// A copy job has run its time.
    FinishCopy { scope: Scope, job: String },
    /// Bring an event to the targets of the rules it matches.
    Deliver(Event),
}

/// The tasks in the order in which they are due, equally due ones in the order in which they came.
#[derive(Debug)]
pub(crate) struct Agenda {
    timeline: Arc<Timeline>,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    tasks: BTreeMap<(Timestamp, u64), Task>,
    count: u64,
}

impl Agenda {
    pub(crate) fn new(timeline: Arc<Timeline>) -> Self {
        Self { timeline, queue: Mutex::default() }
    }

    /// To be done at that moment, or as soon as possible when it has passed.
    pub(crate) fn add(&self, due: Timestamp, task: Task) {
        {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.count += 1;
            let key = (due, queue.count);
            queue.tasks.insert(key, task);
        }
        self.timeline.poke();
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.tasks.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes all tasks out that are due at or before a moment.
    pub(crate) fn take_due(&self, at: Timestamp) -> Vec<Task> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let later = queue.tasks.split_off(&(at, u64::MAX));
        std::mem::replace(&mut queue.tasks, later).into_values().collect()
    }
}
