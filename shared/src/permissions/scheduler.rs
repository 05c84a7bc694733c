//! The role with which EventBridge Scheduler wakes sessions.

use super::{Permission, Resources};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new("WakeSessions", &["lambda:InvokeFunction"], Resources::SessionFunction),
    Permission::new("KeepWhatWasNotDelivered", &["sqs:SendMessage"], Resources::ScheduleQueue),
];
