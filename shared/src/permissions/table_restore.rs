//! The function `dynachain-table-restore`: restores tables, and configures the ones it has restored. It can delete nothing.

use super::{Condition, Permission, Resources, Role};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new("Log", &["logs:CreateLogStream", "logs:PutLogEvents"], Resources::LogOf("table-restore")),
    Permission::new(
        "Catalog",
        &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
        Resources::Catalog,
    ),
    Permission::new("OpenMetadata", &["kms:Decrypt"], Resources::Key).when(Condition::OurContext),
    Permission::new("LookAtKeys", &["kms:DescribeKey"], Resources::KeysHere),
    Permission::new(
        "ReadVaults",
        &["backup:DescribeBackupVault", "backup:ListRecoveryPointsByBackupVault"],
        Resources::VaultsHere,
    ),
    Permission::new(
        "RestorePoints",
        &["backup:DescribeRecoveryPoint", "backup:ListTags", "backup:StartRestoreJob"],
        Resources::Points,
    ),
    // Backups that DynamoDB made without the advanced features are points of its own.
    Permission::new(
        "RestoreTableBackups",
        &["backup:DescribeRecoveryPoint", "backup:StartRestoreJob"],
        Resources::TableBackups,
    ),
    Permission::new(
        "FollowJobs",
        &["backup:DescribeRestoreJob", "backup:GetRestoreJobMetadata", "backup:ListRestoreJobs"],
        Resources::Anything,
    ),
    Permission::new("PassTheRestoreRole", &["iam:PassRole"], Resources::Role(Role::Restore))
        .when(Condition::PassedTo("backup.amazonaws.com")),
    Permission::new(
        "ReadTables",
        &[
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeContributorInsights",
            "dynamodb:DescribeKinesisStreamingDestination",
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:GetResourcePolicy",
            "dynamodb:ListTagsOfResource",
        ],
        Resources::Tables,
    ),
    Permission::new(
        "ConfigureTables",
        &[
            "dynamodb:EnableKinesisStreamingDestination",
            "dynamodb:PutResourcePolicy",
            "dynamodb:TagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateContributorInsights",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
        ],
        Resources::Tables,
    ),
    Permission::new(
        "ConfigureIndexes",
        &["dynamodb:DescribeContributorInsights", "dynamodb:UpdateContributorInsights"],
        Resources::TableIndexes,
    ),
    Permission::new(
        "ConfigureStreams",
        &["dynamodb:GetResourcePolicy", "dynamodb:PutResourcePolicy"],
        Resources::TableStreams,
    ),
    Permission::new(
        "ConfigureAutoScaling",
        &[
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScalingPolicies",
            "application-autoscaling:DescribeScheduledActions",
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:PutScheduledAction",
            "application-autoscaling:RegisterScalableTarget",
        ],
        Resources::Anything,
    ),
    // What target tracking and Kinesis destinations need of their caller (Application Auto Scaling User Guide,
    // "Identity-based policy examples"; Amazon DynamoDB Developer Guide, "Using IAM for Amazon Kinesis Data Streams").
    Permission::new(
        "AlarmsOfTargetTracking",
        &["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
        Resources::TrackingAlarms,
    ),
    // Alarms are made with their tags, and may tell these to their actions (CloudWatch API Reference, `PutMetricAlarm` and
    // `AlarmTagsPropagation`).
    Permission::new(
        "MakeAlarms",
        &[
            "cloudwatch:DescribeAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
        ],
        Resources::Alarms,
    ),
    Permission::new(
        "WriteToKinesis",
        &["kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords"],
        Resources::KinesisStreams,
    ),
    Permission::new("MakeServiceRoles", &["iam:CreateServiceLinkedRole"], Resources::ServiceRoles),
    Permission::new("TellAboutRestores", &["events:PutEvents"], Resources::DefaultBus)
        .when(Condition::OurEvents),
    Permission::new("GiveUpEvents", &["sqs:SendMessage"], Resources::InvocationQueue),
];
