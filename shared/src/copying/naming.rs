//! A copy in a target that its source does not name: the copy's own metadata is made to name it.
//!
//! A point that was made before its policy had a target knows nothing of it, and its metadata cannot be changed. Its copy there
//! would be taken for one that somebody made by hand. So the fresh copy gets a core of its own: the source's, with the target
//! and the keeps for it added, sealed with the point's own data key.

use std::collections::BTreeMap;

use crate::chain::PerFlag;
use crate::evolving::{DecodeError, EncodeError, Evolving};
use crate::id::VaultArn;
use crate::metadata::{CopyPlan, Core, OpenError, PartName, SealError, Sealer, core_tags};
use crate::retention::Keep;

/// Why a copy's metadata cannot be made to name its vault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNamed {
    /// The core does not open.
    #[error("its metadata: {0}")]
    Open(#[from] OpenError),
    /// A later version made it, in a way that this one does not read.
    #[error("its metadata: {0}")]
    Decode(#[from] DecodeError),
    /// It has no form any more.
    #[error("its metadata: {0}")]
    Encode(#[from] EncodeError),
    /// It could not be sealed.
    #[error("{0}")]
    Seal(#[from] SealError),
    /// It does not fit into tags.
    #[error("its metadata would be too long for tags")]
    TooLong,
}

/// The tags of a copy's core that names its vault; `None` when it does so already, with these keeps. What this version does not
/// know of the core stays as it is.
///
/// # Errors
/// When the core does not open or cannot be sealed.
pub fn naming_target(
    sealer: &Sealer<'_>,
    core: &[u8],
    target: &VaultArn,
    keep: &PerFlag<Keep>,
) -> Result<Option<BTreeMap<String, String>>, NotNamed> {
    let mut core: Evolving<Core> = Evolving::decode(&sealer.open(PartName::Core, core)?)?;
    let plan = CopyPlan { keep: keep.clone() };
    if core.value.copies.get(target) == Some(&plan) {
        return Ok(None);
    }
    core.value.copies.insert(target.clone(), plan);
    let sealed = sealer.seal(PartName::Core, &core.encode()?)?;
    core_tags(&sealed).ok_or(NotNamed::TooLong).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{ChainKind, Flag, ListedPoint, Reading, RestorePoint};
    use crate::metadata::core_tests::core;
    use crate::metadata::{DataKey, Part, PointTags};

    #[test]
    fn a_copys_metadata_names_its_vault_and_keeps_all_else() {
        let key = DataKey::from_bytes(&[7; 32]).unwrap();
        let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap();
        let sealer = Sealer::new(&key, &table);
        let target: VaultArn =
            "arn:aws:backup:us-east-1:111122223333:backup-vault:dynachain".parse().unwrap();
        let mut keep = PerFlag::default();
        keep.set(Flag::M, Keep::Years(2));

        // As a later version may have written it.
        let mut later: ciborium::Value = ciborium::Value::serialized(&core()).unwrap();
        later.as_map_mut().unwrap().push(("new".into(), 7.into()));
        let mut bytes = Vec::new();
        ciborium::into_writer(&later, &mut bytes).unwrap();
        let sealed = sealer.seal(PartName::Core, &bytes).unwrap();

        let tags = naming_target(&sealer, &sealed, &target, &keep).unwrap().unwrap();
        assert!(tags.keys().all(|tag| tag.starts_with("dynachain:core:")), "{tags:?}");
        let Part::Whole(record) = PointTags::read(&tags).core else { panic!("{tags:?}") };
        let opened: Evolving<Core> =
            Evolving::decode(&sealer.open(PartName::Core, &record).unwrap()).unwrap();
        let mut expected = core();
        expected.copies.insert(target.clone(), CopyPlan { keep: keep.clone() });
        assert_eq!(opened.value, expected);
        let written: ciborium::Value = ciborium::from_reader(&opened.encode().unwrap()[..]).unwrap();
        assert!(written.as_map().unwrap().contains(&("new".into(), 7.into())), "what is unknown stays");
        assert_eq!(naming_target(&sealer, &record, &target, &keep), Ok(None), "once is enough");

        let listed = ListedPoint {
            arn: "arn:aws:backup:us-east-1:111122223333:recovery-point:0b2f".parse().unwrap(),
            table: table.clone(),
            vault: target.clone(),
            created_at: "2025-01-06T06:02:00Z".parse().unwrap(),
            status: "COMPLETED".to_owned(),
            size_bytes: None,
        };
        let before = RestorePoint::identify(listed.clone(), Reading::Opened(Box::new(core())));
        let after = RestorePoint::identify(listed, Reading::Opened(Box::new(opened.value)));
        assert_eq!((before.chain, after.chain), (ChainKind::Suspect, ChainKind::Copy));
        assert_eq!(after.lifespan().unwrap().flags(), [Flag::M].into_iter().collect());
    }

    #[test]
    fn a_core_of_another_table_is_not_touched() {
        let key = DataKey::from_bytes(&[7; 32]).unwrap();
        let [orders, users] = ["orders", "users"]
            .map(|name| format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{name}").parse().unwrap());
        let sealed = Sealer::new(&key, &users).seal(PartName::Core, b"x").unwrap();
        let target = "arn:aws:backup:us-east-1:111122223333:backup-vault:dynachain".parse().unwrap();
        let named = naming_target(&Sealer::new(&key, &orders), &sealed, &target, &PerFlag::default());
        assert_eq!(named, Err(NotNamed::Open(OpenError::NotAuthentic)));
    }
}
