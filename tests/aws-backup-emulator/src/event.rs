//! Events as AWS Backup sends them to EventBridge (AWS Backup Developer Guide, "Monitoring AWS Backup events using Amazon
//! EventBridge"), with the peculiarities of the documented samples: sizes as text, a sparse CREATED, the recovery point
//! among the `resources` of a completed backup job only, ids of backup jobs in lower case where the API gives upper case.
//! Copy jobs have peculiarities of their own: sizes as numbers, ids in upper case, the source among the `resources` of every
//! event.

mod backup_job;
mod copy_job;
mod recovery_point;
mod restore_job;
mod transit;

pub(crate) use transit::{Counts, Quirks, Transit};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::Scope;
use crate::http::without_nulls;
use crate::time::iso_seconds;

/// An event on its way.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) scope: Scope,
    pub(crate) body: Value,
}

impl Event {
    fn new(scope: &Scope, at: Timestamp, detail_type: &str, resources: &[&str], detail: Value) -> Self {
        let body = json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": detail_type,
            "source": "aws.backup",
            "account": scope.account,
            "time": iso_seconds(at),
            "region": scope.region,
            "resources": resources,
            "detail": without_nulls(detail),
        });
        Self { scope: scope.clone(), body }
    }
}

#[cfg(test)]
mod tests;
