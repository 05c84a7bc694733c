//! Jobs as time passes: the emulator's own source of the timeline.

mod backup;
mod copy;
mod legal_hold;
mod recovery_point;
mod restore;
mod role;

pub(crate) use legal_hold::STEP as LEGAL_HOLD_STEP;

use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::agenda::Task;
use crate::aws::rules::{self, Bus};
use crate::calls::Entry;
use crate::event::Event;
use crate::service::Service;
use crate::timeline::Source;

/// Tasks that are done at the same time.
const AT_ONCE: usize = 16;

/// Does what is on the agenda.
#[derive(Debug)]
pub(crate) struct Jobs(pub(crate) Arc<Service>);

impl Source for Jobs {
    fn next_due(&self, _after: Timestamp) -> BoxFuture<'_, Option<Timestamp>> {
        Box::pin(async {
            let points = self.0.world.next_due(&self.0.agenda.held());
            self.0.agenda.next_due().into_iter().chain(points).min()
        })
    }

    fn fire(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // What is done may put more on the agenda that is due at once, such as events.
            loop {
                let due = self.take_due(at);
                if due.is_empty() {
                    return;
                }
                let bus = Bus::default();
                futures::stream::iter(due)
                    .for_each_concurrent(AT_ONCE, |task| self.perform(task, &bus))
                    .await;
            }
        })
    }
}

impl Jobs {
    fn take_due(&self, at: Timestamp) -> Vec<Task> {
        let points = self.0.world.take_due(at, &self.0.agenda.held()).into_iter();
        let steps = points.map(|(scope, point, step)| Task::StepPoint { scope, point, step });
        steps.chain(self.0.agenda.take_due(at)).collect()
    }

    async fn perform(&self, task: Task, bus: &Bus) {
        let service = &self.0;
        match task {
            Task::StartBackup { scope, job } => backup::start(service, &scope, &job).await,
            Task::FinishBackup { scope, job } => backup::finish(service, &scope, &job),
            Task::ExpireBackup { scope, job } => backup::expire(service, &scope, &job),
            Task::AbortBackup { scope, job } => backup::abort(service, &scope, &job),
            Task::StepLegalHold { scope, hold } => legal_hold::step(service, &scope, &hold),
            Task::StepPoint { scope, point, step } => {
                recovery_point::step(service, &scope, &point, step).await;
            }
            Task::StartRestore { scope, job } => restore::start(service, &scope, &job).await,
            Task::FinishRestore { scope, job } => restore::finish(service, &scope, &job).await,
            Task::StartCopy { scope, job } => copy::start(service, &scope, &job).await,
            Task::FinishCopy { scope, job } => copy::finish(service, &scope, &job),
            Task::Deliver(events) => deliver(service, bus, &events).await,
            Task::DeliverOvertaken { scope, number } => {
                deliver(service, bus, &service.transit.give_up_waiting(&scope, number)).await;
            }
        }
    }
}

/// Puts an event on its way.
pub(crate) fn announce(service: &Service, event: Event) {
    if let Some((due, task)) = service.transit.send(event, service.timeline.now()) {
        service.agenda.add(due, task);
    }
}

async fn deliver(service: &Service, bus: &Bus, events: &[Event]) {
    for event in events {
        deliver_one(service, bus, event).await;
    }
}

async fn deliver_one(service: &Service, bus: &Bus, event: &Event) {
    let (clients, now) = (service.aws.clients(&event.scope), service.timeline.now());
    for delivery in rules::deliver(&clients, &event.scope, bus, &event.body, now).await {
        if delivery.outcome != "delivered" {
            tracing::warn!(target = %delivery.target, outcome = %delivery.outcome, "an event was not delivered");
        }
        service.calls.record(Entry {
            operation: "DeliverEvent".to_owned(),
            principal: delivery.target,
            region: event.scope.region.clone(),
            outcome: delivery.outcome,
            ..Entry::new(now)
        });
    }
}
