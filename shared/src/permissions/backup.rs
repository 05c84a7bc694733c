//! The role that is passed to AWS Backup: the DynamoDB part of `AWSBackupServiceRolePolicyForBackup` (AWS Managed Policy
//! Reference), narrowed to this account and Region.

use super::{Condition, Permission, Resources};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new(
        "BackUpTables",
        &[
            "dynamodb:CreateBackup",
            "dynamodb:DescribeTable",
            "dynamodb:ListTagsOfResource",
            "dynamodb:StartAwsBackupJob",
        ],
        Resources::Tables,
    ),
    Permission::new(
        "HandleTableBackups",
        &["dynamodb:DeleteBackup", "dynamodb:DescribeBackup"],
        Resources::TableBackups,
    ),
    Permission::new(
        "UseTheVault",
        &["backup:CopyFromBackupVault", "backup:DescribeBackupVault"],
        Resources::Vault,
    ),
    Permission::new("CopyPoints", &["backup:CopyFromBackupVault"], Resources::Points),
    Permission::new(
        "CopyIntoOtherVaults",
        &["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
        Resources::AnyVault,
    ),
    Permission::new("TagPoints", &["backup:TagResource"], Resources::OwnPointsAnywhere)
        .when(Condition::OwnAccount),
    Permission::new("ReadTags", &["tag:GetResources"], Resources::Anything),
    Permission::new("UseKeysThroughDynamoDB", &["kms:Decrypt", "kms:GenerateDataKey"], Resources::KeysHere)
        .when(Condition::ThroughDynamoDb),
    Permission::new("DescribeKeys", &["kms:DescribeKey"], Resources::KeysHere),
    Permission::new("GrantKeysToServices", &["kms:CreateGrant"], Resources::KeysHere)
        .when(Condition::GrantToAws),
];
