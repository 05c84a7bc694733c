//! What retention decides about restore points, with all that it must know asked for: one judge for a whole run.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::aws::AwsError;
use crate::aws::backup::{LegalHolds, Vault};
use crate::catalog::{CatalogError, Copies};
use crate::chain::RestorePoint;
use crate::id::{RecoveryPointArn, VaultArn};
use crate::retention::{Facts, Verdict, plan, wanted_copies};

/// Copies, each a source and a target vault, that need their source no more.
pub type Settled = HashSet<(RecoveryPointArn, VaultArn)>;

/// Decides about the points of one vault, as its lock and its legal holds were when a run began.
#[derive(Clone, Debug)]
pub struct Judge {
    now: Timestamp,
    locked: bool,
    held: HashSet<RecoveryPointArn>,
    copies: Copies,
}

impl Judge {
    /// For the points of `vault` at `now`.
    ///
    /// # Errors
    /// When AWS refuses to list the legal holds.
    pub async fn of(
        vault: &Vault,
        holds: &LegalHolds,
        copies: Copies,
        now: Timestamp,
    ) -> Result<Self, AwsError> {
        Ok(Self { now, locked: vault.locked, held: holds.held_in(&vault.arn).await?, copies })
    }

    /// When it judges.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Decides about whole tables: verdict `i` is about point `i`.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn judge(&self, points: &[RestorePoint]) -> Result<Vec<Verdict>, CatalogError> {
        let settled = self.settled(points).await?;
        Ok(self.plan(points, &settled))
    }

    /// The copies that are wanted of the points and need their source no more.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn settled(&self, points: &[RestorePoint]) -> Result<Settled, CatalogError> {
        self.copies.settled(&wanted_copies(points, self.now)).await
    }

    /// Decides about whole tables whose settled copies are known.
    pub fn plan(&self, points: &[RestorePoint], settled: &Settled) -> Vec<Verdict> {
        plan(points, &self.facts(settled), self.now)
    }

    /// All that it knows beyond the points.
    pub fn facts<'a>(&'a self, settled: &'a Settled) -> Facts<'a> {
        Facts { locked: self.locked, held: &self.held, settled }
    }
}
