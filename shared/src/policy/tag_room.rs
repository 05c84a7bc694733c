//! Whether a table's tags leave room for those of its recovery points: before a policy has made any.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use jiff::Timestamp;
use uuid::Uuid;

use super::{CopyTarget, Document};
use crate::evolving::Evolving;
use crate::id::{SessionId, TableArn, VaultArn};
use crate::metadata::{
    CopyPlan, Core, DataKey, Digest, Kind, NoTagRoom, PREFIX, PartName, PolicyStamp, SealedPoint, Sealer,
    lay_out,
};

/// The length of a data key that KMS has wrapped (AWS KMS API Reference, `GenerateDataKey`, gives no bound; all that AWS
/// makes today are this long).
const WRAPPED_KEY: usize = 184;

/// What the points of a policy carry at the least: the largest core that its sessions write, and no configuration, for
/// which the catalog has room.
#[derive(Debug)]
pub struct TagRoom {
    sealed: SealedPoint,
    policy_tags: BTreeMap<String, String>,
}

/// The largest core could not be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what the policy's points would carry cannot be worked out: {0}")]
pub struct NotSealed(String);

impl TagRoom {
    /// For a policy whose points are made in this vault.
    ///
    /// # Errors
    /// When nothing can be sealed at all.
    pub fn of(document: &Document, home_vault: &VaultArn, now: Timestamp) -> Result<Self, NotSealed> {
        let core = largest_core(document, home_vault, now);
        let core = Evolving::new(&core).encode().map_err(not_sealed)?;
        // Nobody is to open it: only its length counts, which depends on neither key nor table.
        let key = DataKey::from_bytes(&[0; DataKey::LENGTH]).ok_or_else(|| not_sealed("no data key"))?;
        let (region, account) = (home_vault.region(), home_vault.account());
        let table =
            "any".parse().and_then(|name| TableArn::of(region, account, &name)).map_err(not_sealed)?;
        let recipients = 1 + document.recipients(|_| true).len();
        let sealed = SealedPoint {
            kind: Kind::Chain,
            keys: vec![vec![0; WRAPPED_KEY]; recipients],
            core: Sealer::new(&key, &table).seal(PartName::Core, &core).map_err(not_sealed)?,
            config: Vec::new(),
        };
        Ok(Self { sealed, policy_tags: document.tags.clone() })
    }

    /// How many tags a table's points must have beside those that they take over. Where the configuration has no room it
    /// goes to the catalog, so its own tags do not count.
    ///
    /// # Errors
    /// Why they cannot: what the backup starts with is too much, or the table's own tags are.
    pub fn for_tags(&self, table: &BTreeSet<String>) -> Result<usize, NoTagRoom> {
        let configuration = format!("{PREFIX}{}:", PartName::Config);
        let layout = lay_out(&self.sealed, &self.policy_tags, table)?;
        Ok(layout.at_start.keys().filter(|tag| !tag.starts_with(&configuration)).count())
    }
}

/// A core with all the policy's flags at once; numbers and ids as long as they get.
fn largest_core(document: &Document, home_vault: &VaultArn, now: Timestamp) -> Core {
    let copy = |copy: &CopyTarget| (copy.vault.clone(), CopyPlan { keep: copy.keep.clone() });
    Core {
        kind: Kind::Chain,
        policy: Some(PolicyStamp {
            id: Uuid::from_bytes(first_half(&Digest::of(b"id"))),
            name: document.name.clone(),
            version: u64::from(u32::MAX),
            timezone: document.timezone.to_string(),
        }),
        session: Some(SessionId::scheduled(&document.name, now)),
        scheduled_at: now,
        started_at: now,
        start_window_minutes: 1440,
        table_id: Uuid::from_bytes(first_half(&Digest::of(b"table"))).to_string(),
        home_vault: home_vault.clone(),
        keep: document.keeps(),
        own_keep: None,
        until: None,
        copies: document.copies.iter().map(copy).collect(),
        keep_last: document.keep_last,
        cold_after_days: document.cold_storage.map(|cold| cold.after_days),
        config_digest: Digest::of(b"configuration"),
        item_count: Some(u64::MAX),
        size_bytes: Some(u64::MAX),
        product_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn first_half(digest: &Digest) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest.0[..16]);
    half
}

fn not_sealed(error: impl Display) -> NotSealed {
    NotSealed(error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn room(change: impl Fn(&mut Value)) -> TagRoom {
        let mut document = json!({
            "name": "orders", "timezone": "Europe/Berlin", "scope": {"all": true},
            "schedules": {"daily": {"at": "07:00", "on": "every day", "keep": {"days": 3}}},
        });
        change(&mut document);
        let document = serde_json::from_value(document).unwrap();
        let vault = "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap();
        TagRoom::of(&document, &vault, "2027-01-04T06:00:00Z".parse().unwrap()).unwrap()
    }

    fn tags(n: usize) -> BTreeSet<String> {
        (0..n).map(|i| format!("table-{i}")).collect()
    }

    #[test]
    fn a_table_has_room_up_to_fifty_tags_in_all() {
        let room = room(|_| {});
        let ours = room.for_tags(&tags(0)).unwrap();
        assert!((3..=6).contains(&ours), "{ours}");
        assert_eq!(room.for_tags(&tags(50 - ours)), Ok(ours));
        let table = 51 - ours;
        assert_eq!(room.for_tags(&tags(table)), Err(NoTagRoom::Table { table, ours }));
    }

    #[test]
    fn the_policys_tags_and_targets_in_other_accounts_take_room() {
        let plain = room(|_| {}).for_tags(&tags(0)).unwrap();
        let tagged = room(|document| document["tags"] = json!({"a": "1", "b": "2"}));
        assert_eq!(tagged.for_tags(&tags(0)), Ok(plain + 2));
        let copied = |keys: &[u32]| {
            let targets = (1..).zip(keys).map(|(vault, key)| {
                json!({
                    "vault": format!("arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-{vault}"),
                    "key": format!("arn:aws:kms:eu-west-1:444455556666:key/{key}"),
                    "keep": {"daily": {"days": 7}},
                })
            });
            let targets: Vec<_> = targets.collect();
            room(|document| document["copies"] = json!(targets)).for_tags(&tags(0)).unwrap()
        };
        assert!(copied(&[1]) > plain);
        // Targets that share a key share its tag.
        assert_eq!(copied(&[1, 2]), copied(&[1, 1]) + 1);
    }

    #[test]
    fn more_than_ten_tags_at_the_start_are_too_many() {
        let target = |n: u32| {
            json!({
                "vault": format!("arn:aws:backup:eu-west-1:44445555666{n}:backup-vault:dr"),
                "key": format!("arn:aws:kms:eu-west-1:44445555666{n}:key/1"),
                "keep": {"daily": {"days": 7}},
            })
        };
        let room = room(|document| {
            document["copies"] = (1..=5).map(target).collect();
            document["tags"] = json!({"a": "", "b": "", "c": "", "d": "", "e": ""});
        });
        assert!(matches!(room.for_tags(&tags(0)), Err(NoTagRoom::AtStart { .. })));
    }
}
