//! The API calls of a function in this process, at any of which it can be killed.
//!
//! Killed means: the call is never answered, and the function never goes on. All that it had in memory is gone; what AWS has
//! heard of it until then is all that is left.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_config::SdkConfig;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Notify;

/// How the names of operations that change nothing begin.
const READS: [&str; 6] = ["BatchGet", "Decrypt", "Describe", "Get", "List", "Query"];

/// When a function is killed. Calls are counted from 0, over all invocations since [`Calls::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// When it makes this call: nobody hears it.
    Before(usize),
    /// When this one of its writes has been carried out: the answer is not heard. After a read nothing would be different
    /// from before it.
    AfterWrite(usize),
}

/// An API call: `DynamoDB_20120810.PutItem`, `CloudWatch.PutMetricAlarm`, or for AWS Backup, which names no operation,
/// `PUT /restore-jobs`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call(String);

impl Call {
    fn of(request: &HttpRequest) -> Self {
        let Some(operation) = request.headers().get("x-amz-target") else {
            let path = request.uri().splitn(4, '/').nth(3).unwrap_or_default();
            let path = path.split('?').next().unwrap_or_default();
            if let Some((_, operation)) = path.rsplit_once("/operation/") {
                return Self(format!("CloudWatch.{operation}"));
            }
            // ARNs are encoded, and job ids have digits.
            let is_id = |part: &str| part.contains(|c: char| c == '%' || c.is_ascii_digit());
            let parts: Vec<_> = path.split('/').map(|part| if is_id(part) { "*" } else { part }).collect();
            return Self(format!("{} /{}", request.method(), parts.join("/")));
        };
        Self(operation.to_owned())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether it changes anything.
    pub fn is_write(&self) -> bool {
        match self.0.rsplit_once('.') {
            Some((_, operation)) => !READS.iter().any(|read| operation.starts_with(read)),
            None => !self.0.starts_with("GET "),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The calls that clients of a configuration make. Clones are the same calls.
#[derive(Clone, Debug)]
pub struct Calls {
    inner: SharedHttpClient,
    state: Arc<Mutex<State>>,
    killed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    kill: Option<Kill>,
    made: Vec<Call>,
    writes: usize,
    /// The call at which the function was killed that runs.
    at: Option<Call>,
}

/// What becomes of a call.
enum Fate {
    Answered,
    NotHeard,
    NotAnswered,
}

impl Default for Calls {
    fn default() -> Self {
        let crypto = tls::rustls_provider::CryptoMode::AwsLc;
        let inner = Builder::new().tls_provider(tls::Provider::Rustls(crypto)).build_https();
        Self { inner, state: Arc::default(), killed: Arc::default() }
    }
}

impl Calls {
    /// A configuration whose clients' calls these are.
    #[must_use]
    pub fn of(&self, config: SdkConfig) -> SdkConfig {
        config.into_builder().http_client(self.clone()).build()
    }

    /// Counts from here on, and kills so.
    pub fn begin(&self, kill: Option<Kill>) {
        *self.state() = State { kill, ..State::default() };
    }

    /// All calls since then, but for one that nobody heard.
    pub fn made(&self) -> Vec<Call> {
        self.state().made.clone()
    }

    /// Runs a function to its end, or until it is killed: then the call is said at which it was. It is killed once.
    ///
    /// # Errors
    /// The call at which it was killed.
    pub async fn unless_killed<T>(&self, function: impl Future<Output = T>) -> Result<T, Call> {
        let killed = async {
            loop {
                let notified = self.killed.notified();
                if let Some(at) = self.state().at.clone() {
                    return at;
                }
                notified.await;
            }
        };
        let outcome = tokio::select! {
            done = function => Ok(done),
            at = killed => Err(at),
        };
        if outcome.is_err() {
            // That function is gone; the next one lives.
            let mut state = self.state();
            (state.kill, state.at) = (None, None);
        }
        outcome
    }

    fn fate(&self, call: &Call) -> Fate {
        let mut state = self.state();
        if state.at.is_none() && state.kill == Some(Kill::Before(state.made.len())) {
            state.at = Some(call.clone());
            self.killed.notify_one();
        }
        // What is dead makes no more calls.
        if state.at.is_some() {
            return Fate::NotHeard;
        }
        let last = call.is_write() && state.kill == Some(Kill::AfterWrite(state.writes));
        state.writes += usize::from(call.is_write());
        state.made.push(call.clone());
        if last { Fate::NotAnswered } else { Fate::Answered }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpClient for Calls {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, calls: self.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    calls: Calls,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let call = Call::of(&request);
        let calls = self.calls.clone();
        match calls.fate(&call) {
            Fate::Answered => self.inner.call(request),
            Fate::NotHeard => HttpConnectorFuture::new(pending()),
            Fate::NotAnswered => {
                let answer = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    drop(answer.await);
                    calls.state().at = Some(call);
                    calls.killed.notify_one();
                    pending().await
                })
            }
        }
    }
}
