//! What each role of a stack may do: one table per role, which `check` asks IAM about.
//!
//! `infra/template.yaml` says the same to CloudFormation. A test holds a deployed stack's roles against these tables, so that
//! neither can change without the other.

mod backup;
mod backup_copy;
mod backup_session;
mod chain_edit;
mod chain_report;
mod condition;
mod manual_removal;
mod policy;
mod resources;
mod restore;
mod retention_prune;
mod scheduler;
mod table_restore;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use condition::{Condition, ContextEntry, ContextType};
pub use resources::{Resources, Subjects};

use crate::id::{KeyArn, VaultArn, partition_of};

/// A role of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Of the function `dynachain-policy`.
    Policy,
    /// Of the function `dynachain-backup-copy`.
    BackupCopy,
    /// Of the function `dynachain-backup-session`.
    BackupSession,
    /// Of the function `dynachain-chain-edit`.
    ChainEdit,
    /// Of the function `dynachain-chain-report`.
    ChainReport,
    /// Of the function `dynachain-retention-prune`.
    RetentionPrune,
    /// Of the function `dynachain-manual-removal`.
    ManualRemoval,
    /// Passed to AWS Backup with each job.
    Backup,
    /// With which EventBridge Scheduler wakes sessions.
    Scheduler,
    /// Of the function `dynachain-table-restore`.
    TableRestore,
    /// Passed to AWS Backup with each restore job.
    Restore,
}

impl Role {
    /// All of them, in the order of `check`'s findings.
    pub const ALL: [Self; 11] = [
        Self::Policy,
        Self::BackupCopy,
        Self::BackupSession,
        Self::ChainEdit,
        Self::ChainReport,
        Self::RetentionPrune,
        Self::ManualRemoval,
        Self::Backup,
        Self::Scheduler,
        Self::TableRestore,
        Self::Restore,
    ];

    /// The role's name in the template.
    pub fn logical_id(self) -> &'static str {
        match self {
            Self::Policy => "PolicyRole",
            Self::BackupCopy => "BackupCopyRole",
            Self::BackupSession => "BackupSessionRole",
            Self::ChainEdit => "ChainEditRole",
            Self::ChainReport => "ChainReportRole",
            Self::RetentionPrune => "RetentionPruneRole",
            Self::ManualRemoval => "ManualRemovalRole",
            Self::Backup => "BackupRole",
            Self::Scheduler => "SchedulerRole",
            Self::TableRestore => "TableRestoreRole",
            Self::Restore => "RestoreRole",
        }
    }

    /// The environment variable with the role's ARN.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Policy => "POLICY_ROLE_ARN",
            Self::BackupCopy => "BACKUP_COPY_ROLE_ARN",
            Self::BackupSession => "BACKUP_SESSION_ROLE_ARN",
            Self::ChainEdit => "CHAIN_EDIT_ROLE_ARN",
            Self::ChainReport => "CHAIN_REPORT_ROLE_ARN",
            Self::RetentionPrune => "RETENTION_PRUNE_ROLE_ARN",
            Self::ManualRemoval => "MANUAL_REMOVAL_ROLE_ARN",
            Self::Backup => "BACKUP_ROLE_ARN",
            Self::Scheduler => "SCHEDULER_ROLE_ARN",
            Self::TableRestore => "TABLE_RESTORE_ROLE_ARN",
            Self::Restore => "RESTORE_ROLE_ARN",
        }
    }

    /// The service that assumes the role.
    pub fn service(self) -> &'static str {
        match self {
            Self::Policy
            | Self::BackupCopy
            | Self::BackupSession
            | Self::ChainEdit
            | Self::ChainReport
            | Self::RetentionPrune
            | Self::ManualRemoval
            | Self::TableRestore => "lambda.amazonaws.com",
            Self::Backup | Self::Restore => "backup.amazonaws.com",
            Self::Scheduler => "scheduler.amazonaws.com",
        }
    }

    /// What the role may do in this stack.
    pub fn permissions(self, stack: &Stack) -> impl Iterator<Item = &'static Permission> {
        let all = match self {
            Self::Policy => policy::PERMISSIONS,
            Self::BackupCopy => backup_copy::PERMISSIONS,
            Self::BackupSession => backup_session::PERMISSIONS,
            Self::ChainEdit => chain_edit::PERMISSIONS,
            Self::ChainReport => chain_report::PERMISSIONS,
            Self::RetentionPrune => retention_prune::PERMISSIONS,
            Self::ManualRemoval => manual_removal::PERMISSIONS,
            Self::Backup => backup::PERMISSIONS,
            Self::Scheduler => scheduler::PERMISSIONS,
            Self::TableRestore => table_restore::PERMISSIONS,
            Self::Restore => restore::PERMISSIONS,
        };
        let (manages, wraps) = (stack.manages_backup_settings, !stack.target_keys.is_empty());
        all.iter().filter(move |permission| match permission.sid {
            TURN_ON_ADVANCED_FEATURES => manages,
            WRAP_DATA_KEYS_FOR_TARGETS => wraps,
            _ => true,
        })
    }
}

/// The statement that only stacks with `ManageBackupSettings` have.
const TURN_ON_ADVANCED_FEATURES: &str = "TurnOnAdvancedFeatures";
/// The statement that only stacks with `TargetKeyArns` have.
const WRAP_DATA_KEYS_FOR_TARGETS: &str = "WrapDataKeysForTargets";

/// A statement of a role's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its name among the role's statements.
    pub sid: &'static str,
    /// The actions that are allowed.
    pub actions: &'static [&'static str],
    /// On what.
    pub on: Resources,
    /// Under which condition.
    pub condition: Option<Condition>,
}

impl Permission {
    const fn new(sid: &'static str, actions: &'static [&'static str], on: Resources) -> Self {
        Self { sid, actions, on, condition: None }
    }

    const fn when(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }

    /// The statement that allows these of the actions, ready for a role's policy.
    pub fn statement(&self, stack: &Stack, actions: &[&str]) -> Value {
        let mut statement = Map::new();
        statement.insert("Sid".to_owned(), json!(self.sid));
        statement.insert("Effect".to_owned(), json!("Allow"));
        statement.insert("Action".to_owned(), json!(actions));
        statement.insert("Resource".to_owned(), json!(self.on.patterns(stack)));
        if let Some(condition) = self.condition {
            statement.insert("Condition".to_owned(), condition.json(stack));
        }
        Value::Object(statement)
    }

    /// The values that a request's context has for the condition, whenever dynachain makes it.
    pub fn context(&self, stack: &Stack) -> Vec<ContextEntry> {
        self.condition.map(|condition| condition.context(stack)).unwrap_or_default()
    }
}

/// What the permissions of a stack are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Its Region.
    pub region: String,
    /// Its account, 12 digits.
    pub account: String,
    /// Its vault.
    pub vault: VaultArn,
    /// Its key in this Region.
    pub key: KeyArn,
    /// The name of its catalog table.
    pub catalog: String,
    /// The group of its schedules.
    pub schedule_group: String,
    /// The ARN of the session function.
    pub session_function: String,
    /// The ARN of the queue of schedules that could not be delivered.
    pub schedule_queue: String,
    /// The ARN of the queue of events that a function gave up on.
    pub invocation_queue: String,
    /// The ARNs of its roles.
    pub roles: BTreeMap<Role, String>,
    /// Whether sessions may turn on AWS Backup's advanced features (parameter `ManageBackupSettings`).
    pub manages_backup_settings: bool,
    /// The keys of copy targets in other accounts (parameter `TargetKeyArns`).
    pub target_keys: Vec<KeyArn>,
}

impl Stack {
    /// The ARN of a role; empty when the stack has none.
    pub fn role(&self, role: Role) -> &str {
        self.roles.get(&role).map(String::as_str).unwrap_or_default()
    }

    /// The stack as a policy with these keys of targets in other accounts would have it.
    #[must_use]
    pub fn with_target_keys(&self, keys: &[KeyArn]) -> Self {
        let mut stack = self.clone();
        let missing = keys.iter().filter(|key| !self.target_keys.contains(key));
        stack.target_keys.extend(missing.cloned());
        stack
    }

    /// `arn:<partition>:<service>:<Region>:<account>:<resource>` in the stack's own account and Region.
    fn arn(&self, service: &str, resource: &str) -> String {
        let (region, account) = (&self.region, &self.account);
        format!("arn:{}:{service}:{region}:{account}:{resource}", self.partition())
    }

    fn partition(&self) -> &'static str {
        partition_of(&self.region)
    }
}

#[cfg(test)]
mod tests;
