//! Whether a vault's lock allows the keep of each flag.

use dynachain::aws::backup::Vault;
use dynachain::chain::{Flag, PerFlag};
use dynachain::id::VaultArn;
use dynachain::retention::{End, Keep, Lifespan, LockConflict, VaultLock};
use jiff::Timestamp;

use super::finding::Finding;

const CHECK: &str = "vault_lock";

/// What the lock says to points that start now with these keeps, in an IANA time zone.
pub(super) fn findings(vault: &Vault, keep: &PerFlag<Keep>, timezone: &str, now: Timestamp) -> Vec<Finding> {
    let Some(lock) = vault.lock() else {
        return vec![Finding::holds(&vault.arn, CHECK, "is not locked")];
    };
    let conflicts: Vec<Finding> = keep
        .iter()
        .filter_map(|(flag, keep)| conflict(&vault.arn, lock, flag, *keep, timezone, now))
        .collect();
    if conflicts.is_empty() { vec![Finding::holds(&vault.arn, CHECK, allowed(lock))] } else { conflicts }
}

fn allowed(lock: VaultLock) -> String {
    let days = |days: Option<u32>| days.map_or("none".to_owned(), |days| format!("{days} days"));
    format!(
        "is locked (minimum {}, maximum {}), and the lock allows every keep; AWS itself removes the points there once their \
         time is over, and keep_last and restamps do not reach them",
        days(lock.min_days),
        days(lock.max_days)
    )
}

fn conflict(
    vault: &VaultArn,
    lock: VaultLock,
    flag: Flag,
    keep: Keep,
    timezone: &str,
    now: Timestamp,
) -> Option<Finding> {
    let mut only = PerFlag::default();
    only.set(flag, keep);
    let end = Lifespan::counted(now, timezone, &only, None).expires_at().unwrap_or(End::Never);
    let conflict = lock.delete_after_days(now, end).err()?;
    let (name, region) = (vault.name(), vault.region());
    let schedule = flag.schedule_name();
    let message =
        format!("{schedule}: {conflict}; shorten the keep, or change the lock while that is still possible");
    let command = match conflict {
        LockConflict::Forever { .. } => {
            format!(
                "aws backup delete-backup-vault-lock-configuration --backup-vault-name {name} --region {region}"
            )
        }
        LockConflict::TooLong { days, .. } => {
            let min = lock.min_days.map(|days| format!(" --min-retention-days {days}")).unwrap_or_default();
            format!(
                "aws backup put-backup-vault-lock-configuration --backup-vault-name {name}{min} --max-retention-days {days} \
                 --region {region}"
            )
        }
    };
    Some(Finding::fails(vault, format!("{CHECK}:{schedule}"), message).run(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Remedy;

    fn vault(lock: Option<(i64, i64)>) -> Vault {
        Vault {
            arn: "arn:aws:backup:eu-west-1:111122223333:backup-vault:dr".parse().unwrap(),
            key: None,
            locked: lock.is_some(),
            min_retention_days: lock.map(|(min, _)| min),
            max_retention_days: lock.map(|(_, max)| max),
        }
    }

    fn found(lock: Option<(i64, i64)>, daily: Keep, yearly: Keep) -> Vec<(String, Option<bool>)> {
        let mut keep = PerFlag::default();
        keep.set(Flag::D, daily);
        keep.set(Flag::Y, yearly);
        let now = "2025-01-06T06:00:00Z".parse().unwrap();
        let findings = findings(&vault(lock), &keep, "Europe/Berlin", now);
        findings.into_iter().map(|finding| (finding.check, finding.ok)).collect()
    }

    #[test]
    fn each_keep_that_a_lock_does_not_allow_is_named() {
        let fine = vec![("vault_lock".to_owned(), Some(true))];
        assert_eq!(found(None, Keep::Days(3), Keep::Forever), fine);
        assert_eq!(found(Some((7, 800)), Keep::Days(3), Keep::Years(2)), fine);
        let fails = |schedule: &str| (format!("vault_lock:{schedule}"), Some(false));
        assert_eq!(found(Some((7, 30)), Keep::Days(3), Keep::Years(2)), [fails("yearly")]);
        assert_eq!(found(Some((7, 30)), Keep::Days(31), Keep::Forever), [fails("daily"), fails("yearly")]);
    }

    #[test]
    fn the_remedy_is_a_lock_that_is_long_enough() {
        let mut keep = PerFlag::default();
        keep.set(Flag::D, Keep::Days(40));
        let now = "2025-01-06T06:00:00Z".parse().unwrap();
        let [finding] = &findings(&vault(Some((7, 30))), &keep, "UTC", now)[..] else { panic!("one") };
        let command = "aws backup put-backup-vault-lock-configuration --backup-vault-name dr --min-retention-days 7 \
                       --max-retention-days 40 --region eu-west-1";
        assert_eq!(finding.remedy, Some(Remedy::Command(command.to_owned())));
        assert!(
            finding.message.starts_with("daily: the points would be kept for 40 days"),
            "{}",
            finding.message
        );
    }
}
