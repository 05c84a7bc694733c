//! `check` of a policy: all green on a fresh stack, and one finding with its remedy for whatever is broken.

use dynachain::permissions::Role;
use local_stack::{SOURCE_REGION, TARGET_REGION, VAULT};
use serde_json::{Value, json};

use crate::permissions::{document, roles};
use crate::support::{World, arn, example, example_with_copies, list, vault};

impl World {
    /// Checks the policy twice, which answers the same and changes nothing.
    async fn check(&self, policy: &str) -> Value {
        let before = (self.catalog().await, self.schedules().await);
        let answer = self.policy(&json!({"check": policy})).await;
        assert_eq!(
            self.policy(&json!({"check": policy})).await,
            answer,
            "a second check says something else"
        );
        assert!((self.catalog().await, self.schedules().await) == before, "a check changes something");
        answer
    }

    /// The only findings that are not good must be these, given by subject and check; they are returned.
    async fn finds(&self, policy: &str, expected: &[(&str, &str)]) -> Vec<Value> {
        let answer = self.check(policy).await;
        let found = broken(&answer);
        let named: Vec<_> =
            found.iter().map(|finding| (text(finding, "subject"), text(finding, "check"))).collect();
        assert_eq!(named, expected, "{found:#?}");
        assert!(found.iter().all(|finding| finding["ok"] == false), "{found:#?}");
        assert_eq!(answer["ok"], expected.is_empty(), "{answer:#}");
        found
    }

    /// Runs the command of a finding as it is written.
    async fn repair(&self, finding: &Value) {
        let command = finding["remedy"]["command"].as_str().expect("a command");
        let done = tokio::process::Command::new("bash")
            .args(["-euo", "pipefail", "-c", command])
            .envs(self.stack.environment(SOURCE_REGION))
            .kill_on_drop(true)
            .output()
            .await
            .expect("bash");
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// The ARN of a role of the source Region, by its name in the template.
    async fn role(&self, policy: &str, logical_id: &str) -> String {
        let answer = self.policy(&json!({"check": policy})).await;
        let subjects = list(&answer["findings"]).iter().map(|finding| text(finding, "subject"));
        let mut of_role = subjects.filter(|subject| subject.contains(&format!("-{logical_id}-")));
        of_role.next().expect("a finding about the role").to_owned()
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// The findings that are not good.
fn broken(answer: &Value) -> Vec<Value> {
    list(&answer["findings"]).iter().filter(|finding| finding["ok"] != true).cloned().collect()
}

async fn with_copies() -> World {
    let world = World::start_with_target().await;
    world.tables(&["a-1", "a-2", "b-1"]).await;
    world.apply(&example_with_copies("a", &json!({"tables": ["a-*"]}))).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_stack_has_all_that_a_policy_needs() {
    let world = with_copies().await;
    let answer = world.check("a").await;
    assert_eq!(broken(&answer), Vec::<Value>::new());
    assert_eq!(
        (&answer["policy"], &answer["ok"], &answer["next"]),
        (&json!("a"), &json!(true), &Value::Null)
    );
    assert_eq!(answer["tables"], json!({"covered": 2, "ready": 2, "missing": 0, "skipped": 0}));
    let (home, target) = (vault(SOURCE_REGION), vault(TARGET_REGION));
    for (subject, check) in [
        (home.as_str(), "vault"),
        (&home, "vault_lock"),
        (&target, "vault"),
        (&target, "vault_lock"),
        (SOURCE_REGION, "advanced_features"),
        ("a", "schedules"),
        ("a", "tables"),
        ("a", "tags_at_start"),
    ] {
        let findings = list(&answer["findings"]);
        let those = findings
            .iter()
            .filter(|finding| text(finding, "subject") == subject && text(finding, "check") == check);
        assert_eq!(those.count(), 1, "{subject} {check}");
    }
    let checks = |check: &str| {
        list(&answer["findings"]).iter().filter(|finding| text(finding, "check") == check).count()
    };
    assert_eq!((checks("trust"), checks("key"), checks("replica_key")), (Role::ALL.len(), 1, 1));
    // Edits reach the catalogs of all Regions, by a permission of another name.
    let functions = Role::ALL.iter().filter(|role| role.service() == "lambda.amazonaws.com");
    let of_one_catalog = functions.filter(|role| **role != Role::ChainEdit).count();
    assert_eq!(checks("permission:Catalog"), of_one_catalog);

    let refused = world.refused("policy", &json!({"check": "none"})).await;
    assert_eq!(refused.error_type, "PolicyNotFound");
    // Disabled, it is looked at all the same.
    world.policy(&json!({"disable": "a"})).await;
    assert_eq!(world.check("a").await["tables"]["covered"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_its_policy_gets_it_back_statement_by_statement() {
    let world = with_copies().await;
    let iam = world.iam().await;
    let role = world.role("a", "BackupSessionRole").await;
    let name = role.rsplit('/').next().expect("a name");
    let policy = iam.get_role_policy().role_name(name).policy_name("backup-session").send().await;
    let policy = document(policy.expect("the policy").policy_document());
    let sids: Vec<_> = list(&policy["Statement"]).iter().map(|statement| text(statement, "Sid")).collect();
    let checks: Vec<_> = sids.iter().map(|sid| format!("permission:{sid}")).collect();
    let expected: Vec<_> = checks.iter().map(|check| (role.as_str(), check.as_str())).collect();

    let delete = iam.delete_role_policy().role_name(name).policy_name("backup-session");
    delete.send().await.expect("the policy goes");
    let found = world.finds("a", &expected).await;
    let statements: Vec<_> = found.iter().map(|finding| finding["remedy"]["statement"].clone()).collect();
    assert!(statements.iter().all(Value::is_object), "{found:#?}");
    let remedied = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let put = iam.put_role_policy().role_name(name).policy_name("remedied").policy_document(remedied);
    put.send().await.expect("the statements are a policy");
    world.finds("a", &[]).await;
    let answer = world.session(&json!({"policy": "a"})).await;
    assert_eq!(answer["tables"]["started"], 2, "with the remedy a session works: {answer:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_missing_action_a_denial_and_a_lost_trust_are_told_apart() {
    let world = with_copies().await;
    let iam = world.iam().await;
    let role = world.role("a", "BackupRole").await;
    let name = role.rsplit('/').next().expect("a name");

    let whole = iam.get_role_policy().role_name(name).policy_name("backup").send().await;
    let whole = document(whole.expect("the policy").policy_document());
    let put = |document: &Value| {
        iam.put_role_policy()
            .role_name(name)
            .policy_name("backup")
            .policy_document(document.to_string())
            .send()
    };
    let mut narrowed = whole.clone();
    narrowed["Statement"][0]["Resource"] = json!(arn("a-1"));
    put(&narrowed).await.expect("stored");
    let found = world.finds("a", &[(&role, "permission:BackUpTables")]).await;
    let message = text(&found[0], "message");
    assert!(message.contains("table/a-2") && !message.contains("table/a-1"), "{message}");
    put(&whole).await.expect("stored");

    let deny = json!({"Effect": "Deny", "Action": "kms:CreateGrant", "Resource": "*"});
    let deny = json!({"Version": "2012-10-17", "Statement": [deny]});
    let put = iam.put_role_policy().role_name(name).policy_name("deny").policy_document(deny.to_string());
    put.send().await.expect("stored");
    let found = world.finds("a", &[(&role, "permission:GrantKeysToServices")]).await;
    assert!(text(&found[0], "message").starts_with("is denied kms:CreateGrant"), "{found:#?}");
    let delete = iam.delete_role_policy().role_name(name).policy_name("deny");
    delete.send().await.expect("gone");

    let nobody = r#"{"Version": "2012-10-17", "Statement": []}"#;
    let update = iam.update_assume_role_policy().role_name(name).policy_document(nobody);
    update.send().await.expect("nobody is trusted");
    let found = world.finds("a", &[(&role, "trust")]).await;
    world.repair(&found[0]).await;
    world.finds("a", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_looked_at_is_not_told() {
    let world = with_copies().await;
    let iam = world.iam().await;
    let role = world.role("a", "PolicyRole").await;
    let name = role.rsplit('/').next().expect("a name");
    let delete = iam.delete_role_policy().role_name(name).policy_name("look-at-roles");
    delete.send().await.expect("gone");
    let answer = world.check("a").await;
    let found = broken(&answer);
    assert_eq!(
        (&answer["ok"], found.len()),
        (&Value::Null, Role::ALL.len()),
        "one for each role: {found:#?}"
    );
    for finding in &found {
        assert_eq!((text(finding, "check"), &finding["ok"]), ("trust", &Value::Null));
        assert_eq!(finding["remedy"]["statement"]["Sid"], "LookAtRoles");
    }
    let role_names: Vec<_> = roles(&world).await.iter().map(|role| role.arn().to_owned()).collect();
    assert!(found.iter().all(|finding| role_names.iter().any(|arn| arn == text(finding, "subject"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_vaults_and_schedules_that_are_out_of_order_are_named_with_the_command_that_helps() {
    let world = with_copies().await;
    let kms = world.kms().await;
    let [here, there] = world.stack.deployments() else { unreachable!("two stacks") };
    let (key, replica) = (here.output("KeyArn").expect("a key"), there.output("KeyArn").expect("a key"));

    kms.disable_key().key_id(key).send().await.expect("disabled");
    let found = world.finds("a", &[(key, "key")]).await;
    world.repair(&found[0]).await;
    world.finds("a", &[]).await;

    let kms_there = aws_sdk_kms::Client::new(&world.stack.sdk_config(TARGET_REGION).await);
    kms_there.disable_key().key_id(replica).send().await.expect("disabled");
    let found = world.finds("a", &[(replica, "replica_key")]).await;
    world.repair(&found[0]).await;
    world.finds("a", &[]).await;

    for region in [TARGET_REGION, SOURCE_REGION] {
        let backup = aws_sdk_backup::Client::new(&world.stack.backup_config(region).await);
        backup.delete_backup_vault().backup_vault_name(VAULT).send().await.expect("the vault goes");
        let found = world.finds("a", &[(&vault(region), "vault")]).await;
        world.repair(&found[0]).await;
        world.finds("a", &[]).await;
    }

    let scheduler = ["scheduler", "delete-schedule", "--group-name", "dynachain", "--name", "a-0700"];
    let deleted = world.stack.aws_cli(SOURCE_REGION).args(scheduler).output().await.expect("the AWS CLI");
    assert!(deleted.status.success(), "{deleted:?}");
    let found = world.finds("a", &[("a", "schedules")]).await;
    assert!(text(&found[0], "message").ends_with("create a-0700"), "{found:#?}");
    world.policy(&json!({"enable": "a"})).await;
    world.finds("a", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn advanced_features_that_nobody_may_turn_on_are_missed() {
    let world = World::with(&[("ManageBackupSettings", "false")], false).await;
    world.apply(&example("a", &json!({"tables": ["a-*"]}))).await;
    world.finds("a", &[]).await;
    world.advanced_features(false).await;
    let found = world.finds("a", &[(SOURCE_REGION, "advanced_features")]).await;
    world.repair(&found[0]).await;
    world.finds("a", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_could_not_be_backed_up_are_named_each() {
    let world = World::start().await;
    world.tables(&["a-1", "a-2", "a-3"]).await;
    world.apply(&example("a", &json!({"tables": ["a-*", "gone"]}))).await;
    world.tag_table("a-1", (0..48).map(|n| (format!("tag-{n:02}"), "x".to_owned()))).await;
    world.table_status("a-2", "CREATING").await;
    let tables = ["a-1", "a-2", "gone"].map(arn);
    let expected =
        [(tables[0].as_str(), "tag_room"), (tables[1].as_str(), "table"), (tables[2].as_str(), "table")];
    let found = world.finds("a", &expected).await;
    assert!(text(&found[0], "message").starts_with("the table has 48 tags"), "{found:#?}");
    assert!(text(&found[0], "message").contains("of the table's tags"), "{found:#?}");
    world.repair(&found[0]).await;
    assert!(text(&found[1], "message").starts_with("is CREATING"), "{found:#?}");
    assert!(text(&found[2], "message").contains("there is none"), "{found:#?}");
    let answer = world.check("a").await;
    assert_eq!(answer["tables"], json!({"covered": 3, "ready": 1, "missing": 1, "skipped": 0}));
    // A session finds the very same tables wanting.
    let session = world.session(&json!({"policy": "a", "dry_run": true})).await;
    assert_eq!((&session["tables"]["failed"], &session["tables"]["covered"]), (&json!(3), &json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_in_another_account_cannot_be_told_and_says_where_to_look() {
    let (target, key) = (
        "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr",
        "arn:aws:kms:eu-west-1:444455556666:key/11111111-2222-4333-8444-555555555555",
    );
    let world = World::with(&[("TargetKeyArns", key)], false).await;
    let mut document = example("a", &json!({"tables": ["a-*"]}));
    document["copies"] = json!([{"vault": target, "key": key, "keep": {"weekly": {"days": 30}}}]);
    let applied = world.apply(&document).await;
    assert!(
        list(&applied["notes"]).iter().any(|note| note.as_str().is_some_and(|note| note.starts_with(target)))
    );
    let answer = world.check("a").await;
    let found = broken(&answer);
    let named: Vec<_> =
        found.iter().map(|finding| (text(finding, "subject"), text(finding, "check"))).collect();
    assert_eq!((named, &answer["ok"]), (vec![(key, "key"), (target, "vault")], &Value::Null), "{found:#?}");
    assert!(found.iter().all(|finding| finding["remedy"]["command"].is_string()), "{found:#?}");
}
