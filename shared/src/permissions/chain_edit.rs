//! The function `dynachain-chain-edit`: alone changes what points say about themselves, also of copies in other Regions, and
//! nothing but the tags with their core.

use super::{Condition, Permission, Resources};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new("Log", &["logs:CreateLogStream", "logs:PutLogEvents"], Resources::LogOf("chain-edit")),
    Permission::new(
        "Catalogs",
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        ],
        Resources::OwnCatalogsAnywhere,
    ),
    Permission::new("OpenMetadata", &["kms:Decrypt"], Resources::KeyAnywhere).when(Condition::OurContext),
    Permission::new(
        "ReadVaults",
        &["backup:DescribeBackupVault", "backup:ListRecoveryPointsByBackupVault"],
        Resources::OwnVaultsAnywhere,
    ),
    Permission::new(
        "ReadPoints",
        &["backup:DescribeRecoveryPoint", "backup:ListTags"],
        Resources::OwnPointsAnywhere,
    ),
    Permission::new("FindLegalHolds", &["backup:ListLegalHolds"], Resources::Anything),
    Permission::new(
        "ReadLegalHolds",
        &["backup:ListRecoveryPointsByLegalHold"],
        Resources::OwnLegalHoldsAnywhere,
    ),
    Permission::new(
        "EditPoints",
        &["backup:TagResource", "backup:UntagResource"],
        Resources::OwnPointsAnywhere,
    )
    .when(Condition::CoreOfChains),
    Permission::new("TellAboutEdits", &["events:PutEvents"], Resources::DefaultBus)
        .when(Condition::OurEvents),
    Permission::new("GiveUpEvents", &["sqs:SendMessage"], Resources::InvocationQueue),
];
