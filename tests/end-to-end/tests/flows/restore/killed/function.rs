//! `table-restore` in this process, which can be killed at any of its API calls.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_config::SdkConfig;
use dynachain::error::{ErrorType, Refusal};
use end_to_end::in_process::{EventQueue, LIMIT, invocation, nothing_wakes};
use end_to_end::kills::{Call, Calls, Kill};
use jiff::SignedDuration;
use local_stack::SOURCE_REGION;
use serde_json::{Value, json};
use table_restore::{Deps, handle};

use super::{FUNCTION, request};
use crate::support::{World, list};

/// Longer than a killed invocation holds a restore, and than the interval of reconciliation.
const LATER: SignedDuration = SignedDuration::from_mins(20);
/// A job without an owner is found by the first reconciliation, and looked at by the second; none is left for the third.
const RECONCILIATIONS: usize = 3;

/// The function, as the account's root; nothing else invokes it.
pub(super) struct Function<'a> {
    world: &'a World,
    calls: Calls,
    /// What its clients have: those whose calls are counted and kill it, and those that nobody kills.
    mortal: SdkConfig,
    immortal: SdkConfig,
    settings: BTreeMap<String, String>,
    events: EventQueue,
    asked: AtomicUsize,
}

/// What became of a restore.
pub(super) struct Restored {
    /// How it stands, as the function says.
    pub(super) answer: Value,
    /// The calls at which its function was killed.
    pub(super) killed_at: Vec<Call>,
    /// All calls up to the last kill, or all.
    pub(super) calls: Vec<Call>,
}

impl<'a> Function<'a> {
    pub(super) async fn new(world: &'a World) -> Self {
        let stack = &world.stack;
        let mut settings = stack.function_variables(SOURCE_REGION, FUNCTION).await.expect("the settings");
        // Rates are kept in real time, and this is not about them.
        for rate in ["START_RATE", "LIST_RATE", "DESCRIBE_RATE", "TABLE_READ_RATE"] {
            settings.insert(rate.to_owned(), "1000".to_owned());
        }
        nothing_wakes(stack).await.expect("nothing wakes by itself");
        let events = EventQueue::instead_of(stack, FUNCTION, "RestoreJobRule").await.expect("the events");
        let calls = Calls::default();
        let config = stack.in_process_config(SOURCE_REGION).await;
        let (mortal, immortal) = (calls.of(config.clone()), Calls::default().of(config));
        Self { world, calls, mortal, immortal, settings, events, asked: AtomicUsize::new(0) }
    }

    /// A restore of a point, from the request to its end. Its function is killed so, one time after the other.
    pub(super) async fn restored(&self, point: &str, kills: &[Kill]) -> Restored {
        let mut left = Kills { left: kills.to_vec(), at: Vec::new() };
        self.calls.begin(left.next());
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let restore_id = format!("00000000-0000-4000-8000-{asked:012}");
        self.ask(&restore_id, point, &mut left).await;
        for _ in 0..=RECONCILIATIONS {
            self.world.finish_jobs().await;
            for event in self.events.take().await.expect("events") {
                self.insisted("event", &event, &mut left).await.expect("an answer");
            }
            let answer = self.unkilled(&json!({"status": restore_id})).await;
            if !["planned", "restoring", "configuring"].iter().any(|open| answer["state"] == *open) {
                return Restored { answer, killed_at: left.at, calls: self.calls.made() };
            }
            self.world.stack.jump_to(self.world.stack.now() + LATER).await;
            self.insisted("clock", &json!({"reconcile": true}), &mut left).await.expect("an answer");
        }
        unreachable!("the restore killed at {:?} comes to no end", left.at)
    }

    /// Whether a reconciliation finds nothing to do.
    pub(super) async fn is_idle(&self) -> bool {
        list(&self.unkilled(&json!({"reconcile": true})).await["restores"]).is_empty()
    }

    /// Asks for a restore. Who gets no answer and asks anew, is told that it goes on already; or it has to be, as Lambda does
    /// it, asked with the same id.
    async fn ask(&self, restore_id: &str, point: &str, left: &mut Kills) {
        let request = request(point);
        if self.invoked(restore_id, &request, left).await.is_some() {
            return;
        }
        let written = self.unkilled_as(restore_id, &json!({"status": restore_id})).await.is_ok();
        if written {
            let refusal = self.unkilled_as("another", &request).await.expect_err("it is being restored");
            assert_eq!(refusal.error_type(), ErrorType::Busy, "{refusal}");
        }
        self.insisted(restore_id, &request, left).await.expect("an answer");
    }

    /// Invokes the function, again with the same when it is killed: as Lambda does with what it gets no answer to.
    async fn insisted(&self, id: &str, input: &Value, left: &mut Kills) -> Result<Value, Refusal> {
        loop {
            if let Some(answer) = self.invoked(id, input, left).await {
                return answer;
            }
        }
    }

    /// Invokes the function; `None` when it is killed.
    async fn invoked(&self, id: &str, input: &Value, left: &mut Kills) -> Option<Result<Value, Refusal>> {
        let invocation = invocation(id, LIMIT).expect("an invocation");
        let deps = self.afresh(&self.mortal);
        // On the heap: without optimization it is too large for the stack of a test.
        let handled = Box::pin(handle(&deps, &invocation, input.clone()));
        match self.calls.unless_killed(handled).await {
            Ok(answer) => Some(answer),
            Err(call) => {
                left.at.push(call);
                if let Some(next) = left.next() {
                    self.calls.begin(Some(next));
                }
                None
            }
        }
    }

    async fn unkilled(&self, input: &Value) -> Value {
        self.unkilled_as("a look", input).await.expect("an answer")
    }

    async fn unkilled_as(&self, id: &str, input: &Value) -> Result<Value, Refusal> {
        let invocation = invocation(id, LIMIT).expect("an invocation");
        let deps = self.afresh(&self.immortal);
        Box::pin(handle(&deps, &invocation, input.clone())).await
    }

    /// What a process of its own starts with: nothing opened, nothing read, nothing remembered.
    fn afresh(&self, config: &SdkConfig) -> Deps {
        Deps::of(config, |name| self.settings.get(name).cloned()).expect("the settings")
    }
}

/// The kills that are still to come, and where those before came.
struct Kills {
    left: Vec<Kill>,
    at: Vec<Call>,
}

impl Kills {
    fn next(&mut self) -> Option<Kill> {
        (!self.left.is_empty()).then(|| self.left.remove(0))
    }
}
