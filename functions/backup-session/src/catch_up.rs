//! Occurrences that nothing woke us for: run late, or their flags owed.

use dynachain::catalog::StoredPolicy;
use dynachain::chain::Flags;
use dynachain::error::Refusal;
use dynachain::event::ScheduledStart;
use dynachain::id::SessionId;
use dynachain::policy::calendar;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::failures::Failures;
use crate::input::How;
use crate::late::LATE;
use crate::{Deps, Invocation, cover, owed, start};

/// The scheduler has so long before its wake-up counts as missed.
const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// Nothing is made up for that lies further back.
const BACK: SignedDuration = SignedDuration::from_hours(35 * 24);

/// What becomes of a missed occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    RunLate,
    /// Later points carry these flags; there may be none.
    Owe(Flags),
}

fn remedy(scheduled_at: Timestamp, flags: Flags, now: Timestamp) -> Remedy {
    match now.duration_since(scheduled_at) <= LATE {
        true => Remedy::RunLate,
        false => Remedy::Owe(flags.above_daily()),
    }
}

/// What was made up for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CaughtUp {
    /// Sessions that were run late.
    pub(crate) late: Vec<SessionId>,
    /// Sessions that were not run, and whose flags are owed.
    pub(crate) owed: Vec<SessionId>,
    /// Sessions that could not be run late yet, and policies that could not be looked after.
    pub(crate) failures: Failures,
}

/// Looks at all occurrences of all policies since the last time. Under `dry_run` it only names what it would do. Trouble with one
/// policy keeps it from no other.
pub(crate) async fn run(
    deps: &Deps,
    invocation: &Invocation,
    now: Timestamp,
    dry_run: bool,
) -> Result<CaughtUp, Refusal> {
    let mut done = CaughtUp::default();
    for policy in deps.catalog.policies().list().await? {
        let caught_up = catch_up(deps, invocation, &policy, now, dry_run, &mut done).await;
        done.failures.caught(&policy.name, caught_up);
    }
    Ok(done)
}

/// From where to where a policy's occurrences are to be looked at: what was due before it was applied or enabled is none of
/// its business.
async fn span(
    deps: &Deps,
    policy: &StoredPolicy,
    now: Timestamp,
) -> Result<Option<(Timestamp, Timestamp)>, Refusal> {
    let Some(enabled_at) = policy.enabled_at else { return Ok(None) };
    let caught_up = deps.catalog.caught_up(policy.id).await?;
    let furthest = now.checked_sub(BACK).unwrap_or(Timestamp::MIN);
    let from = furthest.max(enabled_at).max(policy.applied_at).max(caught_up.unwrap_or(Timestamp::MIN));
    let until = now.checked_sub(GRACE).unwrap_or(Timestamp::MIN);
    Ok((from < until).then_some((from, until)))
}

async fn catch_up(
    deps: &Deps,
    invocation: &Invocation,
    policy: &StoredPolicy,
    now: Timestamp,
    dry_run: bool,
    done: &mut CaughtUp,
) -> Result<(), Refusal> {
    let Some((from, until)) = span(deps, policy, now).await? else { return Ok(()) };
    let second = SignedDuration::from_secs(1);
    let (mut looked_at, mut covered) = (None, None);
    for (at, flags) in calendar::occurrences(&policy.document, from + second..until + second) {
        if !invocation.has_time() {
            break;
        }
        let session = SessionId::scheduled(&policy.name, at);
        if deps.catalog.sessions().get(&session).await?.is_none() {
            match remedy(at, flags, now) {
                Remedy::RunLate => {
                    if !dry_run && let Err(refusal) = run_late(deps, invocation, policy, at).await {
                        done.failures.note(&session, &refusal);
                        break;
                    }
                    done.late.push(session);
                }
                Remedy::Owe(flags) if flags.is_empty() => {
                    tracing::warn!(%session, "a missed session is too old to be run");
                }
                Remedy::Owe(flags) => {
                    if !dry_run {
                        let tables = match covered.take() {
                            Some(tables) => tables,
                            None => cover::resolve(deps, &policy.document).await?.covered,
                        };
                        owed::missed(deps, policy, &tables, flags, at).await?;
                        covered = Some(tables);
                    }
                    tracing::warn!(%session, ?flags, "a missed session is too old to be run; its flags are owed");
                    done.owed.push(session);
                }
            }
        }
        looked_at = Some(at);
    }
    match looked_at {
        Some(at) if !dry_run => Ok(deps.catalog.note_caught_up(policy.id, at).await?),
        _ => Ok(()),
    }
}

async fn run_late(
    deps: &Deps,
    invocation: &Invocation,
    policy: &StoredPolicy,
    scheduled_at: Timestamp,
) -> Result<(), Refusal> {
    tracing::warn!(policy = %policy.name, %scheduled_at, "a missed session is run late");
    let start = ScheduledStart { policy: policy.name.clone(), scheduled_at };
    start::scheduled(deps, invocation, &start, &How::default()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use dynachain::chain::Flag;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::just_missed("2025-01-06T11:54:00Z", Remedy::RunLate)]
    #[case::six_hours("2025-01-06T06:00:00Z", Remedy::RunLate)]
    #[case::older("2025-01-06T05:59:59Z", Remedy::Owe([Flag::W, Flag::M].into_iter().collect()))]
    fn a_missed_occurrence_is_run_late_within_six_hours_and_owed_later(
        #[case] at: Timestamp,
        #[case] expected: Remedy,
    ) {
        let flags = [Flag::D, Flag::W, Flag::M].into_iter().collect();
        assert_eq!(remedy(at, flags, "2025-01-06T12:00:00Z".parse().unwrap()), expected);
    }
}
