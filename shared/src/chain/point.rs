//! Restore points: what the vault lists, what the metadata proves, what an answer shows.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Flags;
use crate::id::{PolicyName, RecoveryPointArn, SessionId, TableArn, VaultArn};
use crate::metadata::{Core, Kind};
use crate::retention::{Decision, End, Lifespan, Reasons, Verdict};

/// A recovery point as its vault lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPoint {
    /// The recovery point.
    pub arn: RecoveryPointArn,
    /// The table it holds; a copy names the table of its source.
    pub table: TableArn,
    /// The vault that lists it.
    pub vault: VaultArn,
    /// When it was created; a copy has the creation date of its source.
    pub created_at: Timestamp,
    /// AWS's own status, such as `COMPLETED`.
    pub status: String,
    /// Its size in bytes, when AWS says.
    pub size_bytes: Option<u64>,
}

impl ListedPoint {
    /// Whether AWS says that it can be restored (AWS Backup API Reference, `DescribeRecoveryPoint`: both mean available).
    pub fn is_restorable(&self) -> bool {
        matches!(self.status.as_str(), "COMPLETED" | "AVAILABLE")
    }

    /// Whether AWS is about to remove it: nothing stops that any more (AWS Backup API Reference, `DescribeRecoveryPoint`).
    pub fn is_being_deleted(&self) -> bool {
        self.status == "DELETING"
    }

    /// Whether AWS is done with it (AWS Backup API Reference, `DescribeRecoveryPoint`). A status that this version does not
    /// know may pass.
    pub fn is_final(&self) -> bool {
        self.is_restorable() || matches!(self.status.as_str(), "EXPIRED" | "PARTIAL" | "STOPPED")
    }
}

/// What reading a point's tags came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The tags hold nothing of ours.
    NoMetadata,
    /// There is metadata, and it cannot be read: pieces are missing, its key is out of reach, a later version made it.
    Unreadable(String),
    /// The metadata is not authentic: changed, or of another table.
    NotAuthentic(String),
    /// It opened.
    Opened(Box<Core>),
}

/// Which chain a point belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChainKind {
    /// The points of a table in its home vault.
    Regular,
    /// Their copies in a target vault.
    Copy,
    /// Taken by hand, outside every chain.
    Manual,
    /// Not ours.
    Foreign,
    /// It carries metadata of ours that does not belong to it.
    Suspect,
    /// It carries metadata of ours that cannot be read.
    Unreadable,
}

impl fmt::Display for ChainKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regular => "regular",
            Self::Copy => "copy",
            Self::Manual => "manual",
            Self::Foreign => "foreign",
            Self::Suspect => "suspect",
            Self::Unreadable => "unreadable",
        })
    }
}

/// A point and what it proved to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestorePoint {
    /// As the vault lists it.
    pub listed: ListedPoint,
    /// Which chain it belongs to.
    pub chain: ChainKind,
    /// What its metadata says; `None` unless the metadata is authentic and belongs to it.
    pub core: Option<Box<Core>>,
    /// Why it is suspect or unreadable, in a sentence.
    pub doubt: Option<String>,
    /// Tags that begin like ours and are not part of its metadata, when its tags were read.
    pub ignored_tags: Vec<String>,
}

impl RestorePoint {
    /// Decides what a listed point is from what its metadata came to.
    ///
    /// A record that was moved here from another point does not pass: the creation date must fit the recorded start, and
    /// the vault must be the one it was made in or a recorded target.
    pub fn identify(listed: ListedPoint, reading: Reading) -> Self {
        let without_core =
            |listed, chain, doubt| Self { listed, chain, core: None, doubt, ignored_tags: Vec::new() };
        let doubtful = |listed, chain, doubt: String| without_core(listed, chain, Some(doubt));
        let core = match reading {
            Reading::NoMetadata => {
                return without_core(listed, ChainKind::Foreign, None);
            }
            Reading::Unreadable(why) => return doubtful(listed, ChainKind::Unreadable, why),
            Reading::NotAuthentic(why) => return doubtful(listed, ChainKind::Suspect, why),
            Reading::Opened(core) => core,
        };
        if !core.fits_creation(listed.created_at) {
            let why = format!(
                "its metadata is of a backup that started at {}, and it was created at {}: the tags were copied from another point",
                core.started_at, listed.created_at
            );
            return doubtful(listed, ChainKind::Suspect, why);
        }
        let at_home = listed.vault == core.home_vault;
        let chain = match core.kind {
            Kind::Manual if at_home => ChainKind::Manual,
            Kind::Chain if at_home => ChainKind::Regular,
            Kind::Chain if core.copies.contains_key(&listed.vault) => ChainKind::Copy,
            _ => {
                let why = format!(
                    "its metadata names the vault {} and no copy to {}: somebody copied it by hand",
                    core.home_vault, listed.vault
                );
                return doubtful(listed, ChainKind::Suspect, why);
            }
        };
        Self { listed, chain, core: Some(core), doubt: None, ignored_tags: Vec::new() }
    }

    /// Whether the table can be restored from it with its configuration.
    pub fn is_usable(&self) -> bool {
        self.listed.is_restorable() && self.core.is_some()
    }

    /// The core that the catalog may remember in place of the tags. None of a point whose tags have something to report:
    /// those are read each time.
    pub fn memorable(&self) -> Option<&Core> {
        self.core.as_deref().filter(|_| self.ignored_tags.is_empty())
    }

    /// When its flags end; `None` for points that retention never judges.
    pub fn lifespan(&self) -> Option<Lifespan> {
        let core = self.core.as_deref()?;
        match self.chain {
            ChainKind::Regular => Some(Lifespan::of_regular(core)),
            ChainKind::Copy => Some(Lifespan::of_copy(core, &self.listed.vault)),
            _ => None,
        }
    }

    /// The point as every answer shows it.
    pub fn view(&self, now: Timestamp) -> PointView<'_> {
        let core = self.core.as_deref();
        let lifespan = self.lifespan();
        PointView {
            recovery_point: &self.listed.arn,
            table: &self.listed.table,
            chain: self.chain,
            policy: core.and_then(|core| core.policy.as_ref()).map(|policy| &policy.name),
            session: core.and_then(|core| core.session.as_ref()),
            scheduled_at: core.map(|core| core.scheduled_at),
            created_at: crate::time::whole_seconds(self.listed.created_at),
            status: &self.listed.status,
            flags: lifespan.as_ref().map(Lifespan::flags),
            active_flags: lifespan.as_ref().map(|lifespan| lifespan.active_flags(now)),
            expires_at: lifespan.as_ref().and_then(Lifespan::expires_at),
            size_bytes: self.listed.size_bytes,
            decision: None,
            reasons: None,
        }
    }
}

/// A point as every answer shows it; unknown members are null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointView<'a> {
    recovery_point: &'a RecoveryPointArn,
    table: &'a TableArn,
    chain: ChainKind,
    policy: Option<&'a PolicyName>,
    session: Option<&'a SessionId>,
    scheduled_at: Option<Timestamp>,
    created_at: Timestamp,
    status: &'a str,
    flags: Option<Flags>,
    active_flags: Option<Flags>,
    expires_at: Option<End>,
    size_bytes: Option<u64>,
    /// What retention would do; null where retention was not asked.
    decision: Option<Decision>,
    reasons: Option<Reasons>,
}

impl PointView<'_> {
    /// The same with what retention decides about the point.
    #[must_use]
    pub fn decided(self, verdict: &Verdict) -> Self {
        Self { decision: Some(verdict.decision), reasons: Some(verdict.reasons), ..self }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::metadata::core_tests::core;

    const HOME: &str = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain";
    const TARGET: &str = "arn:aws:backup:eu-west-1:111122223333:backup-vault:dynachain";

    fn listed(vault: &str, created_at: &str) -> ListedPoint {
        ListedPoint {
            arn: "arn:aws:backup:eu-central-1:111122223333:recovery-point:0b2f".parse().unwrap(),
            table: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
            vault: vault.parse().unwrap(),
            created_at: created_at.parse().unwrap(),
            status: "COMPLETED".to_owned(),
            size_bytes: Some(42),
        }
    }

    #[rstest]
    #[case::at_home(Kind::Chain, HOME, "2025-01-06T06:02:00Z", ChainKind::Regular)]
    #[case::in_a_target(Kind::Chain, TARGET, "2025-01-06T06:02:00Z", ChainKind::Copy)]
    #[case::in_a_third_vault(Kind::Chain, &TARGET.replace("eu-west-1", "us-east-1"), "2025-01-06T06:02:00Z", ChainKind::Suspect)]
    #[case::from_another_day(Kind::Chain, HOME, "2025-01-05T06:02:00Z", ChainKind::Suspect)]
    #[case::manual(Kind::Manual, HOME, "2025-01-06T06:02:00Z", ChainKind::Manual)]
    #[case::manual_copied_by_hand(Kind::Manual, TARGET, "2025-01-06T06:02:00Z", ChainKind::Suspect)]
    fn a_point_belongs_where_its_own_metadata_puts_it(
        #[case] kind: Kind,
        #[case] vault: &str,
        #[case] created_at: &str,
        #[case] chain: ChainKind,
    ) {
        let core = Core { kind, ..core() };
        let point = RestorePoint::identify(listed(vault, created_at), Reading::Opened(Box::new(core)));
        assert_eq!(point.chain, chain);
        assert_eq!(point.core.is_some(), chain != ChainKind::Suspect);
        assert_eq!(point.doubt.is_some(), chain == ChainKind::Suspect);
    }

    #[rstest]
    #[case(Reading::NoMetadata, ChainKind::Foreign)]
    #[case(Reading::Unreadable("x".into()), ChainKind::Unreadable)]
    #[case(Reading::NotAuthentic("x".into()), ChainKind::Suspect)]
    fn a_point_without_sound_metadata_is_never_part_of_a_chain(
        #[case] reading: Reading,
        #[case] chain: ChainKind,
    ) {
        let point = RestorePoint::identify(listed(HOME, "2025-01-06T06:02:00Z"), reading);
        assert_eq!((point.chain, point.is_usable(), point.lifespan()), (chain, false, None));
        let view = serde_json::to_value(point.view("2025-01-06T07:00:00Z".parse().unwrap())).unwrap();
        assert_eq!(view["flags"], serde_json::Value::Null);
        assert_eq!(view["expires_at"], serde_json::Value::Null);
    }

    #[test]
    fn a_view_shows_flags_and_expiry() {
        let reading = Reading::Opened(Box::new(core()));
        let point = RestorePoint::identify(listed(HOME, "2025-01-06T06:02:00.123Z"), reading);
        let view = serde_json::to_value(point.view("2025-01-10T00:00:00Z".parse().unwrap())).unwrap();
        assert_eq!(view["flags"], serde_json::json!(["D", "M"]));
        assert_eq!(view["active_flags"], serde_json::json!(["M"]));
        assert_eq!(view["expires_at"], "2025-07-06T05:00:00Z");
        assert_eq!(view["created_at"], "2025-01-06T06:02:00Z");
        assert_eq!(view["policy"], "orders");
    }
}
