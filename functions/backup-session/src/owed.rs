//! Owed flags: a flag above D whose point was lost is carried by the next point of the chain, and settled when that is
//! complete.

use std::collections::HashMap;

use dynachain::catalog::{DebtRecord, SessionRecord, StoredPolicy, TableRecord};
use dynachain::chain::{Debt, Flag, Flags};
use dynachain::error::Refusal;
use dynachain::id::TableArn;
use dynachain::retention::{End, Lifespan};
use futures::{TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::Deps;
use crate::seal::{Context, kept};

/// What the chains of a policy owe, by table.
pub(crate) type Debts = HashMap<TableArn, Vec<DebtRecord>>;

/// The debts that a session's points may carry. Points that are kept without any flag carry none.
pub(crate) async fn of(deps: &Deps, session: &SessionRecord) -> Result<Debts, Refusal> {
    let mut debts = Debts::new();
    if session.keep.is_none() {
        for debt in deps.catalog.debts().of_policy(session.policy_id).await? {
            debts.entry(debt.table.clone()).or_default().push(debt);
        }
    }
    Ok(debts)
}

/// The debts that fall to the session's point of their table, as they stand once it carries them. A flag that the policy no
/// longer keeps, or that the vault's lock does not let live, is carried by no point.
pub(crate) fn taken_over(context: &Context<'_>, debts: &[DebtRecord], now: Timestamp) -> Vec<DebtRecord> {
    let session = &context.session.session;
    let due =
        debts.iter().filter(|record| record.debt.falls_to(session) && can_carry(context, record.flag, now));
    due.map(|record| record.with(|debt| debt.carry(session))).collect()
}

/// The debts that a claim changes: those that it takes over, and those that an earlier attempt of the session had taken over and this
/// one does not carry. Nobody else would ever carry these.
pub(crate) fn with_released(
    session: &SessionRecord,
    debts: &[DebtRecord],
    taken_over: Vec<DebtRecord>,
) -> Vec<DebtRecord> {
    let left = debts.iter().filter(|debt| !taken_over.iter().any(|taken| taken.flag == debt.flag));
    let released = left.filter_map(|debt| {
        let released = debt.with(|debt| debt.release(&session.session));
        (released != *debt).then_some(released)
    });
    let released: Vec<_> = released.collect();
    taken_over.into_iter().chain(released).collect()
}

fn can_carry(context: &Context<'_>, flag: Flag, now: Timestamp) -> bool {
    let kept = kept(Flags::NONE.with(flag), context.policy);
    if kept.flags().is_empty() {
        return false;
    }
    let counted =
        Lifespan::counted(context.session.scheduled_at, context.policy.timezone.name(), &kept, None);
    let end = counted.expires_at().unwrap_or(End::Never);
    context.lock.is_none_or(|lock| lock.delete_after_days(now, end).is_ok())
}

/// The flags that are carried so, beside the session's own.
pub(crate) fn flags(session: &SessionRecord, taken_over: &[DebtRecord]) -> Flags {
    taken_over.iter().map(|record| record.flag).filter(|flag| !session.flags.contains(*flag)).collect()
}

/// No point comes of this table any more: what it was to carry is owed, its own flags and those it had taken over.
pub(crate) async fn lost(deps: &Deps, session: &SessionRecord, record: &TableRecord) -> Result<(), Refusal> {
    let debts = deps.catalog.debts();
    for flag in session.flags.and(record.owed).above_daily().iter() {
        let own = session.flags.contains(flag);
        let change = |debt: &mut Debt| {
            debt.release(&session.session);
            if own {
                debt.lose(session.scheduled_at);
            }
        };
        debts.change(session.policy_id, &record.table, flag, change).await?;
    }
    Ok(())
}

/// The table's point is complete: it pays for what its chain owed.
pub(crate) async fn paid(deps: &Deps, session: &SessionRecord, record: &TableRecord) -> Result<(), Refusal> {
    let carried = session.flags.and(record.owed).above_daily();
    if carried.is_empty() {
        return Ok(());
    }
    let debts = deps.catalog.debts();
    for owed in debts.of_table(session.policy_id, &record.table).await? {
        if carried.contains(owed.flag) {
            let change = |debt: &mut Debt| debt.pay(&session.session, session.scheduled_at);
            debts.change(session.policy_id, &record.table, owed.flag, change).await?;
        }
    }
    Ok(())
}

/// The points of all these tables for a moment were never made: their flags are owed.
pub(crate) async fn missed(
    deps: &Deps,
    policy: &StoredPolicy,
    tables: &[TableArn],
    flags: Flags,
    scheduled_at: Timestamp,
) -> Result<(), Refusal> {
    let debts = deps.catalog.debts();
    let owed = tables.iter().flat_map(|table| flags.iter().map(move |flag| (table, flag)));
    stream::iter(owed.map(Ok))
        .try_for_each_concurrent(deps.settings.concurrency, |(table, flag)| {
            let debts = &debts;
            async move { debts.change(policy.id, table, flag, |debt| debt.lose(scheduled_at)).await }
        })
        .await?;
    Ok(())
}
