//! Which copies may begin now: as many as there are slots, one of each table, oldest first.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::Destination;
use crate::id::{RecoveryPointArn, TableArn, VaultArn};

/// No copy of a table begins so shortly before the table's next scheduled session: AWS Backup runs one job of a table at a
/// time, and the backup would have to wait (AWS Backup Developer Guide, "AWS Backup quotas").
pub const QUIET: SignedDuration = SignedDuration::from_mins(15);

/// A copy that waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Since when it may begin.
    pub due_at: Timestamp,
    /// The moment its point was made for.
    pub scheduled_at: Timestamp,
    /// The point.
    pub source: RecoveryPointArn,
    /// The vault it is to go to.
    pub target: VaultArn,
    /// The table.
    pub table: TableArn,
}

/// What runs already, and what must not begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// The slots of each destination that are taken.
    pub slots: BTreeMap<Destination, BTreeSet<u32>>,
    /// Tables of which a job runs, or is about to.
    pub tables: HashSet<TableArn>,
}

impl Busy {
    /// The slots of a destination that are free, in order, when there are `concurrency` in all. Slots beyond that, of a time
    /// when there were more, count as well.
    pub fn free(&self, destination: &Destination, concurrency: u32) -> impl Iterator<Item = u32> + use<> {
        let taken = self.slots.get(destination).cloned().unwrap_or_default();
        let most = usize::try_from(concurrency).unwrap_or(usize::MAX).saturating_sub(taken.len());
        (0..concurrency).filter(move |slot| !taken.contains(slot)).take(most)
    }
}

/// A copy that may begin, in a slot of its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick<'a> {
    /// The copy.
    pub copy: &'a Candidate,
    /// Its slot.
    pub slot: u32,
}

/// The copies that may begin: the oldest first, never more to a destination than it has free slots, never two of one table.
pub fn plan<'a>(candidates: &'a [Candidate], busy: &Busy, concurrency: u32) -> Vec<Pick<'a>> {
    let mut waiting: Vec<&Candidate> = candidates.iter().collect();
    waiting.sort();
    waiting.dedup();
    let (mut busy, mut picks) = (busy.clone(), Vec::new());
    for copy in waiting {
        let destination = Destination::of(&copy.target);
        let Some(slot) = busy.free(&destination, concurrency).next() else { continue };
        if busy.tables.insert(copy.table.clone()) {
            busy.slots.entry(destination).or_default().insert(slot);
            picks.push(Pick { copy, slot });
        }
    }
    picks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "eu-north-1"];

    fn candidate(point: u32, table: u32, region: usize, due: i64) -> Candidate {
        let due_at = Timestamp::from_second(due * 60).unwrap();
        Candidate {
            due_at,
            scheduled_at: due_at,
            source: format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{point:04}")
                .parse()
                .unwrap(),
            target: format!("arn:aws:backup:{}:111122223333:backup-vault:dynachain", REGIONS[region])
                .parse()
                .unwrap(),
            table: format!("arn:aws:dynamodb:eu-central-1:111122223333:table/t{table:03}").parse().unwrap(),
        }
    }

    fn names(picks: &[Pick<'_>]) -> Vec<(String, u32)> {
        picks
            .iter()
            .map(|pick| (pick.copy.source.as_str().rsplit(':').next().unwrap().to_owned(), pick.slot))
            .collect()
    }

    #[test]
    fn the_oldest_begin_in_the_free_slots_of_their_destination() {
        let waiting: Vec<_> = (0..6).map(|n| candidate(n, n, 0, 10 - i64::from(n))).collect();
        let taken = [(Destination::of(&waiting[0].target), BTreeSet::from([1]))].into();
        let busy = Busy { slots: taken, tables: HashSet::new() };
        let picks = plan(&waiting, &busy, 3);
        assert_eq!(names(&picks), [("0005".to_owned(), 0), ("0004".to_owned(), 2)]);
        assert_eq!(plan(&waiting, &busy, 1), [], "one slot is taken, though another number");
    }

    #[test]
    fn a_table_is_copied_to_one_destination_after_the_other() {
        let waiting = [candidate(1, 7, 0, 1), candidate(1, 7, 1, 1), candidate(2, 8, 1, 2)];
        let picks = plan(&waiting, &Busy::default(), 5);
        assert_eq!(names(&picks).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["0001", "0002"]);
        let busy = Busy { tables: [waiting[0].table.clone()].into(), ..Busy::default() };
        assert_eq!(names(&plan(&waiting, &busy, 5)), [("0002".to_owned(), 0)]);
    }

    proptest! {
        #[test]
        fn a_plan_keeps_every_bound_and_leaves_nothing_behind_that_had_room(
            waiting in prop::collection::vec((0_u32..40, 0_u32..12, 0_usize..3, 0_i64..30), 0..60),
            taken in prop::collection::vec((0_usize..3, 0_u32..6), 0..8),
            tables in prop::collection::hash_set(0_u32..12, 0..4),
            concurrency in 1_u32..6,
        ) {
            let waiting: Vec<_> = waiting.into_iter().map(|(p, t, r, d)| candidate(p, t, r, d)).collect();
            let mut busy = Busy::default();
            for (region, slot) in taken {
                busy.slots.entry(Destination::of(&candidate(0, 0, region, 0).target)).or_default().insert(slot);
            }
            busy.tables = tables.into_iter().map(|table| candidate(0, table, 0, 0).table).collect();
            let picks = plan(&waiting, &busy, concurrency);

            let mut after = busy.clone();
            for pick in &picks {
                let destination = Destination::of(&pick.copy.target);
                prop_assert!(pick.slot < concurrency);
                prop_assert!(after.tables.insert(pick.copy.table.clone()), "two of one table");
                prop_assert!(after.slots.entry(destination).or_default().insert(pick.slot), "a slot twice");
            }
            for (destination, slots) in &after.slots {
                let before = busy.slots.get(destination).map_or(0, BTreeSet::len);
                let most = usize::try_from(concurrency).unwrap().max(before);
                prop_assert!(slots.len() <= most, "{} to {destination}", slots.len());
            }
            // Who waits on has no slot or no table to itself; and whoever holds the table is no younger.
            for copy in &waiting {
                let picked = picks.iter().any(|pick| pick.copy == copy);
                let room = after.free(&Destination::of(&copy.target), concurrency).next().is_some();
                prop_assert!(picked || !room || after.tables.contains(&copy.table));
            }
            let order: Vec<_> = picks.iter().map(|pick| pick.copy).collect();
            prop_assert!(order.is_sorted());
        }
    }
}
