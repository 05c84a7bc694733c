//! The answer: what was done, how it stands, and what targets are still owed.

use std::fmt;
use std::str::FromStr;

use dynachain::catalog::CopyRecord;
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, TableArn, VaultArn};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::Deps;
use crate::tally::{Counts, Tally};

/// Answers are cut after so many copies that are owed.
const LIMIT: usize = 1000;

/// What an invocation did, or under `dry_run` would do, and what came to nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Copies that are new in the queue.
    queued: u64,
    /// Copy jobs that were started.
    started: u64,
    /// Copy jobs that run now.
    running: u64,
    /// Copies that were settled: usable, impossible or given up.
    settled: u64,
    owed: Vec<Owed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Place>,
}

/// A copy that came to nothing, and that no later copy of the table to the same vault has made up for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Owed {
    table: TableArn,
    recovery_point: RecoveryPointArn,
    target: VaultArn,
    attempts: u32,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// A place in the order of what is owed: by table, then the point's creation, then its ARN, then the vault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    table: TableArn,
    created_at: Timestamp,
    source: RecoveryPointArn,
    target: VaultArn,
}

impl Place {
    fn of(record: &CopyRecord) -> Self {
        Self {
            table: record.table.clone(),
            created_at: record.created_at,
            source: record.source.clone(),
            target: record.target.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.table, self.created_at, self.source, self.target)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(' ');
        let mut part = || parts.next().unwrap_or_default();
        let read = (part().parse(), part().parse(), part().parse(), part().parse());
        match read {
            (Ok(table), Ok(created_at), Ok(source), Ok(target)) => {
                Ok(Self { table, created_at, source, target })
            }
            _ => Err(format!("{text:?} is no \"next\" of an answer")),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Answer {
    /// Of what was done, with all that is owed.
    pub(crate) fn of(
        counts: &Counts,
        running: u64,
        mut owed: Vec<CopyRecord>,
        after: Option<&Place>,
    ) -> Self {
        owed.sort_by_cached_key(Place::of);
        owed.retain(|record| after.is_none_or(|after| Place::of(record) > *after));
        let next = owed.get(LIMIT.saturating_sub(1)).filter(|_| owed.len() > LIMIT).map(Place::of);
        owed.truncate(LIMIT);
        Self {
            queued: counts.queued,
            started: counts.started,
            running,
            settled: counts.settled,
            owed: owed.into_iter().map(Owed::of).collect(),
            next,
        }
    }
}

impl Owed {
    fn of(record: CopyRecord) -> Self {
        Self {
            table: record.table,
            recovery_point: record.source,
            target: record.target,
            attempts: record.attempts,
            reason: record.reason.unwrap_or_default(),
            message: record.message,
        }
    }
}

/// Of an event: what came to nothing just now. All that is owed stands in the answer to a request.
pub(crate) async fn of_event(deps: &Deps, tally: &Tally) -> Result<Answer, Refusal> {
    let counts = tally.so_far();
    let owed = counts.owed.clone();
    Ok(Answer::of(&counts, running(deps).await?, owed, None))
}

/// Of a request: with all that is owed.
pub(crate) async fn of_request(deps: &Deps, tally: &Tally, after: Option<&Place>) -> Result<Answer, Refusal> {
    let missing = deps.catalog.copies().missing(None).await?;
    let owed = missing.into_iter().filter(|record| record.state.is_owed()).collect();
    Ok(Answer::of(&tally.so_far(), running(deps).await?, owed, after))
}

async fn running(deps: &Deps) -> Result<u64, Refusal> {
    let slots = deps.catalog.copies().slots().await?;
    Ok(u64::try_from(slots.len()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_and_goes_on_where_it_ended() {
        let policy = dynachain::metadata::PolicyStamp {
            id: "00000000-0000-0000-0000-000000000007".parse().unwrap(),
            name: "orders".parse().unwrap(),
            version: 1,
            timezone: "UTC".to_owned(),
        };
        let record = |n: usize| {
            let json = serde_json::json!({
                "source": format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{n:05}"),
                "target": "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain",
                "table": format!("arn:aws:dynamodb:eu-central-1:111122223333:table/t{:03}", n % 7),
                "policy": policy.name, "policy_id": policy.id, "scheduled_at": "2025-01-06T06:00:00Z",
                "created_at": "2025-01-06T06:01:00.5Z", "state": "given_up", "attempts": 4, "failures": 4,
                "retries": 3, "queued_at": "2025-01-06T06:00:00Z", "due_at": "2025-01-06T06:00:00Z",
                "reason": "copy_failed",
            });
            serde_json::from_value::<CopyRecord>(json).unwrap()
        };
        let all: Vec<_> = (0..2_500).map(record).collect();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let answer = Answer::of(&Counts::default(), 0, all.clone(), after.as_ref());
            assert!(answer.owed.len() <= LIMIT);
            seen.extend(answer.owed.into_iter().map(|owed| (owed.table, owed.recovery_point)));
            let Some(next) = answer.next else { break };
            after = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(seen.len(), all.len());
        assert!(seen.is_sorted());
        assert!("x y".parse::<Place>().is_err());
    }
}
