//! Faults: what goes wrong on purpose, by rules that a test sets.
//!
//! Three questions are asked, each where its answer is needed, and each strikes with the first rule that fits it:
//!
//! - [`Faults::on_call`], when a call comes in: is it refused, late, or left without an answer?
//! - [`Faults::ending`], when `StartBackupJob`, `StartCopyJob` or `StartRestoreJob` has made a new job (not when a repeated
//!   idempotency token has found an old one): how does the job end, when its time has come? The job keeps the answer.
//! - [`Faults::leaves_expired`], when `DeleteRecoveryPoint` is about to delete a point: does it stay behind as EXPIRED?

mod effect;
mod ending;

pub(crate) use effect::{Effect, OnCall};
pub(crate) use ending::{CATEGORIES, End, Ending, EndingRule};

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::caller::Caller;
use crate::chance::Chance;
use crate::iam::matches_wildcards;

/// How often a rule strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    Always,
    /// The next so many times.
    Times(u64),
    Probability(f64),
}

/// One rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// An operation's name, or a pattern of names.
    pub(crate) operation: String,
    /// Whom it strikes; everyone without one.
    pub(crate) principal: Option<String>,
    pub(crate) when: When,
    pub(crate) effect: Effect,
    chance: Chance,
    /// How often it has.
    pub(crate) struck: u64,
}

impl Rule {
    pub(crate) fn new(
        operation: &str,
        principal: Option<String>,
        when: When,
        effect: Effect,
        seed: u64,
    ) -> Self {
        let chance = Chance::new(seed);
        Self { operation: operation.to_owned(), principal, when, effect, chance, struck: 0 }
    }

    fn is_about(&self, operation: &str, caller: &Caller) -> bool {
        let principal = self.principal.as_deref();
        matches_wildcards(&self.operation, operation)
            && principal.is_none_or(|pattern| crate::principal::is_named(pattern, &caller.arn))
    }

    /// Does it strike this time?
    fn strikes(&mut self) -> bool {
        let strikes = match self.when {
            When::Always => true,
            When::Times(times) => self.struck < times,
            When::Probability(probability) => self.chance.hits(probability),
        };
        self.struck += u64::from(strikes);
        strikes
    }
}

/// The rules, in their order; at first none.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Rule>>);

impl Faults {
    /// Replaces all rules.
    pub(crate) fn set(&self, rules: Vec<Rule>) {
        *self.lock() = rules;
    }

    /// The rules as they stand, and how often each has struck.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        self.lock().clone()
    }

    /// What happens to a call that has come in.
    pub(crate) fn on_call(&self, operation: &str, caller: &Caller) -> Option<OnCall> {
        self.first(operation, caller, |effect| match effect {
            Effect::OnCall(effect) => Some(*effect),
            Effect::Ending(_) | Effect::LeaveExpired => None,
        })
    }

    /// How a job that this operation has just made is to end; `None`: as jobs do.
    pub(crate) fn ending(&self, operation: &str, caller: &Caller) -> Option<Ending> {
        self.first(operation, caller, |effect| match effect {
            Effect::Ending(ending) => ending.of(operation),
            Effect::OnCall(_) | Effect::LeaveExpired => None,
        })
    }

    /// Does a point that is being deleted stay behind, EXPIRED?
    pub(crate) fn leaves_expired(&self, caller: &Caller) -> bool {
        let found = self.first("DeleteRecoveryPoint", caller, |effect| {
            matches!(effect, Effect::LeaveExpired).then_some(())
        });
        found.is_some()
    }

    fn first<T>(&self, operation: &str, caller: &Caller, wanted: impl Fn(&Effect) -> Option<T>) -> Option<T> {
        let mut rules = self.lock();
        rules.iter_mut().filter(|rule| rule.is_about(operation, caller)).find_map(|rule| {
            let effect = wanted(&rule.effect)?;
            rule.strikes().then_some(effect)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
