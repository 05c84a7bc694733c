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

/// Works on a session that was begun before: its document is the one it was claimed with.
pub(crate) async fn resume(
    deps: &Deps,
    invocation: &Invocation,
    record: SessionRecord,
    ready: &Ready,
    how: &How,
) -> Result<Answer, Refusal> {
    let cover = cover(deps, &record).await?;
    begin(deps, invocation, record, ready, cover, how).await
}

/// The tables of a session that was claimed before.
pub(crate) async fn cover(deps: &Deps, record: &SessionRecord) -> Result<Cover, Refusal> {
    match &record.tables {
        Some(tables) => Ok(Cover { covered: tables.clone(), ..Cover::default() }),
        None => cover::resolve(deps, &document(record)?).await,
    }
}

/// Backs up every table that is covered, as long as there is time; another invocation goes on then.
pub(crate) async fn begin(
    deps: &Deps,
    invocation: &Invocation,
    record: SessionRecord,
    ready: &Ready,
    cover: Cover,
    how: &How,
) -> Result<Answer, Refusal> {
    let (work, tables) = take_up(deps, record, &cover).await?;
    let policy = document(&work.session)?;
    let debts = owed::of(deps, &work.session).await?;
    let context = context(deps, &work.session, &policy, ready, &debts);
    let reader = &deps.reader.afresh();
    let begun = in_hand(deps, invocation, tables, |(table, known)| {
        backup_table::backup(deps, invocation, reader, &context, table, known)
    })
    .await?;
    conclude(deps, work, begun, how).await
}

/// A session that is worked on.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) session: SessionRecord,
    /// Tables that get no backup.
    without: Vec<TableRecord>,
}

/// A table that is covered, with how it stands if somebody has begun with it.
pub(crate) type Covered<'a> = (&'a TableArn, Option<TableRecord>);

/// Takes up the work of a session, and notes the tables that get no backup; with it come those that are covered.
pub(crate) async fn take_up<'a>(
    deps: &Deps,
    session: SessionRecord,
    cover: &'a Cover,
) -> Result<(Work, Vec<Covered<'a>>), Refusal> {
    let sessions = deps.catalog.sessions();
    let known = sessions.tables(&session.session).await?;
    let mut known: HashMap<_, _> = known.into_iter().map(|table| (table.table.clone(), table)).collect();
    let tables = cover.covered.iter().map(|table| (table, known.remove(table))).collect();
    let without = without_backup(cover);
    for table in &without {
        sessions.note_table(&session, table).await?;
    }
    let covered = u64::try_from(cover.covered.len() + cover.missing.len()).unwrap_or(u64::MAX);
    Ok((Work { session: SessionRecord { covered, ..session }, without }, tables))
}

/// Does something with each table, several at the same time; `None` for those that there was no time for. Trouble with one keeps it
/// from no other, and is an error in the end unless another invocation goes on anyway.
pub(crate) async fn in_hand<'a, F>(
    deps: &Deps,
    invocation: &Invocation,
    tables: Vec<Covered<'a>>,
    each: impl Fn(Covered<'a>) -> F,
) -> Result<Vec<Option<TableRecord>>, Refusal>
where
    F: Future<Output = Result<Option<TableRecord>, Refusal>>,
{
    let each = &each;
    let outcomes: Vec<_> = stream::iter(tables)
        .map(|table| async move {
            match invocation.has_time() {
                true => each(table).await,
                false => Ok(None),
            }
        })
        .buffer_unordered(deps.settings.concurrency)
        .collect()
        .await;
    let is_time_up = outcomes.iter().any(|outcome| matches!(outcome, Ok(None)));
    let told = outcomes.into_iter().map(|outcome| match outcome {
        Err(refusal) if is_time_up => {
            tracing::warn!(%refusal, "a table is left to the next invocation");
            Ok(None)
        }
        outcome => outcome,
    });
    told.collect()
}

/// Leaves the session to its jobs when every table was begun with, and otherwise to another invocation.
pub(crate) async fn conclude(
    deps: &Deps,
    work: Work,
    begun: Vec<Option<TableRecord>>,
    how: &How,
) -> Result<Answer, Refusal> {
    let Work { mut session, without: mut done, .. } = work;
    let all_begun = begun.iter().all(Option::is_some);
    done.extend(begun.into_iter().flatten());
    if all_begun {
        settle_start(deps, &mut session, &done).await?;
    } else {
        hand_over(deps, &mut session).await?;
    }
    Ok(Answer::of(&session, done, false, false, how.after.as_ref()))
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
            backup_table::planned(deps, &reader, &context, Wanted { table, attempt: 1, owed })
        })
        .buffer_unordered(deps.settings.concurrency)
        .try_collect()
        .await?;
    planned.extend(without_backup(&cover));
    Ok(Answer::of(&record, planned, false, true, how.after.as_ref()))
}
