//! The dispatcher: starts as many of the waiting copies as there is room for.

use std::collections::{HashMap, HashSet};

use dynachain::catalog::{CopyRecord, Slot};
use dynachain::copying::{Busy, Candidate, Destination, plan};
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, VaultArn};
use dynachain::invocation::Invocation;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::Deps;
use crate::quiet::Quiet;
use crate::start::{self, Outcome};
use crate::tally::Tally;

/// Copies that are looked at, of each partition of the index, before one is chosen.
const AHEAD: usize = 25;
/// Copies that are started at the same time.
const IN_HAND: usize = 8;
/// How often a copy is tried whose slot somebody else was faster to take.
const CLAIMS: u32 = 3;

type Key = (RecoveryPointArn, VaultArn);

/// What this invocation has found out.
#[derive(Debug, Default)]
struct Known {
    /// Copies that it has queued itself: the index may not have them yet.
    fresh: Vec<CopyRecord>,
    /// How often it has tried which copy.
    tried: HashMap<Key, u32>,
    /// Destinations for which AWS has no room.
    full: HashSet<Destination>,
    quiet: Quiet,
}

/// Starts copies until there is no room, or nothing that may begin.
pub(crate) async fn run(deps: &Deps, invocation: &Invocation, tally: &Tally) -> Result<(), Refusal> {
    let mut known = Known::default();
    while invocation.has_time() {
        known.fresh.extend(tally.take_fresh());
        let now = deps.now().await?;
        let busy = busy(deps.catalog.copies().slots().await?);
        let waiting = waiting(deps, &known, &busy, now).await?;
        if known.quiet.look(deps, &waiting, now).await? {
            continue;
        }
        let started = start_all(deps, tally, &waiting, &busy, now).await?;
        if started.is_empty() {
            return Ok(());
        }
        for (record, outcome) in started {
            let again = if outcome == Outcome::Lost { 1 } else { CLAIMS };
            if outcome == Outcome::Full {
                known.full.insert(record.destination());
            }
            *known.tried.entry((record.source, record.target)).or_default() += again;
        }
    }
    Ok(())
}

/// How many copies would be started now.
pub(crate) async fn would_start(deps: &Deps, tally: &Tally) -> Result<u64, Refusal> {
    let mut known = Known { fresh: tally.take_fresh(), ..Known::default() };
    let now = deps.now().await?;
    let busy = busy(deps.catalog.copies().slots().await?);
    loop {
        let waiting = waiting(deps, &known, &busy, now).await?;
        if !known.quiet.look(deps, &waiting, now).await? {
            let candidates: Vec<_> = waiting.iter().map(candidate).collect();
            let picks = plan(&candidates, &busy, deps.settings.concurrency);
            return Ok(u64::try_from(picks.len()).unwrap_or(u64::MAX));
        }
    }
}

fn busy(slots: Vec<Slot>) -> Busy {
    let mut busy = Busy::default();
    for slot in slots {
        busy.slots.entry(slot.destination).or_default().insert(slot.number);
        busy.tables.insert(slot.table);
    }
    busy
}

/// Copies that may begin now, the first of each table, to destinations that have room.
async fn waiting(
    deps: &Deps,
    known: &Known,
    busy: &Busy,
    now: Timestamp,
) -> Result<Vec<CopyRecord>, Refusal> {
    let concurrency = deps.settings.concurrency;
    let may_begin = |record: &CopyRecord| {
        let key = (record.source.clone(), record.target.clone());
        let tried = known.tried.get(&key).copied().unwrap_or_default();
        tried < CLAIMS && !busy.tables.contains(&record.table) && !known.quiet.tables.contains(&record.table)
    };
    let has_room = |destination: &Destination| {
        !known.full.contains(destination) && busy.free(destination, concurrency).next().is_some()
    };
    let fresh = known.fresh.iter().filter(|record| has_room(&record.destination()) && may_begin(record));
    let mut waiting: Vec<CopyRecord> = fresh.cloned().collect();
    let copies = deps.catalog.copies();
    for destination in copies.destinations().await? {
        if !has_room(&destination) {
            continue;
        }
        let mut tables = HashSet::new();
        let first_of_its_table =
            |record: &CopyRecord| may_begin(record) && tables.insert(record.table.clone());
        waiting.extend(copies.due(&destination, now, AHEAD, first_of_its_table).await?);
    }
    Ok(waiting)
}

fn candidate(record: &CopyRecord) -> Candidate {
    Candidate {
        due_at: record.due_at,
        scheduled_at: record.scheduled_at,
        source: record.source.clone(),
        target: record.target.clone(),
        table: record.table.clone(),
    }
}

/// Starts those of the waiting copies that there is room for, and tells what became of each.
async fn start_all(
    deps: &Deps,
    tally: &Tally,
    waiting: &[CopyRecord],
    busy: &Busy,
    now: Timestamp,
) -> Result<Vec<(CopyRecord, Outcome)>, Refusal> {
    let candidates: Vec<_> = waiting.iter().map(candidate).collect();
    let picks = plan(&candidates, busy, deps.settings.concurrency);
    let picked = picks.into_iter().filter_map(|pick| {
        let of =
            |record: &&CopyRecord| record.source == pick.copy.source && record.target == pick.copy.target;
        Some((waiting.iter().find(of)?, pick.slot))
    });
    stream::iter(picked)
        .map(|(record, slot)| async move {
            let outcome = Box::pin(start::run(deps, tally, record, slot, now)).await?;
            Ok((record.clone(), outcome))
        })
        .buffer_unordered(IN_HAND)
        .try_collect()
        .await
}
