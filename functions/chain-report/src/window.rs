//! The tables of one answer, picked from a vault's unordered list in one pass and bounded memory.

use std::collections::BTreeMap;

use dynachain::chain::ListedPoint;
use dynachain::id::TableArn;

/// Keeps the points of the first tables, in order, that fill an answer; whole tables only.
#[derive(Debug)]
pub(crate) struct Window {
    limit: usize,
    /// Tables before this one are of no interest.
    from: Option<TableArn>,
    tables: BTreeMap<TableArn, Vec<ListedPoint>>,
    held: usize,
    /// The first table that was dropped for want of room; all from it on are dropped.
    cut: Option<TableArn>,
}

impl Window {
    /// For an answer of `limit` points that begins within or after the table `from`.
    pub(crate) fn new(limit: usize, from: Option<TableArn>) -> Self {
        Self { limit, from, tables: BTreeMap::new(), held: 0, cut: None }
    }

    /// Takes a point in, or leaves it out.
    pub(crate) fn add(&mut self, point: ListedPoint) {
        let before = self.from.as_ref().is_some_and(|from| point.table < *from);
        let beyond = self.cut.as_ref().is_some_and(|cut| point.table >= *cut);
        if before || beyond {
            return;
        }
        self.tables.entry(point.table.clone()).or_default().push(point);
        self.held += 1;
        self.drop_surplus();
    }

    /// Drops the last table while the others fill the answer without it. The table `from` does not count: any number of its
    /// points may lie in the answer before.
    fn drop_surplus(&mut self) {
        while let Some((last, points)) = self.tables.last_key_value() {
            let begun = self.from.as_ref().and_then(|from| self.tables.get(from)).map_or(0, Vec::len);
            if self.held - points.len() < self.limit + begun {
                return;
            }
            self.held -= points.len();
            self.cut = Some(last.clone());
            self.tables.pop_last();
        }
    }

    /// The tables with all their points, in order; and whether tables were left out behind them.
    pub(crate) fn finish(self) -> (BTreeMap<TableArn, Vec<ListedPoint>>, bool) {
        (self.tables, self.cut.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(table: usize, n: usize) -> ListedPoint {
        ListedPoint {
            arn: format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{table}-{n}")
                .parse()
                .unwrap(),
            table: format!("arn:aws:dynamodb:eu-central-1:111122223333:table/t{table:03}").parse().unwrap(),
            vault: "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap(),
            created_at: "2025-01-06T06:00:00Z".parse().unwrap(),
            status: "COMPLETED".to_owned(),
            size_bytes: None,
        }
    }

    fn names(window: Window) -> (Vec<String>, bool) {
        let (tables, more) = window.finish();
        (tables.keys().map(|table| table.name().to_owned()).collect(), more)
    }

    #[test]
    fn the_first_tables_that_fill_an_answer_stay_whole_whatever_the_order() {
        for reverse in [false, true] {
            let mut points: Vec<_> = (0..10).flat_map(|table| (0..4).map(move |n| point(table, n))).collect();
            if reverse {
                points.reverse();
            }
            let mut window = Window::new(6, None);
            points.into_iter().for_each(|point| window.add(point));
            assert!(window.tables.values().all(|points| points.len() == 4));
            assert_eq!(names(window), (vec!["t000".to_owned(), "t001".to_owned()], true));
        }
    }

    #[test]
    fn memory_is_bounded_by_the_answer_and_one_table() {
        let mut window = Window::new(10, None);
        for n in 0..50 {
            for table in (0..100).rev() {
                window.add(point(table, n));
                assert!(window.held <= 10 + 50, "{}", window.held);
            }
        }
    }

    #[test]
    fn a_table_that_an_answer_before_has_begun_does_not_fill_this_one() {
        let mut window = Window::new(2, Some(point(1, 0).table));
        for point in (0..4).flat_map(|table| (0..3).map(move |n| point(table, n))) {
            window.add(point);
        }
        assert_eq!(names(window), (vec!["t001".to_owned(), "t002".to_owned()], true));
    }
}
