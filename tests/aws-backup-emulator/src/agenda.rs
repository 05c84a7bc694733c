//! What is still to happen, and when: the steps of jobs and the deliveries of events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

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
    /// Bring events, one after the other, to the targets of the rules they match.
    Deliver(Vec<Event>),
    /// Deliver an event that was to be overtaken and has not been.
    DeliverOvertaken { scope: Scope, number: u64 },
}

impl Task {
    /// Where it is done: it waits while this Region is off.
    fn region(&self) -> Option<&str> {
        match self {
            Self::StartBackup { scope, .. }
            | Self::FinishBackup { scope, .. }
            | Self::ExpireBackup { scope, .. }
            | Self::AbortBackup { scope, .. }
            | Self::StepLegalHold { scope, .. }
            | Self::StepPoint { scope, .. }
            | Self::StartRestore { scope, .. }
            | Self::FinishRestore { scope, .. }
            | Self::StartCopy { scope, .. }
            | Self::FinishCopy { scope, .. }
            | Self::DeliverOvertaken { scope, .. } => Some(&scope.region),
            Self::Deliver(events) => events.first().map(|event| event.scope.region.as_str()),
        }
    }
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
    /// What stands still in each Region that is off, and how much time is left until it is due.
    held: BTreeMap<String, Vec<(SignedDuration, Task)>>,
}

impl Queue {
    fn add(&mut self, now: Timestamp, due: Timestamp, task: Task) {
        let held = task.region().and_then(|region| self.held.get_mut(region));
        if let Some(held) = held {
            held.push((left(now, due), task));
        } else {
            self.count += 1;
            self.tasks.insert((due, self.count), task);
        }
    }
}

fn left(now: Timestamp, due: Timestamp) -> SignedDuration {
    due.duration_since(now).max(SignedDuration::ZERO)
}

impl Agenda {
    pub(crate) fn new(timeline: Arc<Timeline>) -> Self {
        Self { timeline, queue: Mutex::default() }
    }

    /// To be done at that moment, or as soon as possible when it has passed.
    pub(crate) fn add(&self, due: Timestamp, task: Task) {
        self.queue().add(self.timeline.now(), due, task);
        self.timeline.poke();
    }

    /// From now on nothing is done in a Region: it is off, and what is due there stands still.
    pub(crate) fn hold(&self, region: &str) {
        let now = self.timeline.now();
        let mut queue = self.queue();
        let due: Vec<_> = queue.tasks.extract_if(.., |_, task| task.region() == Some(region)).collect();
        let held = queue.held.entry(region.to_owned()).or_default();
        held.extend(due.into_iter().map(|((due, _), task)| (left(now, due), task)));
    }

    /// A Region is back: what stood still there goes on, with as much time left as it had.
    pub(crate) fn release(&self, region: &str) {
        {
            let now = self.timeline.now();
            let mut queue = self.queue();
            for (left, task) in queue.held.remove(region).unwrap_or_default() {
                queue.add(now, now.checked_add(left).unwrap_or(Timestamp::MAX), task);
            }
        }
        self.timeline.poke();
    }

    /// Is a Region off?
    pub(crate) fn holds(&self, region: &str) -> bool {
        self.queue().held.contains_key(region)
    }

    /// The Regions that are off.
    pub(crate) fn held(&self) -> Vec<String> {
        self.queue().held.keys().cloned().collect()
    }

    /// A task that cannot be done while a Region other than its own is off, such as a copy's destination, is done when that
    /// Region is back. Gives the task back when the Region is not off.
    pub(crate) fn put_off(&self, region: &str, task: Task) -> Result<(), Task> {
        match self.queue().held.get_mut(region) {
            Some(held) => held.push((SignedDuration::ZERO, task)),
            None => return Err(task),
        }
        Ok(())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let queue = self.queue();
        queue.tasks.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes all tasks out that are due at or before a moment.
    pub(crate) fn take_due(&self, at: Timestamp) -> Vec<Task> {
        let mut queue = self.queue();
        let later = queue.tasks.split_off(&(at, u64::MAX));
        std::mem::replace(&mut queue.tasks, later).into_values().collect()
    }
}

#[cfg(test)]
mod tests;
