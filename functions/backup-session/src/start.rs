//! Starting a session: which one it is, and claiming it once.

use dynachain::catalog::{LEASE, SessionRecord, SessionState, StoredPolicy};
use dynachain::chain::Flags;
use dynachain::error::{ErrorType, Refusal};
use dynachain::event::ScheduledStart;
use dynachain::id::{PolicyName, SessionId, TableArn};
use dynachain::policy::{Document, calendar};
use dynachain::request::TableRef;
use dynachain::retention::Keep;
use jiff::{SignedDuration, Timestamp};

use crate::answer::Answer;
use crate::cover;
use crate::input::{ByHand, How, first};
use crate::preflight;
use crate::{Deps, Invocation, late, work};

/// A moment may lie so far ahead: clocks differ.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// And so far back.
const BACK: SignedDuration = SignedDuration::from_hours(24);

/// What document and tables may take of a session's item, which may have 400 KB with all its names and keys (Amazon DynamoDB
/// Developer Guide, "Quotas").
const ITEM: usize = 400_000;

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
        // Of a session that starts nothing any more nothing has to be ready.
        let ready = match late::is_too_late(&record, now) {
            true => None,
            false => Some(preflight::check(deps, &document(&record)?, false).await?),
        };
        if let Some(taken) = sessions.take_over(record.clone(), now).await? {
            tracing::info!(session = %taken.session, generation = taken.generation, "session resumed");
            return match &ready {
                Some(ready) => work::resume(deps, invocation, taken, ready, how).await,
                None => late::wind_up(deps, invocation, taken, how).await,
            };
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
    let ready = preflight::check(deps, &wanted.policy.document, how.dry_run).await?;
    let mut cover = cover::resolve(deps, &wanted.policy.document).await?;
    if let Some(tables) = &tables {
        cover = cover.only(tables)?;
    }
    let limited = tables.is_some().then(|| cover.covered.clone());
    let record = claim(&wanted, limited, now)?;
    check_size(&record.document, record.tables.as_deref().unwrap_or_default())?;
    ready.allows(&record, &wanted.policy.document, now)?;
    if how.dry_run {
        return work::plan(deps, record, &ready, cover, now, how).await;
    }
    if !sessions.claim(&record).await? {
        return resume(deps, invocation, &record.session).await;
    }
    tracing::info!(session = %record.session, flags = ?record.flags, covered = cover.covered.len(), "session begun");
    work::begin(deps, invocation, record, &ready, cover, how).await
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

/// Refuses tables so many that the session's item would be larger than any can be.
fn check_size(document: &str, tables: &[TableArn]) -> Result<(), Refusal> {
    let names: usize = tables.iter().map(|table| table.as_str().len() + 1).sum();
    let size = document.len() + names;
    if tables.is_empty() || size <= ITEM {
        return Ok(());
    }
    let message = format!(
        "names {} tables, which with the policy's document are {size} bytes, and a session has room for {ITEM}: leave it \
         out for all tables of the policy, or start several sessions with some tables each",
        tables.len()
    );
    Err(Refusal::at(ErrorType::InvalidRequest, "$.tables", message))
}

pub(crate) fn document(record: &SessionRecord) -> Result<Document, Refusal> {
    serde_json::from_str(&record.document).map_err(|error| {
        let message = format!("the policy document of session {} cannot be read: {error}", record.session);
        Refusal::new(ErrorType::Internal, message)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::many(4_400, 1_000, None)]
    #[case::too_many(5_000, 1_000, Some("$.tables: names 5000 tables, "))]
    #[case::too_many_beside_a_large_document(1_500, 300_000, Some("$.tables: names 1500 tables, "))]
    #[case::none_named(0, 500_000, None)]
    fn tables_by_hand_are_refused_that_a_session_has_no_room_for(
        #[case] tables: usize,
        #[case] document: usize,
        #[case] refused: Option<&str>,
    ) {
        let table = |n| format!("arn:aws:dynamodb:eu-central-1:111122223333:table/{n:035}").parse().unwrap();
        let tables: Vec<_> = (0..tables).map(table).collect();
        let said = check_size(&"x".repeat(document), &tables).err().map(|refusal| refusal.to_string());
        assert_eq!(said.is_some(), refused.is_some(), "{said:?}");
        assert!(said.unwrap_or_default().starts_with(refused.unwrap_or_default()));
    }

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
