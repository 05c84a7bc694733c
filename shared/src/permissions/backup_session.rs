//! The function `dynachain-backup-session`: starts backups, and alone makes data keys.

use super::{Condition, Permission, Resources, Role, TURN_ON_ADVANCED_FEATURES, WRAP_DATA_KEYS_FOR_TARGETS};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new(
        "Log",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        Resources::LogOf("backup-session"),
    ),
    Permission::new(
        "Catalog",
        &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
        Resources::Catalog,
    ),
    Permission::new("FindTables", &["dynamodb:ListTables", "tag:GetResources"], Resources::Anything),
    Permission::new(
        "CaptureTables",
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
    Permission::new("CaptureStreams", &["dynamodb:GetResourcePolicy"], Resources::TableStreams),
    Permission::new(
        "CaptureAutoScaling",
        &[
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScalingPolicies",
            "application-autoscaling:DescribeScheduledActions",
        ],
        Resources::Anything,
    ),
    Permission::new(
        "CaptureAlarms",
        &["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"],
        Resources::Alarms,
    ),
    Permission::new("MakeDataKeys", &["kms:GenerateDataKey"], Resources::Key).when(Condition::OurContext),
    Permission::new(WRAP_DATA_KEYS_FOR_TARGETS, &["kms:Encrypt"], Resources::TargetKeys)
        .when(Condition::OurContext),
    Permission::new(
        "StartBackups",
        &["backup:DescribeBackupVault", "backup:StartBackupJob"],
        Resources::VaultsHere,
    ),
    Permission::new("TagPoints", &["backup:ListTags", "backup:TagResource"], Resources::Points),
    Permission::new(
        "FollowJobs",
        &["backup:DescribeRegionSettings", "backup:ListBackupJobs"],
        Resources::Anything,
    ),
    Permission::new(TURN_ON_ADVANCED_FEATURES, &["backup:UpdateRegionSettings"], Resources::Anything),
    Permission::new("PassTheBackupRole", &["iam:PassRole"], Resources::Role(Role::Backup))
        .when(Condition::PassedTo("backup.amazonaws.com")),
    Permission::new("TellAboutSessions", &["events:PutEvents"], Resources::DefaultBus)
        .when(Condition::OurEvents),
    Permission::new("GiveUpEvents", &["sqs:SendMessage"], Resources::InvocationQueue),
];
