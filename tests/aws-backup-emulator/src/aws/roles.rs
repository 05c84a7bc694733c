//! Roles of the local AWS: their policies, and whether they trust a service.

use std::time::Duration;

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::{get_policy::GetPolicyError, get_role::GetRoleError};

use super::{LocalAws, Scope, describe};
use crate::cache::Cache;
use crate::iam::{Policy, PolicySet};

/// A role as IAM has it now.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) policies: PolicySet,
    /// `None` when the document cannot be read: nobody is trusted then.
    trust: Option<Policy>,
}

impl Role {
    /// May this service take the role?
    pub(crate) fn trusts(&self, service: &str, context: &crate::iam::Context) -> bool {
        self.trust.as_ref().is_some_and(|trust| trust.trusts_service(service, "sts:AssumeRole", context))
    }
}

/// Reads roles, with a memory of a moment.
#[derive(Debug)]
pub(crate) struct Roles(Cache<Option<Role>>);

impl Default for Roles {
    fn default() -> Self {
        Self(Cache::new(Duration::from_millis(500)))
    }
}

impl Roles {
    pub(crate) fn forget(&self) {
        self.0.clear();
    }

    /// The role of this name, or `None`.
    ///
    /// # Errors
    /// When IAM does not answer, with what it said.
    pub(crate) async fn get(
        &self,
        aws: &LocalAws,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<Role>, String> {
        let key = format!("{}/{name}", scope.account);
        self.0.get_or(&key, || read(aws.clients(scope).iam, name)).await
    }
}

async fn read(iam: Client, name: &str) -> Result<Option<Role>, String> {
    let role = match iam.get_role().role_name(name).send().await {
        Ok(answer) => answer.role,
        Err(error) if error.as_service_error().is_some_and(GetRoleError::is_no_such_entity_exception) => None,
        Err(error) => return Err(describe(&error)),
    };
    let Some(role) = role else { return Ok(None) };
    let mut identity = inline(&iam, name).await?;
    identity.extend(attached(&iam, name).await?);
    let boundary = match role.permissions_boundary().and_then(|b| b.permissions_boundary_arn()) {
        Some(arn) => Some(managed(&iam, arn).await?.unwrap_or_else(nothing)),
        None => None,
    };
    Ok(Some(Role {
        arn: role.arn.clone(),
        policies: PolicySet { identity, boundary },
        trust: role.assume_role_policy_document().and_then(|document| parse(name, document)),
    }))
}

async fn inline(iam: &Client, name: &str) -> Result<Vec<Policy>, String> {
    let mut pages = iam.list_role_policies().role_name(name).into_paginator().items().send();
    let mut policies = Vec::new();
    while let Some(policy) = pages.next().await {
        let policy = policy.map_err(|error| describe(&error))?;
        let answer = iam.get_role_policy().role_name(name).policy_name(&policy).send().await;
        policies.push(readable(&policy, answer.map_err(|error| describe(&error))?.policy_document()));
    }
    Ok(policies)
}

async fn attached(iam: &Client, name: &str) -> Result<Vec<Policy>, String> {
    let mut pages = iam.list_attached_role_policies().role_name(name).into_paginator().items().send();
    let mut policies = Vec::new();
    while let Some(policy) = pages.next().await {
        let policy = policy.map_err(|error| describe(&error))?;
        if let Some(arn) = policy.policy_arn() {
            policies.extend(managed(iam, arn).await?);
        }
    }
    Ok(policies)
}

/// A managed policy in its default version; `None` when the local AWS does not have it.
async fn managed(iam: &Client, arn: &str) -> Result<Option<Policy>, String> {
    let policy = match iam.get_policy().policy_arn(arn).send().await {
        Ok(answer) => answer.policy,
        Err(error) if error.as_service_error().is_some_and(GetPolicyError::is_no_such_entity_exception) => {
            tracing::warn!(policy = arn, "an attached policy is not there; it allows nothing");
            None
        }
        Err(error) => return Err(describe(&error)),
    };
    let Some(version) = policy.and_then(|policy| policy.default_version_id) else { return Ok(None) };
    let answer = iam.get_policy_version().policy_arn(arn).version_id(version).send().await;
    let version = answer.map_err(|error| describe(&error))?.policy_version;
    Ok(version.map(|version| readable(arn, version.document().unwrap_or_default())))
}

pub(super) fn parse(name: &str, document: &str) -> Option<Policy> {
    document.parse().map_err(|error| tracing::warn!(policy = name, %error, "a policy cannot be read")).ok()
}

/// A policy that cannot be read might hold a deny, so it denies.
fn readable(name: &str, document: &str) -> Policy {
    parse(name, document).unwrap_or_else(nothing)
}

fn nothing() -> Policy {
    Policy::deny_everything()
}
