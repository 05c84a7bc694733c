//! What AWS Backup keeps, per account and Region: one module for each noun.
//!
//! All of it stands behind one lock, which is held for a closure only and so never across a call to another service.

pub(crate) mod arrivals;
pub(crate) mod backup_job;
pub(crate) mod copy_job;
pub(crate) mod failure;
pub(crate) mod legal_hold;
pub(crate) mod points;
pub(crate) mod recovery_point;
pub(crate) mod restore_job;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod settings;
pub(crate) mod shared;
pub(crate) mod tags;
pub(crate) mod vault;
pub(crate) mod vault_policy;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::aws::Scope;
use arrivals::Arrivals;
use backup_job::BackupJob;
use copy_job::CopyJob;
use legal_hold::LegalHolds;
use points::Points;
use recovery_point::fate::Step;
use recovery_point::{RecoveryPoint, Status};
use restore_job::RestoreJob;
use settings::RegionSettings;
use tags::Tags;
use vault::Vault;
use vault_policy::VaultPolicy;

/// The state of every account and Region.
#[derive(Debug, Default)]
pub(crate) struct World(Mutex<Regions>);

/// All scopes at once, for what changes two of them together.
#[derive(Debug, Default)]
pub(crate) struct Regions(HashMap<Scope, RegionState>);

impl Regions {
    pub(crate) fn at(&mut self, scope: &Scope) -> &mut RegionState {
        self.0.entry(scope.clone()).or_default()
    }
}

impl World {
    /// Reads or changes one scope's state.
    pub(crate) fn with<T>(&self, scope: &Scope, act: impl FnOnce(&mut RegionState) -> T) -> T {
        self.with_all(|regions| act(regions.at(scope)))
    }

    /// Reads or changes the states of several scopes in one step.
    pub(crate) fn with_all<T>(&self, act: impl FnOnce(&mut Regions) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When something happens next to a recovery point by itself, except in Regions that are off: there they stand still.
    pub(crate) fn next_due(&self, off: &[String]) -> Option<Timestamp> {
        let regions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let on = regions.0.iter().filter(|(scope, _)| !off.contains(&scope.region));
        on.filter_map(|(_, state)| state.points.next_due()).min()
    }

    /// Takes out what is to happen to recovery points at or before a moment, except in Regions that are off.
    pub(crate) fn take_due(&self, at: Timestamp, off: &[String]) -> Vec<(Scope, Arc<str>, Step)> {
        let mut regions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let on = regions.0.iter_mut().filter(|(scope, _)| !off.contains(&scope.region));
        let due = on.flat_map(|(scope, state)| {
            state.points.take_due(at).into_iter().map(|(point, step)| (scope.clone(), point, step))
        });
        due.collect()
    }
}

/// What one account has in one Region.
#[derive(Debug, Default)]
pub(crate) struct RegionState {
    /// By name.
    pub(crate) vaults: BTreeMap<String, Vault>,
    /// By id in upper case.
    pub(crate) backup_jobs: HashMap<String, BackupJob>,
    /// By id in upper case: copies of points that are here.
    pub(crate) copy_jobs: HashMap<String, CopyJob>,
    /// Copies on their way into a vault that is here.
    pub(crate) arrivals: Arrivals,
    pub(crate) points: Points,
    pub(crate) legal_holds: LegalHolds,
    pub(crate) settings: RegionSettings,
    /// What `StartBackupJob` made of each idempotency token: a job id.
    pub(crate) backup_tokens: HashMap<String, String>,
    /// By id in upper case.
    pub(crate) restore_jobs: HashMap<String, RestoreJob>,
    /// What `StartRestoreJob` made of each idempotency token: a job id.
    pub(crate) restore_tokens: HashMap<String, String>,
    /// As much for `StartCopyJob`.
    pub(crate) copy_tokens: HashMap<String, String>,
}

impl RegionState {
    /// What AWS Backup is doing with a point, in words, as long as nothing else can be done to it.
    pub(crate) fn work_on(&self, point: &RecoveryPoint) -> Option<&'static str> {
        match point.status {
            Status::Creating => Some("created"),
            Status::Deleting => Some("deleted"),
            _ if self.is_being_copied(&point.arn) => Some("copied"),
            Status::Completed | Status::Partial | Status::Expired => {
                self.is_being_restored(&point.arn).then_some("restored")
            }
        }
    }

    fn is_being_restored(&self, point: &str) -> bool {
        self.restore_jobs.values().any(|job| job.is_active() && job.recovery_point == point)
    }

    /// Does another job of this resource run? There is one backup or copy job per resource at a time (AWS Backup Developer
    /// Guide, "AWS Backup quotas").
    pub(crate) fn is_busy(&self, resource_arn: &str, but: &str) -> bool {
        let backups = self.backup_jobs.values().filter(|job| job.is_running());
        let copies = self.copy_jobs.values().filter(|job| job.is_running());
        let backups = backups.map(|job| (&job.resource_arn, &job.id));
        let mut running = backups.chain(copies.map(|job| (&job.resource_arn, &job.id)));
        running.any(|(resource, id)| resource == resource_arn && id != but)
    }

    /// Is a copy being made of this point, or is one to be made?
    pub(crate) fn is_being_copied(&self, point_arn: &str) -> bool {
        self.copy_jobs.values().any(|job| job.source.arn == point_arn && !job.state.is_final())
    }

    /// The policy of the vault that an ARN names or that the point of this ARN lies in.
    pub(crate) fn vault_policy(&self, arn: &str) -> Option<&VaultPolicy> {
        let named = arn.rsplit_once(":backup-vault:").and_then(|(_, name)| self.vaults.get(name));
        let vault = named.filter(|vault| vault.arn == arn);
        let vault = vault.or_else(|| self.vaults.get(&*self.points.get(arn)?.vault));
        vault?.policy.as_ref()
    }

    /// The tags of a resource of AWS Backup's own, if it is there.
    pub(crate) fn tags(&self, arn: &str) -> Option<&Tags> {
        let vault = || self.vaults.values().find(|vault| vault.arn == arn).map(|vault| &vault.tags);
        let hold = || self.legal_holds.values().find(|hold| hold.arn == arn).map(|hold| &hold.tags);
        self.points.get(arn).map(|point| &point.tags).or_else(vault).or_else(hold)
    }

    /// As [`RegionState::tags`], to change them.
    pub(crate) fn tags_mut(&mut self, arn: &str) -> Option<&mut Tags> {
        if let Some(point) = self.points.get_mut(arn) {
            return Some(&mut point.tags);
        }
        let vault = self.vaults.values_mut().find(|vault| vault.arn == arn).map(|vault| &mut vault.tags);
        vault
            .or_else(|| self.legal_holds.values_mut().find(|hold| hold.arn == arn).map(|hold| &mut hold.tags))
    }
}
