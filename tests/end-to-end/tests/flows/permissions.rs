//! What the roles of both stacks may do, and above all what none of them may.
//!
//! These simulations give no context of a request, so a statement with conditions never applies in them. To
//! miss nothing, the conditions are taken out of all that the roles allow first: what a role may not do then, it may not do
//! under any condition.

use aws_sdk_iam::types::PolicyEvaluationDecisionType;
use local_stack::{ACCOUNT, SOURCE_REGION, TARGET_REGION};
use serde_json::Value;

use crate::support::{World, arn, chains, vault};

const ROLES: [&str; 6] =
    ["BackupCopyRole", "BackupRole", "BackupSessionRole", "ChainReportRole", "PolicyRole", "SchedulerRole"];
const NOBODY: [&str; 0] = [];

/// A role of one of the stacks.
pub(crate) struct Role {
    /// As CloudFormation has named it.
    name: String,
    arn: String,
}

impl Role {
    /// Its ARN.
    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    /// The name in the template.
    pub(crate) fn short(&self) -> &str {
        self.name.split('-').nth(1).unwrap_or(&self.name)
    }
}

/// The roles of both stacks, by name.
pub(crate) async fn roles(world: &World) -> Vec<Role> {
    let roles = world.iam().await.list_roles().into_paginator().items().send();
    let roles = roles.collect::<Result<Vec<_>, _>>().await.expect("the roles");
    let mut roles: Vec<_> = roles
        .iter()
        .filter(|role| role.role_name().starts_with("dynachain"))
        .map(|role| Role { name: role.role_name().to_owned(), arn: role.arn().to_owned() })
        .collect();
    roles.sort_by(|one, other| one.name.cmp(&other.name));
    roles
}

/// A policy document as IAM gives it: percent-encoded.
pub(crate) fn document(encoded: &str) -> Value {
    let mut parts = encoded.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(hex, 16).expect("two hexadecimal digits"));
        bytes.extend(rest.as_bytes());
    }
    serde_json::from_slice(&bytes).expect("a policy document")
}

/// Takes the conditions out of whatever the roles allow; how many there were.
async fn drop_conditions(world: &World) -> usize {
    let iam = world.iam().await;
    let mut dropped = 0;
    for role in roles(world).await {
        let names = iam.list_role_policies().role_name(&role.name).send().await.expect("its policies");
        for name in names.policy_names() {
            let policy = iam.get_role_policy().role_name(&role.name).policy_name(name).send().await;
            let mut policy = document(policy.expect("the policy").policy_document());
            for statement in policy["Statement"].as_array_mut().expect("statements") {
                assert_eq!(statement["Effect"], "Allow", "{name}: {statement}");
                let statement = statement.as_object_mut().expect("a statement");
                dropped += usize::from(statement.remove("Condition").is_some());
            }
            let put = iam.put_role_policy().role_name(&role.name).policy_name(name);
            put.policy_document(policy.to_string()).send().await.expect("the policy is stored");
        }
    }
    dropped
}

/// The roles that may do this, by their names in the template; one of each stack that may.
async fn who_may(world: &World, action: &str, resource: &str) -> Vec<String> {
    let iam = world.iam().await;
    let mut allowed = Vec::new();
    for role in roles(world).await {
        let ask = iam.simulate_principal_policy().policy_source_arn(&role.arn);
        let answer = ask.action_names(action).resource_arns(resource).send().await.expect("an answer");
        let [result] = answer.evaluation_results() else { unreachable!("{action} of {}", role.name) };
        if *result.eval_decision() == PolicyEvaluationDecisionType::Allowed {
            allowed.push(role.short().to_owned());
        }
    }
    allowed
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_may_do_more_than_its_function_is_for() {
    let world = World::start_with_target().await;
    world.tables(&["a-1"]).await;
    let names: Vec<_> = roles(&world).await.iter().map(|role| role.short().to_owned()).collect();
    assert_eq!(names, ROLES.map(|name| [name; 2]).concat(), "those of both stacks");
    let keys: Vec<_> =
        world.stack.deployments().iter().map(|stack| stack.output("KeyArn").expect("a key")).collect();
    for key in &keys {
        assert_eq!(who_may(&world, "kms:GenerateDataKey", key).await, NOBODY, "without conditions");
    }
    assert_eq!(chains(&world.verified(&[]).await), []);

    assert_ne!(drop_conditions(&world).await, 0);
    assert_eq!(drop_conditions(&world).await, 0, "all are gone");
    for (region, key) in [SOURCE_REGION, TARGET_REGION].into_iter().zip(keys) {
        nobody_harms_points(&world, region).await;
        let who = who_may(&world, "backup:StartBackupJob", &vault(region)).await;
        assert_eq!(who, ["BackupSessionRole"], "{region}: of this Region's stack alone");
        // The role that is passed to AWS Backup may as well, for DynamoDB; it is no function's.
        let who = who_may(&world, "kms:GenerateDataKey", key).await;
        assert_eq!(who, ["BackupRole", "BackupSessionRole"], "{region}");
        // Copies are opened in their own Region: the roles of both stacks may use the key and its replicas.
        let who = who_may(&world, "kms:Decrypt", key).await;
        assert_eq!(who, ["BackupCopyRole", "BackupCopyRole", "BackupRole", "ChainReportRole"], "{region}");
    }
    nobody_touches_tables(&world).await;
}

async fn nobody_harms_points(world: &World, region: &str) {
    let point =
        format!("arn:aws:backup:{region}:{ACCOUNT}:recovery-point:11111111-2222-4333-8444-555555555555");
    let backup = format!("{}/backup/01700000000000-11111111", arn("a-1")).replace(SOURCE_REGION, region);
    for point in [&point, &backup] {
        for action in [
            "backup:DeleteRecoveryPoint",
            "backup:DisassociateRecoveryPoint",
            "backup:DisassociateRecoveryPointFromParent",
            "backup:UpdateRecoveryPointLifecycle",
        ] {
            assert_eq!(who_may(world, action, point).await, NOBODY, "{action} on {point}");
        }
    }
}

async fn nobody_touches_tables(world: &World) {
    for action in [
        "dynamodb:BatchWriteItem",
        "dynamodb:DeleteItem",
        "dynamodb:DeleteTable",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
        "dynamodb:UpdateTable",
    ] {
        let table = arn("a-1").to_string();
        assert_eq!(who_may(world, action, &table).await, NOBODY, "{action} on a table that is backed up");
    }
    let who = who_may(world, "dynamodb:DescribeTable", arn("a-1").as_str()).await;
    assert_eq!(
        who.iter().filter(|role| *role == "BackupSessionRole").count(),
        1,
        "reading its settings: {who:?}"
    );
}
