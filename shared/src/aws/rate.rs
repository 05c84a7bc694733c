//! Client-side rate limits: AWS's own request rates are kept instead of run into, and a throttled answer slows calls down.

mod pace;

use std::sync::{Arc, Mutex as Cell, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use self::pace::Pace;
use super::error::{Fault, fault_of};

/// At most so many calls a second; clones share the same allowance.
///
/// Rates of AWS Backup and DynamoDB are per account and Region (AWS General Reference, "AWS Backup endpoints and quotas";
/// Amazon DynamoDB Developer Guide, "Quotas"), so one [`Rate`] stands for all calls of a kind that a function makes. Others
/// in the account use the same rates up: when AWS throttles an attempt, this one is halved for a while.
///
/// ```no_run
/// # async fn start(client: aws_sdk_backup::Client, rate: dynachain::aws::Rate) {
/// let call = client.start_backup_job().backup_vault_name("dynachain");
/// let answer = rate.call(|turn| call.customize().interceptor(turn).send()).await;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Rate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    start: Instant,
    /// When the next call may be made. Whoever waits for that moment holds it; others stand in line.
    due: Mutex<Duration>,
    pace: Cell<Pace>,
}

impl Shared {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rate {
    /// `per_second` calls a second (at least one), none saved up for later.
    pub fn per_second(per_second: u32) -> Self {
        let pace = Cell::new(Pace::per_second(per_second));
        Self(Arc::new(Shared { start: Instant::now(), due: Mutex::default(), pace }))
    }

    /// Makes a call when it may be made.
    ///
    /// Its future goes on the heap: those of the SDK are large.
    pub fn call<'a, F>(&'a self, call: impl FnOnce(Turn) -> F + Send + 'a) -> BoxFuture<'a, F::Output>
    where
        F: Future + Send + 'a,
    {
        Box::pin(async move { call(self.ready().await).await })
    }

    /// Returns when the next call may be made, with what is to be sent along with it.
    async fn ready(&self) -> Turn {
        let shared = &self.0;
        let mut due = shared.due.lock().await;
        sleep_until(shared.start + *due).await;
        *due = shared.pace().next(*due, shared.now());
        Turn(Arc::clone(shared))
    }
}

/// One call that may be made. It looks at the answer to each of the call's attempts, so that a throttled one slows down the
/// calls after it.
#[derive(Debug)]
#[must_use = "make the call as `rate.call(|turn| call.customize().interceptor(turn).send())`, or throttled answers slow nothing down"]
pub struct Turn(Arc<Shared>);

#[dyn_dispatch_hint]
impl Intercept for Turn {
    fn name(&self) -> &'static str {
        "throttled answers slow calls down"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let shared = &self.0;
        if context.response().is_some_and(is_throttled) {
            let mut pace = shared.pace();
            if pace.throttled(shared.now()) {
                tracing::warn!(
                    share = pace.share(shared.now()),
                    "AWS throttles: calls are slowed down to this share of their rate"
                );
            }
        }
        Ok(())
    }
}

/// Whether an answer, in whatever protocol, is the refusal of a throttled call.
fn is_throttled(answer: &HttpResponse) -> bool {
    if answer.status().is_success() {
        return false;
    }
    let header = answer.headers().get("x-amzn-errortype").map(str::to_owned);
    let code = header.or_else(|| code_in(answer.body().bytes()?)).unwrap_or_default();
    // With a namespace before it and a URI behind it, perhaps.
    let code = code.split(':').next().unwrap_or_default();
    fault_of(code.rsplit('#').next().unwrap_or_default()) == Fault::Throttled
}

/// The code in a refusal's body (Smithy specification, "AWS JSON 1.0 protocol", "AWS Query protocol" and "Smithy RPC v2 CBOR
/// protocol").
fn code_in(body: &[u8]) -> Option<String> {
    // A CBOR map begins with a byte that no text begins with.
    let Ok(text) = std::str::from_utf8(body) else {
        let refusal: ciborium::Value = ciborium::from_reader(body).ok()?;
        let is_type = |(name, _): &&(ciborium::Value, _)| name.as_text() == Some("__type");
        return refusal.as_map()?.iter().find(is_type)?.1.as_text().map(str::to_owned);
    };
    match serde_json::from_str::<Value>(text) {
        Ok(refusal) => refusal.get("__type")?.as_str().map(str::to_owned),
        Err(_) => text.split_once("<Code>")?.1.split_once("</Code>").map(|(code, _)| code.to_owned()),
    }
}

#[cfg(test)]
mod tests;
