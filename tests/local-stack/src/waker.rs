//! The waker: what EventBridge Scheduler and scheduled rules would do, on the emulated clock.
//!
//! ministack stores schedules and rules, but wakes by the real clock, in UTC only, and leaves the context attributes in the
//! input as they are. The waker reads them from it, works out when each fires, fills in the attributes and invokes the
//! target, waiting for its answer: when a jump of the clock is over, so is all that it woke. Unlike AWS it does not try
//! again when a target fails; what became of every wake-up is kept for tests to look at.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_backup_emulator::Source;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::functions::{Functions, InvokeError};
use crate::http;

mod cron;
pub mod expression;
mod stored;

use stored::{Stored, Wake};

/// Targets that are woken at the same time.
const CONCURRENT: usize = 16;
/// Wake-ups that are remembered.
const REMEMBERED: usize = 10_000;

/// One wake-up, and what became of it.
#[derive(Clone, Debug)]
pub struct WakeUp {
    /// The moment of the emulated time for which the target was woken.
    pub at: Timestamp,
    /// The ARN of the schedule or rule.
    pub by: String,
    /// What the target was given.
    pub input: String,
    /// What it answered.
    pub outcome: Result<serde_json::Value, String>,
}

/// Fires schedules and rules; a source of the timeline.
#[derive(Debug)]
pub struct Waker {
    ministack: String,
    functions: Functions,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    wakes: Vec<Arc<Wake>>,
    /// Regions that are off. What they would have woken meanwhile is not made up for.
    off: Vec<String>,
    /// What a rate counts from: when its schedule or rule was first seen.
    anchors: BTreeMap<String, Timestamp>,
    /// Everything up to here has been fired.
    fired: Timestamp,
    remembered: VecDeque<WakeUp>,
}

impl Waker {
    /// A waker for all schedules and rules of the ministack at this endpoint.
    pub(crate) fn new(ministack: String, functions: Functions, now: Timestamp) -> Self {
        let state = State {
            wakes: Vec::new(),
            off: Vec::new(),
            anchors: BTreeMap::new(),
            fired: now,
            remembered: VecDeque::new(),
        };
        Self { ministack, functions, state: Mutex::new(state) }
    }

    /// The wake-ups so far, oldest first.
    pub fn wake_ups(&self) -> Vec<WakeUp> {
        self.state().remembered.iter().cloned().collect()
    }

    /// Learns of new, changed and deleted schedules: one request, cheap enough to be made whenever the clock asks.
    async fn refresh(&self) {
        let found = http::get_json(&self.ministack, "/_local/wakes").await;
        match found.and_then(|found| Ok(serde_json::from_value::<Stored>(found)?)) {
            Ok(stored) => self.state().learn(stored),
            Err(error) => {
                tracing::warn!("the schedules could not be read, those known before stand: {error:#}");
            }
        }
    }

    async fn wake(&self, at: Timestamp, wake: Arc<Wake>) {
        let input = wake.input(at);
        let outcome = match self.functions.invoke_arn(&wake.target, &input).await {
            Ok(answer) => Ok(answer),
            Err(InvokeError::Function(refusal)) => Err(refusal.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = &outcome {
            tracing::warn!(by = wake.arn, %at, "the target that was woken answered with an error: {error}");
        }
        let mut state = self.state();
        if state.remembered.len() == REMEMBERED {
            state.remembered.pop_front();
        }
        state.remembered.push_back(WakeUp { at, by: wake.arn.clone(), input, outcome });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn learn(&mut self, mut stored: Stored) {
        self.off = std::mem::take(&mut stored.off);
        let (wakes, problems) = stored.wakes();
        for problem in problems {
            tracing::warn!("{problem}");
        }
        self.wakes = wakes.into_iter().map(Arc::new).collect();
        self.anchors.retain(|arn, _| self.wakes.iter().any(|wake| wake.arn == *arn));
        for wake in &self.wakes {
            self.anchors.entry(wake.arn.clone()).or_insert(self.fired);
        }
    }

    fn next(&self, wake: &Wake, after: Timestamp) -> Option<Timestamp> {
        if wake.is_in(&self.off) {
            return None;
        }
        wake.next(after, *self.anchors.get(&wake.arn)?)
    }

    /// What fires first after what has been fired, if that is not beyond `at`.
    fn take_due(&mut self, at: Timestamp) -> Option<(Timestamp, Vec<Arc<Wake>>)> {
        let due: Vec<_> =
            self.wakes.iter().filter_map(|wake| Some((self.next(wake, self.fired)?, wake.clone()))).collect();
        let moment = due.iter().map(|(moment, _)| *moment).min().filter(|moment| *moment <= at)?;
        self.fired = moment;
        Some((moment, due.into_iter().filter(|(due, _)| *due == moment).map(|(_, wake)| wake).collect()))
    }
}

impl Source for Waker {
    fn next_due(&self, after: Timestamp) -> BoxFuture<'_, Option<Timestamp>> {
        Box::pin(async move {
            self.state().fired = after;
            self.refresh().await;
            let state = self.state();
            state.wakes.iter().filter_map(|wake| state.next(wake, after)).min()
        })
    }

    fn fire(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let Some((moment, wakes)) = self.state().take_due(at) else { break };
                futures::stream::iter(wakes)
                    .for_each_concurrent(CONCURRENT, |wake| self.wake(moment, wake))
                    .await;
            }
            let mut state = self.state();
            state.fired = state.fired.max(at);
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stored(off: &[&str]) -> Stored {
        let rule = |region: &str| {
            json!({
                "Arn": format!("arn:aws:events:{region}:111122223333:rule/r"), "State": "ENABLED",
                "ScheduleExpression": "rate(15 minutes)",
                "Targets": [{"Arn": format!("arn:aws:lambda:{region}:111122223333:function:f")}],
            })
        };
        let rules: Vec<Value> = ["eu-central-1", "eu-west-1"].map(rule).into();
        serde_json::from_value(json!({"Schedules": [], "Rules": rules, "Off": off})).unwrap()
    }

    #[test]
    fn schedules_of_a_region_that_is_off_wake_nobody_and_are_not_made_up_for() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let start = at("2025-01-06T06:00:00Z");
        let mut state = State {
            wakes: Vec::new(),
            off: Vec::new(),
            anchors: BTreeMap::new(),
            fired: start,
            remembered: VecDeque::new(),
        };
        state.learn(stored(&[]));
        state.learn(stored(&["eu-central-1"]));
        let (moment, woken) = state.take_due(at("2025-01-06T06:20:00Z")).unwrap();
        let woken: Vec<&str> = woken.iter().map(|wake| wake.arn.as_str()).collect();
        assert_eq!(
            (moment, woken),
            (at("2025-01-06T06:15:00Z"), vec!["arn:aws:events:eu-west-1:111122223333:rule/r"])
        );
        state.fired = at("2025-01-06T06:20:00Z");
        state.learn(stored(&[]));
        let (moment, woken) = state.take_due(at("2025-01-06T06:40:00Z")).unwrap();
        assert_eq!((moment, woken.len()), (at("2025-01-06T06:30:00Z"), 2));
    }
}
