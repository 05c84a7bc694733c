//! How events travel from AWS Backup to EventBridge: at once and exactly, unless a test says otherwise.
//!
//! AWS promises less: AWS Backup "emits events in a best-effort manner every 5 minutes", an event may be lost or come twice,
//! and no order is promised (AWS Backup Developer Guide, "Monitoring AWS Backup events using Amazon EventBridge"; EventBridge
//! User Guide, "Troubleshooting Amazon EventBridge").

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::Event;
use crate::agenda::Task;
use crate::aws::Scope;
use crate::chance::Chance;

/// An event that is to be overtaken waits no longer than this for another one.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);

/// What happens to events on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Quirks {
    /// Probabilities, 0 to 1: that an event is lost,
    pub(crate) lose: f64,
    /// that it comes twice,
    pub(crate) double: f64,
    /// and that it changes places with the next one of its account and Region.
    pub(crate) reorder: f64,
    /// Emulated seconds that every event is late,
    pub(crate) delay: u32,
    /// and as many more at the most, by chance.
    pub(crate) spread: u32,
    pub(crate) seed: u64,
}

/// What has happened to events so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    pub(crate) delayed: u64,
}

/// The way of the events.
#[derive(Debug)]
pub(crate) struct Transit(Mutex<State>);

#[derive(Debug)]
struct State {
    quirks: Quirks,
    chance: Chance,
    counts: Counts,
    /// Events that wait to be overtaken, and the number by which each one's alarm knows it.
    waiting: HashMap<Scope, (u64, Vec<Event>)>,
    /// The latest of these numbers.
    number: u64,
}

impl Default for Transit {
    fn default() -> Self {
        let state = State {
            quirks: Quirks::default(),
            chance: Chance::new(0),
            counts: Counts::default(),
            waiting: HashMap::new(),
            number: 0,
        };
        Self(Mutex::new(state))
    }
}

impl Transit {
    /// From now on events travel so; counting begins anew. Events that are on their way stay there.
    pub(crate) fn set(&self, quirks: Quirks) {
        let mut state = self.state();
        (state.quirks, state.chance, state.counts) = (quirks, Chance::new(quirks.seed), Counts::default());
    }

    pub(crate) fn quirks(&self) -> (Quirks, Counts) {
        let state = self.state();
        (state.quirks, state.counts)
    }

    /// Sends an event on its way: what is to be done about it, and when. `None` when it is lost.
    pub(crate) fn send(&self, event: Event, now: Timestamp) -> Option<(Timestamp, Task)> {
        let mut state = self.state();
        let State { quirks, chance, counts, waiting, number } = &mut *state;
        counts.sent += 1;
        if chance.hits(quirks.lose) {
            counts.lost += 1;
            return None;
        }
        let late = SignedDuration::from_secs(i64::from(quirks.delay))
            + SignedDuration::from_secs(i64::try_from(chance.up_to(quirks.spread.into())).unwrap_or(0));
        counts.delayed += u64::from(late.is_positive());
        let doubled = chance.hits(quirks.double);
        counts.doubled += u64::from(doubled);
        let scope = event.scope.clone();
        let mut events = vec![event; 1 + usize::from(doubled)];
        let due = now.checked_add(late).unwrap_or(now);
        if let Some((_, overtaken)) = waiting.remove(&scope) {
            counts.reordered += 1;
            events.extend(overtaken);
        } else if chance.hits(quirks.reorder) {
            *number += 1;
            waiting.insert(scope.clone(), (*number, events));
            let alarm = due.checked_add(LONGEST_WAIT).unwrap_or(due);
            return Some((alarm, Task::DeliverOvertaken { scope, number: *number }));
        }
        Some((due, Task::Deliver(events)))
    }

    /// The event that waits under this number, if it still waits: nothing has overtaken it, and it waits no longer.
    pub(crate) fn give_up_waiting(&self, scope: &Scope, number: u64) -> Vec<Event> {
        let mut state = self.state();
        let waits = state.waiting.get(scope).is_some_and(|(waiting, _)| *waiting == number);
        let found = if waits { state.waiting.remove(scope) } else { None };
        found.map(|(_, events)| events).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
