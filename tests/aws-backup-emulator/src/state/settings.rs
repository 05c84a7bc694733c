//! Region settings: which services are opted in, and for which AWS Backup manages backups fully.

use std::collections::BTreeMap;

/// Both maps, by resource type.
#[derive(Clone, Debug)]
pub(crate) struct RegionSettings {
    pub(crate) opt_in: BTreeMap<String, bool>,
    pub(crate) management: BTreeMap<String, bool>,
}

/// The resource types of the opt-in preference.
const RESOURCE_TYPES: [&str; 17] = [
    "Aurora",
    "CloudFormation",
    "DSQL",
    "DocumentDB",
    "DynamoDB",
    "EBS",
    "EC2",
    "EFS",
    "FSx",
    "Neptune",
    "RDS",
    "Redshift",
    "S3",
    "SAP HANA on Amazon EC2",
    "Storage Gateway",
    "Timestream",
    "VirtualMachine",
];
/// Those whose management can be switched.
const MANAGED_TYPES: [&str; 2] = ["DynamoDB", "EFS"];

impl Default for RegionSettings {
    /// As an account has them that made its first vault after November 2021: everything on.
    fn default() -> Self {
        let on = |types: &[&str]| types.iter().map(|name| ((*name).to_owned(), true)).collect();
        Self { opt_in: on(&RESOURCE_TYPES), management: on(&MANAGED_TYPES) }
    }
}

impl RegionSettings {
    /// Advanced features for DynamoDB: both preferences on (AWS Backup Developer Guide, "Advanced DynamoDB backup").
    pub(crate) fn advanced_dynamodb(&self) -> bool {
        [&self.opt_in, &self.management].iter().all(|map| map.get("DynamoDB") == Some(&true))
    }
}
