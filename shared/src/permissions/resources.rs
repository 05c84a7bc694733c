//! What statements are about: as ARN patterns in a policy, and as the very resources that a backup policy needs.

use super::{Role, Stack};
use crate::id::{KeyArn, PolicyName, TableArn, VaultArn};

/// The resources of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resources {
    /// `*`, for actions that know no narrower resource.
    Anything,
    /// The log group of a function.
    LogOf(&'static str),
    /// The catalog table and its index.
    Catalog,
    /// The catalog tables of the account's stacks in every Region.
    CatalogsAnywhere,
    /// The catalog tables of the account's stacks in every Region, which have one name, and their indexes.
    OwnCatalogsAnywhere,
    /// Every table of the Region.
    Tables,
    /// DynamoDB's backups of every table of the Region.
    TableBackups,
    /// The indexes of every table of the Region.
    TableIndexes,
    /// The streams of every table of the Region.
    TableStreams,
    /// The account's alarms in this Region.
    Alarms,
    /// The alarms by which target tracking scales.
    TrackingAlarms,
    /// The account's Kinesis streams in this Region.
    KinesisStreams,
    /// The roles that DynamoDB's own helpers work with; AWS makes them when they are needed first.
    ServiceRoles,
    /// The stack's vault.
    Vault,
    /// Every vault there is: those that copies go to may be anywhere.
    AnyVault,
    /// The account's vaults in this Region: manual backups may go to any, policies' to the stack's own.
    VaultsHere,
    /// The account's vaults in every Region.
    OwnVaultsAnywhere,
    /// The recovery points of this Region.
    Points,
    /// The account's recovery points in every Region.
    OwnPointsAnywhere,
    /// The legal holds of this Region.
    LegalHolds,
    /// The account's legal holds in every Region.
    OwnLegalHoldsAnywhere,
    /// The role as which AWS Backup deletes recovery points.
    BackupsLinkedRole,
    /// The stack's key.
    Key,
    /// The keys of copy targets in other accounts.
    TargetKeys,
    /// The same key in every Region: its primary and its replicas.
    KeyAnywhere,
    /// The account's keys in this Region.
    KeysHere,
    /// The account's keys in every Region.
    OwnKeysAnywhere,
    /// The schedules of the stack's group.
    Schedules,
    /// A role of the stack.
    Role(Role),
    /// All its roles.
    AllRoles,
    /// The session function.
    SessionFunction,
    /// The default event bus.
    DefaultBus,
    /// Where undelivered schedules go.
    ScheduleQueue,
    /// Where events go that a function gave up on.
    InvocationQueue,
}

/// What one backup policy is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    /// Its name.
    pub policy: PolicyName,
    /// The tables it covers.
    pub tables: Vec<TableArn>,
    /// The vaults it copies to.
    pub targets: Vec<VaultArn>,
    /// The keys of those of them in other accounts.
    pub keys: Vec<KeyArn>,
}

impl Resources {
    /// The ARN patterns that a statement has.
    pub fn patterns(self, stack: &Stack) -> Vec<String> {
        let (partition, account) = (stack.partition(), &stack.account);
        let one = match self {
            Self::Anything => "*".to_owned(),
            Self::LogOf(function) => stack.arn("logs", &format!("{}:*", log_group(function))),
            Self::CatalogsAnywhere => {
                format!("arn:{partition}:dynamodb:*:{account}:table/{}", stack.catalog)
            }
            Self::Catalog => return catalog(stack, &stack.region),
            Self::OwnCatalogsAnywhere => return catalog(stack, "*"),
            Self::Tables => stack.arn("dynamodb", "table/*"),
            Self::TableBackups => stack.arn("dynamodb", "table/*/backup/*"),
            Self::TableIndexes => stack.arn("dynamodb", "table/*/index/*"),
            Self::TableStreams => stack.arn("dynamodb", "table/*/stream/*"),
            Self::Alarms => stack.arn("cloudwatch", "alarm:*"),
            Self::TrackingAlarms => stack.arn("cloudwatch", "alarm:TargetTracking-*"),
            Self::KinesisStreams => stack.arn("kinesis", "stream/*"),
            Self::ServiceRoles => return service_roles(stack),
            Self::Vault => stack.vault.to_string(),
            Self::AnyVault => format!("arn:{partition}:backup:*:*:backup-vault:*"),
            Self::VaultsHere => stack.arn("backup", "backup-vault:*"),
            Self::OwnVaultsAnywhere => format!("arn:{partition}:backup:*:{account}:backup-vault:*"),
            Self::Points => stack.arn("backup", "recovery-point:*"),
            Self::OwnPointsAnywhere => format!("arn:{partition}:backup:*:{account}:recovery-point:*"),
            Self::LegalHolds => stack.arn("backup", "legal-hold:*"),
            Self::OwnLegalHoldsAnywhere => format!("arn:{partition}:backup:*:{account}:legal-hold:*"),
            Self::BackupsLinkedRole => {
                let role = "role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
                format!("arn:{partition}:iam::{account}:{role}")
            }
            Self::Key => stack.key.to_string(),
            Self::TargetKeys => return stack.target_keys.iter().map(ToString::to_string).collect(),
            Self::KeyAnywhere => {
                format!("arn:{partition}:kms:*:{}:key/{}", stack.key.account(), stack.key.id())
            }
            Self::KeysHere => stack.arn("kms", "key/*"),
            Self::OwnKeysAnywhere => format!("arn:{partition}:kms:*:{account}:key/*"),
            Self::Schedules => stack.arn("scheduler", &format!("schedule/{}/*", stack.schedule_group)),
            Self::Role(role) => stack.role(role).to_owned(),
            Self::AllRoles => return stack.roles.values().cloned().collect(),
            Self::SessionFunction => stack.session_function.clone(),
            Self::DefaultBus => stack.arn("events", "event-bus/default"),
            Self::ScheduleQueue => stack.schedule_queue.clone(),
            Self::InvocationQueue => stack.invocation_queue.clone(),
        };
        vec![one]
    }

    /// The resources that a policy needs of them. Recovery points and the like, which have no name before they are made, are
    /// stood for by one of any name; so are tables where none is covered.
    pub fn needed(self, stack: &Stack, subjects: &Subjects) -> Vec<String> {
        let own_targets = subjects.targets.iter().filter(|target| target.account() == stack.account);
        let own_vaults = || std::iter::once(&stack.vault).chain(own_targets.clone());
        let table = || subjects.tables.first().map_or_else(|| any_table(stack), ToString::to_string);
        match self {
            Self::LogOf(function) => {
                vec![stack.arn("logs", &format!("{}:log-stream:{ANY}", log_group(function)))]
            }
            Self::Tables if subjects.tables.is_empty() => vec![any_table(stack)],
            Self::Tables => subjects.tables.iter().map(ToString::to_string).collect(),
            Self::TableBackups => vec![format!("{}/backup/{ANY}", table())],
            Self::TableIndexes => vec![format!("{}/index/{ANY}", table())],
            Self::TableStreams => vec![format!("{}/stream/{ANY}", table())],
            Self::Alarms => vec![stack.arn("cloudwatch", &format!("alarm:{ANY}"))],
            Self::TrackingAlarms => vec![stack.arn("cloudwatch", &format!("alarm:TargetTracking-{ANY}"))],
            Self::KinesisStreams => vec![stack.arn("kinesis", &format!("stream/{ANY}"))],
            Self::AnyVault if subjects.targets.is_empty() => vec![stack.vault.to_string()],
            Self::AnyVault => subjects.targets.iter().map(ToString::to_string).collect(),
            Self::VaultsHere => vec![stack.vault.to_string()],
            Self::OwnVaultsAnywhere => own_vaults().map(ToString::to_string).collect(),
            Self::Points => vec![stack.arn("backup", &format!("recovery-point:{ANY}"))],
            Self::LegalHolds => vec![stack.arn("backup", &format!("legal-hold:{ANY}"))],
            Self::OwnLegalHoldsAnywhere => own_vaults()
                .map(|vault| {
                    let (partition, region) = (stack.partition(), vault.region());
                    format!("arn:{partition}:backup:{region}:{}:legal-hold:{ANY}", stack.account)
                })
                .collect(),
            Self::OwnCatalogsAnywhere => {
                own_vaults().flat_map(|vault| catalog(stack, vault.region())).collect()
            }
            Self::OwnPointsAnywhere => own_vaults()
                .map(|vault| {
                    let (partition, region) = (stack.partition(), vault.region());
                    format!("arn:{partition}:backup:{region}:{}:recovery-point:{ANY}", stack.account)
                })
                .collect(),
            Self::TargetKeys if !subjects.keys.is_empty() => {
                subjects.keys.iter().map(ToString::to_string).collect()
            }
            Self::CatalogsAnywhere => own_vaults()
                .map(|vault| {
                    let (partition, region) = (stack.partition(), vault.region());
                    format!("arn:{partition}:dynamodb:{region}:{}:table/{}", stack.account, stack.catalog)
                })
                .collect(),
            Self::KeysHere => vec![stack.key.to_string()],
            Self::KeyAnywhere | Self::OwnKeysAnywhere => own_vaults()
                .filter_map(|vault| stack.key.in_region(vault.region()).ok())
                .map(|key| key.to_string())
                .collect(),
            Self::Schedules => {
                let (group, policy) = (&stack.schedule_group, &subjects.policy);
                vec![stack.arn("scheduler", &format!("schedule/{group}/{policy}-0000"))]
            }
            _ => self.patterns(stack),
        }
    }
}

/// Stands for a name that AWS has yet to give.
const ANY: &str = "any";

fn any_table(stack: &Stack) -> String {
    stack.arn("dynamodb", &format!("table/{ANY}"))
}

fn catalog(stack: &Stack, region: &str) -> Vec<String> {
    let (partition, account) = (stack.partition(), &stack.account);
    let table = format!("arn:{partition}:dynamodb:{region}:{account}:table/{}", stack.catalog);
    let index = format!("{table}/index/gsi1");
    vec![table, index]
}

/// The service-linked roles of auto scaling, of Kinesis destinations and of Contributor Insights.
fn service_roles(stack: &Stack) -> Vec<String> {
    let (partition, account) = (stack.partition(), &stack.account);
    [
        "contributorinsights.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBCloudWatchContributorInsights",
        "dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
        "kinesisreplication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBKinesisDataStreamsReplication",
    ]
    .map(|role| format!("arn:{partition}:iam::{account}:role/aws-service-role/{role}"))
    .to_vec()
}

fn log_group(function: &str) -> String {
    format!("log-group:/aws/lambda/dynachain-{function}")
}
