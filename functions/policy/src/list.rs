//! `list`: all policies in name order.

use dynachain::catalog::StoredPolicy;
use dynachain::chain::Flags;
use dynachain::error::Refusal;
use dynachain::id::PolicyName;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::{Deps, LIMIT};

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listed {
    policies: Vec<Entry>,
    /// Of all policies, this page and the others.
    count: usize,
    /// What to repeat the request with for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<PolicyName>,
}

#[derive(Clone, Debug, Serialize)]
struct Entry {
    policy: PolicyName,
    id: Uuid,
    version: u64,
    enabled: bool,
    priority: u32,
    description: Option<String>,
    flags: Flags,
    applied_at: Timestamp,
}

pub(crate) async fn run(deps: &Deps, after: Option<&PolicyName>) -> Result<Listed, Refusal> {
    Ok(page(deps.catalog.policies().list().await?, after, LIMIT))
}

/// The policies after one name, at most `limit`; names and policies are in the same order.
fn page(policies: Vec<StoredPolicy>, after: Option<&PolicyName>, limit: usize) -> Listed {
    let count = policies.len();
    let mut left = policies.into_iter().filter(|policy| after.is_none_or(|after| policy.name > *after));
    let policies: Vec<Entry> = left.by_ref().take(limit).map(entry).collect();
    let next = left.next().and_then(|_| policies.last().map(|last| last.policy.clone()));
    Listed { policies, count, next }
}

fn entry(policy: StoredPolicy) -> Entry {
    Entry {
        enabled: policy.is_enabled(),
        policy: policy.name,
        id: policy.id,
        version: policy.version,
        priority: policy.document.priority,
        flags: policy.document.flags(),
        description: policy.document.description,
        applied_at: policy.applied_at,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let policies: Vec<StoredPolicy> = ["a", "b", "c", "d", "e"]
            .map(|name| {
                let document = serde_json::from_value(json!({"name": name, "scope": {"all": true}})).unwrap();
                StoredPolicy::first(Uuid::nil(), document, Timestamp::UNIX_EPOCH)
            })
            .to_vec();
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let listed = page(policies.clone(), after.as_ref(), 2);
            assert_eq!(listed.count, 5);
            seen.extend(listed.policies.into_iter().map(|entry| entry.policy.to_string()));
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
        assert_eq!(page(policies, None, 5).next, None);
    }
}
