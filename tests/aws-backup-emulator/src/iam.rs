//! Does a set of IAM policies allow a call? Evaluated here, because the local AWS's own simulation leaves tag conditions out.
//!
//! Follows the IAM User Guide, "Policy evaluation logic": an explicit deny wins, then an explicit allow, else the call is
//! refused. Whatever this evaluator does not know (an element, an operator, a condition key, a variable without a value)
//! fails closed: it takes an `Allow` statement out of play and keeps a `Deny` statement in.
//!
//! Not evaluated: service control policies, session policies, and resource policies other than those that
//! [`Policy::trusts_service`] is asked about.

mod condition;
mod context;
mod pattern;
mod policy;

pub(crate) use context::Context;
pub(crate) use pattern::matches_glob;
pub(crate) use policy::Policy;

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
    /// The verdict on one request.
    pub(crate) fn evaluate(&self, request: Request<'_>) -> Verdict {
        let identity = evaluate(&self.identity, request);
        let Some(boundary) = &self.boundary else { return identity };
        match (identity, evaluate(std::slice::from_ref(boundary), request)) {
            (Verdict::ExplicitDeny, _) | (_, Verdict::ExplicitDeny) => Verdict::ExplicitDeny,
            (Verdict::Allowed, Verdict::Allowed) => Verdict::Allowed,
            _ => Verdict::ImplicitDeny,
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
