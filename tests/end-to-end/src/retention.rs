//! Retention on a local AWS: whether it starts by itself, and its function in this process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use dynachain::error::{ErrorType, Refusal};
use jiff::Timestamp;
use local_stack::{LocalStack, SOURCE_REGION};
use retention_prune::{Deps, handle};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::in_process::{LIMIT, invocation};

/// Disables the rules that start retention, in all Regions, or enables them. A run of its own accord comes at a moment that
/// nothing foretells: what is about other things does without, and asks for a run where it wants one.
///
/// # Errors
/// When EventBridge refuses.
pub async fn starts_by_itself(stack: &LocalStack, starts: bool) -> anyhow::Result<()> {
    for deployment in stack.deployments() {
        let events = aws_sdk_eventbridge::Client::new(&stack.sdk_config(deployment.region).await);
        for rule in events.list_rules().send().await.context("the rules")?.rules() {
            let name = rule.name().unwrap_or_default();
            match (name.contains("Prune"), starts) {
                (true, true) => drop(events.enable_rule().name(name).send().await?),
                (true, false) => drop(events.disable_rule().name(name).send().await?),
                (false, _) => {}
            }
        }
    }
    Ok(())
}

/// `retention-prune` in this process, as the account's root, with settings of one's own and nothing opened yet.
#[derive(Debug)]
pub struct OwnFunction {
    deps: Deps,
    invoked: AtomicU64,
}

impl OwnFunction {
    /// The deployed function of the source Region, but for these variables.
    ///
    /// # Errors
    /// When its settings cannot be used.
    pub async fn new(stack: &LocalStack, variables: &[(&str, String)]) -> anyhow::Result<Self> {
        let mut settings: BTreeMap<String, String> =
            stack.function_variables(SOURCE_REGION, "retention-prune").await?;
        settings.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let config = stack.in_process_config(SOURCE_REGION).await;
        let deps = Deps::of(&config, |name| settings.get(name).cloned());
        let deps = deps.map_err(|error| anyhow::anyhow!("the function's settings: {error}"))?;
        Ok(Self { deps, invoked: AtomicU64::new(0) })
    }

    /// Invokes it with all the time there is.
    ///
    /// # Errors
    /// What it refuses.
    pub async fn invoke(&self, input: Value) -> Result<Value, Refusal> {
        self.invoke_for(LIMIT, input).await
    }

    /// Invokes it with so much time until its deadline.
    ///
    /// # Errors
    /// What it refuses.
    pub async fn invoke_for(&self, time: Duration, input: Value) -> Result<Value, Refusal> {
        let invoked = self.invoked.fetch_add(1, Ordering::Relaxed);
        let invocation = invocation(&format!("00000000-0000-4000-8000-{invoked:012}"), time)
            .map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))?;
        // On the heap: without optimization it is too large for the stack of a test.
        Box::pin(handle(&self.deps, &invocation, input)).await
    }
}

/// A clock that stands still, and is not the emulated one.
#[derive(Debug)]
pub struct Clock {
    address: String,
    server: tokio::task::JoinHandle<()>,
}

impl Clock {
    /// Serves this moment until it is dropped.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn standing_at(now: Timestamp) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port")?;
        let address = format!("http://{}", listener.local_addr()?);
        let answer = format!("HTTP/1.0 200 OK\r\n\r\n{}", json!({ "now": now }));
        let server = tokio::spawn(async move {
            while let Ok((mut asked, _)) = listener.accept().await {
                let mut request = [0; 1024];
                if asked.read(&mut request).await.is_ok() {
                    // Whoever does not wait for the answer does not need it.
                    drop(asked.write_all(answer.as_bytes()).await);
                }
            }
        });
        Ok(Self { address, server })
    }

    /// The variable that has a function go by it.
    pub fn variable(&self) -> (&'static str, String) {
        ("DYNACHAIN_TEST_CLOCK", self.address.clone())
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.server.abort();
    }
}
