//! The plan of an edit: which points change, and which of all become deletable by it.

use std::collections::BTreeSet;

use dynachain::chain::RestorePoint;
use dynachain::id::RecoveryPointArn;
use dynachain::judge::Judge;
use dynachain::metadata::{Core, Digest};
use dynachain::retention::{Decision, End, KnownCopies, Verdict};

use crate::answer::Line;

/// One point that changes.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) before: RestorePoint,
    pub(crate) core: Core,
}

/// What an edit does to the points of whole tables of one vault.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) edits: Vec<Edit>,
    /// A line for each point that changes or becomes deletable.
    pub(crate) lines: Vec<Line>,
}

impl Plan {
    /// From whole tables as they are, and as they would be. Points that do not change themselves can become deletable: a
    /// floor that is lowered lets go of others.
    pub(crate) fn of(
        before: &[RestorePoint],
        after: &[RestorePoint],
        judge: &Judge,
        copies: &KnownCopies,
    ) -> Self {
        let mut plan = Self::default();
        let verdicts = judge.plan(before, copies).into_iter().zip(judge.plan(after, copies));
        for ((before, after), verdicts) in before.iter().zip(after).zip(verdicts) {
            let changed = before.core != after.core;
            if let Some(core) = after.core.as_deref().filter(|_| changed) {
                plan.edits.push(Edit { before: before.clone(), core: core.clone() });
            }
            let deletable = becomes_deletable(verdicts);
            if changed || deletable {
                plan.lines.push(Line::of(before, expires_at(before), expires_at(after), deletable));
            }
        }
        plan
    }
}

fn becomes_deletable((before, after): (Verdict, Verdict)) -> bool {
    before.decision != Decision::Delete && after.decision == Decision::Delete
}

fn expires_at(point: &RestorePoint) -> Option<End> {
    point.lifespan().and_then(|lifespan| lifespan.expires_at())
}

/// The digest by which a plan is confirmed: SHA-256 of a line for each point, sorted and joined by newlines. A line is the
/// point's ARN, when it would end, and, where it becomes deletable, the word `deletable`, with a space between.
pub(crate) fn digest(lines: &[Line]) -> String {
    let sorted: BTreeSet<String> = lines.iter().map(Line::as_text).collect();
    let lines: Vec<_> = sorted.into_iter().collect();
    Digest::of(lines.join("\n").as_bytes()).to_string()
}

/// The points that become deletable.
pub(crate) fn deletable(lines: &[Line]) -> BTreeSet<&RecoveryPointArn> {
    lines.iter().filter(|line| line.becomes_deletable).map(|line| &line.recovery_point).collect()
}

#[cfg(test)]
mod tests {
    use dynachain::retention::End;

    use super::*;

    fn line(id: &str, would_be: Option<End>, becomes_deletable: bool) -> Line {
        Line {
            table: "arn:aws:dynamodb:eu-central-1:111122223333:table/orders".parse().unwrap(),
            created_at: "2027-01-04T06:00:00Z".parse().unwrap(),
            recovery_point: format!("arn:aws:backup:eu-central-1:111122223333:recovery-point:{id}")
                .parse()
                .unwrap(),
            vault: "arn:aws:backup:eu-central-1:111122223333:backup-vault:dynachain".parse().unwrap(),
            expires_at: None,
            would_be,
            becomes_deletable,
        }
    }

    #[test]
    fn a_digest_covers_points_ends_and_what_becomes_deletable_in_any_order() {
        let (a, b) = (line("a", Some(End::Never), false), line("b", None, true));
        let whole = digest(&[a.clone(), b.clone()]);
        assert_eq!(digest(&[b.clone(), a.clone()]), whole);
        assert_eq!(
            whole,
            Digest::of(
                format!("{} forever\n{} null deletable", a.recovery_point, b.recovery_point).as_bytes()
            )
            .to_string()
        );
        assert_ne!(digest(&[a.clone(), Line { becomes_deletable: false, ..b.clone() }]), whole);
        assert_ne!(digest(&[Line { would_be: None, ..a }, b]), whole);
    }
}
