//! What a call carries, read as the service model has it.

use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ApiError, Page};
use crate::aws::Scope;
use crate::caller::Caller;
use crate::iam::{Context, Request, Verdict};
use crate::operation::Operation;
use crate::service::Service;
use crate::state::RegionState;

/// A call on its way through the emulator: who, where, what.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) service: Arc<Service>,
    pub(crate) operation: &'static Operation,
    pub(crate) caller: Caller,
    pub(crate) scope: Scope,
    /// The parts of the path that the model names, decoded.
    pub(crate) path: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Call {
    /// A named part of the path.
    pub(crate) fn part(&self, name: &str) -> Result<&str, ApiError> {
        let found = self.path.iter().find(|(part, value)| *part == name && !value.is_empty());
        found.map(|(_, value)| value.as_str()).ok_or_else(|| ApiError::missing_parameter(name))
    }

    /// A member of the query string; an empty one counts as not given.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(member, value)| member == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// A member of the query string that must satisfy the model.
    pub(crate) fn checked(&self, name: &str, good: fn(&str) -> bool) -> Result<Option<&str>, ApiError> {
        match self.query(name) {
            Some(value) if !good(value) => {
                Err(ApiError::invalid_parameter(format!("Invalid value for {name}: {value}")))
            }
            value => Ok(value),
        }
    }

    /// A point in time in the query string.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.query(name) else { return Ok(None) };
        let seconds = || text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let time = text.parse().ok().or_else(seconds);
        time.map(Some)
            .ok_or_else(|| ApiError::invalid_parameter(format!("Invalid timestamp for {name}: {text}")))
    }

    /// The page that the caller asks for.
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        Page::new(self.operation.name, self.query("maxResults"), self.query("nextToken"))
    }

    /// The body.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let bytes: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(bytes).map_err(|error| ApiError::serialization(error.to_string()))
    }

    /// Reads or changes the state where the call is made.
    pub(crate) fn state<T>(&self, act: impl FnOnce(&mut RegionState) -> T) -> T {
        self.service.world.with(&self.scope, act)
    }

    /// The emulated time, as AWS Backup keeps it.
    pub(crate) fn now(&self) -> Timestamp {
        crate::time::milliseconds(self.service.timeline.now())
    }

    /// Refuses the call unless the caller may do this to that.
    pub(crate) async fn authorize(
        &self,
        action: &str,
        resource: &str,
        context: Context,
    ) -> Result<(), ApiError> {
        if self.caller.is_root() {
            return Ok(());
        }
        let Caller { arn, .. } = &self.caller;
        let denied = |why: String| {
            let message =
                format!("User: {arn} is not authorized to perform: {action} on resource: {resource} {why}");
            ApiError::access_denied(message)
        };
        let Some(name) = self.caller.role() else {
            return Err(denied("because only roles and the account's root are emulated".to_owned()));
        };
        let role = self.service.role(&self.scope, name).await?;
        let Some(role) = role else { return Err(ApiError::unrecognized_client()) };
        let context = context
            .with("aws:PrincipalArn", role.arn.as_str())
            .with("aws:PrincipalAccount", self.scope.account.as_str())
            .with("aws:RequestedRegion", self.scope.region.as_str());
        match role.policies.evaluate(Request { action, resource, context: &context }) {
            Verdict::Allowed => Ok(()),
            Verdict::ImplicitDeny => {
                Err(denied(format!("because no identity-based policy allows the {action} action")))
            }
            Verdict::ExplicitDeny => {
                Err(denied("with an explicit deny in an identity-based policy".to_owned()))
            }
        }
    }

    /// The condition keys that follow from the resource's tags and those that the call carries.
    pub(crate) fn tag_context(&self, resource: &str) -> Context {
        let mut context = Context::default();
        if resource != "*" {
            context.add("aws:ResourceAccount", resource.split(':').nth(4).unwrap_or_default());
        }
        self.state(|state| {
            for (key, value) in state.tags(resource).into_iter().flatten() {
                context.add(&format!("aws:ResourceTag/{key}"), value.as_str());
            }
        });
        let body: Value = self.body().unwrap_or_default();
        for member in ["Tags", "RecoveryPointTags", "BackupVaultTags"] {
            for (key, value) in body.get(member).and_then(Value::as_object).into_iter().flatten() {
                context.add("aws:TagKeys", key.as_str());
                context.add(&format!("aws:RequestTag/{key}"), value.as_str().unwrap_or_default());
            }
        }
        for key in body.get("TagKeyList").and_then(Value::as_array).into_iter().flatten() {
            context.add("aws:TagKeys", key.as_str().unwrap_or_default());
        }
        context
    }
}
