//! Deleting, table by table, and looking at what became of each point.

use std::collections::BTreeSet;

use dynachain::aws::{AwsError, Fault};
use dynachain::chain::ListedPoint;
use dynachain::error::Refusal;
use dynachain::id::{RecoveryPointArn, TableArn};
use dynachain::judge::Judge;
use futures::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use crate::Deps;
use crate::answer::{Failure, LIMIT};
use crate::exclusion::Exclusion;
use crate::inventory::Inventory;
use crate::recheck::{Condemned, Table, forget};
use crate::rule::Rule;
use crate::scene::Scene;

/// Points that are deleted at the same time; calls keep their rates.
const CONCURRENT: usize = 8;

/// What was deleted so far, and what was not.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// The last table that is done with.
    until: Option<TableArn>,
    /// Whether all are.
    pub(crate) complete: bool,
    pub(crate) deleted: u64,
    /// The first so many points that are still there.
    pub(crate) failures: Vec<Failure>,
    pub(crate) failed: u64,
}

impl Deletion {
    /// Goes on with deleting the targets as long as there is time.
    ///
    /// # Errors
    /// When the catalog is out of reach.
    pub(crate) async fn go_on(
        &mut self,
        deps: &Deps,
        edits: &mut Exclusion<'_>,
        scene: &Scene,
        rule: Rule,
        inventory: &Inventory,
        targets: &BTreeSet<RecoveryPointArn>,
    ) -> Result<(), Refusal> {
        let mut judge = scene.judge.clone();
        for tables in inventory.groups(self.until.as_ref(), 1) {
            for table in tables {
                let listed = inventory.points(table);
                // What an invocation before this one has deleted is on its way out.
                let here: BTreeSet<_> = listed
                    .iter()
                    .filter(|point| targets.contains(&point.arn) && !point.is_being_deleted())
                    .map(|point| point.arn.clone())
                    .collect();
                if !here.is_empty() && !self.of_table(deps, edits, &mut judge, rule, listed, here).await? {
                    return Ok(());
                }
                self.until = Some(table.clone());
            }
        }
        self.complete = true;
        Ok(())
    }

    /// Deletes the targets of one table; false when time is up.
    async fn of_table(
        &mut self,
        deps: &Deps,
        edits: &mut Exclusion<'_>,
        judge: &mut Judge,
        rule: Rule,
        listed: Vec<ListedPoint>,
        targets: BTreeSet<RecoveryPointArn>,
    ) -> Result<bool, Refusal> {
        if !edits.invocation.has_time() {
            return Ok(false);
        }
        let points = deps.points.identify(listed, &deps.catalog.points()).await?;
        let mut table = Table::new(deps, judge, rule, points, targets).await?;
        let mut failures = Vec::new();
        let mut in_time = true;
        while in_time {
            let Some(begun) = edits.take().await? else {
                failures.extend(table.leave("edits_running", EDITS_RUNNING));
                break;
            };
            let Some((condemned, changed)) = table.next(begun).await? else { break };
            failures.extend(changed);
            failures.extend(self.of_chunk(deps, &mut table, condemned).await);
            in_time = edits.invocation.has_time();
        }
        Failure::sort(&mut failures);
        self.note(failures);
        Ok(in_time)
    }

    /// Deletes points that were just looked at again; those that are still there.
    async fn of_chunk(
        &mut self,
        deps: &Deps,
        table: &mut Table<'_>,
        condemned: Vec<Condemned>,
    ) -> Vec<Failure> {
        let listed = |point: &Condemned| table.points.iter().find(|known| known.listed.arn == *point.arn());
        let condemned: Vec<_> =
            condemned.into_iter().filter_map(|point| Some((listed(&point)?.clone(), point))).collect();
        let gone: Vec<_> = stream::iter(condemned)
            .map(|(known, point)| async move { (delete(deps, &known.listed, point).await, known) })
            .buffer_unordered(CONCURRENT)
            .collect()
            .await;
        let mut failures = Vec::new();
        for (outcome, known) in gone {
            let point = &known.listed.arn;
            if outcome.may_go() {
                table.deleted(point);
            }
            match outcome {
                Gone::Yes => {
                    tracing::info!(%point, "deleted");
                    self.deleted += 1;
                    forget(deps, &known, &table.points).await;
                }
                Gone::No { now, reason, message, .. } => {
                    tracing::warn!(%point, status = now.as_deref(), reason, message, "not deleted");
                    failures.push(Failure::new(&known.listed, reason, message));
                }
            }
        }
        failures
    }

    fn note(&mut self, failures: impl IntoIterator<Item = Failure>) {
        for failure in failures {
            self.failed += 1;
            if self.failures.len() < LIMIT {
                self.failures.push(failure);
            }
        }
    }
}

enum Gone {
    Yes,
    No {
        /// The status it has now.
        now: Option<String>,
        reason: &'static str,
        /// What to do about it.
        message: String,
        /// Whether it may still go: AWS took the deletion on, or nobody knows whether it did.
        may_go: bool,
    },
}

impl Gone {
    fn may_go(&self) -> bool {
        matches!(self, Self::Yes | Self::No { may_go: true, .. })
    }
}

/// Deletes a point and looks at what became of it, whatever AWS has answered: a success can leave it EXPIRED, and an answer
/// that was lost can have deleted it.
async fn delete(deps: &Deps, listed: &ListedPoint, point: Condemned) -> Gone {
    let asked = deps.remover.remove(&point).await;
    outcome(asked, status(deps, listed).await)
}

/// A point's status now; `None` when it is gone.
async fn status(deps: &Deps, listed: &ListedPoint) -> Result<Option<String>, AwsError> {
    let vault = deps.points.vault();
    match vault.point(&listed.arn).await {
        // Perhaps it does not exist any more.
        Err(error) if error.fault() == Fault::AccessDenied => {
            Ok(vault.in_list(listed).await?.map(|point| point.status))
        }
        now => Ok(now?.map(|point| point.listed.status)),
    }
}

fn outcome(asked: Result<(), AwsError>, now: Result<Option<String>, AwsError>) -> Gone {
    let status = match now {
        Ok(None) => return Gone::Yes,
        Ok(Some(status)) if status == "DELETING" => return Gone::Yes,
        Ok(Some(status)) => Some(status),
        Err(error) => {
            tracing::warn!(%error, "a point cannot be looked at after its deletion");
            None
        }
    };
    let may_go = asked.is_ok() || status.is_none();
    let (reason, message) = match (asked, status.as_deref()) {
        (Err(error), _) => ("delete_refused", format!("{error}; the next run tries again")),
        (Ok(()), Some("EXPIRED")) => ("left_expired", LEFT_EXPIRED.to_owned()),
        (Ok(()), status) => {
            let says = status.unwrap_or("nothing");
            let message = format!(
                "AWS took the deletion on, and says {says} of the point's status; the next run looks again"
            );
            ("not_seen_to_go", message)
        }
    };
    Gone::No { now: status, reason, message, may_go }
}

const EDITS_RUNNING: &str = "dynachain-chain-edit is at work on points of this vault, and a point that is being edited must not go; \
                             the next run deletes what is still due then";

const LEFT_EXPIRED: &str = "AWS answered with success and left the point EXPIRED: this function's role may not create the \
                            service-linked role of AWS Backup (iam:CreateServiceLinkedRole), or the role that made the point \
                            is gone or lost permissions; the next run tries again";

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn refused() -> AwsError {
        AwsError::refused("DeleteRecoveryPoint", "AccessDeniedException", "no")
    }

    #[rstest]
    #[case::gone(Ok(()), Ok(None), "gone", true)]
    #[case::going(Ok(()), Ok(Some("DELETING")), "gone", true)]
    #[case::gone_although_the_answer_was_lost(Err(refused()), Ok(None), "gone", true)]
    #[case::left_expired(Ok(()), Ok(Some("EXPIRED")), "left_expired", true)]
    #[case::still_there(Ok(()), Ok(Some("COMPLETED")), "not_seen_to_go", true)]
    #[case::refused(Err(refused()), Ok(Some("COMPLETED")), "delete_refused", false)]
    #[case::refused_and_expired_as_before(Err(refused()), Ok(Some("EXPIRED")), "delete_refused", false)]
    #[case::nobody_knows(Ok(()), Err(refused()), "not_seen_to_go", true)]
    #[case::nobody_knows_anything(Err(refused()), Err(refused()), "delete_refused", true)]
    fn what_became_of_a_point_is_seen_and_not_believed(
        #[case] asked: Result<(), AwsError>,
        #[case] now: Result<Option<&str>, AwsError>,
        #[case] expected: &str,
        #[case] may_go: bool,
    ) {
        let outcome = outcome(asked, now.map(|status| status.map(str::to_owned)));
        let said = match outcome {
            Gone::Yes => "gone",
            Gone::No { reason, .. } => reason,
        };
        assert_eq!((said, outcome.may_go()), (expected, may_go));
    }
}
