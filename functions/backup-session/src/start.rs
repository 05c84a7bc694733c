//! Starting a session: claim it once, back up every table it covers, hand over when time runs out.

use std::collections::HashMap;

use dynachain::catalog::{LEASE, SessionRecord, SessionState, StoredPolicy, TableRecord, TableState};
use dynachain::chain::Flags;
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::{ScheduledStart, SessionContinued};
use dynachain::id::{PolicyName, SessionId, TableArn};
use dynachain::policy::{Document, calendar};
use dynachain::request::TableRef;
use dynachain::retention::Keep;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::answer::Answer;
use crate::cover::{self, Cover};
use crate::input::{ByHand, How, first};
use crate::preflight::{self, Ready};
use crate::seal::Context;
use crate::{Deps, Invocation, backup_table, finish};

/// Tables in hand at the same time. Capturing and starting each keep their own rates, so that the slowest limit of AWS
/// alone sets the pace.
const IN_HAND: usize = 16;
/// A moment may lie so far ahead: clocks differ.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// And so far back.
const BACK: SignedDuration = SignedDuration::from_hours(24);

/// A session that somebody wants.
struct Wanted {
    session: SessionId,
    policy: StoredPolicy,
    scheduled_at: Timestamp,
    flags: Flags,
    keep: Option<Keep>,
}

/// The session of a moment that a schedule woke us for.
pub(crate) async fn scheduled(
    deps: &Deps,
    invocation: &Invocation,
    start: &ScheduledStart,
    how: &How,
) -> Result<Answer, Refusal> {
    let now = deps.now().await?;
    check_moment(start.scheduled_at, now)?;
    let policy = load(deps, &start.policy).await?;
    let session = SessionId::scheduled(&start.policy, start.scheduled_at);
    let flags = match policy.document.enabled {
        true => calendar::due(&policy.document, start.scheduled_at),
        false => Flags::NONE,
    };
    if flags.is_empty() {
        tracing::info!(%session, enabled = policy.document.enabled, "no flag is due");
        return Ok(Answer::nothing_due(session, start.scheduled_at));
    }
    let wanted = Wanted { session, policy, scheduled_at: start.scheduled_at, flags, keep: None };
    run(deps, invocation, wanted, None, now, how).await
}

fn check_moment(scheduled_at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::at(ErrorType::InvalidRequest, "$.scheduled_at", message));
    let age = now.duration_since(scheduled_at);
    if age < -AHEAD {
        return refuse(format!("{scheduled_at} lies more than 5 minutes ahead of now, {now}"));
    }
    if age > BACK {
        return refuse(format!(
            "{scheduled_at} is more than 24 hours before now, {now}; to back up now, leave scheduled_at out"
        ));
    }
    Ok(())
}

/// A session of this moment that somebody asks for.
pub(crate) async fn by_hand(
    deps: &Deps,
    invocation: &Invocation,
    start: ByHand,
    how: &How,
) -> Result<Answer, Refusal> {
    let now = deps.now().await?;
    let policy = load(deps, &start.policy).await?;
    if !policy.document.enabled {
        let message = format!("the policy {} is disabled; enable it to run it", start.policy);
        return Err(Refusal::at(ErrorType::PolicyDisabled, "$.policy", message));
    }
    let flags = match start.keep {
        Some(_) => Flags::NONE,
        None => first(policy.document.flags()),
    };
    if flags.is_empty() && start.keep.is_none() {
        let message = "is missing: the policy has no schedule, so say how long to keep the points, {\"days\": 7} for example";
        return Err(Refusal::at(ErrorType::InvalidRequest, "$.keep", message));
    }
    let session = SessionId::by_hand(&start.policy, invocation.request_id());
    let wanted = Wanted { session, policy, scheduled_at: now, flags, keep: start.keep };
    run(deps, invocation, wanted, start.tables, now, how).await
}

async fn load(deps: &Deps, name: &PolicyName) -> Result<StoredPolicy, Refusal> {
    deps.catalog.policies().get(name).await?.ok_or_else(|| {
        Refusal::at(ErrorType::PolicyNotFound, "$.policy", format!("there is no policy {name}"))
    })
}

/// Goes on with a session that an invocation left.
pub(crate) async fn resume(
    deps: &Deps,
    invocation: &Invocation,
    session: &SessionId,
) -> Result<Answer, Refusal> {
    let now = deps.now().await?;
    let record = deps.catalog.sessions().get(session).await?.ok_or_else(|| {
        Refusal::new(ErrorType::InvalidRequest, format!("there is no session {session} in the catalog"))
    })?;
    again(deps, invocation, record, now, &How::default()).await
}

/// A session that is claimed already: taken over when its holder is dead, told about otherwise.
async fn again(
    deps: &Deps,
    invocation: &Invocation,
    record: SessionRecord,
    now: Timestamp,
    how: &How,
) -> Result<Answer, Refusal> {
    let sessions = deps.catalog.sessions();
    let abandoned = record.state == SessionState::Starting && record.lease_until <= now;
    if abandoned && !how.dry_run {
        let ready = preflight::check(deps, false).await?;
        if let Some(taken) = sessions.take_over(record.clone(), now).await? {
            tracing::info!(session = %taken.session, generation = taken.generation, "session resumed");
            return work(deps, invocation, taken, &ready, now, how).await;
        }
    }
    let tables = sessions.tables(&record.session).await?;
    Ok(Answer::of(&record, tables, true, false, how.after.as_ref()))
}

async fn run(
    deps: &Deps,
    invocation: &Invocation,
    wanted: Wanted,
    tables: Option<Vec<TableRef>>,
    now: Timestamp,
    how: &How,
) -> Result<Answer, Refusal> {
    let sessions = deps.catalog.sessions();
    if let Some(record) = sessions.get(&wanted.session).await? {
        return again(deps, invocation, record, now, how).await;
    }
    let ready = preflight::check(deps, how.dry_run).await?;
    let mut cover = cover::resolve(deps, &wanted.policy.document).await?;
    if let Some(tables) = &tables {
        cover = cover.only(tables)?;
    }
    let limited = tables.is_some().then(|| cover.covered.clone());
    let record = claim(&wanted, limited, now)?;
    preflight::days_under_lock(&ready.vault, &record, &wanted.policy.document, now)?;
    if how.dry_run {
        return plan(deps, record, &wanted.policy.document, &ready, cover, now, how).await;
    }
    if !sessions.claim(&record).await? {
        return resume(deps, invocation, &record.session).await;
    }
    tracing::info!(session = %record.session, flags = ?record.flags, covered = cover.covered.len(), "session begun");
    work_on(deps, invocation, record, &ready, cover, now, how).await
}

fn claim(wanted: &Wanted, tables: Option<Vec<TableArn>>, now: Timestamp) -> Result<SessionRecord, Refusal> {
    let document = serde_json::to_string(&wanted.policy.document)
        .map_err(|error| Refusal::new(ErrorType::Internal, error.to_string()))?;
    Ok(SessionRecord {
        session: wanted.session.clone(),
        policy: wanted.policy.document.name.clone(),
        policy_id: wanted.policy.id,
        policy_version: wanted.policy.version,
        document,
        scheduled_at: wanted.scheduled_at,
        flags: wanted.flags,
        keep: wanted.keep,
        tables,
        state: SessionState::Starting,
        generation: 1,
        claimed_at: now,
        lease_until: now + LEASE,
        covered: 0,
    })
}

/// Works on a session that was begun before: its document is the one it was claimed with.
async fn work(
    deps: &Deps,
    invocation: &Invocation,
    record: SessionRecord,
    ready: &Ready,
    now: Timestamp,
    how: &How,
) -> Result<Answer, Refusal> {
    let policy = document(&record)?;
    let cover = match &record.tables {
        Some(tables) => Cover { covered: tables.clone(), ..Cover::default() },
        None => cover::resolve(deps, &policy).await?,
    };
    work_on(deps, invocation, record, ready, cover, now, how).await
}

pub(crate) fn document(record: &SessionRecord) -> Result<Document, Refusal> {
    serde_json::from_str(&record.document).map_err(|error| {
        let message = format!("the policy document of session {} cannot be read: {error}", record.session);
        Refusal::new(ErrorType::Internal, message)
    })
}

async fn work_on(
    deps: &Deps,
    invocation: &Invocation,
    mut record: SessionRecord,
    ready: &Ready,
    cover: Cover,
    now: Timestamp,
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
    let context = context(deps, &record, &policy, ready, now)?;
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

fn context<'a>(
    deps: &'a Deps,
    session: &'a SessionRecord,
    policy: &'a Document,
    ready: &'a Ready,
    now: Timestamp,
) -> Result<Context<'a>, Refusal> {
    Ok(Context {
        session,
        policy,
        home_vault: &ready.vault.arn,
        key: &ready.key,
        start_window_minutes: deps.settings.start_window_minutes,
        delete_after_days: preflight::days_under_lock(&ready.vault, session, policy, now)?,
    })
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
async fn plan(
    deps: &Deps,
    mut record: SessionRecord,
    policy: &Document,
    ready: &Ready,
    cover: Cover,
    now: Timestamp,
    how: &How,
) -> Result<Answer, Refusal> {
    record.covered = u64::try_from(cover.covered.len() + cover.missing.len()).unwrap_or(u64::MAX);
    let context = context(deps, &record, policy, ready, now)?;
    let reader = deps.reader.afresh();
    let mut planned: Vec<_> = stream::iter(&cover.covered)
        .map(|table| backup_table::ready(deps, &reader, &context, table))
        .buffer_unordered(IN_HAND)
        .try_collect()
        .await?;
    planned.extend(without_backup(&cover));
    Ok(Answer::of(&record, planned, false, true, how.after.as_ref()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::on_time("2025-01-06T06:00:00Z", None)]
    #[case::five_minutes_early("2025-01-06T06:05:00Z", None)]
    #[case::too_early("2025-01-06T06:05:01Z", Some("more than 5 minutes ahead"))]
    #[case::a_day_late("2025-01-05T06:00:00Z", None)]
    #[case::too_late("2025-01-05T05:59:59Z", Some("more than 24 hours before now"))]
    fn a_moment_must_be_near(#[case] scheduled_at: Timestamp, #[case] refused: Option<&str>) {
        let outcome = check_moment(scheduled_at, "2025-01-06T06:00:00Z".parse().unwrap());
        let said = outcome.err().map(|refusal| refusal.to_string());
        assert_eq!(said.is_some(), refused.is_some());
        assert!(said.unwrap_or_default().contains(refused.unwrap_or_default()));
    }
}
