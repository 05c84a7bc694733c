//! Where a policy would run into the limits of AWS.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::chain::Chain;
use super::lives::Rhythm;
use super::{Question, SizedTable};
use crate::chain::ChainKind;
use crate::metadata::{NoTagRoom, TAGS_AT_START, TAGS_IN_ALL};
use crate::policy::TagRoom;

/// Recovery points that a vault can hold (AWS Backup Developer Guide, "Quotas").
const POINTS_PER_VAULT: u64 = 1_000_000;
/// How long a copy job is taken to last; AWS states nothing.
pub(super) const COPY_MINUTES: u64 = 30;
/// No copy is started so shortly before the next session of its table.
const COPY_PAUSE_MINUTES: u64 = 15;
/// So many tables are named in a message.
const NAMED: usize = 10;

/// The limits that are looked at; the guide explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Points at one time in a vault.
    PointsPerVault,
    /// Copies that can run on a day.
    CopiesPerDay,
    /// Days that the copies of a session may take.
    CopyDeadlineDays,
    /// Minutes for a table's copies before its next session.
    CopiesBetweenSessions,
    /// Minutes in which a backup job must begin.
    StartWindowMinutes,
    /// Minutes for a session before the next one.
    MinutesBetweenSessions,
    /// Tags that a backup starts with.
    TagsAtStart,
    /// Tags that a point has.
    TagsPerPoint,
}

impl Limit {
    /// All of them, in the order of the guide.
    pub const ALL: [Self; 8] = [
        Self::PointsPerVault,
        Self::CopiesPerDay,
        Self::CopyDeadlineDays,
        Self::CopiesBetweenSessions,
        Self::StartWindowMinutes,
        Self::MinutesBetweenSessions,
        Self::TagsAtStart,
        Self::TagsPerPoint,
    ];
}

/// A limit that the policy would exceed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Which limit.
    pub limit: Limit,
    /// What the policy comes to.
    pub value: u64,
    /// What is possible.
    pub most: u64,
    /// What that means.
    pub message: String,
}

/// Every limit that the policy would exceed.
pub(super) fn warnings(question: &Question<'_>, chains: &[Chain<'_>], rhythm: &Rhythm) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(chains.iter().filter_map(|chain| points_per_vault(question, chain)));
    for chain in chains.iter().filter(|chain| chain.kind == ChainKind::Copy) {
        warnings.extend(copies_per_day(question, chain));
        warnings.extend(copy_deadline(question, chain));
    }
    warnings.extend(copies_between_sessions(question, rhythm));
    warnings.extend(start_window(question));
    warnings.extend(session_length(question, rhythm));
    warnings.extend(tags(question));
    warnings
}

fn exceeded(limit: Limit, value: u64, most: u64, message: impl FnOnce() -> String) -> Option<Warning> {
    (value > most).then(|| Warning { limit, value, most, message: message() })
}

fn points_per_vault(question: &Question<'_>, chain: &Chain<'_>) -> Option<Warning> {
    exceeded(Limit::PointsPerVault, chain.most_points(question), POINTS_PER_VAULT, || {
        format!(
            "the vault {} would hold more recovery points than AWS Backup allows, without those of other policies; keep \
             fewer, spread the tables over several stacks, or ask AWS for more",
            chain.vault
        )
    })
}

fn tables(question: &Question<'_>) -> u64 {
    u64::try_from(question.tables.len()).unwrap_or(u64::MAX)
}

fn copies_per_day(question: &Question<'_>, chain: &Chain<'_>) -> Option<Warning> {
    let a_year = chain.seen.steady_state.made.saturating_mul(tables(question));
    let most = u64::from(question.settings.copy_concurrency) * 24 * 60 / COPY_MINUTES;
    exceeded(Limit::CopiesPerDay, a_year.div_ceil(365), most, || {
        format!(
            "copies to {} would never catch up, with {} at a time (CopyConcurrency) and {COPY_MINUTES} minutes each",
            chain.vault, question.settings.copy_concurrency
        )
    })
}

fn copy_deadline(question: &Question<'_>, chain: &Chain<'_>) -> Option<Warning> {
    if chain.seen.steady_state.made == 0 {
        return None;
    }
    let at_a_time = u64::from(question.settings.copy_concurrency.max(1));
    let minutes = tables(question).div_ceil(at_a_time).saturating_mul(COPY_MINUTES);
    let most = u64::from(question.settings.copy_deadline_days);
    exceeded(Limit::CopyDeadlineDays, minutes.div_ceil(24 * 60), most, || {
        format!(
            "the copies of one session to {} would take so many days, and copies are given up after {most} \
             (CopyDeadlineDays)",
            chain.vault
        )
    })
}

/// AWS Backup runs one backup or copy job at a time for a resource (AWS Backup Developer Guide, "Quotas").
fn copies_between_sessions(question: &Question<'_>, rhythm: &Rhythm) -> Option<Warning> {
    let targets = u64::try_from(question.policy.copies.len()).unwrap_or(u64::MAX);
    let most = gap_minutes(rhythm)?.saturating_sub(COPY_PAUSE_MINUTES);
    exceeded(Limit::CopiesBetweenSessions, targets.saturating_mul(COPY_MINUTES), most, || {
        "a table's copies run one after the other and would not be done before its next session: the value and the most \
         are minutes; copy fewer flags, or back up less often"
            .to_owned()
    })
}

fn gap_minutes(rhythm: &Rhythm) -> Option<u64> {
    u64::try_from(rhythm.shortest_gap?.as_mins()).ok()
}

/// How long a session takes to start its backups.
fn start_minutes(question: &Question<'_>) -> u64 {
    tables(question).div_ceil(u64::from(question.settings.start_rate.max(1)).saturating_mul(60))
}

fn start_window(question: &Question<'_>) -> Option<Warning> {
    let most = u64::from(question.settings.start_window_minutes);
    exceeded(Limit::StartWindowMinutes, start_minutes(question), most, || {
        "a session would take longer to start its backups (StartRate) than a backup job may wait (StartWindowMinutes)"
            .to_owned()
    })
}

fn session_length(question: &Question<'_>, rhythm: &Rhythm) -> Option<Warning> {
    exceeded(Limit::MinutesBetweenSessions, start_minutes(question), gap_minutes(rhythm)?, || {
        "a session would still be starting backups (StartRate) when the next one begins".to_owned()
    })
}

/// What stands in the way of each table's tags, by the rule that a session itself goes by.
fn tags(question: &Question<'_>) -> Vec<Warning> {
    let Ok(room) = TagRoom::of(question.policy, question.home_vault, question.now) else {
        return Vec::new();
    };
    let mut without: BTreeMap<usize, Vec<&SizedTable>> = BTreeMap::new();
    for table in question.tables {
        without.entry(table.inherited_tags).or_default().push(table);
    }
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let (mut crowded, mut needed) = (Vec::new(), 0);
    for (inherited, tables) in without {
        let inherited: BTreeSet<String> = (0..inherited).map(|i| format!("inherited {i}")).collect();
        match room.for_tags(&inherited) {
            Ok(_) => {}
            Err(NoTagRoom::Table { table, ours }) => {
                needed = table + ours;
                crowded.extend(tables.iter().map(|table| table.name.as_str()));
            }
            // The same for every table: what a backup starts with does not depend on it.
            Err(
                error @ (NoTagRoom::AtStart { ours: value }
                | NoTagRoom::Key { length: value }
                | NoTagRoom::Core { length: value }),
            ) => {
                let (value, most) = (number(value), number(TAGS_AT_START));
                return vec![Warning { limit: Limit::TagsAtStart, value, most, message: error.to_string() }];
            }
        }
    }
    crowded.sort_unstable();
    let most = number(TAGS_IN_ALL);
    exceeded(Limit::TagsPerPoint, number(needed), most, || {
        let named = crowded.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = crowded.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(
            "{} tables have so many tags that their points would have no room for metadata: {named}{more}",
            crowded.len()
        )
    })
    .into_iter()
    .collect()
}
