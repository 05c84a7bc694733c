//! Retention on a local AWS: whether it starts by itself, and when it believes it is.

use anyhow::Context as _;
use jiff::Timestamp;
use local_stack::LocalStack;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Disables the rules that start retention, in all Regions, or enables them. A run of its own accord comes at a moment that
/// nothing foretells: what is about other things does without, and asks for a run where it wants one.
///
/// # Errors
/// When EventBridge refuses.
pub async fn starts_by_itself(stack: &LocalStack, starts: bool) -> anyhow::Result<()> {
    rules(stack, "Prune", starts).await
}

/// Disables the rules whose name has this in it, in all Regions, or enables them.
///
/// # Errors
/// When EventBridge refuses.
pub async fn rules(stack: &LocalStack, name: &str, enabled: bool) -> anyhow::Result<()> {
    for deployment in stack.deployments() {
        let events = aws_sdk_eventbridge::Client::new(&stack.sdk_config(deployment.region).await);
        for rule in events.list_rules().send().await.context("the rules")?.rules() {
            let found = rule.name().unwrap_or_default();
            match (found.contains(name), enabled) {
                (true, true) => drop(events.enable_rule().name(found).send().await?),
                (true, false) => drop(events.disable_rule().name(found).send().await?),
                (false, _) => {}
            }
        }
    }
    Ok(())
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
