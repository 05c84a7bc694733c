//! The function `dynachain-policy`: keeps policies and their schedules, and looks at all that they need.

use super::{Condition, Permission, Resources, Role};

pub(super) const PERMISSIONS: &[Permission] = &[
    Permission::new("Log", &["logs:CreateLogStream", "logs:PutLogEvents"], Resources::LogOf("policy")),
    Permission::new(
        "Catalog",
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        ],
        Resources::Catalog,
    ),
    Permission::new(
        "SchedulesOfItsGroup",
        &[
            "scheduler:CreateSchedule",
            "scheduler:DeleteSchedule",
            "scheduler:GetSchedule",
            "scheduler:UpdateSchedule",
        ],
        Resources::Schedules,
    ),
    Permission::new("ListSchedules", &["scheduler:ListSchedules"], Resources::Anything),
    Permission::new("PassTheSchedulersRole", &["iam:PassRole"], Resources::Role(Role::Scheduler))
        .when(Condition::PassedTo("scheduler.amazonaws.com")),
    Permission::new("FindTables", &["dynamodb:ListTables", "tag:GetResources"], Resources::Anything),
    Permission::new("LookAtTables", &["dynamodb:DescribeTable"], Resources::Tables),
    Permission::new("LookAtVaults", &["backup:DescribeBackupVault"], Resources::OwnVaultsAnywhere),
    Permission::new("LookAtKeys", &["kms:DescribeKey"], Resources::OwnKeysAnywhere),
    Permission::new("LookAtBackupSettings", &["backup:DescribeRegionSettings"], Resources::Anything),
    Permission::new("LookAtRoles", &["iam:GetRole", "iam:SimulatePrincipalPolicy"], Resources::AllRoles),
];
