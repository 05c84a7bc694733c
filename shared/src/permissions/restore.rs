//! The role passed to AWS Backup with each restore job: the DynamoDB part of AWS's own
//! `AWSBackupServiceRolePolicyForRestores`, narrowed to this account and Region.

use super::{Condition, Permission, Resources};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new(
        "RestoreTables",
        &[
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:DescribeTable",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:RestoreTableFromAwsBackup",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
        ],
        Resources::Tables,
    ),
    Permission::new("ReadTableBackups", &["dynamodb:RestoreTableFromBackup"], Resources::TableBackups),
    Permission::new(
        "UseKeysThroughDynamoDB",
        &[
            "kms:Decrypt",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        Resources::KeysHere,
    )
    .when(Condition::ThroughDynamoDb),
    Permission::new("DescribeKeys", &["kms:DescribeKey"], Resources::KeysHere),
    Permission::new("GrantKeysToServices", &["kms:CreateGrant"], Resources::KeysHere)
        .when(Condition::GrantToAws),
];
