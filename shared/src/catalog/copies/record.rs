//! What the catalog knows of one wanted copy.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chain::{ListedPoint, PerFlag};
use crate::copying::Destination;
use crate::id::{PolicyName, RecoveryPointArn, TableArn, VaultArn};
use crate::metadata::{Core, PolicyStamp};
use crate::retention::Keep;

/// How a wanted copy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyState {
    /// It waits for its turn.
    Queued,
    /// A copy job has been asked for.
    Running,
    /// The job is over and the copy is in its vault; whether its metadata can be read there is still to be seen.
    Arrived,
    /// It is there, and its metadata can be read.
    Usable,
    /// It can never come about: the source is in cold storage or gone, or the target vault is gone.
    Impossible,
    /// No further attempt is made at it.
    GivenUp,
}

impl CopyState {
    /// Whether nothing more is to come: only then may the source be deleted for all that the copy needs it.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Usable | Self::Impossible | Self::GivenUp)
    }

    /// Whether it is settled and the copy is not there.
    pub fn is_owed(self) -> bool {
        matches!(self, Self::Impossible | Self::GivenUp)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Arrived => "arrived",
            Self::Usable => "usable",
            Self::Impossible => "impossible",
            Self::GivenUp => "given_up",
        }
    }
}

/// A copy that is wanted of a point in a target vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyRecord {
    /// The point in its home vault.
    pub source: RecoveryPointArn,
    /// The vault it is wanted in.
    pub target: VaultArn,
    /// The table.
    pub table: TableArn,
    /// The policy that made the point.
    pub policy: PolicyName,
    /// That policy's id.
    pub policy_id: Uuid,
    /// The moment that the point was made for: the copy's flags count from it.
    pub scheduled_at: Timestamp,
    /// When the point was created; its copy has the same creation date.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: CopyState,
    /// Copy jobs that were asked for so far. The number of the present one is part of its token, so it only grows.
    pub attempts: u32,
    /// Those of them that failed in a way that counts against `retries`.
    pub failures: u32,
    /// How many further attempts the policy allows.
    pub retries: u32,
    /// How long the copy is kept there for each flag, where the point itself does not name the target: it was made before the
    /// policy had the target, and somebody asked for copies all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backfill: Option<PerFlag<Keep>>,
    /// Whether somebody may have copied it before the catalog knew: then that is looked for before its job is started.
    #[serde(default)]
    pub look_first: bool,
    /// The slot of the destination that it holds while its job runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
    /// The present job, or the last one, in lower case; not there while nobody knows whether it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<RecoveryPointArn>,
    /// Why it is not there (yet): a word for scripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it is not there (yet): a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it was first wanted.
    pub queued_at: Timestamp,
    /// When its next attempt may begin.
    pub due_at: Timestamp,
    /// When the present attempt was claimed, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// Whether the world has been told that it is given up.
    #[serde(default)]
    pub announced: bool,
    /// Whether a later copy of the table to the same vault has come about: then nobody need look at this one any more.
    #[serde(default)]
    pub made_up: bool,
    /// Counts the changes, so that of two at once one is refused.
    #[serde(default)]
    pub revision: u64,
}

impl CopyRecord {
    /// A copy of a point that waits for its turn from now on. The point must be one that a policy made.
    pub fn queued(
        point: &ListedPoint,
        (core, policy): (&Core, &PolicyStamp),
        target: &VaultArn,
        retries: u32,
        now: Timestamp,
    ) -> Self {
        Self {
            source: point.arn.clone(),
            target: target.clone(),
            table: point.table.clone(),
            policy: policy.name.clone(),
            policy_id: policy.id,
            scheduled_at: core.scheduled_at,
            created_at: point.created_at,
            state: CopyState::Queued,
            attempts: 0,
            failures: 0,
            retries,
            backfill: None,
            look_first: false,
            slot: None,
            job: None,
            copy: None,
            reason: None,
            message: None,
            queued_at: now,
            due_at: now,
            started_at: None,
            settled_at: None,
            announced: false,
            made_up: false,
            revision: 0,
        }
    }

    /// Where its job counts.
    pub fn destination(&self) -> Destination {
        Destination::of(&self.target)
    }

    /// The same, settled in a state at a moment, with the reason if there is one.
    #[must_use]
    pub fn settled(self, state: CopyState, now: Timestamp, why: Option<(&str, String)>) -> Self {
        let (reason, message) = why.map(|(reason, message)| (reason.to_owned(), message)).unzip();
        Self { state, settled_at: Some(now), slot: None, reason, message, ..self }
    }

    /// Its sort key in the index; `None` when it is not listed there any more.
    pub(super) fn place_in_index(&self) -> Option<String> {
        let there = self.state == CopyState::Usable || self.made_up;
        let (state, due) = (self.state.word(), self.due_at);
        (!there).then(|| format!("{state}#{due}#{}#{}", self.scheduled_at, self.source))
    }
}

/// Where in the index the copies begin that wait, or those end that are due at a moment. Moments are whole seconds, whose text
/// sorts as they do.
pub(super) fn due_prefix(until: Option<Timestamp>) -> String {
    let queued = CopyState::Queued.word();
    // '~' sorts after everything that may follow.
    until.map_or_else(|| format!("{queued}#"), |until| format!("{queued}#{until}#~"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::core_tests::core;

    fn record() -> CopyRecord {
        let (core, now) = (core(), "2025-01-06T06:05:00Z".parse().unwrap());
        let point = ListedPoint {
            arn: "arn:aws:backup:eu-central-1:111122223333:recovery-point:0b2f".parse().unwrap(),
            table: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
            vault: core.home_vault.clone(),
            created_at: "2025-01-06T06:01:10.5Z".parse().unwrap(),
            status: "COMPLETED".to_owned(),
            size_bytes: None,
        };
        let target = core.copies.keys().next().unwrap().clone();
        let policy = core.policy.as_ref().unwrap();
        CopyRecord::queued(&point, (&core, policy), &target, 3, now)
    }

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        let mut keep = PerFlag::default();
        keep.set(crate::chain::Flag::W, Keep::Forever);
        for record in [record(), CopyRecord { backfill: Some(keep), slot: Some(4), ..record() }] {
            let item: std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue> =
                serde_dynamo::to_item(&record).unwrap();
            assert_eq!(serde_dynamo::from_item::<_, CopyRecord>(item).unwrap(), record);
        }
    }

    #[test]
    fn the_index_has_what_is_not_there_and_knows_what_is_due() {
        let due = |record: &CopyRecord, now: &str| {
            let place = record.place_in_index().unwrap();
            (due_prefix(None)..=due_prefix(Some(now.parse().unwrap()))).contains(&place)
        };
        assert!(due(&record(), "2025-01-06T06:05:00Z"));
        assert!(!due(&record(), "2025-01-06T06:04:59Z"));
        for state in [CopyState::Running, CopyState::Arrived, CopyState::Impossible, CopyState::GivenUp] {
            assert!(!due(&CopyRecord { state, ..record() }, "2026-01-06T06:05:00Z"), "{state:?}");
        }
        let usable = record().settled(CopyState::Usable, record().due_at, None);
        assert_eq!(usable.place_in_index(), None);
        let made_up = CopyRecord { state: CopyState::GivenUp, made_up: true, ..record() };
        assert_eq!(made_up.place_in_index(), None);
    }
}
