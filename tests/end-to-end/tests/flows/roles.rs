//! The deployed roles against the table of permissions in the domain: the template allows exactly what it says.

use std::collections::BTreeMap;

use dynachain::id::KeyArn;
use dynachain::permissions::{Role, Stack};
use local_stack::{ACCOUNT, SOURCE_REGION, VAULT};
use serde_json::{Value, json};

use crate::permissions::{document, roles};
use crate::support::World;

/// The stack of a Region, as its own policy function knows it.
async fn stack(world: &World, region: &str) -> Stack {
    let mut command = world.stack.aws_cli(region);
    command.args(["lambda", "get-function-configuration", "--function-name", "dynachain-policy"]);
    let answer = command.args(["--output", "json"]).output().await.expect("the AWS CLI");
    let answer: Value = serde_json::from_slice(&answer.stdout).expect("the function's configuration");
    let variable = |name: &str| -> String {
        let value = answer["Environment"]["Variables"][name].as_str();
        value.unwrap_or_else(|| unreachable!("{name} is not set")).to_owned()
    };
    Stack {
        region: region.to_owned(),
        account: ACCOUNT.to_owned(),
        vault: format!("arn:aws:backup:{region}:{ACCOUNT}:backup-vault:{VAULT}").parse().expect("an ARN"),
        key: variable("KEY_ARN").parse().expect("an ARN"),
        catalog: variable("CATALOG_NAME"),
        schedule_group: variable("SCHEDULE_GROUP"),
        session_function: variable("SESSION_FUNCTION_ARN"),
        schedule_queue: variable("SCHEDULE_DLQ_ARN"),
        invocation_queue: variable("INVOCATION_DLQ_ARN"),
        roles: Role::ALL.map(|role| (role, variable(role.variable()))).into(),
        manages_backup_settings: variable("MANAGE_BACKUP_SETTINGS") == "true",
        target_keys: list(&answer["Environment"]["Variables"]["TARGET_KEY_ARNS"]),
    }
}

/// The values of a variable that has any number of them.
fn list(value: &Value) -> Vec<KeyArn> {
    let values = value.as_str().unwrap_or_default().split(',').filter(|value| !value.is_empty());
    values.map(|value| value.parse().expect("an ARN")).collect()
}

/// A statement with its lists in order, so that statements that say the same are equal.
fn in_order(mut statement: Value) -> (String, Value) {
    for member in ["Action", "Resource"] {
        let mut items: Vec<String> = match &statement[member] {
            Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
            one => one.as_str().map(str::to_owned).into_iter().collect(),
        };
        items.sort();
        statement[member] = json!(items);
    }
    (statement["Sid"].as_str().unwrap_or_default().to_owned(), statement)
}

/// All that a role's own policies say.
async fn statements(world: &World, role: &str) -> BTreeMap<String, Value> {
    let iam = world.iam().await;
    let name = role.rsplit('/').next().unwrap_or_default();
    let mut statements = Vec::new();
    let policies = iam.list_role_policies().role_name(name).send().await.expect("its policies");
    for policy in policies.policy_names() {
        let found = iam.get_role_policy().role_name(name).policy_name(policy).send().await;
        let found = document(found.expect("the policy").policy_document());
        statements.extend(found["Statement"].as_array().expect("statements").iter().cloned().map(in_order));
    }
    let count = statements.len();
    let statements: BTreeMap<_, _> = statements.into_iter().collect();
    assert_eq!(statements.len(), count, "{role}: every statement has a name of its own");
    statements
}

async fn compare(world: &World, region: &str) {
    let stack = stack(world, region).await;
    for role in Role::ALL {
        let table = role.permissions(&stack);
        let table: BTreeMap<_, _> =
            table.map(|permission| in_order(permission.statement(&stack, permission.actions))).collect();
        let template = statements(world, stack.role(role)).await;
        assert_eq!(
            table.keys().collect::<Vec<_>>(),
            template.keys().collect::<Vec<_>>(),
            "{role:?} in {region}: shared/src/permissions says the one, infra/template.yaml the other"
        );
        for (sid, statement) in &table {
            assert_eq!(statement, &template[sid], "{sid} of {role:?} in {region}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_allows_exactly_what_the_table_of_permissions_says() {
    let world = World::start_with_target().await;
    let mut known: Vec<_> = Role::ALL.map(Role::logical_id).to_vec();
    known.sort_unstable();
    let there: Vec<_> = roles(&world).await.iter().map(|role| role.short().to_owned()).collect();
    assert_eq!(there, known.iter().flat_map(|name| [*name; 2]).collect::<Vec<_>>(), "a role is in no table");
    for deployment in world.stack.deployments() {
        compare(&world, deployment.region).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_may_not_manage_the_settings_says_so_in_both() {
    let world = World::with(&[("ManageBackupSettings", "false")], false).await;
    assert!(!stack(&world, SOURCE_REGION).await.manages_backup_settings);
    compare(&world, SOURCE_REGION).await;
}
