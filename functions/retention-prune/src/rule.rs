//! Which points may go: those that nothing keeps, or those that somebody names.

use std::collections::BTreeSet;

use dynachain::chain::{ChainKind, RestorePoint};
use dynachain::id::RecoveryPointArn;
use dynachain::retention::{Decision, Reason, Verdict};
use serde::{Deserialize, Serialize};

/// By which rule points go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Rule {
    /// Retention decides.
    Due,
    /// Somebody does, about points of one kind. Flags, extensions and copies that are still wanted do not keep them; what
    /// nobody can delete, or what is in doubt, stays.
    ByHand {
        chain: ChainKind,
        /// Whether the last usable one may go.
        include_last: bool,
    },
}

/// What no hand overrules: AWS would refuse, or a clock is wrong.
const HINDRANCES: [Reason; 4] = [Reason::NotFinal, Reason::LegalHold, Reason::VaultLock, Reason::Future];

/// What stands in the way of removing a point by hand.
pub(crate) fn hindrance(verdict: &Verdict) -> Option<Reason> {
    HINDRANCES.into_iter().find(|reason| verdict.reasons.contains(*reason))
}

impl Rule {
    /// Whether a point may go, for all that is known of it and of the others of its table.
    pub(crate) fn lets_go(
        self,
        point: &RestorePoint,
        verdict: &Verdict,
        table: &[RestorePoint],
        targets: &BTreeSet<RecoveryPointArn>,
    ) -> bool {
        match self {
            Self::Due => verdict.decision == Decision::Delete,
            Self::ByHand { chain, include_last } => {
                point.chain == chain
                    && point.core.is_some()
                    && hindrance(verdict).is_none()
                    && (include_last || !point.is_usable() || survivor(chain, table, targets).is_some())
            }
        }
    }

    /// The points, by their place, that a point may go for: it is not the last while they are there. They are looked at
    /// again with it.
    pub(crate) fn keepers(
        self,
        point: &RestorePoint,
        table: &[RestorePoint],
        verdicts: &[Verdict],
        targets: &BTreeSet<RecoveryPointArn>,
    ) -> Vec<usize> {
        let id = |point: &RestorePoint| point.core.as_ref().map(|core| core.table_id.clone());
        match self {
            Self::Due => (0..table.len())
                .filter(|place| verdicts[*place].reasons.contains(Reason::KeepLast))
                .filter(|place| table[*place].chain == point.chain && id(&table[*place]) == id(point))
                .collect(),
            Self::ByHand { include_last: true, .. } => Vec::new(),
            Self::ByHand { chain, include_last: false } => {
                survivor(chain, table, targets).into_iter().collect()
            }
        }
    }
}

/// The newest usable point that stays when the targets go: of the chain, or, as manual backups are in none, of the table.
pub(crate) fn survivor(
    chain: ChainKind,
    table: &[RestorePoint],
    targets: &BTreeSet<RecoveryPointArn>,
) -> Option<usize> {
    let stays = |point: &RestorePoint| {
        point.is_usable()
            && !targets.contains(&point.listed.arn)
            && (chain == ChainKind::Manual || point.chain == chain)
    };
    let place = |(place, point): (usize, &RestorePoint)| (point.listed.created_at, place);
    table.iter().enumerate().filter(|(_, point)| stays(point)).map(place).max().map(|(_, place)| place)
}
