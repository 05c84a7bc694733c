//! A vault's list, table by table: as small as it gets, for a vault may have a million points and lists them in no order.

use std::collections::BTreeMap;
use std::ops::Bound;

use dynachain::chain::ListedPoint;
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, TableArn, VaultArn};
use dynachain::request::TableRef;
use jiff::Timestamp;

use crate::Deps;

/// The points of a vault that are of interest, by table.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    tables: BTreeMap<TableArn, Vec<Small>>,
    /// Texts that many points share: starts of ARNs, vaults, statuses.
    shared: Vec<Box<str>>,
}

/// A listed point, with places in `shared` for what it shares with others.
#[derive(Debug)]
struct Small {
    arn_start: u16,
    vault: u16,
    status: u16,
    id: Box<str>,
    created_at: Timestamp,
    size_bytes: Option<u64>,
}

impl Inventory {
    /// Reads the list of the vault, or what it has of one table.
    ///
    /// # Errors
    /// When the list is refused.
    pub(crate) async fn read(deps: &Deps, table: Option<&TableArn>) -> Result<Self, Refusal> {
        Self::list(deps, table, |_| true).await
    }

    /// Reads what the vault has of the table that is meant; `path` is where the request names it.
    ///
    /// # Errors
    /// When the list is refused, no point is of the table, or its name is that of several.
    pub(crate) async fn of_table(
        deps: &Deps,
        vault: &VaultArn,
        table: &TableRef,
        path: &str,
    ) -> Result<(TableArn, Self), Refusal> {
        let arn = match table {
            TableRef::Arn(arn) => Some(arn),
            TableRef::Name(_) => None,
        };
        let inventory = Self::list(deps, arn, |point| table.names(&point.table)).await?;
        Ok((table.the_one_of(inventory.tables.keys().cloned(), vault.name(), path)?, inventory))
    }

    async fn list(
        deps: &Deps,
        table: Option<&TableArn>,
        wanted: impl Fn(&ListedPoint) -> bool,
    ) -> Result<Self, Refusal> {
        let reader = deps.points.vault();
        let mut inventory = Self::default();
        let mut next = None;
        loop {
            let page = reader.page(table, next).await.map_err(|error| error.about_vault(reader.name()))?;
            page.points.iter().filter(|point| wanted(point)).for_each(|point| inventory.add(point));
            next = page.next;
            if next.is_none() {
                return Ok(inventory);
            }
        }
    }

    fn add(&mut self, point: &ListedPoint) {
        let arn = point.arn.as_str();
        let (start, id) = arn.split_at(arn.rfind(':').map_or(0, |colon| colon + 1));
        let small = Small {
            arn_start: self.share(start),
            vault: self.share(point.vault.as_str()),
            status: self.share(&point.status),
            id: id.into(),
            created_at: point.created_at,
            size_bytes: point.size_bytes,
        };
        match self.tables.get_mut(&point.table) {
            Some(points) => points.push(small),
            None => drop(self.tables.insert(point.table.clone(), vec![small])),
        }
    }

    /// The place of a text among those that are shared: a handful.
    fn share(&mut self, text: &str) -> u16 {
        let place = self.shared.iter().position(|shared| **shared == *text).unwrap_or_else(|| {
            self.shared.push(text.into());
            self.shared.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// How many points there are.
    pub(crate) fn len(&self) -> usize {
        self.tables.values().map(Vec::len).sum()
    }

    /// The tables after one, in order, in groups of whole tables with at least so many points (but for the last group).
    pub(crate) fn groups(&self, after: Option<&TableArn>, points: usize) -> Vec<Vec<&TableArn>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut groups: Vec<Vec<&TableArn>> = Vec::new();
        let mut full = true;
        let mut held = 0;
        for (table, of_table) in self.tables.range::<TableArn, _>((from, Bound::Unbounded)) {
            if full {
                groups.push(Vec::new());
                held = 0;
            }
            held += of_table.len();
            full = held >= points;
            groups.last_mut().into_iter().for_each(|group| group.push(table));
        }
        groups
    }

    /// The points of a table.
    pub(crate) fn points(&self, table: &TableArn) -> Vec<ListedPoint> {
        let all = self.tables.get(table).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter_map(|small| self.whole(table, small)).collect()
    }

    fn whole(&self, table: &TableArn, small: &Small) -> Option<ListedPoint> {
        let shared = |place: u16| self.shared.get(usize::from(place)).map(AsRef::as_ref);
        let arn: RecoveryPointArn = format!("{}{}", shared(small.arn_start)?, small.id).parse().ok()?;
        Some(ListedPoint {
            arn,
            table: table.clone(),
            vault: shared(small.vault)?.parse().ok()?,
            created_at: small.created_at,
            status: shared(small.status)?.to_owned(),
            size_bytes: small.size_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(table: &str, n: usize, status: &str) -> ListedPoint {
        ListedPoint {
            arn: format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{table}-{n:03}")
                .parse()
                .unwrap(),
            table: format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{table}").parse().unwrap(),
            vault: "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap(),
            created_at: "2025-01-06T06:00:00.123Z".parse().unwrap(),
            status: status.to_owned(),
            size_bytes: (n > 0).then_some(42),
        }
    }

    #[test]
    fn points_come_out_as_they_went_in_whatever_the_order() {
        let all: Vec<_> = (0..30)
            .map(|n| {
                point(
                    ["users", "orders", "carts"][n % 3],
                    n,
                    if n % 7 == 0 { "EXPIRED" } else { "COMPLETED" },
                )
            })
            .collect();
        let mut inventory = Inventory::default();
        all.iter().for_each(|point| inventory.add(point));
        assert_eq!(inventory.len(), all.len());
        for group in inventory.groups(None, 1) {
            let [table] = group[..] else { panic!("a table each") };
            let expected: Vec<_> = all.iter().filter(|point| point.table == *table).cloned().collect();
            assert_eq!(inventory.points(table), expected);
        }
        assert_eq!(inventory.shared.len(), 4, "one start of ARNs, one vault, two statuses");
    }

    #[test]
    fn groups_are_of_whole_tables_in_order_and_begin_after_the_cursor() {
        let mut inventory = Inventory::default();
        for n in 0..12 {
            inventory.add(&point(&format!("t{:03}", 11 - n), n, "COMPLETED"));
            inventory.add(&point(&format!("t{:03}", 11 - n), 100 + n, "COMPLETED"));
        }
        let names = |after: Option<&TableArn>, points| -> Vec<Vec<String>> {
            let groups = inventory.groups(after, points);
            groups.iter().map(|group| group.iter().map(|table| table.name().to_owned()).collect()).collect()
        };
        assert_eq!(names(None, 5)[0], ["t000", "t001", "t002"]);
        assert_eq!(names(None, 5).len(), 4);
        let after = point("t008", 0, "COMPLETED").table;
        assert_eq!(names(Some(&after), 4), [vec!["t009", "t010"], vec!["t011"]]);
        assert!(Inventory::default().groups(None, 5).is_empty());
    }
}
