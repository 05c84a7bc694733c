//! What retention decides about restore points, with all that it must know asked for: one judge for a whole run.

use jiff::Timestamp;

use crate::aws::AwsError;
use crate::aws::backup::{Held, LegalHolds, Vault};
use crate::catalog::{CatalogError, Copies};
use crate::chain::RestorePoint;
use crate::error::Refusal;
use crate::id::VaultArn;
use crate::retention::{Facts, KnownCopies, Verdict, plan, wanted_copies};

/// Decides about the points of one vault, as its lock, its legal holds and the copies that somebody asked for were when a run
/// began.
#[derive(Clone, Debug)]
pub struct Judge {
    now: Timestamp,
    vault: VaultArn,
    locked: bool,
    held: Held,
    copies: Copies,
    /// Copies that are still to come although their points do not name them.
    asked: KnownCopies,
}

impl Judge {
    /// For the points of `vault` at `now`.
    ///
    /// # Errors
    /// When AWS refuses to list the legal holds, or the catalog cannot be read.
    pub async fn of(
        vault: &Vault,
        holds: &LegalHolds,
        copies: Copies,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let held = holds.held_in(&vault.arn).await.map_err(|error| error.refusal())?;
        let asked = copies.asked().await?;
        Ok(Self { now, vault: vault.arn.clone(), locked: vault.locked, held, copies, asked })
    }

    /// When it judges.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Asks for the legal holds again: a run takes a while, and what is being put on hold may still be deleted.
    ///
    /// # Errors
    /// When AWS refuses to list them: then nobody knows what is held now.
    pub async fn ask_for_holds_again(&mut self, holds: &LegalHolds) -> Result<(), AwsError> {
        self.held = holds.held_since(&self.vault, &self.held).await?;
        Ok(())
    }

    /// Decides about whole tables: verdict `i` is about point `i`.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn judge(&self, points: &[RestorePoint]) -> Result<Vec<Verdict>, CatalogError> {
        let copies = self.copies(points).await?;
        Ok(self.plan(points, &copies))
    }

    /// What is known of the copies that are wanted of the points.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn copies(&self, points: &[RestorePoint]) -> Result<KnownCopies, CatalogError> {
        self.copies.standing(&wanted_copies(points, &self.asked, self.now)).await
    }

    /// Decides about whole tables whose copies are known.
    pub fn plan(&self, points: &[RestorePoint], copies: &KnownCopies) -> Vec<Verdict> {
        plan(points, &self.facts(copies), self.now)
    }

    /// All that it knows beyond the points.
    pub fn facts<'a>(&'a self, copies: &'a KnownCopies) -> Facts<'a> {
        Facts { locked: self.locked, held: self.held.points(), copies }
    }
}
