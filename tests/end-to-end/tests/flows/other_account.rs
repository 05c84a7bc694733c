//! Copies to another account: sealed for its key too, and read there with that key alone.

use end_to_end::points;
use local_stack::{ACCOUNT, OTHER_ACCOUNT, SOURCE_REGION, TARGET_REGION};
use serde_json::{Value, json};

use crate::permissions::document;
use crate::support::{SEVEN, World, arn, chains, example, found, list, only_point, vault_of};

/// 11:00 in Berlin on that Monday: only D is due.
const ELEVEN: &str = "2027-01-04T10:00:00Z";

impl World {
    fn other_key(&self) -> &str {
        self.stack.other_account().expect("a stack there").output("KeyArn").expect("a key")
    }

    /// The example, with copies of its weekly points into the other account.
    fn copied_there(&self, name: &str) -> Value {
        let mut document = example(name, &json!({"tables": ["a-*"]}));
        document["copies"] = json!([{
            "vault": vault_of(OTHER_ACCOUNT, TARGET_REGION),
            "key": self.other_key(),
            "keep": { "weekly": { "days": 30 } },
        }]);
        document
    }

    async fn kms_there(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.stack.of(OTHER_ACCOUNT).sdk_config(TARGET_REGION).await)
    }

    async fn report_there(&self, request: &Value) -> Value {
        let report = self.stack.of(OTHER_ACCOUNT).invoke(TARGET_REGION, "chain-report", request).await;
        report.expect("a report")
    }

    /// How often functions have asked KMS for this.
    async fn kms_calls(&self, operation: &str) -> u64 {
        let calls = self.stack.other_calls().await.expect("the calls");
        calls.get(&format!("TrentService.{operation}")).copied().unwrap_or_default()
    }
}

fn key_tags(tags: &std::collections::BTreeMap<String, String>) -> Vec<&str> {
    tags.keys().filter_map(|tag| tag.strip_prefix("dynachain:key:")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_account_reads_its_chain_with_its_own_key_alone() {
    let world = World::start_with_other_account().await;
    world.tables(&["a-1", "a-2"]).await;
    world.apply(&world.copied_there("a")).await;
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    assert_eq!(world.kms_calls("Encrypt").await, 1, "one for a session, however many tables");
    world.pass(10).await;
    let report = world.verified(&[]).await;
    for table in ["a-1", "a-2"] {
        assert_eq!(key_tags(&world.tags(&only_point(&report, table)).await), ["1", "2"]);
    }
    let copied: Vec<_> =
        list(&report["copies"]).iter().map(|copies| (&copies["target"], &copies["usable"])).collect();
    assert_eq!(copied, [(&json!(vault_of(OTHER_ACCOUNT, TARGET_REGION)), &json!(1)); 2], "{report:#}");
    // A point that is not copied there is none of that account's business.
    world.jump(ELEVEN).await;
    world.finish_jobs().await;
    let later = world.report(&json!({"table": "a-1"})).await;
    let later = list(&later["chains"][0]["points"])[1]["recovery_point"].as_str().expect("an ARN").to_owned();
    assert_eq!(key_tags(&world.tags(&later).await), ["1"]);

    // From here on the source account has no key and the source Region nobody who answers.
    let own_key = world.stack.deployments()[0].output("KeyArn").expect("a key");
    world.kms().await.disable_key().key_id(own_key).send().await.expect("disabled");
    world.stack.control().set_region(SOURCE_REGION, false).await.expect("off");
    let opened = world.kms_calls("Decrypt").await;
    let there = world.report_there(&json!({"rebuild": true})).await;
    assert_eq!(found(&there), []);
    assert_eq!(chains(&there), [("a-1", "copy", 1), ("a-2", "copy", 1)]);
    let calls = world.kms_calls("Decrypt").await - opened;
    assert_eq!(calls, 2, "both points have one data key, tried with the recipient before it");
    for chain in list(&there["chains"]) {
        let point = &chain["points"][0];
        assert_eq!(chain["vault"], vault_of(OTHER_ACCOUNT, TARGET_REGION));
        assert_eq!(chain["newest_usable"], point["recovery_point"]);
        assert_eq!((&point["policy"], &point["flags"]), (&json!("a"), &json!(["W"])));
        assert_eq!(point["expires_at"], "2027-02-03T06:00:00Z");
    }
    let rebuilt = world.report_there(&json!({"rebuild": true})).await;
    assert_eq!(rebuilt, there);
    assert_eq!(world.report_there(&json!({})).await, there);
    assert_eq!(world.kms_calls("Decrypt").await - opened, calls, "no data key is asked for twice");
    let copy = there["chains"][0]["newest_usable"].as_str().expect("an ARN");
    let client =
        aws_sdk_backup::Client::new(&world.stack.of(OTHER_ACCOUNT).backup_config(TARGET_REGION).await);
    let tags = client.list_tags().resource_arn(copy).send().await.expect("its tags").tags.expect("tags");
    let other = world.stack.other_account().expect("a stack there");
    let opened = points::open_with(&world.stack, other, &tags.into_iter().collect(), &arn("a-1")).await;
    assert!(opened.expect("it opens").config.is_some(), "a restore there has the whole configuration");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_targets_key_cannot_be_used_starts_nothing_and_names_the_target() {
    let world = World::start_with_other_account().await;
    world.tables(&["a-1"]).await;
    world.apply(&world.copied_there("a")).await;
    let target = vault_of(OTHER_ACCOUNT, TARGET_REGION);
    let (kms, key) = (world.kms_there().await, world.other_key());
    let refused = async |hint: &str| {
        for dry_run in [true, false] {
            let refusal = world.refused("backup-session", &json!({"policy": "a", "dry_run": dry_run})).await;
            let said = &refusal.error_message;
            assert_eq!(refusal.error_type, "KeyUnavailable", "{said}");
            assert!([key, target.as_str(), hint].iter().all(|part| said.contains(part)), "{said}");
        }
        assert_eq!(world.starts().await, 0);
    };
    kms.disable_key().key_id(key).send().await.expect("disabled");
    refused("enable it there").await;
    kms.enable_key().key_id(key).send().await.expect("enabled");

    // As the key's policy is without SourceAccounts.
    let whole = kms.get_key_policy().key_id(key).send().await.expect("a policy").policy.expect("a policy");
    let mut narrowed = document(&whole);
    let statements = narrowed["Statement"].as_array_mut().expect("statements");
    let count = statements.len();
    statements.retain(|statement| statement["Sid"] != "SourceAccountsWrapTheirDataKeys");
    assert_eq!(statements.len(), count - 1);
    let put = |policy: String| kms.put_key_policy().key_id(key).policy(policy).send();
    put(narrowed.to_string()).await.expect("a policy");
    refused("SourceAccounts").await;
    put(whole).await.expect("a policy");
    assert_eq!(world.session(&json!({"policy": "a"})).await["tables"]["started"], 1);
    world.jump(SEVEN).await;
    world.finish_jobs().await;
    assert_eq!(chains(&world.verified(&[]).await), [("a-1", "regular", 2)], "by hand, and at seven");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_a_target_in_another_account_needs() {
    let world = World::start_with_other_account().await;
    world.tables(&["a-1"]).await;
    world.apply(&world.copied_there("a")).await;
    let target = vault_of(OTHER_ACCOUNT, TARGET_REGION);
    let answer = world.policy(&json!({"check": "a"})).await;
    let of = |answer: &Value, ok: &Value| -> Vec<(String, String)> {
        let findings = list(&answer["findings"]).iter().filter(|finding| finding["ok"] == *ok);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        findings.map(|finding| (text(&finding["subject"]), text(&finding["check"]))).collect()
    };
    assert_eq!(answer["ok"], Value::Null, "{answer:#}");
    assert_eq!(of(&answer, &json!(false)), []);
    let untold = [(world.other_key().to_owned(), "key".to_owned()), (target, "vault".to_owned())];
    assert_eq!(of(&answer, &Value::Null), untold);
    for finding in list(&answer["findings"]).iter().filter(|finding| finding["ok"].is_null()) {
        let message = finding["message"].as_str().expect("a message");
        assert!(message.contains(&format!("SourceAccounts={ACCOUNT}")), "{message}");
        there(&world, finding["remedy"]["command"].as_str().expect("a command")).await;
    }
    let wraps = |(_, check): &(String, String)| check == "permission:WrapDataKeysForTargets";
    assert_eq!(of(&answer, &json!(true)).into_iter().filter(wraps).count(), 1);

    // A key that the stack's parameter does not name.
    let mut document = world.copied_there("b");
    let unnamed = format!("arn:aws:kms:{TARGET_REGION}:{OTHER_ACCOUNT}:key/mrk-unnamed");
    document["copies"][0]["key"] = json!(unnamed);
    world.apply(&document).await;
    let answer = world.policy(&json!({"check": "b"})).await;
    let failed = of(&answer, &json!(false));
    assert!(failed.len() == 1 && wraps(&failed[0]), "{failed:?}");
    let finding = list(&answer["findings"]).iter().find(|finding| finding["ok"] == false).expect("a finding");
    let resources = list(&finding["remedy"]["statement"]["Resource"]);
    assert_eq!(resources, [json!(world.other_key()), json!(unnamed)], "all that the role needs then");
}

/// Runs a command of a finding in the other account.
async fn there(world: &World, command: &str) {
    let done = tokio::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", command])
        .envs(world.stack.of(OTHER_ACCOUNT).environment(TARGET_REGION))
        .kill_on_drop(true)
        .output()
        .await
        .expect("bash");
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}
