//! The work of a session: every table it covers is backed up, or said to be none's.

use std::collections::HashMap;

use dynachain::catalog::{SessionRecord, SessionState, TableRecord, TableState};
use dynachain::error::Refusal;
use dynachain::event::SessionContinued;
use dynachain::id::TableArn;
use dynachain::policy::Document;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::answer::Answer;
use crate::cover::{self, Cover};
use crate::input::How;
use crate::owed::{self, Debts};
use crate::preflight::Ready;
use crate::seal::{Context, Wanted};
use crate::start::document;
use crate::{Deps, Invocation, backup_table, finish};

/// Tables in hand at the same time. Capturing and starting each keep their own rates, so that the slowest limit of AWS
/// alone sets the pace.
pub(crate) const IN_HAND: usize = 16;
/// Works on a session that was begun before: its document is the one it was claimed with.
pub(crate) async fn resume(
    deps: &Deps,
    invocation: &Invocation,
    record: SessionRecord,
    ready: &Ready,
    how: &How,
) -> Result<Answer, Refusal> {
    let policy = document(&record)?;
    let cover = match &record.tables {
        Some(tables) => Cover { covered: tables.clone(), ..Cover::default() },
        None => cover::resolve(deps, &policy).await?,
    };
    begin(deps, invocation, record, ready, cover, how).await
}

/// Backs up every table that is covered, as long as there is time; another invocation goes on then.
pub(crate) async fn begin(
    deps: &Deps,
    invocation: &Invocation,
    mut record: SessionRecord,
    ready: &Ready,
    cover: Cover,
    how: &How,
) -> Result<Answer, Refusal> {
    let sessions = deps.catalog.sessions();
    let policy = document(&record)?;
    let mut known: HashMap<TableArn, TableRecord> = sessions
        .tables(&record.session)
        .await?
        .into_iter()
        .map(|table| (table.table.clone(), table))
        .collect();
    let mut done = without_backup(&cover);
    for table in &done {
        sessions.note_table(&record, table).await?;
    }
    record.covered = u64::try_from(cover.covered.len() + cover.missing.len()).unwrap_or(u64::MAX);
    let debts = owed::of(deps, &record).await?;
    let context = context(deps, &record, &policy, ready, &debts);
    let reader = deps.reader.afresh();
    let begun: Vec<_> = stream::iter(cover.covered.iter().map(|table| (table, known.remove(table))))
        .map(|(table, known)| {
            let (context, reader) = (&context, &reader);
            async move {
                match invocation.has_time() {
                    true => backup_table::backup(deps, reader, context, table, known).await.map(Some),
                    false => Ok(None),
                }
            }
        })
        .buffer_unordered(IN_HAND)
        .try_collect()
        .await?;
    let all_begun = begun.iter().all(Option::is_some);
    done.extend(begun.into_iter().flatten());
    if all_begun {
        settle_start(deps, &mut record, &done).await?;
    } else {
        hand_over(deps, &mut record).await?;
    }
    Ok(Answer::of(&record, done, false, false, how.after.as_ref()))
}

pub(crate) fn context<'a>(
    deps: &'a Deps,
    session: &'a SessionRecord,
    policy: &'a Document,
    ready: &'a Ready,
    debts: &'a Debts,
) -> Context<'a> {
    Context {
        session,
        policy,
        home_vault: &ready.vault.arn,
        key: &ready.key,
        start_window_minutes: deps.settings.start_window_minutes,
        lock: ready.vault.lock(),
        debts,
    }
}

/// The tables in the policy's scope that get no backup.
fn without_backup(cover: &Cover) -> Vec<TableRecord> {
    let skipped = cover.skipped.iter().map(|(table, by)| {
        let message = format!("the stronger policy {by} backs it up");
        TableRecord::without_job(table.clone(), TableState::Skipped, "other_policy", message)
    });
    let missing = cover.missing.iter().map(|table| {
        let message = format!("the policy names the table {} and there is none", table.name());
        backup_table::failed(table, "table_not_found", message)
    });
    skipped.chain(missing).collect()
}

/// Every table has been begun with: from here on job events drive the session.
async fn settle_start(deps: &Deps, record: &mut SessionRecord, done: &[TableRecord]) -> Result<(), Refusal> {
    let unclear = done.iter().filter(|table| table.state == TableState::Claimed).count();
    if unclear > 0 {
        tracing::warn!(session = %record.session, unclear, "backups whose start is not certain are left to reconcile");
    }
    let sessions = deps.catalog.sessions();
    let generation = record.generation;
    let running = SessionRecord { state: SessionState::Running, ..record.clone() };
    if sessions.update(&running, generation).await? {
        *record = running;
        finish::try_finish(deps, record).await?;
    }
    Ok(())
}

/// Time is up: the lease is given back and an event starts the next invocation.
async fn hand_over(deps: &Deps, record: &mut SessionRecord) -> Result<(), Refusal> {
    let now = deps.now().await?;
    let generation = record.generation;
    record.lease_until = now;
    if deps.catalog.sessions().update(record, generation).await? {
        let event = SessionContinued { session: record.session.clone(), cursor: serde_json::Map::new() };
        deps.bus.emit(&event).await.map_err(|error| error.refusal())?;
    }
    Ok(())
}

/// What a session would do: every table is looked at as a real one would, and nothing is written.
pub(crate) async fn plan(
    deps: &Deps,
    mut record: SessionRecord,
    ready: &Ready,
    cover: Cover,
    now: Timestamp,
    how: &How,
) -> Result<Answer, Refusal> {
    record.covered = u64::try_from(cover.covered.len() + cover.missing.len()).unwrap_or(u64::MAX);
    let policy = document(&record)?;
    let debts = owed::of(deps, &record).await?;
    let context = context(deps, &record, &policy, ready, &debts);
    let reader = deps.reader.afresh();
    let mut planned: Vec<_> = stream::iter(&cover.covered)
        .map(|table| {
            let taken_over = owed::taken_over(&context, debts.get(table).map_or(&[][..], Vec::as_slice), now);
            let owed = owed::flags(&record, &taken_over);
            backup_table::ready(deps, &reader, &context, Wanted { table, attempt: 1, owed })
        })
        .buffer_unordered(IN_HAND)
        .try_collect()
        .await?;
    planned.extend(without_backup(&cover));
    Ok(Answer::of(&record, planned, false, true, how.after.as_ref()))
}
