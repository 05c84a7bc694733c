//! What an estimate says.

use jiff::civil::Date;
use serde::Serialize;

use super::Warning;
use super::lives::Period;
use super::money::{Quantity, UnitPrice, Usd};
use super::prices::{Item, Prices};
use crate::chain::{ChainKind, Flags};
use crate::id::VaultArn;

/// An estimate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Of all amounts.
    pub currency: &'static str,
    /// The date of the price table.
    pub prices_of: Date,
    /// What is averaged over.
    pub periods: PerPeriod<Period>,
    /// The size of all tables together.
    #[serde(serialize_with = "as_number")]
    pub table_bytes: u128,
    /// The items of all tables together.
    #[serde(serialize_with = "as_number")]
    pub items: u128,
    /// Sessions a month.
    pub sessions: PerPeriod<Quantity>,
    /// The points, vault by vault.
    pub chains: Vec<ChainFigures>,
    /// What is paid for.
    pub lines: Vec<Line>,
    /// The sum of the lines, added up before rounding.
    pub total: Total,
    /// What has a quantity and no known price.
    pub unknown: Vec<Unknown>,
    /// Where storage grows without end.
    pub grows: Vec<Growth>,
    /// Limits the policy would run into.
    pub warnings: Vec<Warning>,
    /// What the figures rest on.
    pub assumptions: Vec<String>,
}

fn as_number<S: serde::Serializer>(number: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(*number).unwrap_or(u64::MAX))
}

/// Something said for the steady state and for the first month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PerPeriod<T> {
    /// For the average month once nothing changes any more.
    pub steady_state: T,
    /// For the month that begins now.
    pub first_month: T,
}

impl<T> PerPeriod<T> {
    /// The same made of each.
    pub fn map<U>(&self, make: impl Fn(&T) -> U) -> PerPeriod<U> {
        PerPeriod { steady_state: make(&self.steady_state), first_month: make(&self.first_month) }
    }

    /// The same made of each and its counterpart.
    pub fn zip<U, V>(&self, other: &PerPeriod<U>, make: impl Fn(&T, &U) -> V) -> PerPeriod<V> {
        PerPeriod {
            steady_state: make(&self.steady_state, &other.steady_state),
            first_month: make(&self.first_month, &other.first_month),
        }
    }
}

/// The points of all tables in one vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChainFigures {
    /// Regular in the home vault, copies in a target.
    pub chain: ChainKind,
    /// The vault.
    pub vault: VaultArn,
    /// An average month.
    #[serde(flatten)]
    pub points: PerPeriod<Points>,
    /// The most at one time.
    pub most: u64,
}

/// Points in an average month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Points {
    /// Made in it.
    pub made: Quantity,
    /// Alive on average.
    pub alive: Quantity,
    /// Of those, in cold storage.
    pub cold: Quantity,
}

/// One thing that is paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What.
    pub item: Item,
    /// The Region it is billed in.
    pub region: String,
    /// For what leaves a Region: where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// For what lies in a vault or goes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultArn>,
    /// Whether the stack has it once for all its policies, and would without this one.
    pub shared: bool,
    /// What quantities count.
    pub unit: &'static str,
    /// Null when no price is known.
    pub unit_price: Option<UnitPrice>,
    /// In an average month.
    pub steady_state: Amount,
    /// In the first month.
    pub first_month: Amount,
}

/// How much, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// In units.
    pub quantity: Quantity,
    /// Null when no price is known.
    pub usd: Option<Usd>,
}

impl Line {
    /// What is used in a Region.
    pub(super) fn new(item: Item, region: &str, used: &PerPeriod<Quantity>, prices: &Prices) -> Self {
        Self::priced(item, region, used, prices.of(item, region))
    }

    /// What is used, at this price.
    pub(super) fn priced(
        item: Item,
        region: &str,
        used: &PerPeriod<Quantity>,
        price: Option<&UnitPrice>,
    ) -> Self {
        let PerPeriod { steady_state, first_month } =
            used.map(|quantity| Amount { quantity: *quantity, usd: price.map(|price| price.of(*quantity)) });
        Self {
            item,
            region: region.to_owned(),
            to: None,
            vault: None,
            shared: false,
            unit: item.unit(),
            unit_price: price.cloned(),
            steady_state,
            first_month,
        }
    }

    /// Whether anything is used at all.
    pub(super) fn counts(&self) -> bool {
        [self.steady_state, self.first_month].iter().any(|amount| amount.quantity > Quantity::default())
    }

    pub(super) fn unknown(&self) -> Option<Unknown> {
        self.unit_price.is_none().then(|| Unknown {
            item: self.item,
            region: self.region.clone(),
            to: self.to.clone(),
            message: "no price known: quantity only",
        })
    }
}

/// The sum of all lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// An average month.
    pub steady_state: Usd,
    /// The first month.
    pub first_month: Usd,
    /// Whether something is missing in it: a price, or a table.
    pub lower_bound: bool,
}

/// Something that is used and has no known price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// What.
    pub item: Item,
    /// Where.
    pub region: String,
    /// For what leaves a Region: where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What that means.
    pub message: &'static str,
}

/// Storage that grows without end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Growth {
    /// Regular or copies.
    pub chain: ChainKind,
    /// The vault that grows.
    pub vault: VaultArn,
    /// The flags whose points stay.
    pub flags: Flags,
    /// How many more every month.
    pub points_per_month: Quantity,
    /// How much more every month.
    pub gb_per_month: Quantity,
    /// What every month adds to the monthly cost; null when no price is known.
    pub usd_per_month: Option<Usd>,
    /// How that is counted.
    pub message: &'static str,
}
