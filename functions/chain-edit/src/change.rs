//! What an edit makes of a point.

use dynachain::catalog::StoredPolicy;
use dynachain::chain::{ChainKind, RestorePoint};
use dynachain::id::RecoveryPointArn;
use dynachain::metadata::{Core, PolicyStamp};
use dynachain::retention::{End, restamped};
use serde::{Deserialize, Serialize};

/// A change that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// One point lives until then; `None` undoes an extension.
    Extend(RecoveryPointArn, Option<End>),
    /// The points of a policy live by what it said when this was asked for.
    Restamp(Box<StoredPolicy>),
}

impl Change {
    /// The point as it would be; itself where the change is not about it. Only points of chains ever change, and none that is
    /// being deleted.
    pub(crate) fn applied(&self, point: &RestorePoint) -> RestorePoint {
        let can_change =
            matches!(point.chain, ChainKind::Regular | ChainKind::Copy) && !point.listed.is_being_deleted();
        let core = point.core.as_deref().filter(|_| can_change).map(|core| match self {
            Self::Extend(arn, until) if *arn == point.listed.arn => Core { until: *until, ..core.clone() },
            Self::Restamp(policy) if core.policy.as_ref().is_some_and(|stamp| reaches(policy, stamp)) => {
                restamped(core, policy.version, &policy.document)
            }
            _ => core.clone(),
        });
        match core {
            Some(core) => RestorePoint { core: Some(Box::new(core)), ..point.clone() },
            None => point.clone(),
        }
    }
}

/// A point that was made by a later version of the policy, while a long restamp went on, stays as it is.
fn reaches(policy: &StoredPolicy, stamp: &PolicyStamp) -> bool {
    stamp.id == policy.id && stamp.version <= policy.version
}
