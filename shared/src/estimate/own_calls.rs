//! What dynachain itself uses: its functions, its catalog, its keys, its schedules and logs.
//!
//! Little next to storage, so it is reckoned from a few figures for each session, backup and copy, chosen so that they are
//! rather too high. The answer states them as assumptions.

use std::collections::BTreeSet;

use super::answer::{Line, PerPeriod};
use super::chain::Chain;
use super::lives::{Period, Rhythm, Seen};
use super::money::Quantity;
use super::prices::{Item, Prices};
use super::{GB, Question};
use crate::chain::ChainKind;
use crate::id::VaultArn;

/// Memory of a function, as the template gives it.
pub(super) const MEMORY_MB: u128 = 512;
/// Milliseconds that a session takes beside its pace, that retention takes after it, that a job's event takes, that a copy
/// takes with all its events, that a reconcile takes.
pub(super) const SESSION_MS: u128 = 2_000;
pub(super) const PRUNE_MS: u128 = 5_000;
pub(super) const EVENT_MS: u128 = 300;
pub(super) const COPY_MS: u128 = 600;
pub(super) const RECONCILE_MS: u128 = 1_000;
/// Removing a point at the default `DeleteRate`.
pub(super) const DELETE_MS: u128 = 100;
/// Two functions reconcile, each every 15 minutes.
const RECONCILES: u128 = 2;
const RECONCILE_SECONDS: u128 = 900;
/// Request units of the catalog for a backup and for a copy, indexes included.
pub(super) const BACKUP_WRITES: u128 = 20;
pub(super) const BACKUP_READS: u128 = 10;
/// Bytes of the catalog for a living point, and for a backup in the record of its session, which stays for 90 days.
pub(super) const POINT_BYTES: u128 = 4_096;
pub(super) const DETAIL_MONTHS: u128 = 3;
/// Bytes of log for a backup or copy and for an invocation; the template keeps logs for 90 days.
pub(super) const JOB_LOG_BYTES: u128 = 2_048;
pub(super) const RUN_LOG_BYTES: u128 = 1_024;
const LOG_MONTHS: u128 = 3;
/// The template's alarms.
const ALARMS: u128 = 10;

/// What happens in a period.
#[derive(Clone, Copy, Debug)]
struct Volume {
    months: u128,
    seconds: u128,
    sessions: u128,
    wakes_a_day: u128,
    tables: u128,
    start_rate: u128,
    backups: u128,
    copies: u128,
    /// Targets in other accounts for which each session wraps its data key.
    recipients: u128,
    /// Data keys that are opened in the targets.
    opened: u128,
    /// Seconds that the points of the home vault live, all together.
    lived: u128,
    /// Whether the records of earlier months are there as well.
    steady: bool,
}

impl Volume {
    fn of(question: &Question<'_>, period: &Period, rhythm: &Rhythm, seen: &[(ChainKind, Seen)]) -> Self {
        let tables = question.table_count();
        let jobs = |kind: ChainKind| -> u128 {
            let made = seen.iter().filter(|(of, _)| *of == kind).map(|(_, seen)| u128::from(seen.made));
            made.sum::<u128>().saturating_mul(tables)
        };
        let of_kind = |kind| seen.iter().filter(move |(of, _)| *of == kind).map(|(_, seen)| seen);
        Self {
            months: period.months.into(),
            seconds: period.seconds(),
            sessions: rhythm.sessions.into(),
            wakes_a_day: rhythm.wakes_a_day.into(),
            tables,
            start_rate: question.settings.start_rate.max(1).into(),
            backups: jobs(ChainKind::Regular),
            copies: jobs(ChainKind::Copy),
            recipients: u128::try_from(question.policy.recipients(|_| true).len()).unwrap_or(u128::MAX),
            opened: of_kind(ChainKind::Copy).map(|seen| u128::from(seen.made)).sum(),
            lived: of_kind(ChainKind::Regular).map(|seen| seen.warm + seen.cold).sum::<u128>() * tables,
            steady: period.months > 1,
        }
    }

    /// So many in the period, a month.
    fn monthly(&self, number: u128) -> Quantity {
        Quantity::ratio(number, self.months)
    }

    fn gigabytes(&self, bytes: u128) -> Quantity {
        Quantity::ratio(bytes, GB * self.months)
    }

    /// What is kept for some months of what a period brings: in the first month half of it, on average.
    fn kept(&self, bytes: u128, months: u128) -> Quantity {
        if self.steady {
            self.gigabytes(bytes.saturating_mul(months))
        } else {
            Quantity::ratio(bytes, 2 * GB)
        }
    }

    fn invocations(&self) -> u128 {
        self.sessions * 2 + self.backups + self.copies * 2
    }

    fn reconciles(&self) -> u128 {
        RECONCILES * self.seconds / RECONCILE_SECONDS
    }

    /// A session starts its tables at the pace of `StartRate`.
    fn compute(&self) -> Quantity {
        let paced = self.sessions * self.tables * 1_000 / self.start_rate;
        let ms = paced
            + self.sessions * (SESSION_MS + PRUNE_MS)
            + self.backups * (EVENT_MS + DELETE_MS)
            + self.copies * (COPY_MS + DELETE_MS);
        self.gb_seconds(ms)
    }

    fn gb_seconds(&self, ms: u128) -> Quantity {
        Quantity::ratio(ms.saturating_mul(MEMORY_MB), 1_024 * 1_000 * self.months)
    }

    fn logged(&self) -> u128 {
        (self.backups + self.copies) * JOB_LOG_BYTES + self.invocations() * RUN_LOG_BYTES
    }

    fn points_stored(&self) -> Quantity {
        Quantity::ratio(self.lived.saturating_mul(POINT_BYTES), GB * self.seconds)
    }
}

/// The lines for what dynachain itself uses.
pub(super) fn lines(
    question: &Question<'_>,
    periods: &PerPeriod<Period>,
    rhythm: &PerPeriod<Rhythm>,
    chains: &[Chain<'_>],
    prices: &Prices,
) -> Vec<Line> {
    let seen = |which: fn(&PerPeriod<Seen>) -> Seen| -> Vec<(ChainKind, Seen)> {
        chains.iter().map(|chain| (chain.kind, which(&chain.seen))).collect()
    };
    let volumes = PerPeriod {
        steady_state: Volume::of(
            question,
            &periods.steady_state,
            &rhythm.steady_state,
            &seen(|seen| seen.steady_state),
        ),
        first_month: Volume::of(
            question,
            &periods.first_month,
            &rhythm.first_month,
            &seen(|seen| seen.first_month),
        ),
    };
    let compute = if question.settings.arm64 { Item::LambdaComputeArm64 } else { Item::LambdaComputeX86 };
    let here = question.region();
    let line = |item, used: &dyn Fn(&Volume) -> Quantity| Line::new(item, here, &volumes.map(used), prices);
    let stored = |volume: &Volume| {
        volume.points_stored() + volume.kept(volume.backups.saturating_mul(POINT_BYTES), DETAIL_MONTHS)
    };
    let mut lines = vec![
        line(Item::KmsRequests, &|volume| {
            volume.monthly(volume.sessions * (2 + volume.recipients) + volume.opened)
        }),
        line(Item::LambdaRequests, &|volume| volume.monthly(volume.invocations())),
        line(compute, &Volume::compute),
        line(Item::CatalogWrites, &|volume| volume.monthly((volume.backups + volume.copies) * BACKUP_WRITES)),
        line(Item::CatalogReads, &|volume| volume.monthly((volume.backups + volume.copies) * BACKUP_READS)),
        line(Item::CatalogStorage, &stored),
        line(Item::CatalogRecovery, &stored),
        line(Item::Schedules, &|volume| {
            Quantity::ratio(volume.wakes_a_day * volume.seconds, 86_400 * volume.months)
        }),
        line(Item::Events, &|volume| volume.monthly(volume.sessions)),
        line(Item::LogIngestion, &|volume| volume.gigabytes(volume.logged())),
        line(Item::LogStorage, &|volume| volume.kept(volume.logged(), LOG_MONTHS)),
    ];
    let shared = [
        line(Item::LambdaRequests, &|volume| volume.monthly(volume.reconciles())),
        line(compute, &|volume| volume.gb_seconds(volume.reconciles() * RECONCILE_MS)),
    ];
    lines
        .extend(shared.into_iter().chain(stacks(question, prices)).map(|line| Line { shared: true, ..line }));
    lines
}

/// What a stack has whether it does anything or not: here, and in every other Region of the account that is copied to.
fn stacks(question: &Question<'_>, prices: &Prices) -> Vec<Line> {
    let home = question.home_vault;
    let vaults = question.policy.copies.iter().map(|target| &target.vault);
    let own = vaults.filter(|vault| vault.account() == home.account()).map(VaultArn::region);
    let regions: BTreeSet<&str> = own.chain([home.region()]).collect();
    let always = |number| {
        let quantity = Quantity::whole(number);
        PerPeriod { steady_state: quantity, first_month: quantity }
    };
    let stack = |region: &str| {
        [
            Line::new(Item::KmsKeys, region, &always(1), prices),
            Line::new(Item::Alarms, region, &always(ALARMS), prices),
        ]
    };
    regions.into_iter().flat_map(stack).collect()
}
