//! A function in this process, with settings and a deadline of one's own.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dynachain::error::{ErrorType, Refusal};
use dynachain::invocation::Invocation;
use futures::future::LocalBoxFuture;
use local_stack::{LocalStack, SOURCE_REGION};
use serde_json::Value;

use crate::in_process::{LIMIT, invocation};

/// What a function does with an input.
type Handle<D> = for<'a> fn(&'a D, &'a Invocation, Value) -> LocalBoxFuture<'a, Result<Value, Refusal>>;

/// A function in this process, as the account's root, with settings of one's own and nothing opened yet.
pub struct OwnFunction<D> {
    deps: D,
    handle: Handle<D>,
    invoked: AtomicU64,
}

impl<D> fmt::Debug for OwnFunction<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnFunction").field("invoked", &self.invoked).finish_non_exhaustive()
    }
}

impl OwnFunction<retention_prune::Deps> {
    /// The deployed `retention-prune` of the source Region, but for these variables.
    ///
    /// # Errors
    /// When its settings cannot be used.
    pub async fn retention(stack: &LocalStack, variables: &[(&str, String)]) -> anyhow::Result<Self> {
        let settings = settings(stack, "retention-prune", variables).await?;
        let config = stack.in_process_config(SOURCE_REGION).await;
        let deps = retention_prune::Deps::of(&config, |name| settings.get(name).cloned());
        Self::of(deps, |deps, invocation, input| Box::pin(retention_prune::handle(deps, invocation, input)))
    }
}

impl OwnFunction<chain_edit::Deps> {
    /// The deployed `chain-edit` of the source Region, but for these variables.
    ///
    /// # Errors
    /// When its settings cannot be used.
    pub async fn edits(stack: &LocalStack, variables: &[(&str, String)]) -> anyhow::Result<Self> {
        let settings = settings(stack, "chain-edit", variables).await?;
        let config = stack.in_process_config(SOURCE_REGION).await;
        let deps = chain_edit::Deps::of(&config, |name| settings.get(name).cloned());
        Self::of(deps, |deps, invocation, input| Box::pin(chain_edit::handle(deps, invocation, input)))
    }
}

impl<D> OwnFunction<D> {
    fn of(deps: Result<D, lambda_runtime::Error>, handle: Handle<D>) -> anyhow::Result<Self> {
        let deps = deps.map_err(|error| anyhow::anyhow!("the function's settings: {error}"))?;
        Ok(Self { deps, handle, invoked: AtomicU64::new(0) })
    }

    /// The next invocation is Lambda's second try of the last one: it has the same request id.
    pub fn tries_again(&self) {
        self.invoked.fetch_sub(1, Ordering::Relaxed);
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
        (self.handle)(&self.deps, &invocation, input).await
    }
}

async fn settings(
    stack: &LocalStack,
    function: &str,
    variables: &[(&str, String)],
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut settings = stack.function_variables(SOURCE_REGION, function).await?;
    settings.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Ok(settings)
}
