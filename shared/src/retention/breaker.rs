//! The breaker: a run that would delete suspiciously much stops, and waits for somebody to confirm it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::chain::{ChainKind, RestorePoint};
use crate::id::{RecoveryPointArn, TableArn};

/// From so many usable points on, a chain is worth protecting as a whole.
const CHAIN_WITH: usize = 10;

/// A chain that a run leaves alone, since it would lose more than half of its usable points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedChain {
    /// The table.
    pub table: TableArn,
    /// Which of its chains.
    pub chain: ChainKind,
    /// The points that are due, whatever their status.
    pub would_delete: usize,
    /// Its usable points.
    pub usable: usize,
}

/// The chains among these points of whole tables that would lose more than half of their usable points, of which they have at
/// least ten. In order.
pub fn blocked_chains(points: &[RestorePoint], due: &BTreeSet<&RecoveryPointArn>) -> Vec<BlockedChain> {
    #[derive(Default)]
    struct Chain {
        usable: usize,
        due: usize,
        due_and_usable: usize,
    }
    let mut chains: BTreeMap<(&TableArn, ChainKind), Chain> = BTreeMap::new();
    for point in points {
        let chain = chains.entry((&point.listed.table, point.chain)).or_default();
        let is_due = due.contains(&point.listed.arn);
        chain.usable += usize::from(point.is_usable());
        chain.due += usize::from(is_due);
        chain.due_and_usable += usize::from(is_due && point.is_usable());
    }
    chains
        .into_iter()
        .filter(|(_, chain)| chain.usable >= CHAIN_WITH && chain.due_and_usable * 2 > chain.usable)
        .map(|((table, kind), chain)| BlockedChain {
            table: table.clone(),
            chain: kind,
            would_delete: chain.due,
            usable: chain.usable,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::chain::{ListedPoint, Reading};
    use crate::metadata::core_tests::core;

    fn point(table: &str, n: usize, status: &str) -> RestorePoint {
        let listed = ListedPoint {
            arn: format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{table}-{n:03}")
                .parse()
                .unwrap(),
            table: format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{table}").parse().unwrap(),
            vault: core().home_vault,
            created_at: core().started_at,
            status: status.to_owned(),
            size_bytes: None,
        };
        RestorePoint::identify(listed, Reading::Opened(Box::new(core())))
    }

    fn chain(usable: usize, expired: usize) -> Vec<RestorePoint> {
        let usable = (0..usable).map(|n| point("orders", n, "COMPLETED"));
        usable.chain((500..500 + expired).map(|n| point("orders", n, "EXPIRED"))).collect()
    }

    #[rstest]
    #[case::just_half(10, 5, false)]
    #[case::one_more_than_half(10, 6, true)]
    #[case::all(10, 10, true)]
    #[case::an_odd_number(11, 6, true)]
    #[case::less_than_half_of_an_odd_number(11, 5, false)]
    #[case::a_short_chain_may_lose_all(9, 9, false)]
    #[case::nothing_is_due(10, 0, false)]
    fn a_chain_of_ten_may_lose_half(#[case] usable: usize, #[case] due: usize, #[case] blocked: bool) {
        let points = chain(usable, 0);
        let due = points.iter().take(due).map(|point| &point.listed.arn).collect();
        assert_eq!(!blocked_chains(&points, &due).is_empty(), blocked);
    }

    #[test]
    fn what_is_not_usable_counts_on_neither_side_and_is_left_alone_all_the_same() {
        let points = chain(10, 40);
        let expired = points.iter().filter(|point| !point.is_usable());
        let only_expired: BTreeSet<_> = expired.map(|point| &point.listed.arn).collect();
        assert_eq!(blocked_chains(&points, &only_expired), []);
        let all = points.iter().map(|point| &point.listed.arn).collect();
        let [blocked] = &blocked_chains(&points, &all)[..] else { panic!("one chain") };
        assert_eq!((blocked.usable, blocked.would_delete), (10, 50));
    }

    #[test]
    fn each_chain_is_looked_at_alone() {
        let full = chain(30, 0);
        let other: Vec<_> = (0..12).map(|n| point("users", n, "COMPLETED")).collect();
        let points: Vec<_> = full.into_iter().chain(other).collect();
        let due = points.iter().filter(|point| point.listed.table.name() == "users");
        let due = due.map(|point| &point.listed.arn).collect();
        let tables: Vec<_> =
            blocked_chains(&points, &due).iter().map(|chain| chain.table.name().to_owned()).collect();
        assert_eq!(tables, ["users"]);
    }

    proptest! {
        #[test]
        fn what_is_not_blocked_keeps_half_or_is_a_short_chain(usable in 0usize..40, due in 0usize..40) {
            let points = chain(usable, 0);
            let due: BTreeSet<_> = points.iter().take(due).map(|point| &point.listed.arn).collect();
            let left = points.len() - due.len();
            if blocked_chains(&points, &due).is_empty() {
                prop_assert!(usable < CHAIN_WITH || left * 2 >= usable);
            }
        }
    }
}
