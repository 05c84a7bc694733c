//! A vault's access policy: the document as it was given, and as it is evaluated.

use std::sync::Arc;

use crate::iam::{Grant, Policy, Principal, Request};

/// A resource policy of a vault.
#[derive(Clone, Debug)]
pub(crate) struct VaultPolicy {
    pub(crate) document: String,
    policy: Arc<Policy>,
}

impl VaultPolicy {
    pub(crate) fn new(document: String, policy: Policy) -> Self {
        Self { document, policy: Arc::new(policy) }
    }

    /// What a vault's policy, if it has one, gives to a principal.
    pub(crate) fn grant_of(policy: Option<&Self>, principal: Principal<'_>, request: Request<'_>) -> Grant {
        policy.map_or(Grant::Nothing, |policy| policy.policy.grant(principal, request))
    }
}
