//! `backup-session` in this process, and the events of AWS Backup that it would have been invoked with.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use backup_session::{Deps, Invocation, handle};
use local_stack::{LocalStack, SOURCE_REGION};
use serde_json::Value;

use crate::in_process::{EventQueue, LIMIT, invocation, nothing_wakes};

/// The function and its queue of events.
#[derive(Debug)]
pub(super) struct OwnFunction {
    deps: Deps,
    events: EventQueue,
    invoked: AtomicU64,
}

impl OwnFunction {
    /// Takes the place of the deployed function: the rule about jobs sends to a queue, and nothing wakes by itself any more.
    pub(super) async fn instead_of_the_deployed(stack: &LocalStack) -> anyhow::Result<Self> {
        let mut variables = stack.function_variables(SOURCE_REGION, "backup-session").await?;
        // Rates are kept in real time, of which a year has none to lose; the template does not go so far.
        for rate in ["START_RATE", "LIST_RATE", "DESCRIBE_RATE", "TABLE_READ_RATE"] {
            variables.insert(rate.to_owned(), "1000".to_owned());
        }
        let config = stack.in_process_config(SOURCE_REGION).await;
        let deps = Deps::of(&config, |name| variables.get(name).cloned());
        let deps = deps.map_err(|error| anyhow::anyhow!("the function's settings: {error}"))?;
        let events = EventQueue::instead_of(stack, "backup-session", "BackupJobRule").await?;
        nothing_wakes(stack).await?;
        nothing_copies(stack).await?;
        crate::retention::starts_by_itself(stack, false).await?;
        Ok(Self { deps, events, invoked: AtomicU64::new(0) })
    }

    /// Invokes the function.
    pub(super) async fn invoke(&self, input: Value) -> anyhow::Result<Value> {
        let invocation = self.invocation()?;
        let said = input.to_string();
        // On the heap: without optimization it is too large for the stack of a test.
        Box::pin(handle(&self.deps, &invocation, input)).await.with_context(|| said)
    }

    /// Invokes it twice at the same time.
    pub(super) async fn invoke_twice(&self, input: &Value) -> anyhow::Result<[Value; 2]> {
        let (one, other) = (self.invocation()?, self.invocation()?);
        let both = futures::future::try_join(
            Box::pin(handle(&self.deps, &one, input.clone())),
            Box::pin(handle(&self.deps, &other, input.clone())),
        );
        Ok(both.await.with_context(|| input.to_string())?.into())
    }

    /// Gives the function all events that have come, some at the same time.
    pub(super) async fn take_events(&self) -> anyhow::Result<()> {
        loop {
            let events = self.events.take().await?;
            if events.is_empty() {
                return Ok(());
            }
            // At the same time, as Lambda would: also the two of a doubled event.
            futures::future::try_join_all(events.into_iter().map(|event| self.invoke(event))).await?;
        }
    }

    fn invocation(&self) -> anyhow::Result<Invocation> {
        let invoked = self.invoked.fetch_add(1, Ordering::Relaxed);
        invocation(&format!("00000000-0000-4000-8000-{invoked:012}"), LIMIT)
    }
}

/// Nothing is copied in a year of sessions: the rules of copying are left out as well.
async fn nothing_copies(stack: &LocalStack) -> anyhow::Result<()> {
    let events = aws_sdk_eventbridge::Client::new(&stack.sdk_config(SOURCE_REGION).await);
    for rule in events.list_rules().send().await.context("the rules")?.rules() {
        let name = rule.name().context("a name")?;
        if name.contains("BackupCompletedRule") {
            events.disable_rule().name(name).send().await?;
        }
    }
    Ok(())
}
