//! The function `dynachain-chain-report`: reads the vault, and rebuilds the catalog from it.

use super::{Condition, Permission, Resources};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new("Log", &["logs:CreateLogStream", "logs:PutLogEvents"], Resources::LogOf("chain-report")),
    Permission::new(
        "Catalog",
        &["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:Query"],
        Resources::Catalog,
    ),
    Permission::new("OpenMetadata", &["kms:Decrypt"], Resources::Key).when(Condition::OurContext),
    Permission::new(
        "ReadTheVault",
        &["backup:DescribeBackupVault", "backup:ListRecoveryPointsByBackupVault"],
        Resources::Vault,
    ),
    Permission::new("ReadPoints", &["backup:DescribeRecoveryPoint", "backup:ListTags"], Resources::Points),
    Permission::new("FindLegalHolds", &["backup:ListLegalHolds"], Resources::Anything),
    Permission::new("ReadLegalHolds", &["backup:ListRecoveryPointsByLegalHold"], Resources::LegalHolds),
];
