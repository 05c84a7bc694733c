//! The function `dynachain-retention-prune`: deletes points of chains, and no others.

use super::{Condition, Permission, Resources};
use crate::metadata::Kind;

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new(
        "Log",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        Resources::LogOf("retention-prune"),
    ),
    Permission::new(
        "Catalog",
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        ],
        Resources::Catalog,
    ),
    Permission::new("FindTables", &["dynamodb:ListTables"], Resources::Anything),
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
        .when(Condition::ManagedAs(Kind::Chain)),
    Permission::new("LetBackupDelete", &["iam:CreateServiceLinkedRole"], Resources::BackupsLinkedRole)
        .when(Condition::LinkedTo("backup.amazonaws.com")),
    Permission::new("TellAboutPrunes", &["events:PutEvents"], Resources::DefaultBus)
        .when(Condition::OurEvents),
    Permission::new("GiveUpEvents", &["sqs:SendMessage"], Resources::InvocationQueue),
];
