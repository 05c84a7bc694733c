//! Copy targets: the vaults in other Regions and accounts to which a policy copies.

use serde::Serialize;

use super::document::Home;
use super::keep;
use super::reader::{Members, Spot};
use crate::chain::{Flag, Flags, PerFlag};
use crate::id::{KeyArn, VaultArn, partition_of};
use crate::retention::Keep;

/// How many distinct targets a policy may have.
pub(super) const MOST: usize = 5;

/// A vault to which points are copied, and how long their flags are kept there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopyTarget {
    /// The vault, in another Region or account than the policy's.
    pub vault: VaultArn,
    /// For a vault in another account: a KMS key of that account, which can open the points' metadata there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyArn>,
    /// How long each flag is kept there. A point none of whose flags is named is not copied.
    pub keep: PerFlag<Keep>,
}

/// The targets in the order of their vaults' ARNs.
pub(super) fn read_all(spot: &Spot<'_>, scheduled: Flags, home: Option<&Home>) -> Option<Vec<CopyTarget>> {
    let items = spot.list_or_empty("a list of copy targets")?;
    let read: Vec<Option<CopyTarget>> = items.iter().map(|item| read(item, scheduled, home)).collect();
    let mut vaults: Vec<&str> = Vec::new();
    for item in &items {
        let Some(vault) = item.value().get("vault").and_then(serde_json::Value::as_str) else { continue };
        if vaults.contains(&vault) {
            item.note("this vault is a target already; say all its keeps in one place");
        } else {
            vaults.push(vault);
            if vaults.len() == MOST + 1 {
                item.note(format!("is target number {}, at most {MOST} are possible", MOST + 1));
            }
        }
    }
    let mut targets = read.into_iter().collect::<Option<Vec<CopyTarget>>>()?;
    targets.sort_by(|a, b| a.vault.cmp(&b.vault));
    Some(targets)
}

fn read(spot: &Spot<'_>, scheduled: Flags, home: Option<&Home>) -> Option<CopyTarget> {
    let members = spot.object(&["vault", "key", "keep"])?;
    let vault = members
        .required(
            "vault",
            "name the target by its ARN (arn:aws:backup:<region>:<account>:backup-vault:<name>)",
        )
        .and_then(|vault| vault.id::<VaultArn>("the ARN of a backup vault").map(|arn| (vault, arn)));
    let key = members.optional("key", |key| key.id::<KeyArn>("the ARN of a KMS key"));
    if let (Some((vault_spot, vault)), Some(home)) = (&vault, home) {
        check_vault(vault_spot, vault, home);
        if let Some(key) = &key {
            check_key(spot, &members, vault, key.as_ref(), home);
        }
    }
    let keep = members
        .required(
            "keep",
            "name the flags to copy and how long each is kept there, such as {\"daily\": {\"days\": 7}}",
        )
        .and_then(|keep| read_keep(&keep, scheduled));
    Some(CopyTarget { vault: vault?.1, key: key?, keep: keep? })
}

fn check_vault(spot: &Spot<'_>, vault: &VaultArn, home: &Home) {
    if vault.region() == home.region && vault.account() == home.account {
        spot.note(format!(
            "lies in the policy's own Region and account ({}, {}); a copy goes to another Region or account",
            home.region, home.account
        ));
    }
    let (there, here) = (partition_of(vault.region()), partition_of(&home.region));
    if there != here {
        spot.note(format!("lies in the partition {there}; AWS Backup copies only within {here}"));
    }
}

fn check_key(spot: &Spot<'_>, members: &Members<'_>, vault: &VaultArn, key: Option<&KeyArn>, home: &Home) {
    let foreign = vault.account() != home.account;
    let Some(key) = key else {
        if foreign {
            let (region, account) = (vault.region(), vault.account());
            spot.note_missing(
                "key",
                &format!(
                    "a target in another account needs the ARN of a KMS key of that account ({account}) in {region}"
                ),
            );
        }
        return;
    };
    let Some(at) = members.get("key") else { return };
    if !foreign {
        at.note("is superfluous: the target is in the policy's own account; leave it out");
    } else if key.account() != vault.account() {
        at.note(format!("is a key of account {}, it must be one of {}", key.account(), vault.account()));
    } else if key.region() != vault.region() {
        at.note(format!("is a key in {}, it must be one in {}", key.region(), vault.region()));
    }
}

fn read_keep(spot: &Spot<'_>, scheduled: Flags) -> Option<PerFlag<Keep>> {
    let members = spot.object(&Flag::ALL.map(Flag::schedule_name))?;
    if members.is_empty() {
        spot.note("names no flag, so nothing would be copied; name at least one of the policy's schedules");
        return None;
    }
    for flag in Flag::ALL {
        if let Some(member) = members.get(flag.schedule_name()).filter(|_| !scheduled.contains(flag)) {
            let name = flag.schedule_name();
            member
                .note(format!("the policy has no {name} schedule; add $.schedules.{name} or leave this out"));
        }
    }
    keep::read_per_flag(&members)
}
