//! What the points of a policy come to, vault by vault.

use super::answer::{ChainFigures, Growth, Line, PerPeriod, Points};
use super::lives::{Kept, Period, Seen};
use super::money::Quantity;
use super::prices::{Item, Prices};
use super::{GB, Question};
use crate::chain::{ChainKind, Flags};
use crate::id::VaultArn;

const GROWS: &str = "points of these flags are kept for ever, or longer than is counted: storage grows without end; the \
    steady state counts those of the last years, at most ten where they never end, and every month adds this much to \
    the monthly cost";

/// The points of one vault, counted for one table: all tables of a policy have points of the same moments.
#[derive(Clone, Debug)]
pub(super) struct Chain<'a> {
    pub(super) kind: ChainKind,
    pub(super) vault: &'a VaultArn,
    pub(super) seen: PerPeriod<Seen>,
    endless: Flags,
}

impl<'a> Chain<'a> {
    /// The home vault's, then those of the targets in their order.
    pub(super) fn all(question: &Question<'a>, periods: &PerPeriod<Period>) -> Vec<Self> {
        let policy = question.policy;
        let home = Self::of(ChainKind::Regular, question.home_vault, &Kept::at_home(policy), periods);
        let copies = policy.copies.iter().map(|target| {
            Self::of(ChainKind::Copy, &target.vault, &Kept::in_target(policy, &target.keep), periods)
        });
        [home].into_iter().chain(copies).collect()
    }

    fn of(kind: ChainKind, vault: &'a VaultArn, kept: &Kept<'_>, periods: &PerPeriod<Period>) -> Self {
        let seen = PerPeriod {
            steady_state: kept.seen_in(&periods.steady_state),
            first_month: kept.made_in(&periods.first_month),
        };
        Self { kind, vault, seen, endless: kept.endless() }
    }

    /// Storage, and for copies the way there.
    pub(super) fn lines(
        &self,
        question: &Question<'_>,
        periods: &PerPeriod<Period>,
        prices: &Prices,
    ) -> Vec<Line> {
        let bytes = question.bytes();
        let stored = |seconds: fn(&Seen) -> u128| {
            self.seen.zip(periods, |seen, period| {
                Quantity::ratio(bytes.saturating_mul(seconds(seen)), GB.saturating_mul(period.seconds()))
            })
        };
        let there = self.vault.region();
        let mut lines = vec![
            Line::new(Item::WarmStorage, there, &stored(|seen| seen.warm), prices),
            Line::new(Item::ColdStorage, there, &stored(|seen| seen.cold), prices),
        ];
        let here = question.region();
        if there != here {
            let moved = self.seen.zip(periods, |seen, period| {
                Quantity::ratio(bytes.saturating_mul(seen.made.into()), GB * u128::from(period.months))
            });
            let line = Line::priced(Item::Transfer, here, &moved, prices.transfer(here, there));
            lines.push(Line { to: Some(there.to_owned()), ..line });
        }
        lines.into_iter().map(|line| Line { vault: Some(self.vault.clone()), ..line }).collect()
    }

    /// The points of all tables.
    pub(super) fn figures(&self, question: &Question<'_>, periods: &PerPeriod<Period>) -> ChainFigures {
        let tables = question.table_count();
        let points = self.seen.zip(periods, |seen, period| {
            let average = |seconds: u128| Quantity::ratio(tables.saturating_mul(seconds), period.seconds());
            Points {
                made: Quantity::ratio(tables.saturating_mul(seen.made.into()), period.months.into()),
                alive: average(seen.warm.saturating_add(seen.cold)),
                cold: average(seen.cold),
            }
        });
        ChainFigures { chain: self.kind, vault: self.vault.clone(), points, most: self.most_points(question) }
    }

    /// The most points of all tables at one time.
    pub(super) fn most_points(&self, question: &Question<'_>) -> u64 {
        let points = question.table_count().saturating_mul(self.seen.steady_state.most.into());
        u64::try_from(points).unwrap_or(u64::MAX)
    }

    /// What every month adds, if points stay without end.
    pub(super) fn growth(&self, question: &Question<'_>, prices: &Prices) -> Option<Growth> {
        let endless = u128::from(self.seen.steady_state.endless);
        if self.endless.is_empty() || endless == 0 {
            return None;
        }
        let months = u128::from(12_u8);
        let gb_per_month = Quantity::ratio(question.bytes().saturating_mul(endless), GB * months);
        let cold = self.kind == ChainKind::Regular && question.policy.cold_storage.is_some();
        let item = if cold { Item::ColdStorage } else { Item::WarmStorage };
        Some(Growth {
            chain: self.kind,
            vault: self.vault.clone(),
            flags: self.endless,
            points_per_month: Quantity::ratio(question.table_count().saturating_mul(endless), months),
            gb_per_month,
            usd_per_month: prices.of(item, self.vault.region()).map(|price| price.of(gb_per_month)),
            message: GROWS,
        })
    }
}
