//! How the copies of the regular chains stand, as the catalog knows them: how far each target is behind, what it lacks and why.
//!
//! The target's own stack shows the copy chain itself, from its own vault. This is the view of the side that copies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dynachain::catalog::{CopyRecord, CopyState};
use dynachain::chain::{ChainKind, RestorePoint};
use dynachain::copying;
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, TableArn, VaultArn};
use jiff::Timestamp;
use serde::Serialize;

use crate::Deps;
use crate::chains::Finding;

/// The copies of one table's regular chain in one target.
#[derive(Clone, Debug, Serialize)]
pub struct Copies {
    table: TableArn,
    target: VaultArn,
    /// The newest point of the regular chain whose copy is usable.
    newest_copied: Option<RecoveryPointArn>,
    /// That copy.
    copy: Option<RecoveryPointArn>,
    /// Seconds from the creation of that point until its copy was found usable.
    lag_seconds: Option<i64>,
    /// The age of that point in seconds: what a restore from the target would lose now.
    rpo_seconds: Option<i64>,
    /// How many points of the regular chain have a usable copy.
    usable: u64,
    /// How many copies are wanted and not there.
    missing_count: usize,
    /// So many of them as an answer lists, those first that will not come by themselves.
    missing: Vec<Missing>,
}

/// An answer lists so many missing copies of a table in a target.
const LISTED: usize = 100;

/// A copy that is wanted and not there.
#[derive(Clone, Debug, Serialize)]
struct Missing {
    recovery_point: RecoveryPointArn,
    scheduled_at: Timestamp,
    /// Null when the catalog has no record of it.
    state: Option<CopyState>,
    attempts: u32,
    reason: Option<String>,
    message: Option<String>,
    since: Timestamp,
}

/// The tables of which an answer tells the copies: those of which it is the first to show a point.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    /// The only table that is asked for.
    pub(crate) only: Option<TableArn>,
    /// The last table of the answer before.
    pub(crate) after: Option<TableArn>,
    /// The last table of this answer, when there are more.
    pub(crate) until: Option<TableArn>,
}

impl Span {
    fn has(&self, table: &TableArn) -> bool {
        self.only.as_ref().is_none_or(|only| table == only)
            && self.after.as_ref().is_none_or(|after| table > after)
            && self.until.as_ref().is_none_or(|until| table <= until)
    }
}

type Wanted = (RecoveryPointArn, VaultArn);
type Records = HashMap<Wanted, CopyRecord>;

/// How the copies of these tables stand, and what somebody should look at; `points` are all that the vault has of them.
pub(crate) async fn report(
    deps: &Deps,
    points: &[RestorePoint],
    span: &Span,
    now: Timestamp,
) -> Result<(Vec<Copies>, Vec<Finding>), Refusal> {
    let catalog = deps.catalog.copies();
    let mut records = Records::new();
    for destination in catalog.destinations().await? {
        let missing = catalog.missing_at(&destination, span.only.as_ref()).await?;
        let missing = missing.into_iter().filter(|record| span.has(&record.table));
        records.extend(missing.map(|record| ((record.source.clone(), record.target.clone()), record)));
    }
    let regular: Vec<_> = points
        .iter()
        .filter(|point| point.chain == ChainKind::Regular && span.has(&point.listed.table))
        .collect();
    records.extend(catalog.known(&pairs(&regular, &records)).await?);
    Ok(gather(&regular, &records, now))
}

/// Each point with every target that any point of its table has.
fn pairs(regular: &[&RestorePoint], records: &Records) -> Vec<Wanted> {
    let mut targets: BTreeMap<&TableArn, BTreeSet<&VaultArn>> = BTreeMap::new();
    for point in regular {
        let named = point.core.iter().flat_map(|core| core.copies.keys());
        targets.entry(&point.listed.table).or_default().extend(named);
    }
    for record in records.values() {
        targets.entry(&record.table).or_default().insert(&record.target);
    }
    let of = |point: &RestorePoint| {
        let targets = targets.get(&point.listed.table).into_iter().flatten();
        targets.map(|target| (point.listed.arn.clone(), (*target).clone())).collect::<Vec<_>>()
    };
    regular.iter().flat_map(|point| of(point)).collect()
}

/// Puts together what points want and what the catalog knows. Pure.
fn gather(regular: &[&RestorePoint], records: &Records, now: Timestamp) -> (Vec<Copies>, Vec<Finding>) {
    let mut all: BTreeMap<(TableArn, VaultArn), Copies> = BTreeMap::new();
    let mut newest: HashMap<(TableArn, VaultArn), Timestamp> = HashMap::new();
    for ((source, target), record) in records {
        let place = (record.table.clone(), target.clone());
        let copies = all.entry(place.clone()).or_insert_with(|| Copies::none(&place));
        if record.state == CopyState::Usable {
            copies.usable += 1;
            if newest.get(&place).is_none_or(|newest| record.created_at > *newest) {
                newest.insert(place, record.created_at);
                copies.count(source, record, now);
            }
        } else if !record.made_up {
            copies.missing.push(Missing::of(record));
        }
    }
    for point in regular {
        for target in point.core.iter().flat_map(|core| core.copies.keys()) {
            let place = (point.listed.table.clone(), target.clone());
            let copies = all.entry(place.clone()).or_insert_with(|| Copies::none(&place));
            if !records.contains_key(&(point.listed.arn.clone(), target.clone())) {
                copies.missing.extend(Missing::unnoted(point, target, now));
            }
        }
    }
    let mut all: Vec<_> = all.into_values().collect();
    all.iter_mut().for_each(Copies::cut);
    let findings = all.iter().flat_map(Copies::findings).collect();
    (all, findings)
}

impl Copies {
    fn none((table, target): &(TableArn, VaultArn)) -> Self {
        Self {
            table: table.clone(),
            target: target.clone(),
            newest_copied: None,
            copy: None,
            lag_seconds: None,
            rpo_seconds: None,
            usable: 0,
            missing_count: 0,
            missing: Vec::new(),
        }
    }

    fn count(&mut self, source: &RecoveryPointArn, record: &CopyRecord, now: Timestamp) {
        let since = |moment: Timestamp| moment.duration_since(record.created_at).as_secs();
        self.newest_copied = Some(source.clone());
        self.copy.clone_from(&record.copy);
        self.lag_seconds = record.settled_at.map(since);
        self.rpo_seconds = Some(since(now));
    }

    /// Counts the missing copies, and leaves so many of them as an answer lists, oldest first.
    fn cut(&mut self) {
        let place = |missing: &Missing| (missing.scheduled_at, missing.recovery_point.clone());
        self.missing_count = self.missing.len();
        self.missing.sort_by_cached_key(|missing| (!missing.is_owed(), place(missing)));
        self.missing.truncate(LISTED);
        self.missing.sort_by_cached_key(place);
    }

    /// Copies that will not come by themselves.
    fn findings(&self) -> Vec<Finding> {
        let finding = |missing: &Missing| Finding {
            table: self.table.clone(),
            recovery_point: missing.recovery_point.clone(),
            reason: match missing.state {
                Some(CopyState::Impossible) => "copy_impossible",
                _ => "copy_given_up",
            },
            message: format!(
                "it has no copy in {}: {}",
                self.target,
                missing.message.as_deref().unwrap_or("nobody knows why")
            ),
        };
        self.missing.iter().filter(|missing| missing.is_owed()).map(finding).collect()
    }
}

impl Missing {
    /// Whether it will not come by itself.
    fn is_owed(&self) -> bool {
        self.state.is_some_and(CopyState::is_owed)
    }

    fn of(record: &CopyRecord) -> Self {
        Self {
            recovery_point: record.source.clone(),
            scheduled_at: record.scheduled_at,
            state: Some(record.state),
            attempts: record.attempts,
            reason: record.reason.clone(),
            message: record.message.clone(),
            since: record.queued_at,
        }
    }

    /// A copy that is wanted now and that the catalog has no record of; none when nobody would ask for it any more.
    fn unnoted(point: &RestorePoint, target: &VaultArn, now: Timestamp) -> Option<Self> {
        let core = point.core.as_deref().filter(|_| point.is_usable())?;
        let (created_at, too_old) =
            (point.listed.created_at, copying::is_too_old(point.listed.created_at, now));
        let wanted = !too_old && copying::wanted(core, now).contains(target);
        wanted.then(|| Self {
            recovery_point: point.listed.arn.clone(),
            scheduled_at: core.scheduled_at,
            state: None,
            attempts: 0,
            reason: Some("not_queued".to_owned()),
            message: Some(
                "the catalog has no record of it; dynachain-backup-copy makes one when it reconciles"
                    .to_owned(),
            ),
            since: dynachain::time::whole_seconds(created_at),
        })
    }
}

#[cfg(test)]
mod tests;
