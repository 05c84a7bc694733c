//! The answer.

use dynachain::chain::{ListedPoint, RestorePoint};
use dynachain::id::{RecoveryPointArn, TableArn, VaultArn};
use dynachain::retention::End;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::edit::Trouble;

/// Lists are cut after so many points.
pub(crate) const LIMIT: usize = 1000;

/// What an edit does, or would do.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The time of the plan, UTC.
    pub now: Timestamp,
    /// By which the plan is confirmed; it covers the whole, also what is left out of the list.
    pub digest: String,
    /// Whether points become deletable, and nothing was done for want of a confirmation.
    pub confirm_needed: bool,
    /// The points that change or become deletable; the list is cut, the counts cover the whole.
    pub points: Vec<Line>,
    /// How many there are.
    pub points_count: usize,
    /// How many of them become deletable.
    pub deletable: usize,
    /// How many points were edited.
    pub edited: usize,
    /// How many edits that an earlier run had begun were finished first.
    pub resumed: usize,
    /// Whether all was done; otherwise the time was up, and the run goes on by itself in further invocations.
    pub finished: bool,
    /// Points, tables and vaults that could not be edited, and why.
    pub failures: Vec<Failure>,
    /// The last point of a list that was cut: for more, repeat the dry run with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<RecoveryPointArn>,
}

/// What becomes of one point.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Line {
    /// Its table.
    pub table: TableArn,
    /// When it was created, UTC.
    pub created_at: Timestamp,
    /// The point.
    pub recovery_point: RecoveryPointArn,
    /// Its vault.
    pub vault: VaultArn,
    /// When it ends now.
    pub expires_at: Option<End>,
    /// When it would.
    pub would_be: Option<End>,
    /// Whether retention would delete it at its next run, and would not have before.
    pub becomes_deletable: bool,
}

/// What could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The table, where it is about one.
    pub table: Option<TableArn>,
    /// The point, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<RecoveryPointArn>,
    /// The vault.
    pub vault: VaultArn,
    /// The word.
    pub reason: String,
    /// What happened, and what to do.
    pub message: String,
}

impl Failure {
    /// About one point.
    pub(crate) fn at(point: &ListedPoint, trouble: &Trouble) -> Self {
        Self { table: Some(point.table.clone()), ..Self::of_point(&point.vault, &point.arn, trouble) }
    }

    /// About one point of which only the ARN is known.
    pub(crate) fn of_point(vault: &VaultArn, point: &RecoveryPointArn, trouble: &Trouble) -> Self {
        Self {
            table: None,
            recovery_point: Some(point.clone()),
            vault: vault.clone(),
            reason: trouble.reason().to_owned(),
            message: trouble.to_string(),
        }
    }

    /// About a whole vault.
    pub(crate) fn of_vault(vault: &VaultArn, reason: &str, message: &str) -> Self {
        let message = format!("the points of the vault {vault} stay as they are: {message}");
        Self { table: None, recovery_point: None, vault: vault.clone(), reason: reason.to_owned(), message }
    }
}

impl Line {
    pub(crate) fn of(
        point: &RestorePoint,
        expires_at: Option<End>,
        would_be: Option<End>,
        becomes_deletable: bool,
    ) -> Self {
        Self {
            table: point.listed.table.clone(),
            created_at: dynachain::time::whole_seconds(point.listed.created_at),
            recovery_point: point.listed.arn.clone(),
            vault: point.listed.vault.clone(),
            expires_at,
            would_be,
            becomes_deletable,
        }
    }

    /// The line of the plan's digest.
    pub(crate) fn as_text(&self) -> String {
        let end = self.would_be.map_or_else(|| "null".to_owned(), |end| end.to_string());
        let deletable = if self.becomes_deletable { " deletable" } else { "" };
        format!("{} {end}{deletable}", self.recovery_point)
    }
}

impl Answer {
    /// An answer without points.
    pub(crate) fn empty(now: Timestamp) -> Self {
        Self::of(now, Vec::new(), None)
    }

    /// Of a plan of which nothing was done yet.
    pub(crate) fn of(now: Timestamp, mut lines: Vec<Line>, after: Option<&RecoveryPointArn>) -> Self {
        let (digest, deletable) = (crate::plan::digest(&lines), crate::plan::deletable(&lines).len());
        lines.sort();
        let points_count = lines.len();
        let shown = after.and_then(|after| lines.iter().position(|line| line.recovery_point == *after));
        let mut points = lines.split_off(shown.map_or(0, |place| place + 1));
        let cut = points.len() > LIMIT;
        points.truncate(LIMIT);
        Self {
            now,
            digest,
            confirm_needed: false,
            next: points.last().filter(|_| cut).map(|line| line.recovery_point.clone()),
            points,
            points_count,
            deletable,
            edited: 0,
            resumed: 0,
            finished: true,
            failures: Vec::new(),
        }
    }
}
