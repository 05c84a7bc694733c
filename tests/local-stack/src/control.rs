//! The emulator's control endpoint: what a test does to the emulated world. `docs/emulator.md` says what each control takes.

use serde_json::{Value, json};

use crate::http;

/// A client of the control endpoint. A refusal is an error that has the endpoint's own words.
#[derive(Clone, Debug)]
pub struct Control {
    endpoint: String,
}

impl Control {
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned() }
    }

    /// Any control there is.
    ///
    /// # Errors
    /// When the control refuses.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        http::request_json(&self.endpoint, method, path, body).await
    }

    /// Replaces all faults: `[{"operation", "effect", …}]`.
    ///
    /// # Errors
    /// When a fault makes no sense.
    pub async fn set_faults(&self, faults: &Value) -> anyhow::Result<()> {
        self.ask("PUT", "/faults", Some(faults)).await.map(drop)
    }

    /// How often each fault has struck, in their order.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn strikes(&self) -> anyhow::Result<Vec<u64>> {
        let faults = self.ask("GET", "/faults", None).await?;
        let faults = faults.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(faults.iter().filter_map(|fault| fault["struck"].as_u64()).collect())
    }

    /// Sets request rates: `{operation: per second}`, or `{"preset": "aws"}`.
    ///
    /// # Errors
    /// When a rate makes no sense.
    pub async fn set_limits(&self, limits: &Value) -> anyhow::Result<()> {
        self.ask("PUT", "/limits", Some(limits)).await.map(drop)
    }

    /// Makes events travel so: `{"lose", "double", "reorder", "delay", "spread", "seed"}`.
    ///
    /// # Errors
    /// When a number makes no sense.
    pub async fn set_events(&self, quirks: &Value) -> anyhow::Result<()> {
        self.ask("PUT", "/events", Some(quirks)).await.map(drop)
    }

    /// Switches a Region of the whole local AWS off or on.
    ///
    /// # Errors
    /// When the local AWS does not do it.
    pub async fn set_region(&self, region: &str, available: bool) -> anyhow::Result<()> {
        let body = json!({ "available": available });
        self.ask("PUT", &format!("/regions/{region}"), Some(&body)).await.map(drop)
    }

    /// The calls and event deliveries so far, oldest first; a query such as `?operation=List*` picks some.
    ///
    /// # Errors
    /// When the query makes no sense.
    pub async fn calls(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let log = self.ask("GET", &format!("/calls{query}"), None).await?;
        Ok(log["calls"].as_array().cloned().unwrap_or_default())
    }

    /// Resets all controls but the time.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn reset(&self) -> anyhow::Result<()> {
        self.ask("DELETE", "/", None).await.map(drop)
    }
}
