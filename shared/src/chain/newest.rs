//! How old the newest usable points of several tables are.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::id::TableArn;

/// The newest usable point of each table, whatever the order in which points are come across.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewestPoints(HashMap<TableArn, Timestamp>);

/// How some tables stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The age, in whole seconds, of the newest point of that table which is worst off: what a restore of all of them now
    /// would lose at most. `None` when none of them has a point. A point that is dated ahead is no older than now.
    pub age_seconds: Option<u64>,
    /// How many of them have no point at all; they are in no age.
    pub without: u64,
}

impl NewestPoints {
    /// A table has a usable point that was created then.
    pub fn note(&mut self, table: &TableArn, created_at: Timestamp) {
        match self.0.get_mut(table) {
            Some(newest) => *newest = created_at.max(*newest),
            None => drop(self.0.insert(table.clone(), created_at)),
        }
    }

    /// How these tables stand at a moment.
    pub fn standing(&self, tables: &[TableArn], now: Timestamp) -> Standing {
        let found: Vec<Timestamp> = tables.iter().filter_map(|table| self.0.get(table).copied()).collect();
        let age = |created_at: &Timestamp| u64::try_from(now.duration_since(*created_at).as_secs());
        Standing {
            age_seconds: found.iter().min().map(|oldest| age(oldest).unwrap_or_default()),
            without: u64::try_from(tables.len() - found.len()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn table(n: usize) -> TableArn {
        format!("arn:aws:dynamodb:eu-central-1:111122223333:table/table-{n}").parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[rstest]
    #[case::no_table(&[], &[], None, 0)]
    #[case::no_point(&[], &[0, 1], None, 2)]
    #[case::one(&[(0, 40)], &[0], Some(60), 0)]
    #[case::the_newest_of_a_table_counts(&[(0, 40), (0, 90), (0, 10)], &[0], Some(10), 0)]
    #[case::of_several_the_one_that_is_worst_off(&[(0, 90), (1, 30), (1, 20)], &[0, 1], Some(70), 0)]
    #[case::a_table_without_a_point_is_counted_apart(&[(0, 90)], &[0, 1], Some(10), 1)]
    #[case::other_tables_do_not_matter(&[(0, 90), (7, 1)], &[0], Some(10), 0)]
    #[case::dated_ahead(&[(0, 200)], &[0], Some(0), 0)]
    fn the_table_that_is_worst_off_tells_the_age(
        #[case] points: &[(usize, i64)],
        #[case] tables: &[usize],
        #[case] age_seconds: Option<u64>,
        #[case] without: u64,
    ) {
        let mut newest = NewestPoints::default();
        points.iter().for_each(|(of, created)| newest.note(&table(*of), at(*created)));
        let tables: Vec<_> = tables.iter().map(|n| table(*n)).collect();
        assert_eq!(newest.standing(&tables, at(100)), Standing { age_seconds, without });
    }

    proptest! {
        #[test]
        fn points_may_come_in_any_order_and_the_age_grows_with_the_clock(
            points in proptest::collection::vec((0_usize..4, 0_i64..1_000), 0..20),
            seconds in 0_u64..10_000,
        ) {
            let tables: Vec<_> = (0..4).map(table).collect();
            let (mut forth, mut back) = (NewestPoints::default(), NewestPoints::default());
            points.iter().for_each(|(of, created)| forth.note(&table(*of), at(*created)));
            points.iter().rev().for_each(|(of, created)| back.note(&table(*of), at(*created)));
            prop_assert_eq!(&forth, &back);
            let now = forth.standing(&tables, at(1_000));
            let later = forth.standing(&tables, at(1_000 + i64::try_from(seconds).unwrap()));
            prop_assert_eq!(later.age_seconds, now.age_seconds.map(|age| age + seconds));
            prop_assert_eq!(later.without, now.without);
        }
    }
}
