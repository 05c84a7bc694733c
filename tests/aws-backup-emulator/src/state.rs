//! What AWS Backup keeps, per account and Region: one module for each noun.
//!
//! All of it stands behind one lock, which is held for a closure only and so never across a call to another service.

pub(crate) mod backup_job;
pub(crate) mod failure;
pub(crate) mod points;
pub(crate) mod recovery_point;
pub(crate) mod settings;
pub(crate) mod tags;
pub(crate) mod vault;
pub(crate) mod vault_policy;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::aws::Scope;
use backup_job::BackupJob;
use points::Points;
use settings::RegionSettings;
use tags::Tags;
use vault::Vault;
use vault_policy::VaultPolicy;

/// The state of every account and Region.
#[derive(Debug, Default)]
pub(crate) struct World(Mutex<HashMap<Scope, RegionState>>);

impl World {
    /// Reads or changes one scope's state.
    pub(crate) fn with<T>(&self, scope: &Scope, act: impl FnOnce(&mut RegionState) -> T) -> T {
        let mut regions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(regions.entry(scope.clone()).or_default())
    }
}

/// What one account has in one Region.
#[derive(Debug, Default)]
pub(crate) struct RegionState {
    /// By name.
    pub(crate) vaults: BTreeMap<String, Vault>,
    /// By id in upper case.
    pub(crate) backup_jobs: HashMap<String, BackupJob>,
    pub(crate) points: Points,
    pub(crate) settings: RegionSettings,
    /// What `StartBackupJob` made of each idempotency token: a job id.
    pub(crate) backup_tokens: HashMap<String, String>,
}

impl RegionState {
    /// The policy of the vault that an ARN names or that the point of this ARN lies in.
    pub(crate) fn vault_policy(&self, arn: &str) -> Option<&VaultPolicy> {
        let named = arn.rsplit_once(":backup-vault:").and_then(|(_, name)| self.vaults.get(name));
        let vault = named.filter(|vault| vault.arn == arn);
        let vault = vault.or_else(|| self.vaults.get(&self.points.get(arn)?.vault));
        vault?.policy.as_ref()
    }

    /// The tags of a resource of AWS Backup's own, if it is there.
    pub(crate) fn tags(&self, arn: &str) -> Option<&Tags> {
        let vault = || self.vaults.values().find(|vault| vault.arn == arn).map(|vault| &vault.tags);
        self.points.get(arn).map(|point| &point.tags).or_else(vault)
    }

    /// As [`RegionState::tags`], to change them.
    pub(crate) fn tags_mut(&mut self, arn: &str) -> Option<&mut Tags> {
        if let Some(point) = self.points.get_mut(arn) {
            return Some(&mut point.tags);
        }
        self.vaults.values_mut().find(|vault| vault.arn == arn).map(|vault| &mut vault.tags)
    }
}
