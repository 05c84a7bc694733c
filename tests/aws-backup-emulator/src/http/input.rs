//! What a call carries, read as the service model has it.

use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ApiError, Page};
use crate::aws::Scope;
use crate::caller::Caller;
use crate::iam::{Context, Grant, Principal, Request, Verdict};
use crate::operation::Operation;
use crate::service::Service;
use crate::state::RegionState;
use crate::state::vault_policy::VaultPolicy;

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
        let Caller { arn, .. } = &self.caller;
        let denied = |why: String| {
            let message =
                format!("User: {arn} is not authorized to perform: {action} on resource: {resource} {why}");
            ApiError::access_denied(message)
        };
        // Root has all that no resource policy takes away.
        let role = match self.caller.role() {
            _ if self.caller.is_root() => None,
            Some(name) => {
                let role = self.service.role(&self.scope, name).await?;
                Some(role.ok_or_else(ApiError::unrecognized_client)?)
            }
            None => {
                return Err(denied("because only roles and the account's root are emulated".to_owned()));
            }
        };
        let principal = Principal {
            arn: role.as_ref().map_or(arn.as_str(), |role| role.arn.as_str()),
            session: role.as_ref().map(|_| arn.as_str()),
            account: &self.scope.account,
        };
        let context = context
            .with("aws:PrincipalArn", principal.arn)
            .with("aws:PrincipalAccount", self.scope.account.as_str())
            .with("aws:RequestedRegion", self.scope.region.as_str());
        let request = Request { action, resource, context: &context };
        let policy = self.vault_policy(action, resource);
        let grant = VaultPolicy::grant_of(policy.as_ref(), principal, request);
        let verdict = match &role {
            Some(role) => role.policies.evaluate(request, grant),
            None if grant == Grant::Denied => Verdict::ExplicitDeny,
            None => Verdict::Allowed,
        };
        if verdict == Verdict::Allowed { Ok(()) } else { Err(denied(verdict.reason(action, grant))) }
    }

    /// The policy of the vault that the call is about: the one that its resource is or lies in, else the one in its path.
    fn vault_policy(&self, action: &str, resource: &str) -> Option<VaultPolicy> {
        if !action.starts_with("backup:") {
            return None;
        }
        let name = self.part("backupVaultName").ok();
        self.state(|state| {
            let named = || state.vaults.get(name?)?.policy.as_ref();
            state.vault_policy(resource).or_else(named).cloned()
        })
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
