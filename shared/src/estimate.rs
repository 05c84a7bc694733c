//! Estimate: what a policy costs a month, and which limits of AWS it would run into.
//!
//! Everything is counted from the policy document, the tables' sizes and a [price table](Prices): once as it settles (the
//! *steady state*, the average month of the next calendar year as if the policy had always run) and once for the first
//! month, in which the first points are only being made. What is not known is said and left out of the sum, which then is
//! a lower bound.

mod answer;
mod assumptions;
mod chain;
mod limits;
mod lives;
mod money;
mod own_calls;
mod prices;

use jiff::Timestamp;

pub use answer::{Amount, ChainFigures, Estimate, Growth, Line, PerPeriod, Points, Total, Unknown};
pub use limits::{Limit, Warning};
pub use lives::Period;
pub use money::{Quantity, UnitPrice, Usd};
pub use prices::{Item, Prices, PricesError};

use self::chain::Chain;
use self::lives::Rhythm;
use crate::id::{TableName, VaultArn};
use crate::policy::Document;

/// AWS's gigabyte where it prices storage.
const GB: u128 = 1 << 30;

/// What is to be estimated.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The policy; whether it is enabled makes no difference.
    pub policy: &'a Document,
    /// The vault its points are made in.
    pub home_vault: &'a VaultArn,
    /// The moment from which the first month counts.
    pub now: Timestamp,
    /// The tables it covers, in any order.
    pub tables: &'a [SizedTable],
    /// How the stack works.
    pub settings: Settings,
}

/// A table as far as its backups' cost depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizedTable {
    /// Its name.
    pub name: TableName,
    /// What a backup of it holds, in bytes: its items and those of its local secondary indexes.
    pub size_bytes: u64,
    /// How many items it has.
    pub item_count: u64,
    /// How many of its tags a recovery point takes over beside the policy's and dynachain's own.
    pub inherited_tags: usize,
}

/// The stack's settings that an estimate depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `StartBackupJob` calls a second.
    pub start_rate: u32,
    /// Minutes in which a backup job must begin.
    pub start_window_minutes: u32,
    /// Copy jobs at a time for each destination.
    pub copy_concurrency: u32,
    /// Days after which a copy is given up.
    pub copy_deadline_days: u32,
    /// Whether the functions run on arm64 rather than x86_64.
    pub arm64: bool,
}

impl Question<'_> {
    /// The Region of the tables and of the home vault.
    fn region(&self) -> &str {
        self.home_vault.region()
    }

    /// The size of all tables together.
    fn bytes(&self) -> u128 {
        self.tables.iter().map(|table| u128::from(table.size_bytes)).sum()
    }

    fn table_count(&self) -> u128 {
        u128::try_from(self.tables.len()).unwrap_or(u128::MAX)
    }

    fn periods(&self) -> PerPeriod<Period> {
        PerPeriod {
            steady_state: Period::steady_year(self.policy, self.now),
            first_month: Period::first_month(self.now),
        }
    }
}

/// Estimates a policy.
pub fn estimate(question: &Question<'_>, prices: &Prices) -> Estimate {
    let periods = question.periods();
    let chains = Chain::all(question, &periods);
    let rhythm = periods.map(|period| Rhythm::of(question.policy, period));
    let mut lines: Vec<Line> =
        chains.iter().flat_map(|chain| chain.lines(question, &periods, prices)).collect();
    lines.extend(own_calls::lines(question, &periods, &rhythm, &chains, prices));
    lines.retain(Line::counts);
    let unknown: Vec<Unknown> = lines.iter().filter_map(Line::unknown).collect();
    Estimate {
        currency: "USD",
        prices_of: prices.date(),
        table_bytes: question.bytes(),
        items: question.tables.iter().map(|table| u128::from(table.item_count)).sum(),
        sessions: rhythm.zip(&periods, |rhythm, period| {
            Quantity::ratio(u128::from(rhythm.sessions), u128::from(period.months))
        }),
        chains: chains.iter().map(|chain| chain.figures(question, &periods)).collect(),
        total: Total {
            steady_state: lines.iter().filter_map(|line| line.steady_state.usd).sum(),
            first_month: lines.iter().filter_map(|line| line.first_month.usd).sum(),
            lower_bound: !unknown.is_empty(),
        },
        grows: chains.iter().filter_map(|chain| chain.growth(question, prices)).collect(),
        warnings: limits::warnings(question, &chains, &rhythm.steady_state),
        assumptions: assumptions::of(question),
        periods,
        lines,
        unknown,
    }
}

#[cfg(test)]
mod tests;
