//! Does a set of IAM policies allow a call? Evaluated here, because the local AWS's own simulation leaves tag conditions out.
//!
//! Follows the IAM User Guide, "Policy evaluation logic": an explicit deny wins, then an explicit allow, else the call is
//! refused. Whatever this evaluator does not know (an element, an operator, a condition key, a variable without a value)
//! fails closed: it takes an `Allow` statement out of play and keeps a `Deny` statement in.
//!
//! Not evaluated: service control policies and session policies.

mod condition;
mod context;
mod pattern;
mod policy;
mod resource_policy;

pub(crate) use context::Context;
pub(crate) use pattern::matches_wildcards;
pub(crate) use policy::Policy;
pub(crate) use resource_policy::{Grant, Principal};

use policy::{Applies, Effect};

/// What is asked: may this be done to that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// `backup:StartBackupJob`
    pub(crate) action: &'a str,
    /// An ARN, or `*` for an action that has no resource.
    pub(crate) resource: &'a str,
    pub(crate) context: &'a Context,
}

/// What the policies say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    /// No statement allows it.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
    /// The identity's policies allow it, and no statement of its boundary does.
    OutOfBounds,
    /// The identity's policies do not deny it, but a statement of its boundary does.
    BoundaryDeny,
}

impl Verdict {
    /// Why a call is refused, as AWS words it after the action and the resource.
    pub(crate) fn reason(self, action: &str, grant: Grant) -> String {
        match (self, grant) {
            (Self::ExplicitDeny, Grant::Denied) => {
                "with an explicit deny in a resource-based policy".to_owned()
            }
            (Self::ExplicitDeny, _) => "with an explicit deny in an identity-based policy".to_owned(),
            (Self::BoundaryDeny, _) => "with an explicit deny in a permissions boundary".to_owned(),
            (Self::OutOfBounds, _) => format!("because no permissions boundary allows the {action} action"),
            _ => format!("because no identity-based policy allows the {action} action"),
        }
    }
}

/// A principal's policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct PolicySet {
    /// Inline and attached ones.
    pub(crate) identity: Vec<Policy>,
    /// The permissions boundary, which can only take away.
    pub(crate) boundary: Option<Policy>,
}

impl PolicySet {
    /// The verdict on one request, with what the resource's own policy grants, in the principal's account: what is granted
    /// to the principal itself needs no identity policy, and a boundary limits it too.
    pub(crate) fn evaluate(&self, request: Request<'_>, grant: Grant) -> Verdict {
        if grant == Grant::Denied {
            return Verdict::ExplicitDeny;
        }
        let identity = match evaluate(&self.identity, request) {
            Verdict::ImplicitDeny if grant == Grant::ToPrincipal => Verdict::Allowed,
            verdict => verdict,
        };
        let Some(boundary) = &self.boundary else { return identity };
        match (identity, evaluate(std::slice::from_ref(boundary), request)) {
            (Verdict::ExplicitDeny, _) => Verdict::ExplicitDeny,
            (_, Verdict::ExplicitDeny) => Verdict::BoundaryDeny,
            (Verdict::Allowed, Verdict::ImplicitDeny) => Verdict::OutOfBounds,
            (identity, _) => identity,
        }
    }
}

fn evaluate(policies: &[Policy], request: Request<'_>) -> Verdict {
    let mut verdict = Verdict::ImplicitDeny;
    for statement in policies.iter().flat_map(Policy::statements) {
        match (statement.effect(), statement.applies(request)) {
            (Effect::Deny, Applies::Yes | Applies::Unknown) => return Verdict::ExplicitDeny,
            (Effect::Allow, Applies::Yes) => verdict = Verdict::Allowed,
            _ => {}
        }
    }
    verdict
}

#[cfg(test)]
mod tests;
