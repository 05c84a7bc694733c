//! What every operation and every job works with.

use std::sync::{Arc, Mutex, PoisonError};

use crate::agenda::Agenda;
use crate::aws::roles::{Role, Roles};
use crate::aws::{LocalAws, Scope};
use crate::caller::Callers;
use crate::calls::CallLog;
use crate::event::Transit;
use crate::faults::Faults;
use crate::http::ApiError;
use crate::limits::Limits;
use crate::state::World;
use crate::timeline::Timeline;

/// How long jobs take, in emulated seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobTimes {
    /// A backup job that nothing holds up, from its acceptance to its end; a fifth of it is spent waiting to start.
    pub(crate) backup_seconds: u32,
    /// As much for a copy job.
    pub(crate) copy_seconds: u32,
    /// As much for a restore job.
    pub(crate) restore_seconds: u32,
}

impl Default for JobTimes {
    fn default() -> Self {
        Self { backup_seconds: 60, copy_seconds: 60, restore_seconds: 60 }
    }
}

/// Quotas that a test may lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quotas {
    /// Copy jobs that may be on their way to one account in one Region (AWS Backup Developer Guide, "AWS Backup quotas").
    pub(crate) concurrent_copies: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { concurrent_copies: 100 }
    }
}

/// The emulator's parts.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) world: World,
    pub(crate) agenda: Agenda,
    pub(crate) aws: LocalAws,
    pub(crate) callers: Callers,
    pub(crate) calls: CallLog,
    pub(crate) limits: Limits,
    pub(crate) faults: Faults,
    pub(crate) transit: Transit,
    roles: Roles,
    job_times: Mutex<JobTimes>,
    quotas: Mutex<Quotas>,
}

impl Service {
    pub(crate) fn new(aws_endpoint: &str, account: &str, timeline: Arc<Timeline>) -> Self {
        Self {
            agenda: Agenda::new(timeline.clone()),
            timeline,
            world: World::default(),
            aws: LocalAws::new(aws_endpoint, account),
            callers: Callers::new(aws_endpoint),
            calls: CallLog::default(),
            limits: Limits::default(),
            faults: Faults::default(),
            transit: Transit::default(),
            roles: Roles::default(),
            job_times: Mutex::default(),
            quotas: Mutex::default(),
        }
    }

    pub(crate) fn job_times(&self) -> JobTimes {
        *self.job_times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_job_times(&self, times: JobTimes) {
        *self.job_times.lock().unwrap_or_else(PoisonError::into_inner) = times;
    }

    pub(crate) fn quotas(&self) -> Quotas {
        *self.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_quotas(&self, quotas: Quotas) {
        *self.quotas.lock().unwrap_or_else(PoisonError::into_inner) = quotas;
    }

    /// What is remembered of IAM is forgotten.
    pub(crate) fn forget_callers(&self) {
        self.callers.forget();
        self.roles.forget();
    }

    /// A role as IAM has it.
    pub(crate) async fn role(&self, scope: &Scope, name: &str) -> Result<Option<Role>, ApiError> {
        self.roles.get(&self.aws, scope, name).await.map_err(|why| {
            ApiError::service_unavailable(format!("IAM did not tell the policies of the role {name}: {why}"))
        })
    }
}
