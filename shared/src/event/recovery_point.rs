//! Status changes of recovery points.

use std::convert::Infallible;
use std::str::FromStr;

use super::Origin;
use super::fields::{Fields, Moment};
use crate::id::{RecoveryPointArn, TableArn, VaultArn};
use crate::open_text::open_text;

/// The kind's name, and the one that it has in the reference of EventBridge.
pub(super) const DETAIL_TYPES: [&str; 2] = ["Recovery Point State Change", "Recovery Point Change"];

open_text! {
    /// The status of a recovery point, in events and in the API.
    PointState {
        /// Being made.
        Creating = "CREATING",
        /// Whole.
        Completed = "COMPLETED",
        /// Whole, as AWS Backup says for some kinds of points.
        Available = "AVAILABLE",
        /// Made in part.
        Partial = "PARTIAL",
        /// Being deleted.
        Deleting = "DELETING",
        /// Due to be deleted, or failed to be.
        Expired = "EXPIRED",
        /// A continuous point that goes on no longer.
        Stopped = "STOPPED",
    }
}

impl FromStr for PointState {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(word.into())
    }
}

/// A recovery point changed its status.
#[derive(Clone, Debug, PartialEq)]
pub struct RecoveryPointChange {
    /// Where the event comes from.
    pub origin: Origin,
    /// The recovery point.
    pub recovery_point: RecoveryPointArn,
    /// Its new status.
    pub status: PointState,
    /// What AWS Backup says about it.
    pub message: Option<String>,
    /// The table.
    pub table: Option<TableArn>,
    /// The vault.
    pub vault: Option<VaultArn>,
    /// The role that AWS Backup worked with.
    pub role: Option<String>,
    /// Whether it is encrypted.
    pub encrypted: Option<bool>,
    /// `WARM`, `COLD` or `DELETED`.
    pub storage_class: Option<String>,
    /// When it was made.
    pub created_at: Option<Moment>,
    /// When it was whole.
    pub completed_at: Option<Moment>,
    /// When AWS Backup will delete it by its lifecycle.
    pub delete_at: Option<Moment>,
}

pub(super) fn change(
    origin: Origin,
    resource: Option<&str>,
    detail: &mut Fields<'_, '_>,
) -> Option<RecoveryPointChange> {
    let status = detail.required("status");
    let table = detail.optional("resourceArn");
    let vault = detail.optional("backupVaultArn");
    let recovery_point = match resource {
        Some(_) => detail.point_among_resources(resource),
        None => detail.required("recoveryPointArn"),
    };
    let delete_at = detail.inner_text("calculatedLifeCycle", "deleteAt");
    Some(RecoveryPointChange {
        origin,
        recovery_point: recovery_point?,
        status: status?,
        message: detail.message("statusMessage"),
        table,
        vault,
        role: detail.text("iamRoleArn"),
        encrypted: detail.flag("isEncrypted"),
        storage_class: detail.text("storageClass"),
        created_at: detail.moment("creationDate"),
        completed_at: detail.moment("completionDate"),
        delete_at: delete_at.as_deref().map(Moment::from),
    })
}
