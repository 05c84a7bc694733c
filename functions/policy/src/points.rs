//! The restore points of a policy, as far as the catalog of this Region knows them.

use dynachain::error::Refusal;
use dynachain::id::RecoveryPointArn;
use dynachain::metadata::Core;
use dynachain::policy::Home;
use uuid::Uuid;

use crate::Deps;

/// Points read from the catalog at a time: memory stays bounded however many there are.
const CHUNK: usize = 1000;

/// Shows `look` every point in this Region that the policy made, in the order of their ARNs.
pub(crate) async fn each_of(
    deps: &Deps,
    policy: Uuid,
    mut look: impl FnMut(RecoveryPointArn, &Core),
) -> Result<(), Refusal> {
    let points = deps.catalog.points();
    let mut all = points.all().await?;
    all.sort();
    for chunk in all.chunks(CHUNK) {
        let mut known: Vec<_> = points.known(chunk).await?.into_iter().collect();
        known.retain(|(_, core)| is_of(core, policy, &deps.home));
        known.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (arn, core) in known {
            look(arn, &core);
        }
    }
    Ok(())
}

/// Whether a policy of this Region made the point here: copies that came from elsewhere are of policies there.
fn is_of(core: &Core, policy: Uuid, home: &Home) -> bool {
    let vault = &core.home_vault;
    core.policy.as_ref().is_some_and(|stamp| stamp.id == policy)
        && (vault.region(), vault.account()) == (&home.region, &home.account)
}

#[cfg(test)]
pub(crate) mod tests {
    use dynachain::chain::{Flag, PerFlag};
    use dynachain::metadata::{Digest, Kind, PolicyStamp};
    use dynachain::retention::Keep;
    use jiff::Timestamp;

    use super::*;

    const SCHEDULED: &str = "2025-01-06T06:00:00Z";

    /// A point of Monday 6 January 2025, 07:00 in Berlin: daily for 3 days, weekly for 14.
    pub(crate) fn core() -> Core {
        let scheduled_at: Timestamp = SCHEDULED.parse().unwrap();
        let mut keep = PerFlag::default();
        keep.set(Flag::D, Keep::Days(3));
        keep.set(Flag::W, Keep::Days(14));
        Core {
            kind: Kind::Chain,
            policy: Some(PolicyStamp {
                id: Uuid::from_u128(7),
                name: "orders".parse().unwrap(),
                version: 1,
                timezone: "Europe/Berlin".to_owned(),
            }),
            session: Some(format!("orders@{SCHEDULED}").parse().unwrap()),
            scheduled_at,
            started_at: scheduled_at,
            start_window_minutes: 120,
            table_id: "t".to_owned(),
            home_vault: "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap(),
            keep,
            own_keep: None,
            until: None,
            copies: [].into(),
            keep_last: 1,
            cold_after_days: None,
            config_digest: Digest::of(b""),
            item_count: None,
            size_bytes: None,
            product_version: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn points_of_other_policies_and_copies_from_elsewhere_are_left_out() {
        let home = |region: &str| Home {
            region: region.to_owned(),
            account: "111122223333".to_owned(),
            copy_deadline_days: 7,
        };
        assert!(is_of(&core(), Uuid::from_u128(7), &home("eu-central-1")));
        assert!(!is_of(&core(), Uuid::from_u128(8), &home("eu-central-1")));
        assert!(!is_of(&core(), Uuid::from_u128(7), &home("eu-west-1")));
        assert!(!is_of(&Core { policy: None, ..core() }, Uuid::from_u128(7), &home("eu-central-1")));
    }
}
