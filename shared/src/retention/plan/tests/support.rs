//! Points and plans in few words.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::chain::{Flag, ListedPoint, PerFlag, Reading, RestorePoint};
use crate::id::{RecoveryPointArn, VaultArn};
use crate::metadata::Core;
use crate::metadata::core_tests::core;
use crate::retention::{Decision, Facts, Keep, KnownCopies, KnownCopy, Reason, Verdict, plan, wanted_copies};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn keep(keeps: &[(Flag, Keep)]) -> PerFlag<Keep> {
    let mut per_flag = PerFlag::default();
    for (flag, keep) in keeps {
        per_flag.set(*flag, *keep);
    }
    per_flag
}

/// A core of a session in Berlin at this moment: no copies, no floor.
pub(crate) fn core_at(scheduled_at: Timestamp, keeps: &[(Flag, Keep)]) -> Core {
    Core {
        scheduled_at,
        started_at: scheduled_at + SignedDuration::from_secs(10),
        keep: keep(keeps),
        copies: [].into(),
        keep_last: 0,
        ..core()
    }
}

/// The point of such a core, made two minutes after the moment it was scheduled for.
pub(crate) fn made(id: &str, core: Core) -> RestorePoint {
    let listed = ListedPoint {
        arn: arn(id),
        table: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
        vault: core.home_vault.clone(),
        created_at: core.scheduled_at + SignedDuration::from_mins(2),
        status: "COMPLETED".to_owned(),
        size_bytes: None,
    };
    RestorePoint::identify(listed, Reading::Opened(Box::new(core)))
}

/// A point named after the moment it was scheduled for.
pub(crate) fn point(scheduled_at: &str, keeps: &[(Flag, Keep)]) -> RestorePoint {
    made(scheduled_at, core_at(at(scheduled_at), keeps))
}

pub(crate) fn arn(id: &str) -> RecoveryPointArn {
    format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{id}").parse().unwrap()
}

pub(crate) fn with(mut point: RestorePoint, change: impl FnOnce(&mut Core)) -> RestorePoint {
    change(point.core.as_mut().unwrap());
    point
}

pub(crate) fn with_status(mut point: RestorePoint, status: &str) -> RestorePoint {
    status.clone_into(&mut point.listed.status);
    point
}

/// The plan of an unlocked vault without holds, all copies settled.
pub(crate) fn planned(points: &[RestorePoint], now: &str) -> Vec<Verdict> {
    let copies = settled(wanted_copies(points, &KnownCopies::default(), at(now)));
    plan(points, &facts(&HashSet::new(), &copies), at(now))
}

/// That these copies, each a source and a target vault, are settled.
pub(crate) fn settled(copies: impl IntoIterator<Item = (RecoveryPointArn, VaultArn)>) -> KnownCopies {
    let known = |(source, target)| KnownCopy { source, target, settled: true, backfill: None };
    copies.into_iter().map(known).collect()
}

pub(crate) fn facts<'a>(held: &'a HashSet<RecoveryPointArn>, copies: &'a KnownCopies) -> Facts<'a> {
    Facts { locked: false, held, copies }
}

pub(crate) fn decisions(points: &[RestorePoint], now: &str) -> Vec<Decision> {
    planned(points, now).into_iter().map(|verdict| verdict.decision).collect()
}

/// What is said of the only point, as the words of an answer.
pub(crate) fn said(point: RestorePoint, now: &str) -> String {
    words(&planned(&[point], now)[0])
}

pub(crate) fn words(verdict: &Verdict) -> String {
    let reasons: Vec<_> = verdict.reasons.iter().map(Reason::as_str).collect();
    format!("{}: {}", verdict.decision, reasons.join(" "))
}
