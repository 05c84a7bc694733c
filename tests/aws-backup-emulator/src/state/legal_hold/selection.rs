//! Which recovery points a hold is placed on (AWS Backup API Reference, "RecoveryPointSelection").

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::iam;
use crate::state::recovery_point::RecoveryPoint;
use crate::time::epoch;

/// The criteria, which a point must satisfy all. One that names nothing is satisfied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) vaults: BTreeSet<String>,
    /// ARNs, in which `*` stands for any characters.
    pub(crate) resources: BTreeSet<String>,
    pub(crate) dates: Option<DateRange>,
}

/// From and to, both inclusive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DateRange {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl Selection {
    pub(super) fn wants(&self, point: &RecoveryPoint) -> bool {
        (self.vaults.is_empty() || self.vaults.contains(&*point.vault))
            && (self.resources.is_empty() || self.wants_resource(&point.resource_arn))
            && self.dates.is_none_or(|dates| dates.from <= point.created && point.created <= dates.to)
    }

    pub(crate) fn wants_resource(&self, arn: &str) -> bool {
        self.resources.contains(arn) || self.resources.iter().any(|name| iam::matches_wildcards(name, arn))
    }

    /// No point that is newer is wanted.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.dates.map(|dates| dates.to)
    }

    /// In a list from new to old, may wanted points come after this one?
    pub(super) fn may_go_on(&self, point: &RecoveryPoint) -> bool {
        self.dates.is_none_or(|dates| dates.from <= point.created)
    }

    /// As the API gives it.
    pub(super) fn describe(&self) -> Value {
        let names = |names: &BTreeSet<String>| (!names.is_empty()).then(|| names.clone());
        json!({
            "VaultNames": names(&self.vaults),
            "ResourceIdentifiers": names(&self.resources),
            "DateRange": self.dates.map(|dates| json!({ "FromDate": epoch(dates.from), "ToDate": epoch(dates.to) })),
        })
    }
}
