//! The function `dynachain-manual-removal`: deletes manual backups by hand, and no other points.

use super::{Condition, Permission, Resources};
use crate::metadata::Kind;

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new(
        "Log",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        Resources::LogOf("manual-removal"),
    ),
    Permission::new(
        "Catalog",
        &["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"],
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
    Permission::new("DeletePoints", &["backup:DeleteRecoveryPoint"], Resources::Points)
        .when(Condition::ManagedAs(Kind::Manual)),
    Permission::new("LetBackupDelete", &["iam:CreateServiceLinkedRole"], Resources::BackupsLinkedRole)
        .when(Condition::LinkedTo("backup.amazonaws.com")),
    Permission::new("TellAboutPrunes", &["events:PutEvents"], Resources::DefaultBus)
        .when(Condition::OurEvents),
];
