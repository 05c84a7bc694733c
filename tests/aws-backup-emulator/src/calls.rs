//! What was called: the latest calls and event deliveries, for tests to look at.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::iam::matches_wildcards;
use crate::principal::is_named;

/// The most entries that are kept.
const MOST: usize = 20_000;

/// One call of AWS Backup's API, or one delivery of an event (`DeliverEvent`).
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) operation: String,
    /// The caller's ARN; for a delivery, what it was delivered to.
    pub(crate) principal: String,
    pub(crate) region: String,
    /// Emulated.
    pub(crate) time: Timestamp,
    /// The status, and the error's name if it is one; for a delivery `delivered`, or why not.
    pub(crate) outcome: String,
    pub(crate) request_id: String,
}

impl Entry {
    /// A call of which nothing is known yet.
    pub(crate) fn new(time: Timestamp) -> Self {
        let unknown = || "unknown".to_owned();
        let request_id = uuid::Uuid::new_v4().to_string();
        Self {
            operation: unknown(),
            principal: unknown(),
            region: unknown(),
            time,
            outcome: unknown(),
            request_id,
        }
    }
}

/// Which entries are asked for: patterns, in which `*` stands for any run of characters.
#[derive(Debug, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) operation: Option<&'a str>,
    /// A role's name or an ARN.
    pub(crate) principal: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
}

impl Filter<'_> {
    fn wants(&self, entry: &Entry) -> bool {
        self.takes(&entry.operation, &entry.principal, &entry.region)
    }

    fn takes(&self, operation: &str, principal: &str, region: &str) -> bool {
        self.operation.is_none_or(|pattern| matches_wildcards(pattern, operation))
            && self.principal.is_none_or(|pattern| is_named(pattern, principal))
            && self.region.is_none_or(|pattern| matches_wildcards(pattern, region))
    }
}

/// The log, bounded: the oldest entries give way.
#[derive(Debug, Default)]
pub(crate) struct CallLog(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    dropped: u64,
    /// How many there were, those included that gave way, by operation, principal and region.
    counts: BTreeMap<(String, String, String), u64>,
}

impl CallLog {
    pub(crate) fn record(&self, entry: Entry) {
        let Entry { operation, principal, region, outcome, .. } = &entry;
        tracing::debug!(%operation, %principal, %region, %outcome, "call");
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.entries.len() == MOST {
            ring.entries.pop_front();
            ring.dropped += 1;
        }
        let counted = (entry.operation.clone(), entry.principal.clone(), entry.region.clone());
        *ring.counts.entry(counted).or_default() += 1;
        ring.entries.push_back(entry);
    }

    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Ring::default();
    }

    /// Oldest first; how many older ones, wanted or not, gave way; and how many there were in all, by operation.
    pub(crate) fn describe(&self, filter: &Filter<'_>) -> Value {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls: Vec<Value> = ring
            .entries
            .iter()
            .filter(|entry| filter.wants(entry))
            .map(|entry| {
                json!({
                    "operation": entry.operation,
                    "principal": entry.principal,
                    "region": entry.region,
                    "time": crate::time::iso(entry.time),
                    "outcome": entry.outcome,
                    "request_id": entry.request_id,
                })
            })
            .collect();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for ((operation, principal, region), count) in &ring.counts {
            if filter.takes(operation, principal, region) {
                *counts.entry(operation).or_default() += count;
            }
        }
        json!({ "calls": calls, "dropped": ring.dropped, "counts": counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_calls_give_way_after_20000() {
        assert_eq!(MOST, 20_000);
        let log = CallLog::default();
        for _ in 0..=MOST {
            log.record(Entry::new(Timestamp::UNIX_EPOCH));
        }
        let described = log.describe(&Filter::default());
        assert_eq!((described["calls"].as_array().unwrap().len(), &described["dropped"]), (MOST, &json!(1)));
        assert_eq!(described["counts"], json!({"unknown": MOST + 1}), "those that gave way are counted");
        let others = Filter { principal: Some("*/other"), ..Filter::default() };
        assert_eq!(log.describe(&others), json!({ "calls": [], "dropped": 1, "counts": {} }));
        log.clear();
        assert_eq!(log.describe(&Filter::default()), json!({ "calls": [], "dropped": 0, "counts": {} }));
    }
}
