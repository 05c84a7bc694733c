//! The function `dynachain-backup-copy`: copies completed points, and tags fresh copies; it can delete nothing.

use super::{Condition, Permission, Resources, Role};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new("Log", &["logs:CreateLogStream", "logs:PutLogEvents"], Resources::LogOf("backup-copy")),
    Permission::new(
        "Catalog",
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        ],
        Resources::Catalog,
    ),
    Permission::new("KeepConfigurationsThere", &["dynamodb:PutItem"], Resources::CatalogsAnywhere)
        .when(Condition::CopiedConfigurations),
    Permission::new("FindTables", &["dynamodb:ListTables", "tag:GetResources"], Resources::Anything),
    Permission::new("OpenMetadata", &["kms:Decrypt"], Resources::KeyAnywhere).when(Condition::OurContext),
    Permission::new(
        "LookIntoVaults",
        &["backup:DescribeBackupVault", "backup:ListRecoveryPointsByBackupVault"],
        Resources::OwnVaultsAnywhere,
    ),
    Permission::new(
        "ReadPoints",
        &["backup:DescribeRecoveryPoint", "backup:ListTags"],
        Resources::OwnPointsAnywhere,
    ),
    Permission::new("StartCopies", &["backup:StartCopyJob"], Resources::Points),
    Permission::new("RepairTagsOfCopies", &["backup:TagResource"], Resources::OwnPointsAnywhere)
        .when(Condition::TagsOfAChain),
    Permission::new(
        "FollowJobs",
        &["backup:ListBackupJobs", "backup:ListBackupVaults", "backup:ListCopyJobs"],
        Resources::Anything,
    ),
    Permission::new("PassTheBackupRole", &["iam:PassRole"], Resources::Role(Role::Backup))
        .when(Condition::PassedTo("backup.amazonaws.com")),
    Permission::new("TellAboutCopies", &["events:PutEvents"], Resources::DefaultBus)
        .when(Condition::OurEvents),
    Permission::new("GiveUpEvents", &["sqs:SendMessage"], Resources::InvocationQueue),
];
